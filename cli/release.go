package cli

import (
	"iter"
	"time"

	"github.com/outdial/outdial"
)

// Release implements outdial.CLIs: the call from the number is over, its use stays counted. A lease that was given back
// is ignored. Where memory for callees is running short it makes more, so that no Reserve has to wait for it.
func (g *Governor) Release(now time.Time, id outdial.Lease) {
	c, words := g.release(now, id)
	if words == 0 {
		return
	}
	chunk := make([]uint32, words)
	touch(chunk)
	g.mu.Lock()
	c.supply(chunk)
	g.mu.Unlock()
}

// release returns whose memory is to be supplied, and how much, 0 = none.
func (g *Governor) release(now time.Time, id outdial.Lease) (c *callees, words int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.leases.giveBack(id)
	if !ok {
		return nil, 0
	}
	m := g.clock.read(now)
	n := &g.numbers[l.slot]
	n.inFlight--
	if n.pool != nil && n.status == StatusBusy {
		g.settle(l.slot, m, false)
	}
	l.left()
	c = &l.program.callees
	if c.free == none {
		words = c.ahead(c.count)
	}
	return c, words
}

// Undo implements outdial.CLIs: nothing left the host, so everything is as if the number had not been asked for. A lease
// that was given back is ignored.
func (g *Governor) Undo(now time.Time, id outdial.Lease) {
	g.mu.Lock()
	l, ok := g.leases.giveBack(id)
	if !ok {
		g.mu.Unlock()
		return
	}
	n := &g.numbers[l.slot]
	n.inFlight--
	number, ledger := n.number, g.ledger
	g.takeBack(g.clock.read(now), &l)
	g.mu.Unlock()
	if ledger != nil && !l.shared.IsZero() {
		ledger.Undo(number, l.shared)
	}
}

// takeBack undoes use.
func (g *Governor) takeBack(m moment, l *lease) {
	n := &g.numbers[l.slot]
	n.uses.undo(l.stamp)
	if b := n.budget(); b != nil && l.budgeted {
		b.gate.Undo(l.spent)
	}
	if gate := g.tenants[l.tenant]; gate != nil {
		gate.Undo(l.taken)
	}
	if n.pool != nil {
		g.settle(l.slot, m, true)
	}
	c := &l.program.callees
	i := c.find(l.key)
	if i == none {
		return
	}
	e := c.at(i)
	if l.counted && e.is(hasFollowed) && e.newest(l) && (g.inherit(l) || e.is(hasLeft)) {
		return // the call was made, by another attempt
	}
	if l.counted && !e.newest(l) {
		g.unlearn(l)
	}
	e.forget(l)
	if c.forgettable(i) {
		c.drop(i)
	}
}

// left notes that a further attempt of a call left the host, so that the call stays counted.
func (l *lease) left() {
	if l.counted {
		return
	}
	c := &l.program.callees
	if i := c.find(l.key); i != none && c.at(i).newest(l) {
		c.at(i).mark(hasLeft)
	}
}

// inherit lets a further attempt of the same call, that is under way, stand for the call, and reports whether there is one.
func (g *Governor) inherit(l *lease) bool {
	for x := range g.underWay(l) {
		if !x.counted && x.call == l.call {
			x.counted, x.called, x.former = true, l.called, l.former
			if x.knew == l.slot {
				x.knew = l.knew
			}
			return true
		}
	}
	return false
}

// unlearn lets those that came after a use, and know it as the one before, know the one before that.
func (g *Governor) unlearn(l *lease) {
	for x := range g.underWay(l) {
		if x.former&callMask != l.call {
			continue
		}
		x.former = l.former
		if x.knew == l.slot {
			x.knew = l.knew
		}
	}
}

// underWay yields the uses of a lease's callee that may yet be taken back.
func (g *Governor) underWay(l *lease) iter.Seq[*lease] {
	return func(yield func(*lease) bool) {
		for i := range g.leases.list {
			if x := &g.leases.list[i]; x.held && x.key == l.key && x.program == l.program && !yield(x) {
				return
			}
		}
		for id, x := range g.told {
			if x.key != l.key || x.program != l.program {
				continue
			}
			more := yield(&x)
			g.told[id] = x
			if !more {
				return
			}
		}
	}
}
