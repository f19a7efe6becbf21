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
// networks append to it ("TN-Validation-Passed-A"). Anything that is not a verstat is VerstatNone.
func ParseVerstat(header string) (Verstat, Attestation) {
	i := strings.Index(strings.ToLower(header), ";verstat=")
	if i < 0 {
		return VerstatNone, AttestNone
	}
	val := header[i+len(";verstat="):]
	if end := strings.IndexAny(val, ";>@?, \t\""); end >= 0 {
		val = val[:end]
	}
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
