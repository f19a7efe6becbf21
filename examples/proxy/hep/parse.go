package hep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// ErrMalformed says that bytes are no HEP3 packet with a SIP message.
var ErrMalformed = errors.New("hep: malformed packet")

// lengths are those of the values that have one.
var lengths = map[uint16]int{
	typeFamily: 1, typeProtocol: 1, typeSource4: 4, typeTarget4: 4, typeSource6: 16, typeTarget6: 16, typeSourcePort: 2, typeTargetPort: 2,
	typeSeconds: 4, typeMicros: 4, typePayloadKind: 1, typeAgent: 4,
}

// Parse reads a packet, as a collector does: chunks of other vendors, and types that it does not know, are passed over. The payload is
// a part of b. Errors are ErrMalformed.
func Parse(b []byte) (p Packet, id Identity, err error) {
	bad := func(format string, args ...any) (Packet, Identity, error) {
		return Packet{}, Identity{}, fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
	}
	if len(b) < head || string(b[:4]) != "HEP3" || int(binary.BigEndian.Uint16(b[4:])) != len(b) {
		return bad("no HEP3 packet of its length")
	}
	seen := map[uint16][]byte{}
	for b = b[head:]; len(b) > 0; {
		if len(b) < head {
			return bad("half a chunk")
		}
		vendor, kind, n := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), int(binary.BigEndian.Uint16(b[4:]))
		if n < head || n > len(b) {
			return bad("chunk %#x of length %d", kind, n)
		}
		value := b[head:n]
		b = b[n:]
		if vendor != 0 {
			continue
		}
		if _, twice := seen[kind]; twice {
			return bad("chunk %#x stands there twice", kind)
		}
		if want, fixed := lengths[kind]; fixed && len(value) != want {
			return bad("chunk %#x has %d bytes", kind, len(value))
		}
		seen[kind] = value
	}
	for _, kind := range []uint16{typeFamily, typeProtocol, typeSourcePort, typeTargetPort, typeSeconds, typeMicros, typePayloadKind, typeAgent, typePayload} {
		if seen[kind] == nil {
			return bad("chunk %#x is missing", kind)
		}
	}
	source, target := seen[typeSource4], seen[typeTarget4]
	switch family := seen[typeFamily][0]; {
	case family == familyIPv6:
		source, target = seen[typeSource6], seen[typeTarget6]
	case family != familyIPv4:
		return bad("family %d", family)
	}
	if source == nil || target == nil {
		return bad("the addresses do not fit the family")
	}
	if kind := seen[typePayloadKind][0]; kind != kindSIP {
		return bad("payload of kind %d", kind)
	}
	number := func(kind uint16) uint32 { return binary.BigEndian.Uint32(seen[kind]) }
	port := func(kind uint16) uint16 { return binary.BigEndian.Uint16(seen[kind]) }
	from, _ := netip.AddrFromSlice(source)
	to, _ := netip.AddrFromSlice(target)
	p = Packet{
		Time: time.UnixMicro(int64(number(typeSeconds))*1e6 + int64(number(typeMicros))), Transport: Transport(seen[typeProtocol][0]),
		From: netip.AddrPortFrom(from.Unmap(), port(typeSourcePort)), To: netip.AddrPortFrom(to.Unmap(), port(typeTargetPort)),
		Correlation: string(seen[typeCorrelation]), Payload: seen[typePayload],
	}
	return p, Identity{Agent: number(typeAgent), Key: string(seen[typeKey]), Node: string(seen[typeNode])}, nil
}
