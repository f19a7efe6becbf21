package hep

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// Transport is the IP protocol that a message went over.
type Transport uint8

// Transports, by their protocol numbers. TLS is TCP.
const (
	TCP Transport = 6
	UDP Transport = 17
)

// Packet is one SIP message, as it went over the network.
type Packet struct {
	Time        time.Time // kept to the microsecond
	From, To    netip.AddrPort
	Transport   Transport // 0 = UDP
	Correlation string    // what puts the legs of a call together; "" = none
	Payload     []byte    // the message
}

// Identity is what a collector knows a capture agent by.
type Identity struct {
	Agent uint32 // its number
	Key   string // its password; "" = none
	Node  string // its name; "" = none
}

// Chunk types of the generic vendor, 0, by the specification. typeNode is no part of its table; the servers take it as the name of the node.
const (
	typeFamily      = 0x0001 // 2 = IPv4, 10 = IPv6
	typeProtocol    = 0x0002
	typeSource4     = 0x0003
	typeTarget4     = 0x0004
	typeSource6     = 0x0005
	typeTarget6     = 0x0006
	typeSourcePort  = 0x0007
	typeTargetPort  = 0x0008
	typeSeconds     = 0x0009
	typeMicros      = 0x000a
	typePayloadKind = 0x000b // 1 = SIP
	typeAgent       = 0x000c
	typeKey         = 0x000e
	typePayload     = 0x000f
	typeCorrelation = 0x0011
	typeNode        = 0x0013
)

const (
	familyIPv4 = 2
	familyIPv6 = 10
	kindSIP    = 1

	head      = 6     // of the packet, and of a chunk
	maxPacket = 65507 // what a datagram over IPv4 carries
	maxText   = 1024  // of a correlation, a key and a name
)

// ErrTooLong says that a message does not fit into a datagram with what is said about it.
var ErrTooLong = errors.New("hep: the message is too long for a packet")

// Append appends p as a HEP3 packet of the agent id. Texts beyond 1,024 bytes are cut. The error is ErrTooLong; dst is returned as it
// was then.
func (p *Packet) Append(dst []byte, id *Identity) ([]byte, error) {
	start := len(dst)
	b := append(dst, 'H', 'E', 'P', '3', 0, 0)
	from, to := p.From.Addr().Unmap(), p.To.Addr().Unmap()
	if v4 := from.Is4() && to.Is4(); v4 {
		b = octet(b, typeFamily, familyIPv4)
	} else {
		b = octet(b, typeFamily, familyIPv6)
	}
	transport := p.Transport
	if transport == 0 {
		transport = UDP
	}
	b = octet(b, typeProtocol, byte(transport))
	if from.Is4() && to.Is4() {
		source, target := from.As4(), to.As4()
		b = chunk(chunk(b, typeSource4, source[:]), typeTarget4, target[:])
	} else { // of two families, or unknown: the mapped form has room for both
		source, target := sixteen(from), sixteen(to)
		b = chunk(chunk(b, typeSource6, source[:]), typeTarget6, target[:])
	}
	b = short(short(b, typeSourcePort, p.From.Port()), typeTargetPort, p.To.Port())
	micros := p.Time.UnixMicro()
	b = long(long(b, typeSeconds, uint32(micros/1e6)), typeMicros, uint32(micros%1e6))
	b = octet(b, typePayloadKind, kindSIP)
	b = long(b, typeAgent, id.Agent)
	b = text(b, typeKey, id.Key)
	b = text(b, typeCorrelation, p.Correlation)
	b = text(b, typeNode, id.Node)
	if len(b)-start+head+len(p.Payload) > maxPacket {
		return dst, ErrTooLong
	}
	b = chunk(b, typePayload, p.Payload)
	binary.BigEndian.PutUint16(b[start+4:], uint16(len(b)-start))
	return b, nil
}

// sixteen is an address in 16 bytes; an invalid one is all zero.
func sixteen(a netip.Addr) (b [16]byte) {
	if a.IsValid() {
		b = a.As16()
	}
	return b
}

func chunk(b []byte, kind uint16, value []byte) []byte {
	return append(header(b, kind, len(value)), value...)
}

func text(b []byte, kind uint16, s string) []byte {
	if s == "" {
		return b
	}
	s = s[:min(len(s), maxText)]
	return append(header(b, kind, len(s)), s...)
}

func header(b []byte, kind uint16, n int) []byte {
	b = binary.BigEndian.AppendUint16(append(b, 0, 0), kind)
	return binary.BigEndian.AppendUint16(b, uint16(head+n))
}

func octet(b []byte, kind uint16, v byte) []byte { return append(header(b, kind, 1), v) }

func short(b []byte, kind, v uint16) []byte {
	return binary.BigEndian.AppendUint16(header(b, kind, 2), v)
}

func long(b []byte, kind uint16, v uint32) []byte {
	return binary.BigEndian.AppendUint32(header(b, kind, 4), v)
}
