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
	StatusStock    Status = iota // in no pool, or no longer configured
	StatusReady                  // it can be presented
	StatusWaiting                // it has reached a cap, or is kept apart from its last call
	StatusBusy                   // it has as many concurrent calls as it may
	StatusNoRight                // no unexpired right to use is on record
	StatusResting                // its state does not allow it
	StatusUntested               // no test says that calls back arrive, where the country's rules present no other (CountryRule.CallbackOnly)
	statusCount
)

var statusNames = []string{"stock", "ready", "waiting", "busy", "no_right", "resting", "untested"}

// String returns the status in lower case with underscores.
func (s Status) String() string { return nameIn(statusNames, s) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// number is a number of the inventory, or one that was; what is counted of it outlives configurations. Its place in
// Governor.numbers never changes. What Reserve reads stands first.
type number struct {
	uses       uses
	pool       *pool // nil = in stock
	prev, next int32 // in the queue of its home, while it is ready
	home       int32 // in pool.homes
	inFlight   int32
	state      State // as it stands
	status     Status
	share      uint8 // of its caps, in percent
	weight     uint8 // against its peers when numbers are chosen, in percent
	right      bool  // an unexpired right to use is on record, and a test where it must be; see expire
	held       bool  // life.hold or life.shared is set
	told       State // as it was configured last
	listed     bool  // in the inventory of the configuration in force
	number     outdial.Number
	info       *info
	life       *life // nil until something happened to it
	conduct    conduct
	callback   uint32 // Unix seconds of the last test that calls back arrive; 0 = none
}

// whole is the share and the weight of a number in good standing.
const whole = 100

// info is what is known of a number and takes little part in decisions; immutable, and shared by numbers that agree.
type info struct {
	country    string
	area       outdial.Prefix
	region     string
	centre     string
	owner      string
	assigned   string
	evidence   string
	expires    time.Time
	rightUntil int64 // Unix seconds; 0 = no right on record
	typ        Type
}

const (
	noWake  = window.Instant(math.MaxInt64) // it is not known when
	forever = noWake
	noEnd   = int64(math.MaxInt64)
	second  = window.Instant(time.Second)
	day     = window.Instant(24 * time.Hour)
)

// budget is that of the number's region in its pool, nil if there is none.
func (n *number) budget() *budget {
	if n.pool == nil {
		return nil
	}
	return n.pool.classes[n.pool.homes[n.home].class].budget
}

// assess returns whether n can be presented, and if not, from when on that may be different; noWake = not by itself.
// Spacing does not hold between the attempts of one call.
func (n *number) assess(now moment, spaced bool) (Status, window.Instant) {
	switch {
	case n.pool == nil:
		return StatusStock, noWake
	case !n.state.Presentable():
		return StatusResting, n.ripe()
	case n.held && n.life.hold > now.at:
		return StatusResting, n.life.hold
	case !n.right && n.info.rightUntil > now.unix:
		return StatusUntested, noWake
	case !n.right:
		return StatusNoRight, noWake
	}
	r := &n.pool.rules
	wake := n.uses.peek(now.at, r, n.share)
	if n.held {
		wake = max(wake, n.life.shared)
	}
	if last := n.uses.last; spaced && r.spacing > 0 && last != window.Never {
		wake = max(wake, last+r.spacing*whole/window.Instant(n.share))
	}
	switch {
	case wake > now.at:
		return StatusWaiting, wake
	case r.concurrent > 0 && n.inFlight >= r.concurrent:
		return StatusBusy, noWake
	}
	return StatusReady, now.at
}
