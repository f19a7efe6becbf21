package failover

import (
	"time"

	"github.com/outdial/outdial"
)

// Defaults, used where a field of Config is 0.
const (
	DefaultBaseline         = 0.10
	DefaultBaselineCalls    = 4000
	DefaultFalseAlarm       = 1e-6
	DefaultLaunchFalseAlarm = 1e-3
	DefaultLaunch           = 72 * time.Hour
	DefaultBackoff          = 5 * time.Second
	DefaultBackoffMax       = 300 * time.Second
	DefaultJitter           = 0.20
	DefaultRetryAfterMax    = 300 * time.Second
	DefaultProbeGood        = 3
	DefaultProbeTimeout     = 60 * time.Second
	DefaultRamp             = 30 * time.Second
	DefaultDwell            = 10 * time.Second
	DefaultFlap             = 60 * time.Second
	DefaultKeepWarm         = 0.05
	DefaultPingEvery        = 30 * time.Second
	DefaultPingOut          = 5 * time.Second
	DefaultUntestedAfter    = 24 * time.Hour
	DefaultDrillEvery       = 30 * 24 * time.Hour
	DefaultSignalEvery      = 10 * time.Second
)

// Config is what a Selector is made from. It is data: New copies it. The zero value is ready to use. Zero in a field
// means its default, negative means none.
type Config struct {
	// IDs names trunks and groups in snapshots, and resolves the names in Trunks, Overrides and operators' orders. nil = no
	// names, and orders are ignored.
	IDs *outdial.Registry

	// Trunks are known from the start: they are pinged and watched although no call has gone there yet, and Lint sees
	// what they share.
	Trunks []Trunk

	// Rules are asked before DefaultRules, in their order; Overrides, for the carriers, trunks and routes that they
	// name, before both.
	Rules     []Rule
	Overrides []Override

	// Baseline is the share of calls that fail at the carrier (soft and hard evidence) when nothing is wrong, below
	// 1; 0 = DefaultBaseline, negative = nothing is ever ejected for soft evidence. It is what each target starts with:
	// from then on it has its own, learned from its last BaselineCalls calls, within 2 % and 40 %. 0 =
	// DefaultBaselineCalls, negative = the baseline stays as it is given.
	Baseline      float64
	BaselineCalls int

	// FalseAlarm is the rate of false ejections that is aimed at, of each of two tests and for each call of a target that
	// fails at its baseline, below 1; 0 = DefaultFalseAlarm. With the baseline it gives the number of failures in a row,
	// and the limit of the cumulative sum.
	FalseAlarm float64

	// HardCount is how many times in a row hard evidence must come; 0 = half of the count for soft evidence, at
	// least 3, which is as rare where silence and refusals are no more of a healthy target's calls than the square of its baseline,
	// 1 % at 10 %; negative = hard evidence counts as soft.
	HardCount int

	// LaunchFalseAlarm stands in for FalseAlarm while a trunk is being launched (ActionLaunch), and hard evidence may come
	// twice only. 0 = DefaultLaunchFalseAlarm. Launch is how long that lasts when the order names no end; 0 =
	// DefaultLaunch.
	LaunchFalseAlarm float64
	Launch           time.Duration

	// Backoff is how long a target rests when it is ejected; it doubles with each ejection, up to BackoffMax, and
	// comes back by one for each BackoffMax that the target was up. 0 = DefaultBackoff and DefaultBackoffMax.
	Backoff    time.Duration
	BackoffMax time.Duration

	// Jitter spreads each rest and each ping by ± this share, below 1, so that targets ejected together are not probed
	// together. It is computed from Seed, the target and a count, so that a replay gives the same. 0 =
	// DefaultJitter, negative = none.
	Jitter float64
	Seed   uint64

	// RetryAfterMax caps the Retry-After of a 503, for which the trunk is suspended; 0 = DefaultRetryAfterMax,
	// negative = Retry-After is ignored.
	RetryAfterMax time.Duration

	// ProbeGood is how many live calls in a row must do well before an ejected target is taken back; 0 =
	// DefaultProbeGood.
	ProbeGood int

	// ProbeTimeout is when a probe whose outcome never came is given up and another may go; 0 = DefaultProbeTimeout.
	ProbeTimeout time.Duration

	// Ramp is how long a target that is back takes from the keep-warm share to its full one; 0 = DefaultRamp, negative
	// = it has it at once. Dwell is how long it stays what it is, at least: suspect before it is up again, probing before it is
	// taken back, back before anything but hard evidence ejects it, and with or without poor figures. Evidence ejects it
	// whatever else it is, and how long it is out or suspended, Backoff and Retry-After say. 0 = DefaultDwell, negative =
	// none. Flap is the least time between two returns; 0 = DefaultFlap, negative = none.
	Ramp, Dwell, Flap time.Duration

	// KeepWarm is the share of the calls of each destination group that goes to standbys: candidates that would have no
	// turn, as they are in a later tier, or behind the first of a tier in a fixed order. They take turns; the share
	// is theirs together, spread evenly. At most 0.5; 0 = DefaultKeepWarm, negative = none.
	KeepWarm float64

	// PingEvery is the time between two OPTIONS to a trunk without live calls, PingOut to one that is out or suspect: see
	// Selector.DuePings. 0 = DefaultPingEvery and DefaultPingOut, negative PingEvery = nobody is due.
	PingEvery, PingOut time.Duration

	// Signals tells how the calls of a target go beyond its failures; *kpi.Meter is one. A target whose figures are
	// poor by Limits gets the keep-warm share until they are good again. They are looked at in Advance, every SignalEvery;
	// 0 = DefaultSignalEvery. nil Signals = not at all. nil Limits = DefaultLimits.
	Signals     Signals
	Limits      []Limit
	SignalEvery time.Duration

	// Capacity says what trunks could take now; *trunk.Set does. A flip or drill that the receiving trunks have no
	// room for is refused then. nil = nobody asks.
	Capacity Capacity

	// UntestedAfter is when a known trunk that no live call has reached is worth an alarm, DrillEvery when one that was not
	// drilled is. 0 = DefaultUntestedAfter and DefaultDrillEvery, negative = never.
	UntestedAfter, DrillEvery time.Duration
}

// Trunk is what a Selector is told about a trunk beforehand. It is data.
type Trunk struct {
	Name      string   // required
	Carrier   string   // the company; "" = unknown
	Addresses []string // where it is reached: what two trunks should not share
	Baseline  float64  // its own, in place of Config.Baseline; 0 = that

	// Gated keeps it out of every choice, even as a last resort, until a test of it was passed (ActionPass): a trial run that the
	// host makes.
	Gated bool
}
