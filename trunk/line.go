package trunk

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// line is one trunk: its limits, what is held and what was counted. Once made, it stays in its Set for good, so
// that its counts outlive every change of configuration. All that decides is read and written under mu.
type line struct {
	id    outdial.TrunkID
	name  string
	index uint16

	slots   slots
	classes atomic.Pointer[classes] // nil = calls are not told apart

	// What every call that asks writes, one that is refused too, stands beside the lock, in two cache lines that cores which ask at
	// once take from each other.
	flow    lanes          // calls that left or were refused, by priority
	mu      sync.Mutex     // see lock
	latest  window.Instant // the latest time told: the trunk's clock never goes back
	asked   asked
	blocked Blocked

	// What is in force. relimit derives the rest from terms, orders, the trial and what was learned.
	terms *terms // nil = not configured
	known bool   // the configuration in force has it
	state State
	paid  int              // channels that are paid for
	base  int              // channels, without bursts
	top   int              // channels, with them
	why   *outdial.Refusal // why there are no more than base
	cps   int              // -1 = no limit

	probing, probingCPS bool // what was learned keeps top, or cps, below the contract

	order    order
	channels amount // operator orders
	rate     amount
	expiry   time.Time // when the first order ends; zero = none does
	changes  []Change

	shares  []share // shares[0] is everyone without a floor
	spare   int     // channels that floors keep free
	tenants []tenant

	begun     bool
	live      bool // the epoch comes from a host's clock, not from a journal
	replaying bool // what is observed comes from a journal
	dry       bool // nothing that happens counts
	shift     window.Instant
	epoch     window.Epoch

	pace  pace
	burst burst
	queue queue
	lease lease
	sweep sweep
	load  load

	up         int // attempts that have started and not ended, as the events tell
	replayed   int // those of them that hold no channel here: they come from a journal
	learned    ceiling
	learnCPS   ceiling
	starts     *window.Gate   // the times at which attempts started, as the events tell
	startsFrom window.Instant // since when they are known
	remembered int            // how many of them are
	traffic    *window.Ring[minute]
	counted    window.Instant // since when
	trial      tally
	trialFrom  time.Time // attempts that started before are not of the trial; zero = all are
	promoted   bool

	saturated bool
	alerts    []Alert
	seized    uint64
	reclaimed uint64
}

// terms are limits with their defaults, ready to be put in force. They are immutable.
type terms struct {
	limits     Limits
	zone       *time.Location
	floors     []int                      // of line.shares
	guaranteed int                        // their sum
	quotas     map[outdial.TenantID]Quota // 0 = every other tenant
}

// lock takes the lock and puts the guard up: see slots.
func (t *line) lock() {
	t.mu.Lock()
	t.guard()
}

// guard keeps everyone without the lock out until unlock, with all shares counted.
func (t *line) guard() {
	if t.slots.guard() {
		t.recount()
	}
}

// unlock gives up the lock, and the guard if the trunk is calm.
func (t *line) unlock() {
	if t.slots.guarded() {
		t.settle()
	}
	t.mu.Unlock()
}

// settle takes the guard down if the trunk is calm.
func (t *line) settle() {
	t.recalm()
	if calm := int(t.slots.calm.Load()); t.slots.used() < calm-calm/8 {
		t.slots.unguard()
	}
}

// clock returns now as the trunk's own time, which it moves on. The zero time tells nothing new.
func (t *line) clock(now time.Time) window.Instant {
	if !now.IsZero() {
		if !t.live {
			t.begin(now)
		}
		t.latest = max(t.latest, t.shift+t.epoch.Instant(now))
	}
	return t.latest
}

// begin takes the first reading, or the first of the host's clock after those of a journal: only from one with a monotonic
// reading on are steps of the wall clock not seen.
func (t *line) begin(now time.Time) {
	if t.begun && t.replaying {
		return
	}
	if t.begun {
		t.shift = max(t.latest, t.shift+t.epoch.Instant(now))
	}
	t.begun, t.live, t.epoch = true, !t.replaying, window.NewEpoch(now)
}

// instant is clock, without moving it on.
func (t *line) instant(now time.Time) window.Instant {
	if now.IsZero() || !t.begun {
		return t.latest
	}
	return max(t.latest, t.shift+t.epoch.Instant(now))
}

// time is the inverse of instant.
func (t *line) time(at window.Instant) time.Time {
	if !t.begun {
		return time.Time{}
	}
	return t.epoch.Time(at - t.shift)
}

// after returns the time that is d after now, or the zero time if d is not positive.
func after(now time.Time, d window.Instant) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(d))
}
