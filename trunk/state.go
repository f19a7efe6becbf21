package trunk

import (
	"fmt"
	"strings"
)

// State is where a trunk stands in its life: staged, canary, live, draining, out. No state drops a call.
//
// The configuration names a state; an operator's order (see Set.Observe) replaces it until it expires or the next order,
// except that draining and out, where they are configured, cannot be opened by an order. A canary that has shown what
// Limits.Trial asks for goes live by itself, until the configured state is changed.
type State uint8

// States, from open to closed. The zero value is live.
const (
	Live     State = iota
	Canary         // takes a few calls, on trial: see Trial
	Staged         // known and not yet in service: takes no calls
	Draining       // keeps its calls, takes no new ones
	Out            // out of service: takes no new calls either, and none are expected to be left
)

var stateNames = [...]string{"live", "canary", "staged", "draining", "out"}

// String returns "live", "canary", "staged", "draining" or "out".
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
	return fmt.Errorf("trunk: state %q: want %s", text, strings.Join(stateNames[:], ", "))
}
