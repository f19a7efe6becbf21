package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// ordered is a flip or a drill as the journal tells it.
type ordered struct {
	Order       failover.Flip
	Drill       bool
	From, Until time.Time
	Cut         bool   // by a later order to the same trunk
	There       uint64 // attempts on the trunk that it sends calls to, as far as it was in force when the journal had them
}

// order notes an operator's flip or drill.
func (g *ledger) order(ev *outdial.Event) {
	c := ev.Control
	if c == nil || c.Action != failover.ActionFlip && c.Action != failover.ActionDrill {
		return
	}
	f, err := failover.ParseFlip(c)
	if err != nil {
		return
	}
	for i := range g.Orders {
		if o := &g.Orders[i]; o.Order.To[0] == f.To[0] && o.holds(ev.Time) {
			o.Until, o.Cut = ev.Time, true
		}
	}
	g.Orders = append(g.Orders, ordered{Order: f, Drill: c.Action == failover.ActionDrill, From: ev.Time, Until: c.Expires})
}

// holds reports whether the order is in force at t.
func (o *ordered) holds(t time.Time) bool { return !t.Before(o.From) && t.Before(o.Until) }

// underOrders counts an attempt that has just started for the orders that are in force. One that is journalled before the order that cuts
// another off counts for that other, whatever the clock said: an operator's order has the time at which it was given.
func (g *ledger) underOrders(a *attempt) {
	for i := range g.Orders {
		if o := &g.Orders[i]; o.holds(a.Start) && a.Trunk == o.Order.To[0] {
			o.There++
		}
	}
}

// justDecided is how long after a trunk was ejected a call may still leave there that had been decided before.
const justDecided = 100 * time.Millisecond

// atTheEdges is how many attempts a drill may count more or less than the journal says: those that were on their way from
// the journal to failover when it began or was cut off.
const atTheEdges = 3

// partMoved: before the great fault the good carrier rests for the destination that it fails, and for no other; what is sent
// there meanwhile are probes. Silence is left out of it: a machine that is too busy looks like a silent carrier.
func partMoved(e *evidence) error {
	for _, i := range e.Incidents {
		if i.Name != good || strings.HasPrefix(i.Why, "hard") || !e.Broken.IsZero() && !i.Isolated.Before(e.Broken) {
			continue
		}
		if !strings.HasSuffix(i.GroupName, metro) {
			return fmt.Errorf("%s rested for %q: %s", i.Name, i.GroupName, i.Learned())
		}
		for _, s := range e.Ledger.Calls {
			for _, a := range s.Attempts {
				rests := a.Start.After(i.Isolated.Add(justDecided)) && (i.Noticed.IsZero() || a.Start.Before(i.Noticed))
				if rests && inMetro(s.To) && a.Trunk == good && a.Why != outdial.WhyProbe && a.Why != outdial.WhyLastResort {
					return fmt.Errorf("%s: sent to %s by %s while that rested for %s", s.To, good, a.Why, i.GroupName)
				}
			}
		}
	}
	return nil
}

// ordersKept: an operator's flips and drills send the share that was ordered, where it was ordered, and nothing before or after;
// a drill is over by itself and counts what the journal does.
func ordersKept(e *evidence) error {
	for _, s := range e.Ledger.Calls {
		for _, a := range s.Attempts {
			if a.Why == outdial.WhyFlip && !e.Ledger.flipped(a) {
				return fmt.Errorf("%s: sent to %s by an order that was not in force", s.To, a.Trunk)
			}
		}
	}
	for i := range e.Ledger.Orders {
		o := &e.Ledger.Orders[i]
		var first, picks, sent int
		room := true
		for _, s := range e.Ledger.Calls {
			for k, a := range s.Attempts {
				if !o.holds(a.Start) {
					continue
				}
				picks++
				if k == 0 {
					first++
				}
				if a.Why == outdial.WhyFlip {
					sent++
				}
			}
			for _, r := range s.Refused {
				if o.holds(r.At) {
					picks++
					room = room && r.Trunk != o.Order.To[0]
				}
			}
		}
		for _, x := range e.Incidents {
			room = room && (x.Name != o.Order.To[0] || x.Isolated.After(o.Until))
		}
		most, least := math.Ceil(float64(picks)*o.Order.Share)+2, math.Floor(float64(first)*o.Order.Share)-2
		if float64(sent) > most || room && float64(sent) < least {
			return fmt.Errorf("%d of %d calls were sent to %s, where %.0f %% were ordered", sent, first, o.Order.To[0], 100*o.Order.Share)
		}
		if !o.Drill || e.Finished.Before(o.Until) {
			continue
		}
		if err := e.reported(o); err != nil {
			return err
		}
	}
	return nil
}

// flipped reports whether an order sends calls to where the attempt went.
func (g *ledger) flipped(a *attempt) bool {
	for i := range g.Orders {
		if o := &g.Orders[i]; o.holds(a.Start) && a.Trunk == o.Order.To[0] {
			return true
		}
	}
	return false
}

// reported checks the report of a drill.
func (e *evidence) reported(o *ordered) error {
	for i := range e.Drills {
		d := &e.Drills[i]
		if !d.From.Equal(o.From) {
			continue
		}
		if off := int64(d.During.To.Started) - int64(o.There); !d.Over || d.Cut != o.Cut || max(off, -off) > atTheEdges {
			return fmt.Errorf("the drill counts %d attempts on %s (over %v, cut %v), the journal %d", d.During.To.Started, o.Order.To[0], d.Over, d.Cut, o.There)
		}
		return nil
	}
	return fmt.Errorf("the drill of %v has left no report", o.From)
}
