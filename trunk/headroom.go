package trunk

import (
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Headroom returns how many calls of normal priority and without a floor could be admitted now: channels, and calls per
// second. math.MaxInt32 = no limit; 0, 0 for a trunk that takes no calls. It allocates nothing.
func (s *Set) Headroom(now time.Time, id outdial.TrunkID) (channels, cps int) {
	t := s.line(id)
	if t == nil {
		return 0, 0
	}
	t.mu.Lock()
	defer t.unlock()
	if len(t.shares) > 1 {
		t.guard() // who uses its floor is counted under the guard only
	}
	if !t.known {
		return 0, 0
	}
	at := t.clock(now)
	t.refresh(now)
	if t.closed() != nil {
		return 0, 0
	}
	if t.top > t.base {
		t.bill(at)
	}
	channels, cps = t.headroom(at), math.MaxInt32
	if t.base >= MaxChannels {
		channels = math.MaxInt32
	}
	if t.cps >= 0 {
		cps = max(t.cps-t.pace.gate.Count(at, second), 0)
	}
	if l := &t.terms.limits; l.Sustain > 0 {
		most := int(float64(l.Sustain) * l.SustainWindow.Seconds())
		cps = min(cps, max(most-t.pace.gate.Count(at, l.SustainWindow), 0))
	}
	return channels, cps
}

// headroom is how many channels a call of normal priority and without a floor could take.
func (t *line) headroom(at window.Instant) int {
	if !t.known || t.closed() != nil {
		return 0
	}
	limit := t.base
	if t.mayBurst(at, outdial.PriorityNormal) {
		limit = t.top
	}
	w := want{priority: outdial.PriorityNormal}
	return max(limit-t.slots.used()-t.spare-t.reserve(w.priority)-t.queue.ahead(&w, false), 0)
}

// BurstPrice returns the price of a minute of the next channel on top of the route's: that of Limits.Burst when the next
// call would be above the base, and 0 within it. It allocates nothing.
func (s *Set) BurstPrice(_ time.Time, id outdial.TrunkID) outdial.Micros {
	t := s.line(id)
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known && t.slots.used() >= t.base {
		return t.terms.limits.Burst.Price
	}
	return 0
}

// Pressure returns how hard the trunks are pressed that take calls at all: the share of the bids of a priority that the
// least pressed of them has refused of late for want of room (0 = none, 1 = all). It is the backpressure signal for a dialer:
// one that multiplies its pace for that priority by 1 − Pressure every ten seconds, and raises it a little while there is
// none, offers what can be carried; calls are then shed where they are made, lowest priority first, and not by a storm of
// refusals. It follows Advance, which samples once a second, with a time constant of ten.
func (s *Set) Pressure(p outdial.Priority) float64 {
	least, found := 0.0, false
	for _, t := range s.table.Load().all {
		t.mu.Lock()
		if t.known && t.closed() == nil {
			if x := t.load.pressure[min(p, outdial.PriorityUrgent)]; !found || x < least {
				least, found = x, true
			}
		}
		t.mu.Unlock()
	}
	return least
}
