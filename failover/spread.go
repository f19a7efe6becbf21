package failover

import (
	"math"
	"sync/atomic"
)

// spreader deals out a share of turns evenly: of any run of n turns it gives ⌊n·share⌋ or ⌈n·share⌉ away while the share stands,
// so that no gap is longer than ⌈1/share⌉; where it changes, what has been saved up stays. A turn that could not be used is
// owed, one at most. It is safe for concurrent use.
type spreader struct {
	saved atomic.Uint64 // in turns, times oneTurn; whenever it passes a whole one, a turn is given away
	owed  atomic.Bool
}

const oneTurn = 1 << 48

// turn reports whether this turn is one of the share.
func (s *spreader) turn(share float64, counts bool) bool {
	step := uint64(math.Ceil(share * oneTurn)) // rounded up, or now and then a gap would be too long
	if !counts {
		saved := s.saved.Load()
		return s.owed.Load() || (saved+step)/oneTurn != saved/oneTurn
	}
	if s.owed.Load() && s.owed.Swap(false) {
		return true
	}
	saved := s.saved.Add(step)
	return saved/oneTurn != (saved-step)/oneTurn
}

// give takes a turn back that was not used.
func (s *spreader) give() { s.owed.Store(true) }
