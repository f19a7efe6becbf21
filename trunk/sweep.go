package trunk

import (
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// sweep is when held channels are looked at again.
type sweep struct{ next window.Instant }

// sweepShare is how often, as a part of MaxCall, the sweep looks for channels whose call was never seized: it does not
// know since when they are held, and counts from when it first sees them.
const sweepShare = 16

// reclaim takes back what was held too long, and returns when it is to be called again; 0 = nothing is held.
func (t *line) reclaim(now time.Time, at window.Instant) window.Instant {
	most := window.Instant(t.terms.limits.MaxCall)
	if most < 0 || t.slots.used() == 0 {
		return 0
	}
	if at >= t.sweep.next {
		n := 0
		t.sweep.next = at + max(most/sweepShare, 1)
		t.slots.held(func(i int32, gen uint32, _ uint16) {
			l, p := leaseOf(gen, i, t.index), t.slots.of(i, gen)
			switch {
			case !p.dated:
				p.since, p.dated = at, true
			case at-p.since < most:
				t.sweep.next = min(t.sweep.next, p.since+most)
			case t.slots.end(l):
				t.free(now, i)
				n++
			}
		})
		t.reclaimed += uint64(n)
		if n > 0 {
			t.alert(at, AlertReclaimed, float64(n), float64(t.slots.used()))
		}
	}
	if t.slots.used() == 0 {
		return 0
	}
	return t.sweep.next
}

// load is how hard a trunk is pressed, sampled by advance.
type load struct {
	sampled  window.Instant
	was      lanes // counted at the last sample
	pressure [outdial.PriorityUrgent + 1]float64
	bids     [outdial.PriorityUrgent + 1]float64 // those of late
	reserve  int                                 // channels kept from bulk calls while the overload lasts
	eased    window.Instant                      // when a call of a higher priority was last refused, or a channel less was kept
}

// lanes count calls by priority.
type lanes struct {
	left    [outdial.PriorityUrgent + 1]uint64 // that were seized
	refused [outdial.PriorityUrgent + 1]uint64 // for want of room, while they wait too
}

// How the load is sampled.
const (
	sampleEvery = time.Second
	pressureFor = 10 * time.Second // time constant of its average
	calmBelow   = 0.001            // a pressure below it is none
	easeAfter   = 30 * time.Second // how long nobody above bulk was refused before a channel less is kept
)

// sample updates the pressure, and the reservation that protects calls of a higher priority while they are refused: one
// channel more with every sample in which one was, one less for every easeAfter in which none was.
func (t *line) sample(at window.Instant) window.Instant {
	l := &t.load
	none := [len(l.pressure)]float64{}
	idle := t.flow == l.was && l.pressure == none && l.reserve == 0 // bids may be forgotten whenever
	due := func(at window.Instant) window.Instant {
		if idle {
			return 0
		}
		return at + window.Instant(sampleEvery)
	}
	if idle && l.bids == none || at-l.sampled < window.Instant(sampleEvery) {
		return due(l.sampled)
	}
	keep := math.Exp(-float64(at-l.sampled) / float64(pressureFor))
	l.sampled = at
	pressed := false
	for p := range l.pressure {
		left, refused := t.flow.left[p]-l.was.left[p], t.flow.refused[p]-l.was.refused[p]
		share := 0.0
		if refused > 0 {
			share = float64(refused) / float64(left+refused)
		}
		if l.pressure[p] = keep*l.pressure[p] + (1-keep)*share; l.pressure[p] < calmBelow {
			l.pressure[p] = 0
		}
		if l.bids[p] = keep*l.bids[p] + float64(left+refused); l.bids[p] < calmBelow {
			l.bids[p] = 0
		}
		pressed = pressed || p > int(outdial.PriorityBulk) && refused > 0
	}
	l.was = t.flow
	switch {
	case t.terms.limits.Reserve != 0:
		l.reserve = 0
	case pressed:
		l.reserve, l.eased = min(l.reserve+1, t.base/10), at
	case l.reserve > 0 && at-l.eased >= window.Instant(easeAfter):
		l.reserve, l.eased = l.reserve-1, at
	}
	return due(at)
}

// advance does what is due, and returns when it is to be called again; zero = nothing is to come.
func (t *line) advance(now time.Time) time.Time {
	if !t.known {
		return time.Time{}
	}
	at := t.clock(now)
	t.refresh(now)
	t.queue.tidy(at)
	if t.burst.over > 0 || t.burst.open {
		t.bill(at)
	}
	var next window.Instant
	for _, due := range [...]window.Instant{t.reclaim(now, at), t.sample(at)} {
		if due > 0 && (next == 0 || due < next) {
			next = due
		}
	}
	if next == 0 {
		return t.expiry
	}
	due := now.Add(time.Duration(next - at))
	if !t.expiry.IsZero() && t.expiry.Before(due) {
		due = t.expiry
	}
	return due
}
