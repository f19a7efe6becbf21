package main

import (
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/failover"
)

// When the good carrier fails for one destination and recovers, when an operator drills a standby, and when he flips
// traffic to it, in shares of the calls placed; and how much, for how long.
const (
	drillAt   = 0.02
	partAt    = 0.08
	partEnds  = 0.28
	flipAt    = 0.72
	drillFor  = 2 * time.Second
	drillTail = 2 * time.Second // until the attempts of a drill have rung, or not
	flipFor   = 2 * time.Second
	drilled   = 0.4
	flipped   = 0.6
	drillName = "coast" // the standby
)

// orders are what happens beside the great fault: an outage of the good carrier for one destination, and an operator who
// drills a standby and flips traffic to it. Failover keeps the orders in its journal and ends them by itself.
type orders struct {
	scenario *scenario
	carriers []*carrier
	proxy    *b2bua.Proxy

	done  [4]bool
	told  map[outdial.GroupID]failover.State // of the good carrier's destinations
	ended bool
}

// step does what is due.
func (o *orders) step(now time.Time, placed int) error {
	share := float64(placed) / float64(o.scenario.opts.Calls)
	due := func(i int, at float64) bool {
		is := !o.done[i] && share >= at
		o.done[i] = o.done[i] || is
		return is
	}
	if due(0, drillAt) {
		o.send(now, failover.ActionDrill, drilled, drillFor)
	}
	if due(1, partAt) {
		if err := o.carriers[0].breakPart(); err != nil {
			return err
		}
		o.scenario.note(now, "%s fails for area %s only", o.carriers[0].Name, metro)
	}
	if due(2, partEnds) && o.scenario.broken.IsZero() {
		if err := o.carriers[0].heal(); err != nil {
			return err
		}
		o.scenario.note(now, "%s is well for area %s again", o.carriers[0].Name, metro)
	}
	if due(3, flipAt) {
		o.send(now, failover.ActionFlip, flipped, flipFor)
	}
	o.watch(now)
	return nil
}

// send gives an order, as an operator would: it is checked, journalled, and ends by itself.
func (o *orders) send(now time.Time, action string, share float64, d time.Duration) {
	order := failover.Flip{To: []string{drillName}, Share: share}.Control(action, "operator", "campaign", now.Add(d))
	if err := o.proxy.Engine().Control(now, order); err != nil {
		o.scenario.note(now, "the operator's %s is refused: %v", action, err)
		return
	}
	o.scenario.note(now, "the operator's %s sends %s of the calls to %s for %v", action, order.Value, drillName, d)
}

// watch tells of destinations that rest on the good carrier although it is up, and of a drill that has ended.
func (o *orders) watch(now time.Time) {
	if o.told == nil {
		o.told = map[outdial.GroupID]failover.State{}
	}
	for _, t := range o.proxy.Failover().Snapshot(now) {
		if t.Name != o.carriers[0].Name || t.Group == 0 || t.State == o.told[t.Group] {
			continue
		}
		before := o.told[t.Group]
		o.told[t.Group] = t.State
		switch {
		case t.State == failover.Out && before <= failover.Suspect:
			o.scenario.note(t.Since, "%s rests for %s alone (%s)", t.Name, t.GroupName, t.Why)
		case t.State == failover.Ramping:
			o.scenario.note(t.Since, "%s gets its share for %s again", t.Name, t.GroupName)
		}
	}
	for _, d := range o.proxy.Failover().Drills(now) {
		if !d.Over || o.ended || now.Sub(d.Until) < drillTail {
			continue
		}
		o.ended = true
		change, errors := d.Change(outdial.MetricPDD)
		o.scenario.note(now, "the drill is over: %d attempts on %s, reached %.0f %% (NER), post-dial delay %+.2f s (%.0f standard errors)",
			d.During.To.Started, drillName, 100*d.During.To.NER().Mean, change.Mean, math.Abs(errors))
	}
}
