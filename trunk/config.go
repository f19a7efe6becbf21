package trunk

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// Defaults, used where a field of Limits is 0: what a small interconnect is sold with, one E1 of channels, and a
// leak sweep beyond any ordinary call.
const (
	DefaultChannels = 30
	DefaultCPS      = 10
	DefaultMaxCall  = 4 * time.Hour
)

// Bounds of a configuration.
const (
	MaxTrunks   = 1<<trunkBits - 1 // trunks that a Set may ever have had
	MaxChannels = 1<<slotBits - 1  // channels of one trunk, also where there is no limit
	MaxCPS      = 100_000          // calls per second of one trunk
	MaxSmooth   = 10 * time.Second // the longest that a call may be held back
	second      = time.Second      // the window of CPS
	history     = 1024             // seizures remembered at least, so that a later limit knows of them
	maxMaxCall  = 10 * 365 * 24 * time.Hour
)

// Config is what a Set is made from. It is data: New and Update copy it.
type Config struct {
	// IDs resolves the names of trunks; required. Give the same Registry to every package of one engine.
	IDs *outdial.Registry

	// Trunks are the trunks that take calls. A candidate on any other trunk is refused with ErrUnknownTrunk.
	Trunks []Limits
}

// Limits is what one trunk can carry. The zero value of a field is its default; negative means none.
type Limits struct {
	// Name of the trunk, as the other packages call it; required, unique.
	Name string

	// Channels is the number of concurrent legs; 0 = DefaultChannels, negative = no limit (but MaxChannels).
	Channels int

	// CPS is the number of INVITEs that may leave in any second; 0 = DefaultCPS, negative = no limit.
	CPS int

	// Smooth is how long a call may be held back so that a burst leaves spaced by 1/CPS (call gapping) instead of
	// all at once; a call that would have to wait longer is refused with ErrCPS. 0 or negative = calls leave at
	// once while CPS allows. At most MaxSmooth.
	Smooth time.Duration

	// MaxCall is how long a channel may be held before Advance takes it back and counts it as reclaimed: a hold
	// that nobody gave back is a leak. Set it well above the longest call that the host allows, or a channel is
	// granted while its call is still up. 0 = DefaultMaxCall, negative = never.
	MaxCall time.Duration

	// State is live unless it says otherwise. An operator's order (see Set.Observe) can only restrict it further.
	State State
}

// withDefaults returns l with defaults for zeros, and -1 for every negative value.
func (l Limits) withDefaults() Limits {
	l.Channels = orDefault(l.Channels, DefaultChannels)
	l.CPS = orDefault(l.CPS, DefaultCPS)
	l.Smooth = max(l.Smooth, 0)
	l.MaxCall = orDefault(l.MaxCall, DefaultMaxCall)
	return l
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return max(v, -1)
}

// validate names every bad field of cfg in one joined error.
func (cfg *Config) validate() error {
	var errs []error
	if cfg.IDs == nil {
		errs = append(errs, errors.New("trunk: IDs: a registry is required"))
	}
	seen := make(map[string]bool, len(cfg.Trunks))
	for i, l := range cfg.Trunks {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("trunk: Trunks[%d] %q: %w", i, l.Name, fmt.Errorf(format, args...)))
		}
		switch {
		case l.Name == "":
			bad("Name: required")
		case seen[l.Name]:
			bad("Name: given twice")
		}
		seen[l.Name] = true
		if l.Channels > MaxChannels {
			bad("Channels: %d is more than %d", l.Channels, MaxChannels)
		}
		if l.CPS > MaxCPS {
			bad("CPS: %d is more than %d", l.CPS, MaxCPS)
		}
		if l.Smooth > MaxSmooth {
			bad("Smooth: %v is more than %v", l.Smooth, MaxSmooth)
		}
		if l.Smooth > 0 && l.CPS < 0 {
			bad("Smooth: there is no CPS to smooth to")
		}
		if l.MaxCall > maxMaxCall {
			bad("MaxCall: %v is more than %v", l.MaxCall, maxMaxCall)
		}
		if l.State > Out {
			bad("State: %d is not a state", l.State)
		}
	}
	return errors.Join(errs...)
}
