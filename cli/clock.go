package cli

import (
	"time"

	"github.com/outdial/outdial/internal/window"
)

// clock turns the times that callers pass into instants that never go back. A step backwards of the wall clock holds
// time still; where times have a monotonic reading, steps are not even seen.
//
// The epoch is a whole second, so that what is kept in coarser units is rounded alike in live use and in a replay.
type clock struct {
	epoch     window.Epoch
	started   bool
	monotonic bool
	held      moment
}

// moment is one now: at for windows, which are durations, and unix for what expires on a date.
type moment struct {
	at   window.Instant
	unix int64
}

func (c *clock) read(now time.Time) moment {
	switch {
	case !c.started:
		c.started, c.monotonic = true, hasMonotonic(now)
		c.epoch = window.NewEpoch(now.Add(-time.Duration(now.Nanosecond())))
	case !c.monotonic && hasMonotonic(now):
		// Replayed events carry wall times only. From the first live call on the monotonic clock counts.
		at := max(c.epoch.Instant(now), c.held.at)
		c.monotonic, c.epoch = true, window.NewEpoch(now.Add(-time.Duration(at)))
	}
	c.held.at = max(c.held.at, c.epoch.Instant(now))
	c.held.unix = max(c.held.unix, now.Unix())
	return c.held
}

// time returns the time of an instant, and the zero time for noWake.
func (c *clock) time(at window.Instant) time.Time {
	if at == noWake {
		return time.Time{}
	}
	return c.epoch.Time(at)
}

func hasMonotonic(t time.Time) bool { return t != t.Round(0) }
