package cli

import (
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Status is whether a number can be presented at this moment, and if not, why.
type Status uint8

// Statuses.
const (
	StatusStock   Status = iota // in no pool, or no longer configured
	StatusReady                 // it can be presented
	StatusWaiting               // it has reached a cap, or is kept apart from its last call
	StatusBusy                  // it has as many concurrent calls as it may
	StatusNoRight               // no unexpired right to use is on record
	StatusResting               // its state does not allow it
	statusCount
)

var statusNames = []string{"stock", "ready", "waiting", "busy", "no_right", "resting"}

// String returns the status in lower case with underscores.
func (s Status) String() string { return nameIn(statusNames, s) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// number is a number of the inventory, or one that was; what is counted of it outlives configurations. Its place in
// Governor.numbers never changes.
type number struct {
	number     outdial.Number
	gate       *window.Gate
	pool       *pool // nil = in stock
	info       *info
	rightUntil int64          // Unix seconds; 0 = no right on record
	hold       window.Instant // quarantined until; Never = not
	links      [tierCount]link
	home       int32 // in pool.homes
	wakeup     int32 // place in the class's wakeups; none = it has none
	inFlight   int32
	state      State // as configured
	status     Status
	listed     bool // in the inventory of the configuration in force
}

// link is a number's place in one queue.
type link struct{ prev, next int32 }

// info is what is known of a number and takes no part in decisions; immutable.
type info struct {
	country  string
	area     outdial.Prefix
	region   string
	owner    string
	assigned string
	evidence string
	expires  time.Time
	typ      Type
}

const (
	noWake  = window.Instant(math.MaxInt64) // it is not known when
	forever = noWake
	noEnd   = int64(math.MaxInt64)
)

// assess returns whether n can be presented, and if not, from when on that may be different; noWake = not by itself.
// Spacing does not hold between the attempts of one call.
func (n *number) assess(now moment, spaced bool) (Status, window.Instant) {
	switch {
	case n.pool == nil:
		return StatusStock, noWake
	case !n.state.Presentable():
		return StatusResting, noWake
	case n.hold > now.at:
		return StatusResting, n.hold
	case n.rightUntil <= now.unix:
		return StatusNoRight, noWake
	}
	wake, _ := n.gate.Peek(now.at)
	if last := n.gate.Last(); spaced && last != window.Never {
		wake = max(wake, last+n.pool.rules.spacing)
	}
	switch most := n.pool.rules.concurrent; {
	case wake > now.at:
		return StatusWaiting, wake
	case most > 0 && n.inFlight >= most:
		return StatusBusy, noWake
	}
	return StatusReady, now.at
}

// setCaps replaces the caps and keeps the counts. Where the new caps remember more uses than the old ones did,
// those that may have been forgotten count as made at the latest time that is possible.
func (n *number) setCaps(caps window.Caps) {
	if n.gate != nil && n.gate.SetCaps(caps) == nil {
		return
	}
	next := window.NewGate(caps, 1)
	if n.gate != nil {
		var stamps []window.Instant // the newest first
		for range caps.Most() {
			at := n.gate.Last()
			if at == window.Never {
				break
			}
			stamps = append(stamps, at)
			n.gate.Undo(at) // once all are taken back, Last is the newest that was overwritten
		}
		for i := len(stamps) - 1; i >= 0; i-- {
			next.Add(stamps[i])
		}
	}
	n.gate = next
}
