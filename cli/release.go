package cli

import (
	"time"

	"github.com/outdial/outdial"
)

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
	if l.budget != nil {
		l.budget.gate.Undo(l.spent)
	}
	if l.tenant != nil {
		l.tenant.Undo(l.taken)
	}
	if n.pool != nil {
		g.settle(l.slot, m, true)
	}
	c := &l.program.callees
	i := c.find(l.key)
	if i == none {
		return
	}
	if e := c.at(i); e.slot() == l.slot && e.call() == l.call && (!l.counted || e.stamps()[0] == l.called) { // the newest
		e.setSlot(l.knew)
	}
	if l.counted {
		c.unstamp(i, l.former, l.called)
	}
	if c.forgettable(i) {
		c.drop(i)
	}
}
