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
		cps = max(t.cps-t.pace.counted(at, second), 0)
	}
	if l := &t.terms.limits; l.Sustain > 0 {
		cps = min(cps, max(t.terms.sustained()-t.pace.counted(at, l.SustainWindow), 0))
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
	return max(limit-t.slots.used()-t.spare-t.reserve(w.priority)-t.queue.ahead(&w, false, limit), 0)
}

// BurstPrice returns the price of a minute of the next channel on top of the route's: that of Limits.Burst when the next
// call would be above the channels that are paid for, and 0 within them. It allocates nothing.
func (s *Set) BurstPrice(_ time.Time, id outdial.TrunkID) outdial.Micros {
	t := s.line(id)
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known && t.slots.used() >= t.paid && t.terms.limits.Burst.Channels > 0 {
		return t.terms.limits.Burst.Price
	}
	return 0
}

// Pressure returns how hard the trunks are pressed: the share of the calls of a priority that none of those that take calls at
// all has had room for, of late (0 = none, 1 = all). What one refused and another took is not pressed. It is the
// backpressure signal for a dialer: one that multiplies its pace for that priority by 1 − Pressure every ten seconds, and
// raises it a little while there is none, offers what can be carried; calls are then shed where they are made, lowest
// priority first, and not by a storm of refusals. It follows Advance, which samples once a second, with a time constant of
// ten. Calls are taken for as many as the busiest trunk had bids: where trunks serve different destinations and no call
// may use another's, Status.Pressure tells of each.
func (s *Set) Pressure(p outdial.Priority) float64 {
	p = min(p, outdial.PriorityUrgent)
	var offered, left float64
	for _, t := range s.table.Load().all {
		t.mu.Lock()
		if t.known && t.closed() == nil {
			offered = max(offered, t.load.bids[p])
			left += t.load.bids[p] * (1 - t.load.pressure[p])
		}
		t.mu.Unlock()
	}
	if offered == 0 {
		return 0
	}
	return max(offered-left, 0) / offered
}
