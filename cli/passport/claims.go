package passport

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Attestation is how sure the signing party is of the caller's right to the number (RFC 8588 §4). It is one letter in
// text. The zero value is none: a PASSporT without the shaken extension.
type Attestation byte

// Attestations.
const (
	AttestNone Attestation = 0
	AttestA    Attestation = 'A' // full: the customer is known, and so is its right to the number
	AttestB    Attestation = 'B' // partial: the customer is known, its right to the number is not
	AttestC    Attestation = 'C' // gateway: where the call came in is known
)

// String returns "A", "B", "C", or "" for anything else.
func (a Attestation) String() string {
	if a < AttestA || a > AttestC {
		return ""
	}
	return string(rune(a))
}

// TypeShaken is the PASSporT type ("ppt") of RFC 8588. The empty type is the base PASSporT of RFC 8225.
const TypeShaken = "shaken"

// Party is one end of a call: a telephone number or a URI, not both (RFC 8225 §5.2.1).
type Party struct {
	TN  outdial.Number
	URI string
}

// Parties are the callees, RFC 8225 §5.2.1. At least one of the lists holds something.
type Parties struct {
	TN  []outdial.Number
	URI []string
}

// TN is the party of a telephone number.
func TN(n outdial.Number) Party { return Party{TN: n} }

// TNs are the parties of telephone numbers.
func TNs(n ...outdial.Number) Parties { return Parties{TN: n} }

// Passport is the content of a PASSporT. It is a plain value; its lists belong to whoever made it.
type Passport struct {
	X5U      string    // where the certificate of the signing key stands: an absolute https or http URL
	Type     string    // "" or TypeShaken
	Orig     Party     // who calls
	Dest     Parties   // who is called
	IssuedAt time.Time // to the second

	Attest Attestation // TypeShaken only
	OrigID string      // TypeShaken only: a UUID that names where the call came from to the signing party, for traceback
}

// check returns one joined error that names every bad field.
func (p *Passport) check() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("passport: %s: %s", field, fmt.Sprintf(format, args...)))
	}
	if !plainURL(p.X5U) {
		bad("X5U", "%q is not a URL that a header can hold", p.X5U)
	}
	if (p.Orig.TN != 0) == (p.Orig.URI != "") {
		bad("Orig", "want a number or a URI, and one of them only")
	}
	if p.Orig.TN != 0 && !p.Orig.TN.Valid() {
		bad("Orig.TN", "%d is not an E.164 number", uint64(p.Orig.TN))
	}
	if len(p.Dest.TN)+len(p.Dest.URI) == 0 {
		bad("Dest", "required")
	}
	for i, n := range p.Dest.TN {
		if !n.Valid() {
			bad(fmt.Sprintf("Dest.TN[%d]", i), "%d is not an E.164 number", uint64(n))
		}
	}
	if p.IssuedAt.Unix() <= 0 {
		bad("IssuedAt", "required")
	}
	switch p.Type {
	case "":
		if p.Attest != AttestNone || p.OrigID != "" {
			bad("Type", "Attest and OrigID need %q", TypeShaken)
		}
	case TypeShaken:
		if p.Attest.String() == "" {
			bad("Attest", "want A, B or C")
		}
		if !isUUID(p.OrigID) {
			bad("OrigID", "%q is not a UUID (RFC 4122)", p.OrigID)
		}
	default:
		bad("Type", "%q is not known", p.Type)
	}
	return errors.Join(errs...)
}

// plainURL reports whether s is an absolute http URL without what would break out of <...> or a JSON string.
func plainURL(s string) bool {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\", c) >= 0 {
			return false
		}
	}
	return true
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		hex := c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !hex {
			return false
		}
	}
	return true
}
