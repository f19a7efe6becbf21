// Package dnswire writes DNS queries and reads their answers (RFC 1035), as far as RFC 3263 has a use for them: A, AAAA, SRV (RFC 2782), NAPTR (RFC 3403),
// and CNAME on the way there. It does no I/O.
package dnswire

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"time"
)

// Type is that of a record.
type Type uint16

// Types of records.
const (
	TypeA     Type = 1
	TypeCNAME Type = 5
	TypeSOA   Type = 6
	TypeAAAA  Type = 28
	TypeSRV   Type = 33
	TypeNAPTR Type = 35
	typeOPT   Type = 41
)

// String returns the name of the type, "?" for one that is not known.
func (t Type) String() string {
	switch t {
	case TypeA:
		return "A"
	case TypeCNAME:
		return "CNAME"
	case TypeSOA:
		return "SOA"
	case TypeAAAA:
		return "AAAA"
	case TypeSRV:
		return "SRV"
	case TypeNAPTR:
		return "NAPTR"
	}
	return "?"
}

// Codes of answers.
const (
	CodeOK       = 0
	CodeNotThere = 3 // NXDOMAIN
)

// Errors of reading.
var (
	ErrMessage = errors.New("dnswire: the message cannot be read")
	ErrName    = errors.New("dnswire: the name cannot be asked for")
)

// Record is a resource record. Of the fields below TTL, those of its type are set.
type Record struct {
	Name string // in small letters, without the dot at the end
	Type Type
	TTL  time.Duration

	Addr   netip.Addr // A, AAAA
	Target string     // CNAME, SRV; NAPTR: the replacement. "" is the root
	// Priority and Weight are those of SRV, or order and preference of NAPTR.
	Priority, Weight uint16
	Port             uint16 // SRV
	Flags            string // NAPTR, in small letters
	Service          string // NAPTR, in capitals
	Regexp           string // NAPTR
}

// Message is a query or an answer.
type Message struct {
	ID        uint16
	Response  bool
	Truncated bool
	Code      int
	Name      string // of the question
	Type      Type
	Answers   []Record
	// Negative is how long it holds that there is nothing (RFC 2308 §5); 0 = it is not said.
	Negative time.Duration
	Extra    []Record // the additional section
}

// AppendQuery appends a query, with room for answers of 4,096 bytes (RFC 6891).
func AppendQuery(b []byte, id uint16, name string, t Type) ([]byte, error) {
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(b, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1) // recursion desired; one question, one OPT
	b, err := appendName(b, name)
	if err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	b = append(b, 0, 1)                                                          // IN
	b = binary.BigEndian.AppendUint16(append(b, 0), uint16(typeOPT))             // of the root
	return append(binary.BigEndian.AppendUint16(b, 4096), 0, 0, 0, 0, 0, 0), nil // size; code, version and flags; no options
}

func appendName(b []byte, name string) ([]byte, error) {
	name = strings.TrimSuffix(name, ".")
	if len(name) > 253 {
		return nil, ErrName
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" && name != "" || len(label) > 63 {
			return nil, ErrName
		}
		if label != "" {
			b = append(append(b, byte(len(label))), label...)
		}
	}
	return append(b, 0), nil
}

// Parse reads a message. Records of other types and classes are left out.
func Parse(b []byte) (*Message, error) {
	if len(b) < 12 {
		return nil, ErrMessage
	}
	m := &Message{ID: binary.BigEndian.Uint16(b), Response: b[2]&0x80 != 0, Truncated: b[2]&0x02 != 0, Code: int(b[3] & 0x0f)}
	count := func(i int) int { return int(binary.BigEndian.Uint16(b[4+2*i:])) }
	p := parser{b: b, at: 12}
	for i := range count(0) {
		name, t := p.name(), Type(p.uint16())
		p.uint16()
		if i == 0 {
			m.Name, m.Type = name, t
		}
	}
	for range count(1) {
		if r, ok := p.record(); ok {
			m.Answers = append(m.Answers, r)
		}
	}
	for range count(2) {
		if r, ok := p.record(); ok && r.Type == TypeSOA {
			m.Negative = r.TTL
		}
	}
	for range count(3) {
		if r, ok := p.record(); ok {
			m.Extra = append(m.Extra, r)
		}
	}
	if p.broken {
		return nil, ErrMessage
	}
	return m, nil
}

// parser reads a message; once it is broken it reads nothing more.
type parser struct {
	b      []byte
	at     int
	broken bool
}

func (p *parser) take(n int) []byte {
	if p.broken || len(p.b)-p.at < n {
		p.broken = true
		return nil
	}
	p.at += n
	return p.b[p.at-n : p.at]
}

func (p *parser) uint16() uint16 {
	if b := p.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (p *parser) uint32() uint32 {
	if b := p.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// text reads a character-string.
func (p *parser) text() string {
	if n := p.take(1); n != nil {
		return string(p.take(int(n[0])))
	}
	return ""
}

// name reads a domain name, in small letters. Pointers only lead back, and so to an end.
func (p *parser) name() string {
	var name []byte
	at, behind, limit := p.at, -1, p.at
	for {
		if p.broken || at >= len(p.b) {
			p.broken = true
			return ""
		}
		n := int(p.b[at])
		switch {
		case n == 0:
			if at++; behind < 0 {
				behind = at
			}
			p.at = behind
			return strings.ToLower(string(name))
		case n < 64:
			if len(name)+n+1 > 254 || at+1+n > len(p.b) {
				p.broken = true
				return ""
			}
			label := p.b[at+1 : at+1+n]
			if strings.IndexByte(string(label), '.') >= 0 { // none that could be told from two labels
				p.broken = true
				return ""
			}
			if len(name) > 0 {
				name = append(name, '.')
			}
			name = append(name, label...)
			at += 1 + n
		case n >= 0xc0 && at+1 < len(p.b):
			to := (n&0x3f)<<8 | int(p.b[at+1])
			if behind < 0 {
				behind = at + 2
			}
			if to >= limit {
				p.broken = true
				return ""
			}
			at, limit = to, to
		default:
			p.broken = true
			return ""
		}
	}
}

// record reads a resource record; false = it is of no use here.
func (p *parser) record() (r Record, ok bool) {
	r.Name, r.Type = p.name(), Type(p.uint16())
	class := p.uint16()
	ttl := p.uint32()
	if ttl > 1<<31-1 { // RFC 2181 §8
		ttl = 0
	}
	r.TTL = time.Duration(ttl) * time.Second
	n := int(p.uint16())
	if p.broken || len(p.b)-p.at < n {
		p.broken = true
		return r, false
	}
	end := p.at + n
	whole := p.b
	p.b = p.b[:end] // what a record says stays within it
	if ok = class == 1; ok {
		ok = p.data(&r, n)
	}
	if p.b = whole; !p.broken {
		p.at = end
	}
	return r, ok && !p.broken
}

func (p *parser) data(r *Record, n int) bool {
	switch r.Type {
	case TypeA, TypeAAAA:
		a, ok := netip.AddrFromSlice(p.take(n))
		r.Addr = a
		p.broken = p.broken || !ok || a.Is4() != (r.Type == TypeA)
	case TypeCNAME:
		r.Target = p.name()
	case TypeSRV:
		r.Priority, r.Weight, r.Port, r.Target = p.uint16(), p.uint16(), p.uint16(), p.name()
	case TypeNAPTR:
		r.Priority, r.Weight = p.uint16(), p.uint16()
		r.Flags, r.Service, r.Regexp = strings.ToLower(p.text()), strings.ToUpper(p.text()), p.text()
		r.Target = p.name()
	case TypeSOA:
		p.name()
		p.name()
		p.take(16)
		r.TTL = min(r.TTL, time.Duration(p.uint32()&(1<<31-1))*time.Second) // MINIMUM
	default:
		return false
	}
	return true
}
