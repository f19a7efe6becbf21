package failover

import "fmt"

// State is how a target stands.
type State uint8

// States of a target.
const (
	Up        State = iota
	Suspect         // the evidence is half way to an ejection, its last call met silence, or its figures are poor
	Out             // ejected
	Probing         // one live call at a time shows whether it is back
	Ramping         // it is back, and its share grows
	Suspended       // it asked to be left alone (503 with Retry-After)
	Held            // an operator took it out of the choice
)

var stateNames = [...]string{"up", "suspect", "out", "probing", "ramping", "suspended", "held"}

// String returns "up", "suspect", "out", "probing", "ramping", "suspended" or "held".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "invalid"
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if string(text) == name {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("failover: state %q: want one of %v", text, stateNames)
}

// Reasons why a target does not stand as up, as in Target.Why.
const (
	whySoft       = "soft failures in a row"
	whyHard       = "hard failures in a row"
	whyRate       = "a failure rate above its baseline"
	whyProbe      = "a probe failed"
	whyRetryAfter = "retry after"
	whyHold       = "hold"
	whyGate       = "no test was passed"
	whySuspect    = "failures"
	whySilent     = "silence"
	whyBack       = "it is back"
	whyPing       = "no good answer to OPTIONS"
	poorPrefix    = "poor " // and the metric
)
