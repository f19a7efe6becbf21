package cli

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// wakeBudget is how many due numbers one Reserve settles before it looks whether it has to settle more: after an idle
// night all of them are due at once, and the first call shall not pay for that.
const wakeBudget = 16

// Admit implements outdial.CLIs: it refuses a callee that is suppressed for the call's program (ErrSuppressed), that the
// program has called as often as it may (ErrCallee), or that cannot be remembered (ErrCalleeMemory), and a program
// without a pool (ErrNoPool). It counts nothing.
func (g *Governor) Admit(now time.Time, call *outdial.Call) (again time.Time, err error) {
	key := g.keys.of(call.To)
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	p := g.layout.first[call.Program]
	if p == nil {
		return time.Time{}, ErrNoPool
	}
	_, wake, err := g.admit(m, p.program, key, call, 0)
	return g.clock.time(wake), err
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
	if r := call.Record(); r.On() {
		p.callees.record(r, i, now.at)
	}
	if i == none {
		if at, ok := p.callees.room(now.at); !ok {
			return none, at, ErrCalleeMemory
		}
		return none, noWake, nil
	}
	if at := p.callees.freeAt(i); at > now.at && !p.callees.sameCall(i, call.ID, prev, now.at) {
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
	key := g.keys.of(call.To)
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	from, err := g.poolOf(call, c)
	if err != nil {
		return outdial.Presentation{}, time.Time{}, err
	}
	g.expire(m)
	who, wake, err := g.admit(m, from.program, key, call, prev)
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
	l := g.use(m, slot, from.program, who, key, call.ID, prev)
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
		status, wake := n.assess(now, prev == 0)
		accepted := p.classes[p.homes[n.home].class].accepts(c.Carrier)
		if accepted && status == StatusReady {
			n.record(call.Record(), c.Trunk, how, now.at)
			return kept, noWake, nil
		}
		n.recordRefused(call.Record(), c.Trunk, how, status, accepted)
		if p.sticky.Mode == StickyStrict {
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
	slot, at := p.nearest(g.numbers, near, c.Carrier)
	if more && at != near.best() {
		for i := range p.classes {
			if p.classes[i].accepts(c.Carrier) {
				g.wake(&p.classes[i], now, len(p.classes[i].wakeups))
			}
		}
		slot, at = p.nearest(g.numbers, near, c.Carrier)
	}
	if slot == none {
		wake, err = p.refusal(c.Carrier)
		return none, wake, err
	}
	g.numbers[slot].record(call.Record(), c.Trunk, at, now.at)
	return slot, noWake, nil
}

// known returns the place of the number that callee i knows, none if it knows none.
func (p *pool) known(i int32, now window.Instant) int32 {
	if i == none || p.sticky.Mode == StickyOff || p.sticky.TTL < 0 {
		return none
	}
	b := p.program.callees.list[i].bound
	if b.slot == none || b.at+window.Instant(p.sticky.TTL) <= now {
		return none
	}
	return b.slot
}

// nearest returns the first ready number of the nearest tier that has one.
func (p *pool) nearest(numbers []number, near spot, carrier outdial.CarrierID) (int32, tier) {
	for t, b := range near {
		if b == none {
			continue
		}
		if slot := p.head(numbers, b, carrier); slot != none {
			return slot, tier(t)
		}
	}
	return none, tierCount
}

// best is the nearest tier that has numbers at all.
func (s spot) best() tier {
	for t, b := range s {
		if b != none {
			return tier(t)
		}
	}
	return tierCount
}

// refusal says why no number can be presented on a carrier, and when that may change.
func (p *pool) refusal(carrier outdial.CarrierID) (window.Instant, error) {
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
		if len(c.wakeups) > 0 && c.accepts(carrier) {
			wake = min(wake, c.wakeups[0].at)
		}
	}
	switch {
	case count[StatusWaiting]+count[StatusBusy] > 0:
		return wake, ErrCaps
	case count[StatusNoRight] > 0:
		return wake, ErrRight
	case accepted == 0 && total > 0:
		return wake, ErrCarrier
	}
	return wake, ErrNoNumber
}

// use counts a use of a number for the number and for the callee, who must have room, and binds the callee to it.
func (g *Governor) use(now moment, slot int32, p *program, i int32, key calleeKey, call outdial.CallID,
	prev outdial.Number,
) lease {
	n := &g.numbers[slot]
	l := lease{slot: slot, program: p, key: key, call: call, stamp: n.gate.Add(now.at)}
	if i == none {
		i = p.callees.add(key, now.at)
	}
	l.former, l.bound = p.callees.list[i].call, p.callees.list[i].bound
	if !p.callees.sameCall(i, call, prev, now.at) {
		p.callees.count(i, call, l.stamp)
		l.counted = true
	}
	p.callees.bind(i, binding{l.stamp, slot})
	return l
}

// Release implements outdial.CLIs: the call from the number is over, its use stays counted. A lease that was given back
// is ignored.
func (g *Governor) Release(now time.Time, id outdial.Lease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.leases.giveBack(id)
	if !ok {
		return
	}
	m := g.clock.read(now)
	n := &g.numbers[l.slot]
	n.inFlight--
	if n.pool != nil && n.status == StatusBusy {
		g.settle(l.slot, m, false)
	}
}

// Undo implements outdial.CLIs: nothing left the host, so everything is as if the number had not been asked for. A lease
// that was given back is ignored.
func (g *Governor) Undo(now time.Time, id outdial.Lease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.leases.giveBack(id)
	if !ok {
		return
	}
	g.numbers[l.slot].inFlight--
	g.takeBack(g.clock.read(now), &l)
}

// takeBack undoes use.
func (g *Governor) takeBack(m moment, l *lease) {
	n := &g.numbers[l.slot]
	n.gate.Undo(l.stamp)
	if n.pool != nil {
		g.settle(l.slot, m, true)
	}
	c := &l.program.callees
	i := c.find(l.key)
	if i == none {
		return
	}
	if l.counted {
		c.uncount(i, l.former, l.stamp)
	}
	if c.list[i].bound == (binding{l.stamp, l.slot}) {
		c.list[i].bound = l.bound
	}
	if c.forgettable(i) {
		c.drop(i)
	}
}
