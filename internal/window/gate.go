package window

import (
	"fmt"
	"iter"
	"time"
)

// Gate admits events under [Caps], exactly: an event is allowed when, for each cap,
// the Limit-th newest event is at least Window old. It remembers the newest events in one
// ring for all caps, so an event costs 8 bytes and an answer O(number of caps).
//
// TestGateOracle (rapid) compares every answer with a plain list of events, with a clock that steps backwards
// or with undone events, and counts all windows of the list. TestGateConservative mixes everything.
//
// A Gate must be made by [NewGate], must not be copied after its first use, and is not safe
// for concurrent use: the caller holds its lock.
type Gate struct {
	caps  Caps
	ring  []Instant
	next  int     // where in ring the next stamp goes
	count int     // stamps in ring
	lost  Instant // newest stamp that was overwritten, Never if none was
}

// NewGate returns an empty gate that remembers the newest history events. History is
// raised to the greatest limit of caps, and to 1; more than that leaves room for later caps.
func NewGate(caps Caps, history int) *Gate {
	return &Gate{caps: caps, ring: make([]Instant, max(history, caps.most, 1)), lost: Never}
}

// SetCaps replaces the caps; the events stay. It returns an error and changes nothing when a limit is
// greater than the history, for then the gate could not know of all the events.
func (g *Gate) SetCaps(caps Caps) error {
	if caps.most > len(g.ring) {
		return fmt.Errorf("window: limit %d is greater than the history of %d events", caps.most, len(g.ring))
	}
	g.caps = caps
	return nil
}

// Peek returns whether an event is allowed now, and if so the stamp that it would
// get, which is now or, if the clock was stepped back, that of the newest event. If not, it returns the
// earliest instant at which it will be allowed, provided that no other event comes before.
func (g *Gate) Peek(now Instant) (at Instant, ok bool) {
	return g.PeekUnder(g.caps, now)
}

// PeekUnder is [Gate.Peek] under other caps. Their limits must not be greater than the history.
func (g *Gate) PeekUnder(caps Caps, now Instant) (at Instant, ok bool) {
	held := g.held(now)
	at = held
	for _, c := range caps.list {
		// The sum does not overflow: Never is negative, and Epoch keeps MaxWindow free above the last Instant.
		at = max(at, g.newest(c.Limit)+Instant(c.Window))
	}
	return at, at == held
}

// PeekNth returns whether n events (1 or more) are allowed now, and if not, the earliest instant at which the last of
// them will be, if they come as early as each is allowed. Where several caps hold, that can be later still.
func (g *Gate) PeekNth(now Instant, n int) (at Instant, ok bool) {
	held := g.held(now)
	at = held
	for _, c := range g.caps.list {
		windows := (n-1)/c.Limit + 1
		at = max(at, g.newest(c.Limit-(n-1)%c.Limit)+Instant(windows)*Instant(c.Window))
		if windows > 1 {
			at = max(at, held+Instant(windows-1)*Instant(c.Window))
		}
	}
	return at, at == held
}

// Grow returns a gate under caps that knows the events of g. It remembers as many as the greatest limit asks for; what g has
// overwritten it takes for events at the newest moment of these.
func (g *Gate) Grow(caps Caps) *Gate {
	next := NewGate(caps, len(g.ring))
	for k := g.count; k > 0; k-- {
		next.push(g.newest(k))
	}
	next.lost = g.lost
	return next
}

// Allow is [Gate.Peek], and counts the event if it is allowed. The stamp that it returns
// then is what [Gate.Undo] takes.
func (g *Gate) Allow(now Instant) (at Instant, ok bool) {
	at, ok = g.Peek(now)
	if ok {
		g.push(at)
	}
	return at, ok
}

// Add counts an event whether it is allowed or not, and returns its stamp: for what has already
// happened, as in a replay.
func (g *Gate) Add(now Instant) Instant {
	at := g.held(now)
	g.push(at)
	return at
}

// Undo takes back an event that did not happen after all, by the stamp that Allow or Add
// returned, and reports whether the event was still remembered. Events counted since stay. It takes time in
// proportion to their number. Events with the same stamp cannot be told apart, and need not be.
//
// The ring does not get back what the undone event overwrote. If the gate is then asked about an
// event that it no longer has, it takes the newest that it ever overwrote in its place. That is
// exact as long as all events came through Allow under the same caps and the clock did not step backwards (what they
// overwrote had left every window), and in any case while one event at most is missing. Else an event can be allowed
// later than a full list would allow it, never earlier (TestGateConservative).
func (g *Gate) Undo(stamp Instant) bool {
	for k := 1; k <= g.count; k++ {
		at := g.newest(k)
		if at < stamp {
			return false
		}
		if at == stamp {
			for ; k > 1; k-- { // close the gap
				g.ring[g.index(k)] = g.ring[g.index(k-1)]
			}
			g.next = g.index(1)
			g.count--
			return true
		}
	}
	return false
}

// Count returns the number of events in the window of the given length that ends now, at most the history.
// An event that is exactly as old as the window is out of it.
func (g *Gate) Count(now Instant, window time.Duration) int {
	return g.since(g.held(now) - Instant(window))
}

// CountAt returns the number of events in the window of the given length that ended at some time, that time included.
func (g *Gate) CountAt(at Instant, window time.Duration) int {
	return g.since(at-Instant(window)) - g.since(at)
}

// since counts the events after from.
func (g *Gate) since(from Instant) int {
	low, high := 0, g.count // the newest low events are in, those after the newest high are not
	for low < high {
		k := (low + high + 1) / 2
		if g.newest(k) > from {
			low = k
		} else {
			high = k - 1
		}
	}
	return low
}

// Since yields the stamps after from, oldest first, as far as they are remembered.
func (g *Gate) Since(from Instant) iter.Seq[Instant] {
	return func(yield func(Instant) bool) {
		for k := g.since(from); k > 0 && yield(g.newest(k)); k-- {
		}
	}
}

// Remembers reports whether all events after from are remembered: none of them was overwritten.
func (g *Gate) Remembers(from Instant) bool { return g.lost <= from }

// Lost returns the newest stamp that was overwritten, Never if none was.
func (g *Gate) Lost() Instant { return g.lost }

// Last returns the stamp of the newest event, Never if there is none.
func (g *Gate) Last() Instant { return g.newest(1) }

// held returns now, or the newest stamp if the clock stands before it.
func (g *Gate) held(now Instant) Instant { return max(now, g.Last()) }

// newest returns the k-th newest stamp, from 1, or the newest one overwritten if fewer are remembered.
func (g *Gate) newest(k int) Instant {
	if k > g.count {
		return g.lost
	}
	return g.ring[g.index(k)]
}

// index returns the place of the k-th newest stamp.
func (g *Gate) index(k int) int {
	i := g.next - k
	if i < 0 {
		i += len(g.ring)
	}
	return i
}

// push counts an event at a stamp that is not older than the newest.
func (g *Gate) push(at Instant) {
	if g.count == len(g.ring) {
		g.lost = max(g.lost, g.ring[g.next])
	} else {
		g.count++
	}
	g.ring[g.next] = at
	g.next++
	if g.next == len(g.ring) {
		g.next = 0
	}
}
