package failover

import (
	"math/bits"
	"time"

	"github.com/outdial/outdial"
)

// setup is how long a target takes from the INVITE to the first response beyond 100: a smoothed mean and mean deviation,
// as RFC 6298 keeps them of round trips.
type setup struct {
	n         int
	mean, dev time.Duration
}

// setupCalls is how many calls there must be before a candidate is skipped for what it takes.
const setupCalls = 8

func (u *setup) learn(d time.Duration) {
	if u.n++; u.n == 1 {
		u.mean, u.dev = d, d/2
		return
	}
	off := d - u.mean
	u.mean += off / 8
	u.dev += (max(off, -off) - u.dev) / 4
}

// typical is what most calls take; 0 = not known.
func (u *setup) typical() time.Duration {
	if u.n < setupCalls {
		return 0
	}
	return u.mean + u.dev
}

// fitting returns the candidates that typically ring before the call's deadline; those of which nothing is known fit.
func (s *Selector) fitting(now time.Time, call *outdial.Call, plan []outdial.Candidate, eligible uint64) uint64 {
	left := call.Deadline.Sub(now)
	if call.Deadline.IsZero() || left > time.Duration(s.slowest.Load()) {
		return eligible
	}
	for rest := eligible; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		b := s.boards.get(plan[i].Trunk)
		if b == nil {
			continue
		}
		b.mu.Lock()
		typical := b.whole.setup.typical()
		if t := b.group(call.Dest.Group); t != nil && t.setup.typical() != 0 {
			typical = t.setup.typical()
		}
		b.mu.Unlock()
		if typical > left {
			eligible &^= 1 << i
			call.Record().Num(outdial.StageFailover, plan[i].Trunk, "setup_s", typical.Seconds())
		}
	}
	return eligible
}

// slow keeps the greatest typical time that any target ever had, so that calls with time to spare need not look.
func (s *Selector) slow(d time.Duration) {
	for {
		was := s.slowest.Load()
		if int64(d) <= was || s.slowest.CompareAndSwap(was, int64(d)) {
			return
		}
	}
}
