package cli

import (
	"time"

	"github.com/outdial/outdial/internal/window"
)

// uses is the newest uses of one number in a ring: what every cap is asked of. A use takes 4 bytes: its instant in
// units of the rules (0.1 ms for caps of up to two days), rounded up, modulo 2^32 units, which is twice the longest window or
// more. So a cap is never exceeded, and a number is ready at most a unit later than the last nanosecond of exactness
// would have it; the instants that a number is woken at are exact.
//
// The ring grows with the uses that there are: rings for caps of some thousand uses an hour, of numbers that are used now and then, would
// be large and empty.
//
// TestUsesOracle compares every answer with a plain list of uses.
type uses struct {
	ring []uint32
	most uint16 // uses that the ring may come to hold
	next uint16 // where in ring the next use goes
	n    uint16 // uses in ring
	step uint8  // of useUnits
	last window.Instant
	lost window.Instant // the newest use that was overwritten or forgotten, Never if none was
}

// useUnits are what instants are kept in: the finest of which 2^31 are longer than the longest window.
var useUnits = [...]window.Instant{
	window.Instant(time.Microsecond), window.Instant(10 * time.Microsecond), window.Instant(100 * time.Microsecond),
	window.Instant(time.Millisecond), window.Instant(10 * time.Millisecond), window.Instant(100 * time.Millisecond),
}

// period is for how many units uses are kept at least. Those that are older are forgotten at the first use in each period, so
// that none is older than two periods, which 32 bits tell apart.
const period = 1 << 31

// stepFor returns the place of the unit for a longest window.
func stepFor(longest window.Instant) uint8 {
	for i, u := range useUnits {
		if longest < u*(period-1) {
			return uint8(i)
		}
	}
	return uint8(len(useUnits) - 1) // MaxWindow is shorter than a period of these
}

// share is some percent of a cap, rounded up.
func share(most int, percent uint8) int {
	if percent == whole {
		return most
	}
	return (most*int(percent) + 99) / 100
}

// peek returns when a further use is allowed under a share of the caps, which is now or earlier if it is.
func (u *uses) peek(now window.Instant, r *rules, percent uint8) window.Instant {
	at := now
	for i := range r.list {
		c := &r.list[i]
		at = max(at, u.newest(share(c.Max, percent))+window.Instant(c.Window))
	}
	return at
}

// add counts a use, and returns its stamp.
func (u *uses) add(now window.Instant) window.Instant {
	unit := useUnits[u.step]
	stamp := (max(now, u.last) + unit - 1) / unit
	at := stamp * unit
	if u.last != window.Never && stamp/period != u.last/unit/period {
		for u.n > 0 && (at-u.newest(int(u.n)))/unit >= period {
			u.lost = max(u.lost, u.newest(int(u.n)))
			u.n-- // out of every window
		}
	}
	if int(u.n) == len(u.ring) && u.n < u.most {
		u.grow()
	}
	if int(u.n) == len(u.ring) {
		u.lost = max(u.lost, u.newest(int(u.n)))
	} else {
		u.n++
	}
	u.ring[u.next] = uint32(stamp)
	u.last = at
	if u.next++; int(u.next) == len(u.ring) {
		u.next = 0
	}
	return at
}

// undo takes a use back by its stamp. What it overwrote does not come back: in its place stands the newest that was ever
// overwritten, so that a number may be allowed later than a full list would have it, and never earlier.
func (u *uses) undo(stamp window.Instant) {
	unit := useUnits[u.step] // another one than it was made in, where the rules have changed since
	stamp = (stamp + unit - 1) / unit * unit
	for k := 1; k <= int(u.n); k++ {
		at := u.newest(k)
		if at < stamp {
			return
		}
		if at != stamp {
			continue
		}
		second, newest := u.newest(2), k == 1
		for ; k > 1; k-- { // close the gap
			u.ring[u.index(k)] = u.ring[u.index(k-1)]
		}
		u.next = uint16(u.index(1))
		u.n--
		if newest {
			u.last = second
		}
		return
	}
}

// before is the newest use before one that has a stamp, Never if none is known.
func (u *uses) before(stamp window.Instant) window.Instant {
	for k := 1; k <= int(u.n); k++ {
		if at := u.newest(k); at < stamp {
			return at
		}
	}
	return u.lost
}

// count returns how many uses lie in the window that ends now, at most the ring's length.
func (u *uses) count(now window.Instant, w time.Duration) int {
	from := max(now, u.last) - window.Instant(w)
	low, high := 0, int(u.n) // the newest low are in, those after the newest high are not
	for low < high {
		k := (low + high + 1) / 2
		if u.newest(k) > from {
			low = k
		} else {
			high = k - 1
		}
	}
	return low
}

// newest returns the k-th newest stamp, from 1, or the newest that was overwritten if fewer are known.
func (u *uses) newest(k int) window.Instant {
	switch {
	case k > int(u.n):
		return u.lost
	case k == 1:
		return u.last
	}
	unit := useUnits[u.step]
	return u.last - window.Instant(uint32(u.last/unit)-u.ring[u.index(k)])*unit
}

func (u *uses) index(k int) int {
	i := int(u.next) - k
	if i < 0 {
		i += len(u.ring)
	}
	return i
}

// firstRoom is for how many uses a ring begins, where the caps ask for more. Under the caps that people set, a number has all its room at once,
// and Reserve allocates nothing.
const firstRoom = 128

// room is how long the ring begins for caps that ask for so many uses.
func (u *uses) room(most int) int { return min(most, max(firstRoom, int(u.n))) }

// grow doubles a ring that is full, up to what the caps ask for.
func (u *uses) grow() {
	ring := make([]uint32, min(2*len(u.ring), int(u.most)))
	oldest := copy(ring, u.ring[u.next:])
	copy(ring[oldest:], u.ring[:u.next])
	u.ring, u.next = ring, u.n
}

// fit moves the uses to another ring, for caps that ask for most uses and have another unit. Where the new caps remember more uses than
// the old ones did, those that may have been forgotten count as made at the latest time that is possible.
func (u *uses) fit(ring []uint32, most int, step uint8) {
	old := *u
	*u = uses{ring: ring, most: uint16(most), step: step, last: window.Never, lost: window.Never}
	if old.ring == nil {
		return
	}
	if unit := useUnits[step]; old.lost != window.Never {
		u.lost = (old.lost + unit - 1) / unit * unit
	}
	for k := int(old.n); k >= 1; k-- {
		u.add(old.newest(k))
	}
}
