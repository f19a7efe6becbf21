package cli

import (
	"time"

	"github.com/outdial/outdial/internal/window"
)

// expiry is when a number's right to use ends, or its last test for calls back is no longer enough.
type expiry struct {
	unix int64
	slot int32
}

// expire settles the numbers whose time has ended, so that each ready number has a right. Whoever asks whether a number can
// be presented calls it first.
func (g *Governor) expire(now moment) {
	for len(g.expiries) > 0 && g.expiries[0].unix <= now.unix {
		g.numbers[g.expiries[0].slot].right = false
		g.settle(g.expiries[0].slot, now, false)
		g.expiries = g.expiries[1:]
	}
}

// settle assesses a number that is in a pool and puts it where it belongs: in its queue, in the wake-up heap, or in
// neither. A ready number goes to the end of its queue, or to the front (see enqueue).
func (g *Governor) settle(slot int32, now moment, front bool) {
	n := &g.numbers[slot]
	p := n.pool
	h := &p.homes[n.home]
	c := &p.classes[h.class]
	g.ripen(now, n)
	c.count[n.status]--
	h.count[n.status]--
	if n.status == StatusReady {
		p.dequeue(&g.store, slot)
	}
	if g.places[slot] != none {
		c.wakeups.remove(g.places, slot)
	}
	status, wake := n.assess(now, true)
	n.status = status
	c.count[status]++
	h.count[status]++
	switch {
	case status == StatusReady:
		p.enqueue(&g.store, slot, front)
	case wake != noWake:
		c.wakeups.add(g.places, entry{wake, slot})
	}
}

// wake settles numbers of a class whose instant has come, at most a number of them, and reports whether others are due.
func (g *Governor) wake(c *class, now moment, most int) (more bool) {
	for len(c.wakeups) > 0 && c.wakeups[0].at <= now.at {
		if most == 0 {
			return true
		}
		most--
		g.settle(c.wakeups[0].id, now, false)
	}
	return false
}

// Advance implements outdial.Advancer: it makes numbers ready whose instant has come. Reserve does so too; after an idle
// time Advance spares it the work.
func (g *Governor) Advance(now time.Time) (next time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	g.expire(m)
	first := noWake
	for _, p := range g.layout.pools {
		g.underused(m, p)
		for i := range p.classes {
			c := &p.classes[i]
			g.wake(c, m, len(c.wakeups))
			if len(c.wakeups) > 0 {
				first = min(first, c.wakeups[0].at)
			}
		}
	}
	if first == noWake {
		return time.Time{}
	}
	return g.clock.time(max(first, m.at+window.Instant(time.Second))) // numbers wake all the time: once a second will do
}
