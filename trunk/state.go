package trunk

import "fmt"

// State says whether a trunk takes new calls. No state drops a call.
type State uint8

// States, from open to closed. The zero value is live.
const (
	Live     State = iota
	Draining       // keeps its calls, takes no new ones
	Out            // out of service: takes no new calls either, and none are expected to be left
)

var stateNames = [...]string{"live", "draining", "out"}

// String returns "live", "draining" or "out".
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
	return fmt.Errorf("trunk: state %q: want live, draining or out", text)
}
