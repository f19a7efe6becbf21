package cli

import (
	"fmt"
	"strings"
)

// State is where a number stands in its life. Configuration sets it, and a Control can quarantine it. Only numbers that
// are warming, active, on probation or in rehab are presented. A State is text in JSON and CSV.
type State uint8

// States in the order of a number's life. The zero value stands for active in a configuration.
const (
	StateUnset       State = iota
	StateOrdered           // asked for at a carrier
	StateRegistered        // ours, and not in use yet
	StateWarming           // in use, at a volume that grows
	StateActive            // in use
	StateProbation         // in use, and suspected
	StateQuarantined       // rested and under investigation
	StateRehab             // in use again after a quarantine, on trial
	StateRetiring          // no more calls go out; calls back are still taken
	StateReleased          // given back; there is no way out of this state
)

var stateNames = []string{
	"", "ordered", "registered", "warming", "active", "probation", "quarantined", "rehab", "retiring", "released",
}

// Presentable reports whether a number in this state may be presented.
func (s State) Presentable() bool {
	return s == StateWarming || s == StateActive || s == StateProbation || s == StateRehab
}

// gone reports that the number will not be presented again, so that nobody waits for it.
func (s State) gone() bool { return s >= StateRetiring }

// String returns the state in lower case, "" for the zero value, "invalid" out of range.
func (s State) String() string { return nameIn(stateNames, s) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an empty text is the zero value.
func (s *State) UnmarshalText(text []byte) error { return parseIn(stateNames, "state", s, text) }

// Type is the class of a number in its numbering plan. Country rules depend on it. A Type is text in JSON and CSV.
type Type uint8

// Types of number.
const (
	TypeUnknown  Type = iota
	TypeLocal         // geographic
	TypeNational      // non-geographic
	TypeMobile
	TypeTollFree
	TypeSpecial // set aside for a purpose: automated platforms, promotion, service calls
)

var typeNames = []string{"", "local", "national", "mobile", "toll_free", "special"}

// String returns the type in lower case with underscores, "" for the zero value, "invalid" out of range.
func (t Type) String() string { return nameIn(typeNames, t) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an empty text is the zero value.
func (t *Type) UnmarshalText(text []byte) error { return parseIn(typeNames, "type", t, text) }

func nameIn[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "invalid"
}

func parseIn[T ~uint8](names []string, what string, v *T, text []byte) error {
	for i, name := range names {
		if string(text) == name {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("cli: %s %q: want one of %s", what, text, strings.Join(names[1:], ", "))
}
