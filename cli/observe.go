package cli

import (
	"github.com/outdial/outdial"
)

// Observe implements outdial.Observer. A Started event of an attempt whose number was not reserved here (a replayed one,
// or one from another node) counts a use of the number and a call of the callee at its time, whatever the caps say, and
// the Ended event of such an attempt that was never sent takes both back, as Undo does. An Ended event whose result is a
// block (outdial.Result.Blocked) suppresses the callee for the program, also where hunting had moved on from the leg. What
// became of an attempt counts for its number (see Lifecycle), and for its callee, who keeps the number that it talked to.
// A Labelled event counts for its number, and a Control is folded if it is one of the Actions and its target can be read.
func (g *Governor) Observe(ev *outdial.Event) {
	switch ev.Kind {
	case outdial.EventStarted, outdial.EventEnded, outdial.EventDisposed, outdial.EventLabelled, outdial.EventControl:
	default:
		return
	}
	var key calleeKey
	if aboutCallee(ev) {
		key = g.keys.of(ev.Attempt.Call.To)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(ev.Time)
	g.replaying = ev.Replay
	switch ev.Kind {
	case outdial.EventStarted:
		if uncounted(ev) {
			g.started(m, ev.Attempt, key)
		} else if l := g.leases.get(ev.Attempt.Use); l != nil {
			l.attempt = ev.Attempt.ID
			g.idled(m, l.slot, l.stamp)
		}
	case outdial.EventEnded:
		a := ev.Attempt
		if uncounted(ev) {
			g.ended(m, a)
		}
		if a.Result.Blocked() {
			g.program(a.Call.Program).suppress(key, 0)
		}
		if a.CLI != 0 && a.Pool != 0 {
			if conversed(a) {
				g.talked(m, a, key)
			}
			g.judge(m, a)
		}
	case outdial.EventDisposed:
		g.disposed(m, ev.Attempt, ev.Disposition, key)
	case outdial.EventLabelled:
		g.labelled(m, ev.Label)
	case outdial.EventControl:
		g.control(m, ev.Time, ev.Control)
	}
	g.replaying = false
}

// aboutCallee reports whether an event says something of a callee, so that its key is needed.
func aboutCallee(ev *outdial.Event) bool {
	switch ev.Kind {
	case outdial.EventStarted:
		return uncounted(ev)
	case outdial.EventEnded:
		return ev.Attempt.Result.Blocked() || conversed(ev.Attempt)
	case outdial.EventDisposed:
		return ev.Attempt != nil
	}
	return false
}

// conversed reports whether an attempt was a conversation, as far as its length tells.
func conversed(a *outdial.Attempt) bool {
	d, ok := a.Timeline.Duration()
	return ok && d >= conversation
}

// talked keeps the callee of a conversation with its number, and leaves it alone for as long as its country asks.
func (g *Governor) talked(now moment, a *outdial.Attempt, key calleeKey) {
	p := g.program(a.Call.Program)
	if i := p.callees.find(key); i != none {
		p.callees.at(i).talk()
	}
	p.hush(key, now.unix, p.rule(&a.Call.Dest, a.Call.To).afterTalk)
}

// disposed learns what a call was. Where the host kept only the attempt's id, there is no callee to learn of.
func (g *Governor) disposed(now moment, a *outdial.Attempt, d *outdial.Disposition, key calleeKey) {
	if a == nil || a.Call.To == 0 {
		return
	}
	if d.Contact {
		g.talked(now, a, key)
	}
	if d.Code == DispositionAbandoned {
		p := g.program(a.Call.Program)
		p.hush(key, now.unix, p.rule(&a.Call.Dest, a.Call.To).afterAbandoned)
	}
}

// uncounted reports whether an attempt presented a number of a pool that Reserve did not count.
func uncounted(ev *outdial.Event) bool {
	a := ev.Attempt
	return a.CLI != 0 && a.Pool != 0 && (ev.Replay || a.Use == 0)
}

func (g *Governor) started(m moment, a *outdial.Attempt, key calleeKey) {
	prev := outdial.Number(0)
	if a.ID.Leg > 1 {
		prev = a.CLI
	}
	slot := g.slot(a.CLI)
	g.due(m, slot)
	n := &g.numbers[slot]
	if n.uses.ring == nil {
		n.uses.fit(make([]uint32, n.uses.room(g.cfg.stock.most)), g.cfg.stock.most, g.cfg.stock.step)
	}
	p := g.program(a.Call.Program)
	l := g.use(m, slot, p, p.callees.find(key), key, &a.Call, prev)
	if n.pool != nil {
		g.settle(slot, m, false)
	}
	g.idled(m, slot, l.stamp)
	if len(g.told) < maxTold && a.ID.Call != 0 {
		if g.told == nil {
			g.told = told{}
		}
		g.told[a.ID] = l
	}
}

// ended takes the use of an attempt back that never left.
func (g *Governor) ended(m moment, a *outdial.Attempt) {
	l, ok := g.told[a.ID]
	if !ok {
		return
	}
	delete(g.told, a.ID)
	if a.Result.Origin == outdial.OriginNeverSent && !a.Answered() && !a.Progressed() { // what rang has left
		g.takeBack(m, &l)
		return
	}
	l.left()
}
