package trunk

import (
	"time"

	"github.com/outdial/outdial"
)

// Defaults, used where a field of Limits is 0: what a small interconnect is sold with, one E1 of channels, and a
// leak sweep beyond any ordinary call.
const (
	DefaultChannels      = 30
	DefaultCPS           = 10
	DefaultMaxCall       = 4 * time.Hour
	DefaultSustainWindow = 30 * time.Second
	DefaultAlarm         = 0.8
)

// Bounds of a configuration.
const (
	MaxTrunks   = 1<<trunkBits - 1 // trunks that a Set may ever have had
	MaxChannels = 1<<slotBits - 1  // channels of one trunk, also where there is no limit
	MaxCPS      = 100_000          // calls per second of one trunk
	MaxSmooth   = 10 * time.Second // the longest that a call may be held back
	second      = time.Second      // the window of CPS
	history     = 1024             // seizures remembered at least, so that a later limit knows of them
	maxSustain  = 1_000_000        // calls in one SustainWindow
	maxMaxCall  = 10 * 365 * 24 * time.Hour
)

// Config is what a Set is made from. It is data: New and Update copy it.
type Config struct {
	// IDs resolves the names of trunks, campaigns, programs and tenants; required. Give the same Registry to every
	// package of one engine.
	IDs *outdial.Registry

	// Trunks are the trunks that take calls. A candidate on any other trunk is refused with ErrUnknownTrunk.
	Trunks []Limits

	// Shortages says what a rejection tells about capacity; nil = the table of DefaultShortage.
	Shortages Shortages

	// Ledger hands out shares of limits that several nodes have in common (see Limits.Share); nil = this process has
	// every trunk for itself. Node names this process in it, and must be another one after a restart; required with it.
	Ledger Ledger
	Node   string
}

// Limits is what one trunk can carry. The zero value of a field is its default; negative means none.
type Limits struct {
	// Name of the trunk, as the other packages call it; required, unique.
	Name string

	// Channels is the base ceiling: the number of concurrent legs that is paid for; 0 = DefaultChannels, negative =
	// no limit (but MaxChannels).
	Channels int

	// Burst is what may be used above Channels for a while, for money.
	Burst Burst

	// Hard bounds whatever an operator orders and Burst allows: what the equipment or the carrier takes at most.
	// 0 or negative = no such bound.
	Hard int

	// CPS is the number of INVITEs that may leave in any second (the burst rate); 0 = DefaultCPS, negative = no limit.
	CPS int

	// Sustain is the rate, in INVITEs per second, that is kept on average over any SustainWindow, below CPS, which holds
	// for any single second. 0 or negative = none. SustainWindow 0 = DefaultSustainWindow.
	Sustain       int
	SustainWindow time.Duration

	// Smooth is how long a call may be held back so that a burst leaves spaced by 1/CPS (call gapping) instead of
	// all at once; a call that would have to wait longer is refused with ErrCPS. 0 or negative = calls leave at
	// once while CPS allows. At most MaxSmooth. A call that an agent dials (outdial.ModeManual) is not spaced, but leaves
	// after those that have their times already, up to a second later than Smooth.
	Smooth time.Duration

	// Manual is how many of the CPS are kept, while Smooth holds calls back, for those that an agent dials: so many a
	// second leave at once. Less than CPS; 0 or negative = none.
	Manual int

	// Jitter varies the spacing of Smooth by up to this share of it either way, so that the calls of several nodes do
	// not fall into step. The mean stays. 0 or negative = none, at most 1.
	Jitter float64

	// Reserve is trunk reservation: bulk calls are refused when no more than so many channels are free (beside the
	// floors that are kept free). 0 = none until calls of a higher priority are refused for want of a channel, then up to
	// a tenth of the channels for as long as that lasts; negative = none at all. ReserveUrgent is kept free from normal
	// calls too, in addition; 0 or negative = none.
	Reserve       int
	ReserveUrgent int

	// Floors are guaranteed to campaigns or programs, and kept free for them. Their sum is at most Channels, and there are at
	// most 8,192. Who asks how a trunk with floors stands (Status, Headroom), or undoes, may count all its channels.
	Floors []Floor

	// Quotas bound what a tenant may use.
	Quotas []Quota

	// Queue lets calls wait for a channel or for their turn; the zero Queue refuses them.
	Queue Queue

	// MaxCall is how long a channel may be held before Advance takes it back and counts it as reclaimed: a hold
	// that nobody gave back is a leak. Set it well above the longest call that the host allows, or a channel is
	// granted while its call is still up. 0 = DefaultMaxCall, negative = never.
	MaxCall time.Duration

	// Alarm is the share of the ceiling at which the trunk counts as saturated, until use is a tenth of the ceiling
	// below it. 0 = DefaultAlarm, negative = never.
	Alarm float64

	// Learning is what is done with rejections that say that the trunk is full.
	Learning Learning

	// State is live unless it says otherwise. See State for how an operator's orders change it.
	State State

	// Trial is what a trunk in state canary may carry, and what it must show to go live.
	Trial Trial

	// Share says how this process shares the trunk with others, with Config.Ledger.
	Share Share

	// Source says where the figures come from (a contract, a test), and AsOf as of when. They are shown, nothing more.
	Source string
	AsOf   time.Time
}

// Burst is a ceiling above Limits.Channels that costs extra. The zero Burst is none.
type Burst struct {
	// Channels is the ceiling while bursting, more than Limits.Channels; 0 = no bursts.
	Channels int

	// Window is the longest burst: so long after the first call above the base the ceiling returns to it, for Rest at
	// least and until use was back within it. No call is dropped. 0 or negative = as long as the budget lasts.
	// Rest 0 = as long as Window, negative = none.
	Window time.Duration
	Rest   time.Duration

	// Budget is the channel time above the base that may be spent in a calendar day of Zone; 60m = 60 channel-minutes.
	// Required; negative = no limit. Calls that are up when it is spent go on, and spend more.
	Budget time.Duration
	Zone   string // IANA name; "" = UTC

	// Price of a minute of one channel above the base, on top of the route's.
	Price outdial.Micros

	// From is the lowest priority that may take a channel above the base.
	From outdial.Priority
}

// Floor is a number of channels that a campaign or a program is guaranteed. It borrows above it like everyone. A call
// counts for its campaign's floor, or, where its campaign has none, for its program's. A call that was admitted while
// there was no such floor counts for none.
type Floor struct {
	Campaign string // one of the two is required
	Program  string
	Channels int // 1 or more
}

// Quota bounds one tenant on one trunk. Calls without a tenant have none. A call that was admitted while the trunk had no
// quotas counts for none.
type Quota struct {
	Tenant   string // "" = each tenant that has no quota of its own
	Channels int    // 0 or negative = no bound
	CPS      int    // INVITEs in any second; 0 or negative = no bound
}

// withDefaults returns l with defaults for zeros, and -1 for every negative value.
func (l Limits) withDefaults() Limits {
	l.Channels = orDefault(l.Channels, DefaultChannels)
	l.CPS = orDefault(l.CPS, DefaultCPS)
	l.Sustain = max(l.Sustain, 0)
	l.SustainWindow = orDefault(l.SustainWindow, DefaultSustainWindow)
	l.Smooth = max(l.Smooth, 0)
	l.Manual = max(l.Manual, 0)
	l.Jitter = max(l.Jitter, 0)
	l.MaxCall = orDefault(l.MaxCall, DefaultMaxCall)
	l.Alarm = orDefault(l.Alarm, DefaultAlarm)
	l.Reserve = max(l.Reserve, -1)
	l.ReserveUrgent = max(l.ReserveUrgent, 0)
	l.Hard = max(l.Hard, 0)
	l.Burst.Rest = orDefault(l.Burst.Rest, l.Burst.Window)
	l.Queue = l.Queue.withDefaults()
	l.Trial = l.Trial.withDefaults()
	l.Share = l.Share.withDefaults()
	return l
}

func orDefault[T int | time.Duration | float64](v, def T) T {
	if v == 0 {
		return def
	}
	return max(v, -1)
}
