package routing

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// decision is one call on its way through a table. Everything that it reads of others, or that was drawn, goes through a
// method of it, which notes the value in the call's record, or, where a decision is repeated, takes it from there.
type decision struct {
	t      *Table
	m      *memory   // nil = a Table alone: nothing is known of the past, and nothing is explored
	again  *recorded // nil = the sources are read
	greedy bool      // explore nothing all the same
	rec    *outdial.Record
	now    time.Time
	call   outdial.Call // a copy, so that the caller's need not lie on the heap
	rule   *rule
	prefix outdial.Prefix
	found  hits
	where  Jurisdiction

	pinned, forced *order // in force for the call

	dst   []outdial.Candidate
	first int                                   // where the call's candidates begin in dst
	costs [outdial.MaxCandidates]outdial.Micros // of a typical call, from first on
	class [outdial.MaxCandidates]uint16         // where a candidate belongs, from first on; equal ones stand as they came
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
	d.match()
	d.recordRule()
	switch {
	case d.rule == nil:
		return d.dst, ErrNoRule
	case d.rule.block:
		return d.dst, ErrBlocked
	}
	if d.rule.decks > 0 {
		d.t.rates.find(d.now, d.call.To, d.rule.slots, d.rule.decks, &d.found)
		if d.t.byState {
			d.where = d.jurisdiction()
		}
	}
	d.orders()
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
	longest := g.longest(&d.found)
	for i := range g.targets {
		x := &g.targets[i]
		var h hit
		if x.slot != noSlot {
			h = d.found[x.slot]
		}
		if g.strategy == LeastCost && (h.row == 0 || h.digits < longest) {
			if d.rec.On() {
				d.leftOut(x, leftOutRate(h, &d.call))
			}
			continue
		}
		if err := d.refused(&x.candidate); err != nil {
			why = err
			d.leftOut(x, err.Code())
			continue
		}
		d.dst = append(d.dst, x.candidate)
		d.price(x, h)
		d.class[len(d.dst)-1-d.first] = d.classOf(&d.dst[len(d.dst)-1], n, g.strategy)
	}
	switch cs, from := d.dst[first:], first-d.first; g.strategy {
	case LeastCost:
		var keys [outdial.MaxCandidates]float64
		for i := range cs {
			keys[i] = float64(d.costs[from+i]) + d.surcharge(&cs[i])
		}
		sortBoth(cs, d.class[from:], d.costs[from:], keys[:])
	case ByQuality:
		d.sortByQuality(first)
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

// price fills in what a candidate costs.
func (d *decision) price(x *target, h hit) {
	i := len(d.dst) - 1 - d.first
	c := &d.dst[len(d.dst)-1]
	c.Matched = d.prefix
	d.costs[i] = 0
	if h.row == 0 {
		return
	}
	w := &d.t.rates.terms[d.t.rates.rows[h.row-1].terms]
	c.Matched = leading(d.call.To, int(h.digits))
	real := w.cost(d.where, d.t.typical, d.burst(c.Trunk))
	c.Cost = d.t.perMinute(real)
	d.costs[i] = real
	if d.committed(c.Trunk) {
		d.costs[i] = 0 // it is paid for
	}
	d.recordRate(c, w, real)
}

// classOf says where a candidate belongs.
func (d *decision) classOf(c *outdial.Candidate, tier uint8, by Strategy) uint16 {
	class := 2 + 2*uint16(tier)
	if len(d.t.orders) > 0 || d.m != nil || d.again != nil {
		switch d.orderFor(c) {
		case Prefer:
			class = classPreferred
		case Penalise:
			class = classPenalised
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

// arrange puts direct trunks first and makes the second one differ from the first, in a tier with a fixed order.
func (d *decision) arrange(g *tier, first int) {
	cs, class, costs := d.dst[first:], d.class[first-d.first:], d.costs[first-d.first:]
	if g.preferDirect {
		var keys [outdial.MaxCandidates]float64
		for i := range cs {
			if d.t.metaOf(cs[i].Trunk).Interconnect != Direct {
				keys[i] = 1
			}
		}
		sortBoth(cs, class, costs, keys[:])
	}
	if !g.diverse || len(cs) < 3 || cs[0].Explore {
		return
	}
	a := d.t.metaOf(cs[0].Trunk)
	for j := 1; j < len(cs); j++ {
		if b := d.t.metaOf(cs[j].Trunk); b.Carrier != a.Carrier && (b.Hop != a.Hop || b.Hop == "") && class[j] == class[0] {
			for ; j > 1; j-- {
				cs[j], cs[j-1] = cs[j-1], cs[j]
				class[j], class[j-1] = class[j-1], class[j]
				costs[j], costs[j-1] = costs[j-1], costs[j]
			}
			return
		}
	}
}

// settle puts the classes in their order, and gives what is preferred, penalised or over a cap a tier of its own. What is tried
// later stays in its tier: failover still looks after it.
func (d *decision) settle() {
	cs := d.dst[d.first:]
	moved, special := false, false
	for i := range cs {
		c := d.class[i]
		moved = moved || c&classLater != 0
		special = special || c == classPreferred || c >= classPenalised
	}
	if !moved && !special {
		return
	}
	var keys [outdial.MaxCandidates]float64
	for i := range cs {
		keys[i] = float64(d.class[i])
	}
	sortBoth(cs, d.class[:], d.costs[:], keys[:])
	tier, last := -1, uint16(math.MaxUint16)
	for i := range cs {
		if c := d.class[i] &^ classLater; c != last {
			tier, last = tier+1, c
		}
		if special {
			cs[i].Tier = uint8(tier)
		}
	}
}

// force leaves nothing but what the override names, and adds it if the rule does not.
func (d *decision) force() {
	k := d.forced
	kept := slices.DeleteFunc(d.dst[d.first:], func(c outdial.Candidate) bool { return !k.means(&c) })
	d.dst = d.dst[:d.first+len(kept)]
	clear(d.class[:])
	if len(kept) > 0 {
		for i := range kept {
			kept[i].Tier = 0
		}
		return
	}
	for i := range d.t.trunks {
		m := &d.t.trunks[i]
		if c := m.candidate; k.means(&c) && d.orderFor(&c) != Avoid && len(d.dst)-d.first < outdial.MaxCandidates {
			c.Matched = d.prefix
			d.dst = append(d.dst, c)
		}
	}
}

// sortBoth sorts candidates, and what is known of each, by ascending keys, equal ones as they are. It is an insertion
// sort, because there are at most MaxCandidates and as a rule fewer than ten.
func sortBoth[K cmp.Ordered](cs []outdial.Candidate, class []uint16, costs []outdial.Micros, keys []K) {
	for i := 1; i < len(cs); i++ {
		c, k, l, m := cs[i], keys[i], class[i], costs[i]
		j := i
		for ; j > 0 && keys[j-1] > k; j-- {
			cs[j], keys[j], class[j], costs[j] = cs[j-1], keys[j-1], class[j-1], costs[j-1]
		}
		cs[j], keys[j], class[j], costs[j] = c, k, l, m
	}
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
