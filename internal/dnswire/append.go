package dnswire

import (
	"encoding/binary"
	"time"
)

// AppendAnswer appends the answer to a query, for servers in tests: names are not compressed.
func AppendAnswer(b []byte, m *Message) ([]byte, error) {
	flags := uint16(0x8180) | uint16(m.Code)
	if m.Truncated {
		flags |= 0x0200
	}
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, m.ID), flags)
	soa := 0
	if m.Negative > 0 {
		soa = 1
	}
	for _, n := range []int{1, len(m.Answers), soa, len(m.Extra)} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	b, err := appendName(b, m.Name)
	b = append(binary.BigEndian.AppendUint16(b, uint16(m.Type)), 0, 1)
	for _, r := range m.Answers {
		if err == nil {
			b, err = appendRecord(b, r)
		}
	}
	if soa > 0 && err == nil {
		b, err = appendRecord(b, Record{Name: m.Name, Type: TypeSOA, TTL: m.Negative})
	}
	for _, r := range m.Extra {
		if err == nil {
			b, err = appendRecord(b, r)
		}
	}
	return b, err
}

func appendRecord(b []byte, r Record) ([]byte, error) {
	b, err := appendName(b, r.Name)
	if err != nil {
		return nil, err
	}
	b = append(binary.BigEndian.AppendUint16(b, uint16(r.Type)), 0, 1)
	b = binary.BigEndian.AppendUint32(b, uint32(r.TTL/time.Second))
	length := len(b)
	b = append(b, 0, 0)
	two := func(n uint16) { b = binary.BigEndian.AppendUint16(b, n) }
	switch r.Type {
	case TypeA, TypeAAAA:
		b = append(b, r.Addr.AsSlice()...)
	case TypeCNAME:
		b, err = appendName(b, r.Target)
	case TypeSRV:
		two(r.Priority)
		two(r.Weight)
		two(r.Port)
		b, err = appendName(b, r.Target)
	case TypeNAPTR:
		two(r.Priority)
		two(r.Weight)
		for _, s := range []string{r.Flags, r.Service, r.Regexp} {
			b = append(append(b, byte(len(s))), s...)
		}
		b, err = appendName(b, r.Target)
	case TypeSOA:
		b = append(b, 0, 0)
		b = append(b, make([]byte, 16)...)
		b = binary.BigEndian.AppendUint32(b, uint32(r.TTL/time.Second))
	}
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint16(b[length:], uint16(len(b)-length-2))
	return b, nil
}
