package cli

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// wakeBudget is how many due numbers one Reserve settles before it looks whether it has to settle more: after an idle
// night all of them are due at once, and the first call shall not pay for that.
const wakeBudget = 16

// ledgerTries is how many numbers a Ledger may refuse to one Reserve.
const ledgerTries = 8

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
	rule := p.rule(&call.Dest, call.To)
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
	var first time.Time // when a number may have room that the ledger had none for
	for range ledgerTries {
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
		case ok:
			g.mu.Lock()
			if l := g.leases.get(p.Lease); l != nil {
				l.shared = stamp
			}
			g.mu.Unlock()
			return p, again, nil
		}
		if first.IsZero() || stamp.Before(first) {
			first = stamp
		}
		g.mu.Lock()
		if l, ok := g.leases.giveBack(p.Lease); ok {
			n := &g.numbers[l.slot]
			n.inFlight--
			n.setShared(g.clock.epoch.Instant(stamp))
			g.takeBack(g.clock.read(now), &l)
		}
		g.mu.Unlock()
	}
	return outdial.Presentation{}, first, ErrCaps
}

func (g *Governor) reserve(now time.Time, key calleeKey, call *outdial.Call, c *outdial.Candidate, prev outdial.Number) (
	outdial.Presentation, time.Time, error,
) {
	m := g.clock.read(now)
	from, err := g.poolOf(call, c)
	if err != nil {
		return outdial.Presentation{}, time.Time{}, err
	}
	from.program.callees.index.readAhead(key)
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
		return outdial.Presentation{Number: n.number, Pool: n.pool.id}, time.Time{}, nil
	}
	l := g.use(m, slot, from.program, who, key, call, prev)
	n.inFlight++
	g.settle(slot, m, false)
	return outdial.Presentation{Number: n.number, Pool: n.pool.id, Lease: g.leases.take(l)}, time.Time{}, nil
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

// use counts a use of a number for the number and for the callee, who must have room, and binds the callee to it.
func (g *Governor) use(now moment, slot int32, p *program, i int32, key calleeKey, call *outdial.Call,
	prev outdial.Number,
) lease {
	n := &g.numbers[slot]
	l := lease{slot: slot, program: p, key: key, call: shortCall(call.ID), stamp: n.uses.add(now.at)}
	if b := n.budget(); b != nil {
		l.budgeted, l.spent = true, b.gate.Add(now.at)
	}
	if gate := g.tenants[call.Tenant]; gate != nil {
		l.tenant, l.taken = call.Tenant, gate.Add(now.at)
	}
	if i == none {
		i = p.callees.add(key, now.at)
	}
	e := p.callees.at(i)
	l.former, l.knew = e.callWord(), e.slot()
	if p.callees.sameCall(i, call.ID, prev, now.at) {
		e.mark(hasFollowed)
	} else {
		p.callees.stamp(i, call.ID, now.at)
		l.counted, l.called = true, e.stamps()[0]
	}
	p.callees.bind(i, slot)
	return l
}
