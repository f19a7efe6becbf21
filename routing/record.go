package routing

import (
	"github.com/outdial/outdial"
)

// What a decision was based on, for whoever asked for a Record: of the candidates of the plan, and of those that were left out.

func (d *decision) recordRule() {
	rec := d.rec
	if !rec.On() {
		return
	}
	if d.t.version != "" {
		rec.Text(outdial.StageRouting, 0, "policy", d.t.version)
	}
	r := d.rule
	if r == nil {
		return
	}
	rec.Text(outdial.StageRouting, 0, "rule", r.name)
	rec.Text(outdial.StageRouting, 0, "rule_prefix", d.prefix.String())
	for i := range r.tiers {
		rec.Text(outdial.StageRouting, 0, "strategy", string(r.tiers[i].strategy))
	}
}

// Codes of candidates that are left out, beside those of refusals.
const (
	shorterCode = "shorter_prefix"
	forcedCode  = "forced"
)

// leaveOutUnrated records a trunk that is no candidate of a least-cost tier.
func (d *decision) leaveOutUnrated(x *target, g *tier, h hit) {
	switch {
	case !d.rec.On():
	case h.row == 0:
		d.recordLeftOut(x, g, h, ErrNoRate.Code(), "no rate for the number")
	default:
		d.recordLeftOut(x, g, h, shorterCode, "its rate is for a shorter prefix, "+shown(leading(d.call.To, int(h.digits))))
	}
}

// leaveOut records a candidate that is refused, by an override if by is not nil.
func (d *decision) leaveOut(x *target, g *tier, h hit, why *outdial.Refusal, by *order) {
	switch {
	case !d.rec.On():
	case by != nil:
		d.recordLeftOut(x, g, h, why.Code(), by.String())
	default:
		d.recordLeftOut(x, g, h, why.Code(), why.Error())
	}
}

func (d *decision) recordLeftOut(x *target, g *tier, h hit, code, text string) {
	c := x.candidate
	d.price(&c, h)
	d.full(c.Trunk)
	d.health(c.Trunk)
	if g.strategy == CostPerContact {
		d.posterior(&c, g)
	} else {
		d.estimate(&c)
	}
	d.recordWay(c.Trunk)
	d.rec.LeaveOut(c, code, text)
}

// recordKnown notes what is known of a candidate beside what its tier reads of it in any case.
func (d *decision) recordKnown(c *outdial.Candidate, g *tier) {
	if g.strategy == Weighted {
		d.full(c.Trunk)
		d.health(c.Trunk)
	}
	if g.strategy != ByQuality && g.strategy != CostPerContact {
		d.estimate(c)
	}
}

func (d *decision) recordRate(c *outdial.Candidate, w *terms, cost outdial.Micros) {
	rec := d.rec
	if !rec.On() {
		return
	}
	rec.Text(outdial.StageRouting, c.Trunk, "rate_prefix", c.Matched.String())
	rec.Num(outdial.StageRouting, c.Trunk, "rate", float64(w.price(d.where)))
	rec.Num(outdial.StageRouting, c.Trunk, "setup", float64(w.setup))
	rec.Text(outdial.StageRouting, c.Trunk, "increment", w.increment.String())
	if d.t.byState {
		rec.Text(outdial.StageRouting, c.Trunk, "jurisdiction", d.where.String())
	}
	rec.Num(outdial.StageRouting, c.Trunk, "cost", float64(cost))
}

func (d *decision) recordOrder() {
	rec := d.rec
	if !rec.On() {
		return
	}
	for i := range d.dst[d.first:] {
		c := &d.dst[d.first+i]
		d.recordWay(c.Trunk)
		switch class := d.class[i]; {
		case class >= classCapped:
			rec.Text(outdial.StageRouting, c.Trunk, "placed_last", "over its share cap")
		case class >= classPenalised:
			rec.Text(outdial.StageRouting, c.Trunk, "placed_last", "penalised")
		case class == classPreferred:
			rec.Text(outdial.StageRouting, c.Trunk, "placed_first", "preferred")
		case class&classLater != 0:
			rec.Text(outdial.StageRouting, c.Trunk, "placed_last", "no room, or not healthy")
		}
		rec.Num(outdial.StageRouting, c.Trunk, "order", float64(i+1))
	}
}

// recordWay notes where a trunk leads.
func (d *decision) recordWay(trunk outdial.TrunkID) {
	m := d.t.metaOf(trunk)
	if m.Hop != "" {
		d.rec.Text(outdial.StageRouting, trunk, "hop", m.Hop)
	}
	if m.Interconnect != "" {
		d.rec.Text(outdial.StageRouting, trunk, "interconnect", string(m.Interconnect))
	}
}
