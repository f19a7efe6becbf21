package cli

import (
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// choose returns the number to present. When there is none, it returns when that may change.
func (g *Governor) choose(now moment, p *pool, who int32, call *outdial.Call, c *outdial.Candidate,
	prev outdial.Number,
) (slot int32, wake window.Instant, err error) {
	kept, how := none, tierCall
	if prev == 0 {
		kept, how = p.known(who, now.at), tierKnown
	} else if i, ok := g.slots[prev]; ok {
		kept = i
	}
	if kept != none && p.binds(&g.numbers[kept], call) {
		n := &g.numbers[kept]
		elsewhere := c.Pool != 0 && n.pool != p // than in the one pool that the candidate takes numbers of
		if g.places[kept] != none {             // its state may change by itself now
			g.ripen(now, n)
		}
		status, wake := n.assess(now, prev == 0)
		class := &n.pool.classes[n.pool.homes[n.home].class]
		accepted, open := class.accepts(c.Carrier) && !elsewhere, class.open(now.at)
		if accepted && open && status == StatusReady {
			n.record(call.Record(), c.Trunk, how, now.at)
			return kept, noWake, nil
		}
		if status == StatusReady && !open {
			wake, _ = class.budget.gate.Peek(now.at)
		}
		n.recordRefused(call.Record(), c.Trunk, how, status, accepted, elsewhere)
		if p.strict(who, status, prev, now.at) {
			if !accepted {
				wake = noWake
			}
			return none, wake, ErrSticky
		}
	}
	near := p.near(call)
	p.readAhead(&g.store, &near)
	more := false
	for i := range p.classes {
		if p.classes[i].accepts(c.Carrier) && g.wake(&p.classes[i], now, wakeBudget) {
			more = true
		}
	}
	note := note{call.Record(), c.Trunk}
	slot, at := p.nearest(&g.store, &near, c.Carrier, now.at, note)
	if more && at != near.best() {
		for i := range p.classes {
			if p.classes[i].accepts(c.Carrier) {
				g.wake(&p.classes[i], now, len(p.classes[i].wakeups))
			}
		}
		slot, at = p.nearest(&g.store, &near, c.Carrier, now.at, note)
	}
	if r := call.Record(); r.On() {
		p.recordTiers(&g.store, note, &near, c.Carrier, at, now.at)
	}
	if slot == none {
		wake, err = p.refusal(c.Carrier, now.at)
		return none, wake, err
	}
	g.numbers[slot].record(call.Record(), c.Trunk, at, now.at)
	return slot, noWake, nil
}

// binds reports whether a callee who has seen a number from the program of pool p is to see it again: from whatever pool of the
// program, unless that is another tenant's, and as long as the number is not gone.
func (p *pool) binds(n *number, call *outdial.Call) bool {
	return n.pool != nil && n.pool.program == p.program && !n.state.gone() && (n.pool.tenant == 0 || n.pool.tenant == call.Tenant)
}

// strict reports whether callee i must not see another number than the one that it knows, which may not be presented now.
// On a further attempt of a call (prev) what counts is what the callee saw before the call: an attempt that failed has
// shown it nothing. A number that rests, or has no right, binds for Strict only; else those who talked to the program would
// never be called again.
func (p *pool) strict(i int32, status Status, prev outdial.Number, now window.Instant) bool {
	switch {
	case p.sticky.Mode == StickyStrict:
		return true
	case p.sticky.Mode != StickyPrefer || p.sticky.Strict < 0 || i == none:
		return false
	}
	c := &p.program.callees
	seen := c.of(i)
	if prev != 0 {
		seen = seen[1:]
	}
	resting := status == StatusResting || status == StatusNoRight || status == StatusUntested
	return c.at(i).talked() && !resting ||
		len(seen) > 0 && seen[0] != 0 && instantOf(seen[0])+window.Instant(p.sticky.Strict) > now
}

// known returns the place of the number that callee i knows, none if it knows none.
func (p *pool) known(i int32, now window.Instant) int32 {
	if i == none || p.sticky.Mode == StickyOff || p.sticky.TTL < 0 {
		return none
	}
	c := &p.program.callees
	if slot := c.at(i).slot(); slot != none && c.last(i)+window.Instant(p.sticky.TTL) > now {
		return slot
	}
	return none
}

// nearest returns the first ready number of the nearest tier that has one.
func (p *pool) nearest(s *store, near *spot, carrier outdial.CarrierID, now window.Instant, note note) (int32, tier) {
	for t, b := range near.tiers {
		slot := none
		switch {
		case tier(t) == tierOverlay:
			for _, b := range near.overlay {
				if slot = p.pick(s, b, carrier, now, note); slot != none {
					break
				}
			}
		case b == none:
		case tier(t) == tierExchange:
			slot = p.pickExchange(s, b, carrier, now, note)
		default:
			slot = p.pick(s, b, carrier, now, note)
		}
		if slot != none {
			return slot, tier(t)
		}
	}
	return none, tierCount
}

// best is the nearest tier that has numbers at all.
func (s *spot) best() tier {
	for t, b := range s.tiers {
		if b != none || tier(t) == tierOverlay && len(s.overlay) > 0 {
			return tier(t)
		}
	}
	return tierCount
}

// refusal says why no number can be presented on a carrier, and when that may change.
func (p *pool) refusal(carrier outdial.CarrierID, now window.Instant) (window.Instant, error) {
	var count [statusCount]int32
	wake, accepted, total := noWake, int32(0), int32(0)
	for i := range p.classes {
		c := &p.classes[i]
		for s, k := range c.count {
			total += k
			if c.accepts(carrier) {
				count[s] += k
				accepted += k
			}
		}
		if !c.accepts(carrier) {
			continue
		}
		if len(c.wakeups) > 0 {
			wake = min(wake, c.wakeups[0].at)
		}
		if !c.open(now) {
			at, _ := c.budget.gate.Peek(now)
			wake = min(wake, at)
		}
	}
	switch {
	case count[StatusWaiting]+count[StatusBusy]+count[StatusReady] > 0: // ready ones are out of their region's budget
		return wake, ErrCaps
	case count[StatusNoRight] > 0:
		return wake, ErrRight
	case count[StatusUntested] > 0:
		return wake, ErrCallback
	case accepted == 0 && total > 0:
		return wake, ErrCarrier
	}
	return wake, ErrNoNumber
}
