package outdial

import (
	"fmt"
	"strconv"
	"strings"
)

// Number is a telephone number in international form (ITU-T E.164): its digits, country code first, without
// the plus sign, as one integer. E.164 numbers never begin with zero and have at most 15 digits, so the integer
// loses nothing.
//
// The zero value means "no number". A Number is a plain value: comparable, usable as a map key, safe for
// concurrent use.
type Number uint64

// Digits that a Number may have. E.164 sets the upper bound; no country in service has numbers of fewer than
// seven digits with the country code, which tells a short code such as 911 from a number.
const (
	MinDigits = 7
	MaxDigits = 15
)

// ParseNumber reads a number in international form: "+12125550123", the same with visual separators
// ("+1 (212) 555-0123", RFC 3966 §5.1.1 and spaces), a tel: URI with a global number, or the user part of a sip:
// or sips: URI. The plus sign is required, because digits without it may as well be a national number: for those
// that a switch sends without it use ParseDigits, for national dialling forms a DialPlan.
//
// Errors are of type *NumberError. For plain E.164 it takes a few nanoseconds and allocates nothing.
func ParseNumber(s string) (Number, error) {
	if len(s) > 0 && s[0] == '+' {
		if n, ok := plainDigits(s[1:]); ok {
			return n, nil
		}
	}
	return parseFormatted(s, true)
}

// ParseDigits reads a number in international form that may come without the plus sign, as carriers and
// switches often write it: "12125550123". Otherwise it is ParseNumber.
func ParseDigits(s string) (Number, error) {
	t := s
	if len(t) > 0 && t[0] == '+' {
		t = t[1:]
	}
	if n, ok := plainDigits(t); ok {
		return n, nil
	}
	return parseFormatted(s, false)
}

// MustNumber is ParseNumber for literals in tests and examples; it panics on an error.
func MustNumber(s string) Number {
	n, err := ParseNumber(s)
	if err != nil {
		panic(err)
	}
	return n
}

// Valid reports whether n has between MinDigits and MaxDigits digits. It does not look at a numbering plan.
func (n Number) Valid() bool {
	return n >= 1_000_000 && n < 1_000_000_000_000_000
}

// String returns the number with its plus sign, or "" for the zero value.
func (n Number) String() string {
	var b [MaxDigits + 6]byte
	return string(n.AppendTo(b[:0]))
}

// AppendTo appends what String returns to dst and returns the result.
func (n Number) AppendTo(dst []byte) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendUint(append(dst, '+'), uint64(n), 10)
}

// AppendDigits appends the digits of n without the plus sign to dst and returns the result.
func (n Number) AppendDigits(dst []byte) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendUint(dst, uint64(n), 10)
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (n Number) MarshalText() ([]byte, error) { return n.AppendTo(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseNumber; an empty text is the zero value.
func (n *Number) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*n = 0
		return nil
	}
	v, err := ParseNumber(string(text))
	if err != nil {
		return err
	}
	*n = v
	return nil
}

// NumberError says why a text is not a Number or a Prefix. It never matches another error by errors.Is.
type NumberError struct {
	Text    string // what was to be parsed, cut after 64 bytes
	Problem string // what is wrong with it
}

// Error implements error.
func (e *NumberError) Error() string {
	return fmt.Sprintf("outdial: number %q: %s", e.Text, e.Problem)
}

func numberError(s, problem string) error {
	if len(s) > 64 {
		s = s[:64]
	}
	return &NumberError{Text: strings.Clone(s), Problem: problem}
}

// plainDigits reads what is digits alone and within bounds; anything else is left to parseFormatted, which
// says what is wrong.
func plainDigits(s string) (Number, bool) {
	if len(s) < MinDigits || len(s) > MaxDigits || s[0] == '0' {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return Number(n), true
}

// parseFormatted reads everything that is not plain digits. Its errors are worded for the person who finds the
// text in a file or a SIP message.
func parseFormatted(s string, needPlus bool) (Number, error) {
	t, problem := subscriber(s)
	if problem != "" {
		return 0, numberError(s, problem)
	}
	t = strings.TrimSpace(t)
	plus := strings.HasPrefix(t, "+")
	if plus {
		t = t[1:]
	}
	n, digits, problem := collectDigits(t)
	switch {
	case problem != "":
	case plus && trunkZero(t):
		problem = "a 0 in brackets behind the country code: a national dialling prefix, which is no part of the number"
	case digits == 0:
		problem = "no digits"
	case needPlus && !plus:
		problem = "no leading +: not in international form"
	case digits > MaxDigits:
		problem = "more than 15 digits"
	case t[strings.IndexAny(t, "0123456789")] == '0':
		problem = "begins with 0: a national or international dialling prefix, not a country code"
	case digits < MinDigits:
		problem = "fewer than 7 digits: a short code or an incomplete number"
	}
	if problem != "" {
		return 0, numberError(s, problem)
	}
	return Number(n), nil
}

// trunkZero reports whether a bracket opens with 0, as in "+44 (020) 7946 0123".
func trunkZero(s string) bool {
	for i := range len(s) {
		if s[i] == '(' && strings.HasPrefix(strings.TrimLeft(s[i+1:], " "), "0") {
			return true
		}
	}
	return false
}

// zeroAlone reports whether s, behind a bracket, is a 0 and the end of the bracket.
func zeroAlone(s string) bool {
	inside, _, closed := strings.Cut(s, ")")
	return closed && strings.Trim(inside, " ") == "0"
}

// subscriber cuts the telephone number out of a tel:, sip: or sips: URI; any other text is returned as it is.
func subscriber(s string) (number, problem string) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return s, ""
	}
	switch strings.ToLower(strings.TrimSpace(scheme)) {
	case "tel":
	case "sip", "sips":
		rest, _, ok = strings.Cut(rest, "@")
		if !ok {
			return "", "the SIP URI has no user part"
		}
		rest, _, _ = strings.Cut(rest, ":") // a password
	default:
		return "", "the URI scheme is not tel, sip or sips"
	}
	rest, params, _ := strings.Cut(rest, ";") // tel parameters: isub, ext, phone-context, rn …
	if len(rest) >= 3 && strings.EqualFold(rest[:3], "%2B") {
		rest = "+" + rest[3:]
	}
	if !strings.HasPrefix(strings.TrimSpace(rest), "+") && hasContext(params) {
		return "", "a local number, whose phone-context does not say what it is in international form"
	}
	return rest, ""
}

// hasContext reports whether a URI's parameters hold phone-context: the number is then one of a private plan, or of part of
// a public one, that the context names and does not complete (RFC 3966 §5.1.5: "tel:863-1234;phone-context=+1-914-555").
func hasContext(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, _, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "phone-context") {
			return true
		}
	}
	return false
}

// collectDigits reads digits through visual separators. More than MaxDigits digits are counted, not kept.
func collectDigits(s string) (n uint64, digits int, problem string) {
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			if digits++; digits <= MaxDigits {
				n = n*10 + uint64(r-'0')
			}
		case r == '(' && zeroAlone(s[i+1:]):
			return 0, 0, `"(0)" may stand for a digit that is dialled or one that is not: write the number without it`
		case r == ' ', r == '-', r == '.', r == '(', r == ')', r == '/', r == '\u00a0', r == '\u2011':
		default:
			return 0, 0, fmt.Sprintf("%q is not a digit or a separator", r)
		}
	}
	return n, digits, ""
}
