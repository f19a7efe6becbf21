package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Of RFC 8489: §5 the header, §14.1 and §14.2 the addresses.
const (
	stunHeader  = 20
	stunCookie  = 0x2112A442
	bindRequest = 0x0001
	bindSuccess = 0x0101
	bindError   = 0x0111

	mappedAddress    = 0x0001 // all that servers of RFC 3489 have
	errorCode        = 0x0009
	xorMappedAddress = 0x0020
)

type stunID [12]byte

func stunRequest(id stunID) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, stunHeader), bindRequest)
	b = binary.BigEndian.AppendUint16(b, 0)
	return append(binary.BigEndian.AppendUint32(b, stunCookie), id[:]...)
}

// isSTUN reports whether a datagram answers the request with this transaction ID.
func isSTUN(b []byte, id stunID) bool {
	return len(b) >= stunHeader && binary.BigEndian.Uint32(b[4:]) == stunCookie && stunID(b[8:stunHeader]) == id
}

// parseSTUN reads the address that a binding response tells: XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS where that is all.
func parseSTUN(b []byte) (netip.AddrPort, error) {
	if len(b) < stunHeader {
		return netip.AddrPort{}, fmt.Errorf("a STUN message of %d bytes", len(b))
	}
	kind, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	if size%4 != 0 || size != len(b)-stunHeader {
		return netip.AddrPort{}, fmt.Errorf("a STUN message of %d bytes says that it has %d", len(b), stunHeader+size)
	}
	var mapped, xored netip.AddrPort
	for rest := b[stunHeader:]; len(rest) > 0; {
		if len(rest) < 4 {
			return netip.AddrPort{}, errors.New("a STUN attribute is cut off")
		}
		attribute, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		padded := (n + 3) &^ 3
		if padded > len(rest)-4 {
			return netip.AddrPort{}, fmt.Errorf("STUN attribute %#04x is cut off", attribute)
		}
		value := rest[4 : 4+n]
		rest = rest[4+padded:]
		var err error
		switch {
		case attribute == errorCode && kind == bindError && n >= 4:
			return netip.AddrPort{}, fmt.Errorf("the STUN server refuses: %d %.128q", 100*int(value[2]&7)+int(value[3]), value[4:])
		case attribute == xorMappedAddress && !xored.IsValid():
			xored, err = stunAddress(value, b[4:stunHeader])
		case attribute == mappedAddress && !mapped.IsValid():
			mapped, err = stunAddress(value, make([]byte, 16))
		}
		if err != nil {
			return netip.AddrPort{}, err
		}
	}
	switch {
	case kind != bindSuccess:
		return netip.AddrPort{}, fmt.Errorf("a STUN message of type %#04x is no binding response", kind)
	case xored.IsValid():
		return xored, nil
	case mapped.IsValid():
		return mapped, nil
	}
	return netip.AddrPort{}, errors.New("the STUN response has no address")
}

// stunAddress reads a family, a port and an address, xored with the cookie and the transaction ID, or with zeros.
func stunAddress(value, mask []byte) (netip.AddrPort, error) {
	sizes := map[byte]int{1: 4, 2: 16}
	if len(value) < 4 || len(value) != 4+sizes[value[1]] || sizes[value[1]] == 0 {
		return netip.AddrPort{}, errors.New("a STUN address of no known family")
	}
	raw := make([]byte, len(value)-4)
	for i := range raw {
		raw[i] = value[4+i] ^ mask[i]
	}
	addr, _ := netip.AddrFromSlice(raw)
	port := binary.BigEndian.Uint16(value[2:]) ^ binary.BigEndian.Uint16(mask)
	if port == 0 {
		return netip.AddrPort{}, errors.New("a STUN address with port 0")
	}
	return netip.AddrPortFrom(addr.Unmap(), port), nil
}
