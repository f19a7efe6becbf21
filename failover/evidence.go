package failover

import "fmt"

// Evidence is what the outcome of an attempt says about the health of its target.
type Evidence uint8

// Kinds of evidence.
const (
	EvidenceNone        Evidence = iota // says nothing: a bad number, a cancelled call, a codec refused
	EvidenceHealthy                     // the call reached the callee's network: it rang, or had early media
	EvidenceSoft                        // failed at the carrier: counts in a row
	EvidenceHard                        // silent, refused, unreachable: counts in a shorter row
	EvidenceFull                        // the carrier's channels or calls per second are used up: not ill
	EvidenceConfigFault                 // credentials, account or rights: time does not heal it, an operator does
	EvidenceNumberFault                 // the callee's number is wrong: any carrier would say so
	EvidenceCallee                      // what the callee was or did, busy or declined: its carrier is healthy
	EvidenceCLIBlocked                  // an analytics engine or the callee blocks the caller ID: booked to that, not to the carrier
)

var evidenceNames = [...]string{
	"none", "healthy", "soft", "hard", "full", "config_fault", "number_fault", "callee", "cli_blocked",
}

// String returns "none", "healthy", "soft", "hard", "full", "config_fault", "number_fault", "callee" or "cli_blocked".
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

// good reports whether the carrier has done its part.
func (e Evidence) good() bool { return e == EvidenceHealthy || e == EvidenceCallee }

// bad reports whether the carrier has failed.
func (e Evidence) bad() bool { return e == EvidenceSoft || e == EvidenceHard }
