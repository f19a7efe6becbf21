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
	c.at(i).forget(l)
	if c.forgettable(i) {
		c.drop(i)
	}
}
