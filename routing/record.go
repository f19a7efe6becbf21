package routing

import (
	"github.com/outdial/outdial"
)

// What a decision was based on, for whoever asked for a Record. Trunks that are left out are not candidates, so they
// are named in readings about the call.

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

// leftOutRate says why a trunk is no candidate of a least-cost tier.
func leftOutRate(h hit, call *outdial.Call) string {
	if h.row == 0 {
		return "no rate for the number"
	}
	return "its rate is for a shorter prefix, " + shown(leading(call.To, int(h.digits)))
}

func (d *decision) leftOut(x *target, why string) {
	if d.rec.On() {
		d.rec.Text(outdial.StageRouting, 0, readLeftOut, d.t.ids.Trunks.Name(x.candidate.Trunk)+": "+why)
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
		m := d.t.metaOf(c.Trunk)
		if m.Hop != "" {
			rec.Text(outdial.StageRouting, c.Trunk, "hop", m.Hop)
		}
		if m.Interconnect != "" {
			rec.Text(outdial.StageRouting, c.Trunk, "interconnect", string(m.Interconnect))
		}
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
