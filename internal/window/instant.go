// Package window counts events in sliding windows of time.
//
// A [Gate] admits events exactly: never more than a limit in any window of a
// given length. A [Ring] sums measurements over the last buckets of time.
//
// Nothing here reads a clock or takes a lock: the caller passes the time, and holds its own
// lock around every method of a Gate or a Ring, also around those that only read.
//
// # A clock that steps backwards
//
// Time is held still until the clock has caught up: an event is never stamped before an
// earlier one, and a window never ends before the newest event. So a
// step backwards admits too little for a while, and never too much.
package window

import (
	"math"
	"time"
)

// Instant is a time in nanoseconds since an [Epoch]. It is exact, takes 8 bytes, and compares with <.
// (Milliseconds in 4 bytes would be half the size, but must be rounded, which makes a cap either late or
// wrong, and wrap after 50 days.) Instants of different epochs cannot be compared.
type Instant int64

// Never is before every other Instant.
const Never Instant = math.MinInt64

// Epoch converts between [time.Time] and [Instant]. If the epoch and a time both have a
// monotonic clock reading, that is what is used, so that a step of the wall clock does not move
// an Instant. The zero value counts from the year 1, which is out of range today; use
// [NewEpoch]. An Epoch is immutable.
type Epoch struct{ start time.Time }

// NewEpoch returns an epoch whose Instant 0 is start.
// Instants reach 292 years back and 192 years ahead, and saturate there.
func NewEpoch(start time.Time) Epoch { return Epoch{start} }

// Instant returns t as an Instant.
func (e Epoch) Instant(t time.Time) Instant {
	return Instant(min(t.Sub(e.start), math.MaxInt64-MaxWindow))
}

// Time returns i as a time. It has a monotonic clock reading if the epoch has one.
func (e Epoch) Time(i Instant) time.Time { return e.start.Add(time.Duration(i)) }
