package outdial

import (
	"iter"
	"strings"
)

// MaxHeaders is the most bytes that Headers hold: what the journal keeps of a text.
const MaxHeaders = 255

// Headers are the header fields of a final response that the host was asked to keep, because some carriers say there what
// status and phrase do not. As a rule they are those that the rules of package failover read. It is a text with a line
// "Name: value" for each field, in the order in which they came, and a plain value; the zero value has none.
type Headers string

// With returns h with a field more. Control characters of the value become spaces, and the value is cut where MaxHeaders is
// reached. A field is left out when its name has a character that no header name has (RFC 3261 §25.1), or when
// there is no room for it.
func (h Headers) With(name, value string) Headers {
	if h != "" {
		h += "\n"
	}
	line := name + ": "
	room := MaxHeaders - len(h) - len(line)
	if room <= 0 || name == "" || strings.ContainsFunc(name, notInName) {
		return Headers(strings.TrimSuffix(string(h), "\n"))
	}
	value = strings.Map(printable, strings.TrimSpace(value))
	if len(value) > room {
		value = strings.ToValidUTF8(value[:room], "") // a character may have been cut
	}
	return h + Headers(line+value)
}

// All returns name and value of each field, in their order.
func (h Headers) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := string(h); rest != ""; {
			var line string
			line, rest, _ = strings.Cut(rest, "\n")
			name, value, _ := strings.Cut(line, ": ")
			if !yield(name, value) {
				return
			}
		}
	}
}

// Value returns the value of the first field of that name, in any case; "" = there is none, or it is empty.
func (h Headers) Value(name string) string {
	for n, v := range h.All() {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

// notInName reports whether r cannot stand in the name of a header field, which is a token.
func notInName(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>@,;:\\\"/[]?={}", r)
}

// printable makes a space of a control character.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}
