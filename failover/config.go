package failover

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
)

// Defaults, used where a field of Config is 0.
const (
	DefaultBaseline      = 0.10
	DefaultFalseAlarm    = 1e-6
	DefaultBackoff       = 5 * time.Second
	DefaultBackoffMax    = 300 * time.Second
	DefaultJitter        = 0.20
	DefaultRetryAfterMax = 300 * time.Second
	DefaultProbeGood     = 3
	DefaultProbeTimeout  = 60 * time.Second
)

// Config is what a Selector is made from. It is data: New copies it. The zero value is ready to use. Zero in a field
// means its default, negative means none.
type Config struct {
	// IDs names trunks and groups in snapshots, and resolves the trunks that an operator's order names. nil = no
	// names, and orders are ignored.
	IDs *outdial.Registry

	// Rules are asked before DefaultRules, in their order; Overrides, for the carriers, trunks and routes that they
	// name, before both.
	Rules     []Rule
	Overrides []Override

	// Baseline is the share of calls that fail at the carrier (soft and hard evidence) when nothing is wrong, below
	// 1; 0 = DefaultBaseline, negative = nothing is ever ejected for soft evidence.
	Baseline float64

	// FalseAlarm is how unlikely a run of failures must be at the baseline rate before it ejects, below 1; 0 =
	// DefaultFalseAlarm. With Baseline it gives the number of failures in a row.
	FalseAlarm float64

	// HardCount is how many times in a row hard evidence must come; 0 = half of the count for soft evidence, at
	// least 3; negative = hard evidence counts as soft.
	HardCount int

	// Backoff is how long a target rests when it is ejected; it doubles with each ejection, up to BackoffMax, and
	// comes back by one for each BackoffMax that the target was up. 0 = DefaultBackoff and DefaultBackoffMax.
	Backoff    time.Duration
	BackoffMax time.Duration

	// Jitter spreads each rest by ± this share, below 1, so that targets ejected together are not probed together.
	// It is computed from Seed, the target and the count of its ejections, so that a replay gives the same. 0 =
	// DefaultJitter, negative = none.
	Jitter float64
	Seed   uint64

	// RetryAfterMax caps the Retry-After of a 503, for which the trunk is suspended; 0 = DefaultRetryAfterMax,
	// negative = Retry-After is ignored.
	RetryAfterMax time.Duration

	// ProbeGood is how many live calls in a row must do well before an ejected target is up again; 0 =
	// DefaultProbeGood.
	ProbeGood int

	// ProbeTimeout is when a probe whose outcome never came is given up and another may go; 0 = DefaultProbeTimeout.
	ProbeTimeout time.Duration
}

// settings are a Config with its defaults, as the fold needs it.
type settings struct {
	soft, hard   int // failures in a row; 0 = never
	backoff      time.Duration
	backoffMax   time.Duration
	jitter       float64
	seed         uint64
	probeGood    int
	probeTimeout time.Duration
}

// settings fills the defaults and names every bad field in one joined error.
func (cfg *Config) settings() (settings, error) {
	var errs []error
	share := func(name string, v, def float64) float64 {
		if v == 0 {
			v = def
		}
		if !(v < 1) { // not a number is bad too
			errs = append(errs, fmt.Errorf("failover: %s: %v is not below 1", name, v))
		}
		return v
	}
	span := func(name string, v, def time.Duration) time.Duration {
		if v == 0 {
			v = def
		}
		if v < 0 {
			errs = append(errs, fmt.Errorf("failover: %s: %v is negative", name, v))
		}
		return v
	}
	baseline := share("Baseline", cfg.Baseline, DefaultBaseline)
	alarm := share("FalseAlarm", cfg.FalseAlarm, DefaultFalseAlarm)
	if alarm < 0 {
		errs = append(errs, fmt.Errorf("failover: FalseAlarm: %v is negative", alarm))
	}
	s := settings{
		backoff:      span("Backoff", cfg.Backoff, DefaultBackoff),
		backoffMax:   span("BackoffMax", cfg.BackoffMax, DefaultBackoffMax),
		jitter:       max(share("Jitter", cfg.Jitter, DefaultJitter), 0),
		seed:         cfg.Seed,
		probeGood:    cfg.ProbeGood,
		probeTimeout: span("ProbeTimeout", cfg.ProbeTimeout, DefaultProbeTimeout),
		hard:         cfg.HardCount,
	}
	if s.backoffMax < s.backoff {
		errs = append(errs, fmt.Errorf("failover: BackoffMax: %v is less than Backoff %v", s.backoffMax, s.backoff))
	}
	if s.probeGood == 0 {
		s.probeGood = DefaultProbeGood
	}
	if s.probeGood < 0 {
		errs = append(errs, fmt.Errorf("failover: ProbeGood: %d is negative", s.probeGood))
	}
	if baseline > 0 && alarm > 0 {
		s.soft = int(math.Ceil(math.Log(alarm) / math.Log(baseline)))
	}
	switch {
	case s.hard == 0:
		s.hard = max(3, (s.soft+1)/2)
	case s.hard < 0:
		s.hard = 0
	}
	return s, errors.Join(errs...)
}
