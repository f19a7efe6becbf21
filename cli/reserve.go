package cli

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// wakeBudget is how many due numbers one Reserve settles before it looks whether it has to settle more: after an idle
// night all of them are due at once, and the first call shall not pay for that.
const wakeBudget = 16

// Admit implements outdial.CLIs: it refuses a callee that is suppressed for the call's program (ErrSuppressed) or left alone
// for a time (ErrSilence), that the program has called as often as it may (ErrCalleeMemory, ErrCallee), a program without a
// pool (ErrNoPool), a tenant that has used up its quota (ErrQuota), and any call while the suppression list cannot be read
// (ErrSuppressionUnknown). It counts nothing.
func (g *Governor) Admit(now time.Time, call *outdial.Call) (again time.Time, err error) {
	if err := g.listed(now, call); err != nil {
		return time.Time{}, err
	}
	key := g.keys.of(call.To)
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	p := g.layout.first[call.Program]
	if p == nil {
		return time.Time{}, ErrNoPool
	}
	_, wake, err := g.admit(m, p.program, key, call, 0)
	if err == nil {
		wake, err = g.quota(m, call)
	}
	return g.clock.time(wake), err
}

// listed asks the suppression list, if there is one.
func (g *Governor) listed(now time.Time, call *outdial.Call) error {
	list := g.suppression.Load()
	if list == nil || *list == nil {
		return nil
	}
	yes, err := (*list).Suppressed(now, call.Program, call.To)
	switch {
	case err != nil:
		return ErrSuppressionUnknown
	case yes:
		return ErrSuppressed
	}
	return nil
}

// quota returns when the call's tenant has room in its quota.
func (g *Governor) quota(now moment, call *outdial.Call) (window.Instant, error) {
	if call.Tenant == 0 {
		return noWake, nil
	}
	if gate := g.tenants[call.Tenant]; gate != nil {
		if at, ok := gate.Peek(now.at); !ok {
			return at, ErrQuota
		}
	}
	return noWake, nil
}

// admit is the callee's side of Admit and Reserve. It returns the callee's place, none if it is not remembered, or when
// a refusal may be over.
func (g *Governor) admit(now moment, p *program, key calleeKey, call *outdial.Call, prev outdial.Number) (
	i int32, wake window.Instant, err error,
) {
	if p.suppresses(key, now.unix) {
		return none, noWake, ErrSuppressed
	}
	i = p.callees.find(key)
	rule := p.rule(&call.Dest)
	if r := call.Record(); r.On() {
		p.callees.record(r, rule.caps, i, now.at)
	}
	if until := p.hushed(key, now.unix); until != 0 && prev == 0 {
		return none, now.at + window.Instant(until-now.unix)*second, ErrSilence
	}
	if i == none {
		if at, ok := p.callees.room(now.at); !ok {
			return none, at, ErrCalleeMemory
		}
		return none, noWake, nil
	}
	if at := p.callees.freeAt(i, rule.caps); at > now.at && !p.callees.sameCall(i, call.ID, prev, now.at) {
		return none, at, ErrCallee
	}
	return i, noWake, nil
}

// Reserve implements outdial.CLIs: it chooses a number of the pool that the candidate, else the campaign, else the
// program names, and counts its use for number and callee at once. prev is the number of the call's earlier attempt:
// it is kept where caps and carrier allow, and counts once more. The errors are those of this package; again is the
// earliest instant at which the answer can be another one, zero where that is not known. For a rehearsal it chooses,
// counts nothing and returns no lease.
func (g *Governor) Reserve(now time.Time, call *outdial.Call, c *outdial.Candidate, prev outdial.Number) (
	p outdial.Presentation, again time.Time, err error,
) {
	if err := g.listed(now, call); err != nil {
		return outdial.Presentation{}, time.Time{}, err
	}
	key := g.keys.of(call.To)
	g.mu.Lock()
	p, again, err = g.reserve(now, key, call, c, prev)
	ledger, caps := g.ledger, []Cap(nil)
	if ledger != nil && err == nil && p.Lease != 0 {
		caps = g.layout.byID[p.Pool].rules.list
	}
	g.mu.Unlock()
	if caps == nil {
		return p, again, err
	}
	stamp, ok, err := ledger.Take(now, p.Number, caps)
	switch {
	case err != nil:
		g.Undo(now, p.Lease)
		return outdial.Presentation{}, time.Time{}, ErrLedger
	case !ok:
		g.Undo(now, p.Lease)
		return outdial.Presentation{}, stamp, ErrCaps
	}
	g.mu.Lock()
	if l := g.leases.get(p.Lease); l != nil {
		l.shared = stamp
	}
	g.mu.Unlock()
	return p, again, nil
}

func (g *Governor) reserve(now time.Time, key calleeKey, call *outdial.Call, c *outdial.Candidate, prev outdial.Number) (
	outdial.Presentation, time.Time, error,
) {
	m := g.clock.read(now)
	from, err := g.poolOf(call, c)
	if err != nil {
		return outdial.Presentation{}, time.Time{}, err
	}
	g.expire(m)
	who, wake, err := g.admit(m, from.program, key, call, prev)
	if err == nil {
		wake, err = g.quota(m, call)
	}
	if err != nil {
		return outdial.Presentation{}, g.clock.time(wake), err
	}
	slot, wake, err := g.choose(m, from, who, call, c, prev)
	if err != nil {
		return outdial.Presentation{}, g.clock.time(wake), err
	}
	n := &g.numbers[slot]
	if call.Rehearsal() {
		return outdial.Presentation{Number: n.number, Pool: from.id}, time.Time{}, nil
	}
	l := g.use(m, slot, from.program, who, key, call, prev)
	n.inFlight++
	g.settle(slot, m, false)
	return outdial.Presentation{Number: n.number, Pool: from.id, Lease: g.leases.take(l)}, time.Time{}, nil
}

// poolOf is where a call's number comes from. Whatever names the pool, it is one of the call's program.
func (g *Governor) poolOf(call *outdial.Call, c *outdial.Candidate) (*pool, error) {
	p := g.layout.first[call.Program]
	if c.Pool != 0 {
		p = g.layout.byID[c.Pool]
	} else if own := g.layout.campaigns[call.Campaign]; own != nil && call.Campaign != 0 {
		p = own
	}
	switch {
	case p == nil:
		return nil, ErrNoPool
	case p.program.id != call.Program:
		return nil, ErrForeignPool
	case p.tenant != 0 && p.tenant != call.Tenant:
		return nil, ErrForeignTenant
	}
	return p, nil
}

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
	if kept != none && g.numbers[kept].pool == p && !g.numbers[kept].state.gone() {
		n := &g.numbers[kept]
		if n.wakeup != none { // its state may change by itself now
			g.ripen(now, n)
		}
		status, wake := n.assess(now, prev == 0)
		class := &p.classes[p.homes[n.home].class]
		accepted, open := class.accepts(c.Carrier), class.open(now.at)
		if accepted && open && status == StatusReady {
			n.record(call.Record(), c.Trunk, how, now.at)
			return kept, noWake, nil
		}
		if status == StatusReady && !open {
			wake, _ = class.budget.gate.Peek(now.at)
		}
		n.recordRefused(call.Record(), c.Trunk, how, status, accepted)
		if p.strict(who, status, prev, now.at) {
			if !accepted {
				wake = noWake
			}
			return none, wake, ErrSticky
		}
	}
	near := p.near(call)
	more := false
	for i := range p.classes {
		if p.classes[i].accepts(c.Carrier) && g.wake(&p.classes[i], now, wakeBudget) {
			more = true
		}
	}
	slot, at := p.nearest(&g.store, &near, c.Carrier, now.at)
	if more && at != near.best() {
		for i := range p.classes {
			if p.classes[i].accepts(c.Carrier) {
				g.wake(&p.classes[i], now, len(p.classes[i].wakeups))
			}
		}
		slot, at = p.nearest(&g.store, &near, c.Carrier, now.at)
	}
	if r := call.Record(); r.On() {
		near.record(r, c.Trunk, at)
	}
	if slot == none {
		wake, err = p.refusal(c.Carrier, now.at)
		return none, wake, err
	}
	g.numbers[slot].record(call.Record(), c.Trunk, at, now.at)
	return slot, noWake, nil
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
	resting := status == StatusResting || status == StatusNoRight
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
func (p *pool) nearest(s *store, near *spot, carrier outdial.CarrierID, now window.Instant) (int32, tier) {
	for t, b := range near.tiers {
		slot := none
		switch {
		case tier(t) == tierOverlay:
			for _, b := range near.overlay {
				if slot = p.pick(s, b, carrier, now); slot != none {
					break
				}
			}
		case b == none:
		case tier(t) == tierExchange:
			slot = p.pickExchange(s, b, carrier, now)
		default:
			slot = p.pick(s, b, carrier, now)
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
	case accepted == 0 && total > 0:
		return wake, ErrCarrier
	}
	return wake, ErrNoNumber
}

// use counts a use of a number for the number and for the callee, who must have room, and binds the callee to it.
func (g *Governor) use(now moment, slot int32, p *program, i int32, key calleeKey, call *outdial.Call,
	prev outdial.Number,
) lease {
	n := &g.numbers[slot]
	if n.pool != nil && n.state == StateWarming {
		g.warm(now, n)
	}
	l := lease{slot: slot, program: p, key: key, call: shortCall(call.ID), stamp: n.uses.add(now.at)}
	if n.pool != nil {
		if l.budget = n.pool.classes[n.pool.homes[n.home].class].budget; l.budget != nil {
			l.spent = l.budget.gate.Add(now.at)
		}
	}
	if l.tenant = g.tenants[call.Tenant]; l.tenant != nil {
		l.taken = l.tenant.Add(now.at)
	}
	if i == none {
		i = p.callees.add(key, now.at)
	}
	e := p.callees.at(i)
	l.former, l.knew = e.call, e.slot()
	if !p.callees.sameCall(i, call.ID, prev, now.at) {
		p.callees.stamp(i, call.ID, now.at)
		l.counted, l.called = true, p.callees.of(i)[0]
	}
	p.callees.bind(i, slot)
	return l
}
