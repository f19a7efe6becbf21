package passport

import (
	"encoding/asn1"
	"strings"
)

type asn1ID = asn1.ObjectIdentifier

// tnAuthList is id-pe-TNAuthList, RFC 8226 §9. Nothing writes to it.
var tnAuthList = asn1ID{1, 3, 6, 1, 5, 5, 7, 1, 26}

// Verstat is how the verification of a caller ID went, as a terminating network tells in the parameter verstat of a tel
// URI in P-Asserted-Identity or From (3GPP TS 24.229 §7.2A.20). The zero value: none was told.
type Verstat uint8

// Results of a verification.
const (
	VerstatNone   Verstat = iota // no parameter
	VerstatPassed                // TN-Validation-Passed
	VerstatFailed                // TN-Validation-Failed
	VerstatNo                    // No-TN-Validation: it was not tried
)

// String returns the parameter's value, "" for VerstatNone.
func (v Verstat) String() string {
	switch v {
	case VerstatPassed:
		return "TN-Validation-Passed"
	case VerstatFailed:
		return "TN-Validation-Failed"
	case VerstatNo:
		return "No-TN-Validation"
	}
	return ""
}

// ParseVerstat finds the parameter in the value of a P-Asserted-Identity or From header, with the attestation that some
// networks append to it ("TN-Validation-Passed-A"). It reads the URI alone: a display name is the caller's own words, and what
// follows the brackets is about the header. Anything that is not a verstat is VerstatNone.
func ParseVerstat(header string) (Verstat, Attestation) {
	_, params, _ := strings.Cut(addrSpec(header), ";")
	for param := range strings.SplitSeq(params, ";") {
		name, val, _ := strings.Cut(param, "=")
		if !strings.EqualFold(name, "verstat") {
			continue
		}
		if end := strings.IndexAny(val, ">@?, \t\""); end >= 0 {
			val = val[:end]
		}
		return parseVerstat(val)
	}
	return VerstatNone, AttestNone
}

// addrSpec is the URI of a name-addr or addr-spec (RFC 3261 §25.1): what stands between the first brackets outside of a quoted
// string, or the whole where there are none. Of a header that is neither it is empty.
func addrSpec(header string) string {
	quoted := false
	for i := 0; i < len(header); i++ {
		switch c := header[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == '<':
			uri, _, ok := strings.Cut(header[i+1:], ">")
			if !ok {
				return ""
			}
			return uri
		}
	}
	uri := strings.TrimSpace(header)
	if quoted || !hasScheme(uri) {
		return ""
	}
	return uri
}

// hasScheme reports whether a text begins as a URI that a caller is named by.
func hasScheme(uri string) bool {
	scheme, _, ok := strings.Cut(uri, ":")
	return ok && (strings.EqualFold(scheme, "tel") || strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips"))
}

func parseVerstat(val string) (Verstat, Attestation) {
	for _, v := range []Verstat{VerstatPassed, VerstatFailed, VerstatNo} {
		name := v.String()
		if len(val) < len(name) || !strings.EqualFold(val[:len(name)], name) {
			continue
		}
		switch rest := val[len(name):]; {
		case rest == "":
			return v, AttestNone
		case len(rest) == 2 && rest[0] == '-' && Attestation(rest[1]&^0x20).String() != "":
			return v, Attestation(rest[1] &^ 0x20)
		}
	}
	return VerstatNone, AttestNone
}
