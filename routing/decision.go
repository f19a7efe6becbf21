package routing

import (
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// decision is one call on its way through a table. Everything that it reads of others, or that was drawn, goes through a
// method of it, which notes the value in the call's record, or, where a decision is repeated, takes it from there.
type decision struct {
	matter
	scratch
}

// matter is what is decided, by what, and what was found out.
type matter struct {
	t      *Table
	m      *memory   // nil = a Table alone: nothing is known of the past, and nothing is explored
	cells  cells     // nil = posteriors are read anew
	again  *recorded // nil = the sources are read
	greedy bool      // explore nothing all the same
	brief  bool      // nobody asks for more than who comes first
	leaf   leaf      // where the number is in the decks, if that has been looked for
	rec    *outdial.Record
	now    time.Time
	call   outdial.Call // a copy, so that the caller's need not lie on the heap
	where  Jurisdiction

	rule    *rule
	prefix  outdial.Prefix // that it was found under
	matched int            // the digits of prefix

	overrides      [2][]order // of the policy, and by Control
	overridden     bool       // some of them hold for the call
	pinned, forced *order     // in force for the call

	dst   []outdial.Candidate
	first int // where the call's candidates begin in dst
}

// scratch is what a decision works with. Nothing of it is read before it is written, so it need not be new.
type scratch struct {
	found hits                                  // by the deck's slot in the rule
	costs [outdial.MaxCandidates]outdial.Micros // of a typical call, by candidate from first on
	class [outdial.MaxCandidates]uint16         // where a candidate belongs; equal ones stand as they came
	keys  [outdial.MaxCandidates]float64        // what the candidates of a tier are sorted by
}

// Classes: 2 + 2·tier is the tier as written, one more is for what is tried after the rest of it.
const (
	classPreferred uint16 = 0
	classLater     uint16 = 1
	classPenalised uint16 = 1000
	classCapped    uint16 = 2000
)

// route appends the candidates for the call.
func (d *decision) route() ([]outdial.Candidate, error) {
	if !d.leaf.sought {
		d.leaf = d.t.rates.look(d.call.To)
	}
	d.match()
	d.recordRule()
	switch {
	case d.rule == nil:
		return d.dst, ErrNoRule
	case d.rule.block:
		return d.dst, ErrBlocked
	}
	if d.rule.decks > 0 {
		clear(d.found[:d.rule.decks])
		d.t.rates.find(d.now, d.call.To, d.leaf, d.rule.slots, d.rule.decks, &d.found)
		if d.t.byState {
			d.where = d.jurisdiction()
		}
	}
	d.heed()
	why := ErrNoRate
	for i := range d.rule.tiers {
		if err := d.appendTier(&d.rule.tiers[i], uint8(i)); err != nil {
			why = err
		}
	}
	if d.forced != nil {
		d.force()
	}
	if len(d.dst) == d.first {
		return d.dst, why
	}
	d.settle()
	d.recordOrder()
	return d.dst, nil
}

// appendTier appends the candidates of a tier in their order. The error is why the last candidate that was left out was.
func (d *decision) appendTier(g *tier, n uint8) (why *outdial.Refusal) {
	first := len(d.dst)
	longest := d.longest(g)
	for i := range g.targets {
		x := &g.targets[i]
		var h hit
		if x.slot != noSlot {
			h = d.found[x.slot]
		}
		if g.strategy == LeastCost && (h.row == 0 || h.digits < longest) {
			d.leaveOutUnrated(x, g, h)
			continue
		}
		if d.overridden || x.candidate.Pool != 0 {
			if err, by := d.refused(&x.candidate); err != nil {
				why = err
				d.leaveOut(x, g, h, err, by)
				continue
			}
		}
		d.dst = append(d.dst, x.candidate)
		at, c := len(d.dst)-1-d.first, &d.dst[len(d.dst)-1]
		d.costs[at] = d.price(c, h)
		d.class[at] = d.classOf(c, n, g.strategy)
		if d.rec.On() {
			d.recordKnown(c, g)
		}
	}
	switch cs, from := d.dst[first:], first-d.first; g.strategy {
	case LeastCost:
		for i := range cs {
			d.keys[i] = float64(d.costs[from+i]) + d.surcharge(&cs[i])
		}
		d.rank(g, first)
	case ByQuality:
		d.sortByQuality(g, first)
	case CostPerContact:
		if len(cs) > 0 {
			d.choose(g, first)
		}
	}
	if g.strategy != Weighted {
		d.arrange(g, first)
	}
	return why
}

// price fills in what a candidate costs, and returns what a typical call on it is taken to cost.
func (d *decision) price(c *outdial.Candidate, h hit) outdial.Micros {
	c.Matched = d.prefix
	if h.row == 0 {
		return 0
	}
	w := &d.t.rates.terms[d.t.rates.rows[h.row-1].terms()]
	c.Matched = leading(d.call.To, int(h.digits))
	real := w.typicalCost(d.where, d.burst(c.Trunk))
	c.Cost = d.t.perMinute(real)
	d.recordRate(c, w, real)
	if d.committed(c.Trunk) {
		return 0 // it is paid for
	}
	return real
}

// classOf says where a candidate belongs.
func (d *decision) classOf(c *outdial.Candidate, tier uint8, by Strategy) uint16 {
	class := 2 + 2*uint16(tier)
	if d.overridden {
		if k := d.overrideOf(c); k != nil {
			switch k.Action {
			case Prefer:
				class = classPreferred
			case Penalise:
				class = classPenalised
			}
		}
	}
	if d.capped(c.Trunk) {
		return classCapped
	}
	if by != Weighted && (d.full(c.Trunk) || d.health(c.Trunk) <= 0) { // among weights failover chooses
		class |= classLater
	}
	return class
}

// jurisdiction of the call, by the caller that the dialer asked for.
func (d *decision) jurisdiction() Jurisdiction {
	country, to := d.t.regions.Region(d.call.To)
	if country != "US" {
		return Interstate
	}
	home, from := d.t.regions.Region(d.call.From)
	several := func(region string) bool { return region == "" || strings.Contains(region, "/") }
	switch {
	case home == "" || home == "US" && (several(from) || several(to)):
		return Indeterminate
	case home == "US" && from == to:
		return Intrastate
	}
	return Interstate
}
