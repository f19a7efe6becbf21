package routing

import (
	"github.com/outdial/outdial"
)

// What a decision was based on, for whoever asked for a Record. Trunks that are left out are not candidates, so they
// are named in readings about the call.

func (t *Table) recordRule(call *outdial.Call, r *rule, prefix outdial.Prefix) {
	rec := call.Record()
	if !rec.On() {
		return
	}
	if t.version != "" {
		rec.Text(outdial.StageRouting, 0, "policy", t.version)
	}
	if r == nil {
		return
	}
	rec.Text(outdial.StageRouting, 0, "rule", r.name)
	rec.Text(outdial.StageRouting, 0, "rule_prefix", prefix.String())
	for i := range r.tiers {
		rec.Text(outdial.StageRouting, 0, "strategy", string(r.tiers[i].strategy))
	}
}

func (t *Table) recordLeftOut(call *outdial.Call, x *target, h hit) {
	rec := call.Record()
	if !rec.On() {
		return
	}
	why := ": no rate for the number"
	if h.row != 0 {
		why = ": its rate is for a shorter prefix, " + shown(leading(call.To, int(h.digits)))
	}
	rec.Text(outdial.StageRouting, 0, "left_out", t.ids.Trunks.Name(x.candidate.Trunk)+why)
}

func (t *Table) recordRate(call *outdial.Call, c *outdial.Candidate, w *terms, cost outdial.Micros) {
	rec := call.Record()
	if !rec.On() {
		return
	}
	rec.Text(outdial.StageRouting, c.Trunk, "rate_prefix", c.Matched.String())
	rec.Num(outdial.StageRouting, c.Trunk, "rate", float64(w.price(Interstate)))
	rec.Num(outdial.StageRouting, c.Trunk, "setup", float64(w.setup))
	rec.Text(outdial.StageRouting, c.Trunk, "increment", w.increment.String())
	rec.Num(outdial.StageRouting, c.Trunk, "cost", float64(cost))
}

func (t *Table) recordOrder(call *outdial.Call, cs []outdial.Candidate) {
	rec := call.Record()
	if !rec.On() {
		return
	}
	for i := range cs {
		rec.Num(outdial.StageRouting, cs[i].Trunk, "order", float64(i+1))
	}
}
