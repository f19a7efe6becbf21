package rtpstats

import "encoding/binary"

// header is what the statistics need of an RTP header (RFC 3550 §5.1).
type header struct {
	ssrc      uint32
	timestamp uint32
	sequence  uint16
	payload   uint8
}

const fixedHeader = 12

// parse reads the header and applies the checks of RFC 3550 A.1: version 2; not an RTCP packet type (64 to 95 with
// the marker bit, RFC 5761 §4); contributing sources, extension and padding within the packet.
func parse(p []byte) (h header, ok bool) {
	if len(p) < fixedHeader || p[0]>>6 != 2 || p[1] >= 192 && p[1] <= 223 {
		return header{}, false
	}
	if p[0]&0x3f != 0 && !complete(p) {
		return header{}, false
	}
	return header{
		payload:   p[1] & 0x7f,
		sequence:  binary.BigEndian.Uint16(p[2:]),
		timestamp: binary.BigEndian.Uint32(p[4:]),
		ssrc:      binary.BigEndian.Uint32(p[8:]),
	}, true
}

// complete checks the lengths of the optional parts.
func complete(p []byte) bool {
	size := fixedHeader + 4*int(p[0]&0x0f)
	if p[0]&0x10 != 0 {
		if len(p) < size+4 {
			return false
		}
		size += 4 + 4*int(binary.BigEndian.Uint16(p[size+2:]))
	}
	if len(p) < size {
		return false
	}
	if p[0]&0x20 != 0 {
		padding := int(p[len(p)-1])
		return padding > 0 && size+padding <= len(p)
	}
	return true
}
