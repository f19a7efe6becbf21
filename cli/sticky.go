package cli

import (
	"fmt"
	"time"
)

// Sticky is how a program keeps to the number that a callee has seen. The zero value is StickyPrefer for DefaultTTL.
type Sticky struct {
	Mode StickyMode `json:",omitzero"`

	// TTL is how long a callee's number is remembered after it was last presented. 0 = DefaultTTL, negative = for the
	// attempts of one call only.
	TTL time.Duration `json:",omitempty"`

	// Strict is how long after a call StickyPrefer is as strict as StickyStrict; a callee who has talked to the program is
	// kept strictly as long as the number is remembered. A number that rests binds a callee for this time too, and no
	// longer: it is not swapped out to get around what rests it. 0 = DefaultStrict, negative = never, talked or not.
	Strict time.Duration `json:",omitempty"`
}

// DefaultStrict is how long after a call a callee sees no other number where a configuration says nothing else.
const DefaultStrict = 24 * time.Hour

// DefaultTTL is how long a callee's number is remembered where a configuration says nothing else.
const DefaultTTL = 90 * 24 * time.Hour

// StickyMode is what happens when the number that a callee knows may not be presented now: it reached a cap, rests, or
// is not accepted by the carrier, or is in another pool of the program than the one that the candidate names. A number that left
// the program's pools, or was retired, or is another tenant's, binds nobody. A StickyMode is text in JSON.
type StickyMode uint8

// Modes. The zero value stands for StickyPrefer, for a pool's Sticky for the mode of the Config.
const (
	StickyUnset  StickyMode = iota
	StickyPrefer            // after Sticky.Strict another number of the pool is presented, and is the callee's from then on
	StickyStrict            // the call is refused with ErrSticky: wait for the number
	StickyOff               // every call gets the next number; attempts of one call still keep theirs where they can
)

var stickyNames = []string{"", "prefer", "strict", "off"}

// String returns "prefer", "strict", "off", "" for the zero value, or "invalid".
func (m StickyMode) String() string { return nameIn(stickyNames, m) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (m StickyMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an empty text is the zero value.
func (m *StickyMode) UnmarshalText(text []byte) error {
	return parseIn(stickyNames, "sticky mode", m, text)
}

// over returns s with its zero fields taken from base.
func (s Sticky) over(base Sticky) Sticky {
	if s.Mode == StickyUnset {
		s.Mode = base.Mode
	}
	if s.TTL == 0 {
		s.TTL = base.TTL
	}
	if s.Strict == 0 {
		s.Strict = base.Strict
	}
	return s
}

func (s Sticky) check(report func(field string, err error)) {
	if int(s.Mode) >= len(stickyNames) {
		report("Sticky.Mode", fmt.Errorf("%d is not a mode", s.Mode))
	}
	if s.TTL > MaxWindow {
		report("Sticky.TTL", fmt.Errorf("%v is more than %v", s.TTL, MaxWindow))
	}
	if s.Strict > MaxWindow {
		report("Sticky.Strict", fmt.Errorf("%v is more than %v", s.Strict, MaxWindow))
	}
}
