package outdial

import (
	"strconv"

	"github.com/outdial/outdial/internal/digits"
)

// Prefix is the leading digits of an E.164 number, country code first, as one integer. The zero value is the
// empty prefix, which every number has. A Prefix has at most 15 digits and never begins with zero.
type Prefix uint64

// ParsePrefix reads "+1212", "1212", "1 212" or "" (the empty prefix); any other text has a digit. Errors are of type
// *NumberError.
func ParsePrefix(s string) (Prefix, error) {
	t := s
	if len(t) > 0 && t[0] == '+' {
		t = t[1:]
	}
	n, count, problem := collectDigits(t)
	switch {
	case problem != "":
	case count == 0 && s != "":
		problem = "no digits"
	case count > MaxDigits:
		problem = "more than 15 digits"
	case count > 0 && digits.Len(n) != count:
		problem = "begins with 0: a national or international dialling prefix, not a country code"
	}
	if problem != "" {
		return 0, numberError(s, problem)
	}
	return Prefix(n), nil
}

// Len is the number of digits, 0 to 15.
func (p Prefix) Len() int { return digits.Len(uint64(p)) }

// Contains reports whether n begins with p. The empty prefix contains every number, the zero Number included.
func (p Prefix) Contains(n Number) bool { return digits.HasPrefix(uint64(n), uint64(p)) }

// Covers reports whether every number that begins with q also begins with p.
func (p Prefix) Covers(q Prefix) bool { return digits.HasPrefix(uint64(q), uint64(p)) }

// String returns "+1212", or "" for the empty prefix.
func (p Prefix) String() string { return Number(p).String() }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (p Prefix) MarshalText() ([]byte, error) {
	if p == 0 {
		return []byte{}, nil
	}
	return strconv.AppendUint([]byte{'+'}, uint64(p), 10), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with ParsePrefix.
func (p *Prefix) UnmarshalText(text []byte) error {
	v, err := ParsePrefix(string(text))
	if err != nil {
		return err
	}
	*p = v
	return nil
}
