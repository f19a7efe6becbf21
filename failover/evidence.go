package failover

import "fmt"

// Evidence is what the outcome of an attempt says about the health of its target.
type Evidence uint8

// Kinds of evidence.
const (
	EvidenceNone        Evidence = iota // says nothing: a bad number, a cancelled call, a codec refused
	EvidenceHealthy                     // the call reached the callee, or the callee's network
	EvidenceSoft                        // failed at the carrier: counts in a row
	EvidenceHard                        // silent, refused, unreachable: counts in a shorter row
	EvidenceFull                        // the carrier's channels or calls per second are used up: not ill
	EvidenceConfigFault                 // credentials, account or rights: time does not heal it, an operator does
)

var evidenceNames = [...]string{"none", "healthy", "soft", "hard", "full", "config_fault"}

// String returns "none", "healthy", "soft", "hard", "full" or "config_fault".
func (e Evidence) String() string {
	if int(e) < len(evidenceNames) {
		return evidenceNames[e]
	}
	return "invalid"
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *Evidence) UnmarshalText(text []byte) error {
	for i, name := range evidenceNames {
		if string(text) == name {
			*e = Evidence(i)
			return nil
		}
	}
	return fmt.Errorf("failover: evidence %q: want one of %v", text, evidenceNames)
}
