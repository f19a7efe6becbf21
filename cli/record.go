package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// record writes what was read of a number that is presented, before this use is counted: the tier that it was found in,
// its uses in each window and the caps.
func (n *number) record(r *outdial.Record, trunk outdial.TrunkID, at tier, now window.Instant) {
	if !r.On() {
		return
	}
	r.Text(outdial.StageCLI, trunk, "tier", at.String())
	r.Text(outdial.StageCLI, trunk, "number", n.number.String())
	for _, c := range n.pool.rules.list {
		r.Num(outdial.StageCLI, trunk, "window_s", c.Window.Seconds())
		r.Num(outdial.StageCLI, trunk, "uses", float64(n.uses.count(now, c.Window)))
		r.Num(outdial.StageCLI, trunk, "cap", float64(c.Max))
	}
	r.Num(outdial.StageCLI, trunk, "in_flight", float64(n.inFlight))
	r.Text(outdial.StageCLI, trunk, "state", n.state.String())
	r.Num(outdial.StageCLI, trunk, "share", float64(n.share))
	r.Num(outdial.StageCLI, trunk, "weight", float64(n.weight))
	if last := n.uses.last; last != window.Never {
		r.Num(outdial.StageCLI, trunk, "idle_s", time.Duration(now-last).Seconds())
	}
}

// recordRefused writes why the number that the call or the callee has seen is not presented.
func (n *number) recordRefused(r *outdial.Record, trunk outdial.TrunkID, at tier, status Status, accepted, elsewhere bool) {
	if !r.On() {
		return
	}
	r.Text(outdial.StageCLI, trunk, "not_kept", n.number.String())
	r.Text(outdial.StageCLI, trunk, "not_kept_tier", at.String())
	why := status.String()
	switch {
	case elsewhere:
		why = "pool"
	case !accepted:
		why = "carrier"
	}
	r.Text(outdial.StageCLI, trunk, "not_kept_why", why)
}

// record writes how often the callee was called.
func (c *callees) record(r *outdial.Record, caps []Cap, i int32, now window.Instant) {
	for _, p := range caps {
		calls := 0
		if i != none {
			for _, s := range c.of(i)[:p.Max] {
				if s != 0 && instantOf(s)+window.Instant(p.Window) > now {
					calls++
				}
			}
		}
		r.Num(outdial.StageCLI, 0, "callee_window_s", p.Window.Seconds())
		r.Num(outdial.StageCLI, 0, "callee_calls", float64(calls))
		r.Num(outdial.StageCLI, 0, "callee_cap", float64(p.Max))
	}
}

// considered writes a number that was weighed against others: how long it has rested, and what that counts for.
func (n note) considered(x *number, now, trust window.Instant) {
	n.record.Text(outdial.StageCLI, n.trunk, "considered", x.number.String())
	if x.uses.last != window.Never {
		n.record.Num(outdial.StageCLI, n.trunk, "considered_idle_s", time.Duration(now-x.uses.last).Seconds())
	}
	n.record.Num(outdial.StageCLI, n.trunk, "considered_weight", float64(x.weight)*float64(trust)/whole)
}

// recordTiers writes each tier that was looked at before the one that had a number, and why it had none: "no stock", or its
// numbers by what keeps them.
func (p *pool) recordTiers(s *store, n note, near *spot, carrier outdial.CarrierID, found tier, now window.Instant) {
	for t, b := range near.tiers {
		if tier(t) == found {
			return
		}
		var kept rejected
		switch {
		case tier(t) == tierOverlay:
			for _, b := range near.overlay {
				kept.addBucket(p, b, carrier, now)
			}
		case b == none:
		case tier(t) == tierExchange:
			kept.addSpan(p, s, b, carrier, now)
		default:
			kept.addBucket(p, b, carrier, now)
		}
		n.record.Text(outdial.StageCLI, n.trunk, "tier_"+tier(t).String(), kept.String())
	}
}

// rejected is numbers that were not presented, by why not.
type rejected struct {
	status          [statusCount]int32
	carrier, budget int32 // whatever their status
}

func (r *rejected) add(c *class, carrier outdial.CarrierID, now window.Instant, count *[statusCount]int32) {
	for s, k := range count {
		switch {
		case !c.accepts(carrier):
			r.carrier += k
		case !c.open(now):
			r.budget += k
		default:
			r.status[s] += k
		}
	}
}

func (r *rejected) addBucket(p *pool, b int32, carrier outdial.CarrierID, now window.Instant) {
	for _, i := range p.buckets[b] {
		for _, h := range p.ranks[i].homes {
			r.add(&p.classes[p.homes[h].class], carrier, now, &p.homes[h].count)
		}
	}
}

func (r *rejected) addSpan(p *pool, s *store, i int32, carrier outdial.CarrierID, now window.Instant) {
	x := &p.spans[i]
	for _, slot := range p.sorted[x.from : x.from+x.n] {
		n := &s.numbers[slot]
		var one [statusCount]int32
		one[n.status] = 1
		r.add(&p.classes[p.homes[n.home].class], carrier, now, &one)
	}
}

// String is "12 numbers: 3 waiting, 8 resting, 1 not accepted by the carrier".
func (r *rejected) String() string {
	total, why := int32(0), []string{}
	say := func(k int32, what string) {
		if k > 0 {
			total += k
			why = append(why, fmt.Sprintf("%d %s", k, what))
		}
	}
	for s, k := range r.status {
		say(k, strings.ReplaceAll(Status(s).String(), "_", " "))
	}
	say(r.carrier, "not accepted by the carrier")
	say(r.budget, "out of their region's budget")
	switch total {
	case 0:
		return "no stock"
	case 1:
		return "1 number: " + why[0]
	}
	return fmt.Sprintf("%d numbers: %s", total, strings.Join(why, ", "))
}
