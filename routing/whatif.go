package routing

import (
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
)

// WhatIf judges other policies on calls that have been made: it is given the events of a journal, in their order, and asks
// each policy what it would have done. They have one past, which learns from the events as they were. A WhatIf is an
// outdial.Observer: pass its Observe to a journal's Replay. It is not safe for concurrent use.
//
// What a policy would have cost is what the call's answered time costs on the trunk that the policy puts first. Whether
// another trunk would have been answered as well, nobody knows; where the calls were routed with a known probability
// (Candidate.Propensity, Choice.Probability), the answer ratio is estimated from those calls on which the policy agrees with
// what was done, each weighed by the inverse of that probability and the weights made to add up to one (the self-normalised
// estimator of A. Swaminathan and T. Joachims, 2015).
type WhatIf struct {
	policies []*WhatIfPolicy
	past     *Router
	open     map[outdial.CallID]int // calls whose end is awaited: index into kept
	kept     []pastCall
	free     []int
	plan     []outdial.Candidate
}

// pastCall is a call between its first attempt and that attempt's end.
type pastCall struct {
	trunk  outdial.TrunkID
	chance float64
	first  []wish // by policy
}

// wish is what a policy would have done with a call.
type wish struct {
	trunk outdial.TrunkID
	terms *terms
	where Jurisdiction
}

// WhatIfPolicy is what one policy would have done.
type WhatIfPolicy struct {
	Version  string
	Calls    int64                        // first attempts that were judged
	Moved    int64                        // would have gone to another trunk first
	Refused  int64                        // would have been refused
	Answered int64                        // were answered in fact, the refused ones apart
	Cost     outdial.Micros               // of the answered ones, at the prices of the first trunk; ones without a rate cost nothing
	Unrated  int64                        // answered ones whose first trunk has no rate
	Moves    map[[2]outdial.TrunkID]int64 // from the trunk that was first to the one that would be

	weight, weightSq, weightAnswered float64
	table                            *Table
}

// Answers is an estimate of the answer ratio under the policy, and the effective number of calls behind it: with few, the
// policy is too far from what was done to tell. ok is false without a call whose probability is known.
func (p *WhatIfPolicy) Answers() (ratio, effective float64, ok bool) {
	if p.weight == 0 {
		return 0, 0, false
	}
	return p.weightAnswered / p.weight, p.weight * p.weight / p.weightSq, true
}

// NewWhatIf returns a WhatIf for tables that were compiled with one registry: the one by which the journal is read. None of
// them explores.
func NewWhatIf(tables ...*Table) (*WhatIf, error) {
	w := &WhatIf{open: map[outdial.CallID]int{}}
	for i, t := range tables {
		if t == nil || t.ids != tables[0].ids {
			return nil, fmt.Errorf("routing: what-if: tables[%d]: nil, or compiled with another registry", i)
		}
		w.policies = append(w.policies, &WhatIfPolicy{
			Version: t.version, Moves: map[[2]outdial.TrunkID]int64{}, table: t,
		})
	}
	if len(w.policies) == 0 {
		return nil, fmt.Errorf("routing: what-if: no table")
	}
	w.past = NewRouter(tables[0])
	return w, nil
}

// Policies returns what each policy would have done so far, in the order of NewWhatIf. They are the WhatIf's own: do not
// change them.
func (w *WhatIf) Policies() []*WhatIfPolicy { return w.policies }

// Observe takes an event: Started asks the policies, Ended counts.
func (w *WhatIf) Observe(ev *outdial.Event) {
	a := ev.Attempt
	if a != nil && a.ID.Leg == 1 {
		switch ev.Kind {
		case outdial.EventStarted:
			w.started(ev.Time, a)
		case outdial.EventEnded:
			w.ended(a)
		}
	}
	w.past.Observe(ev)
}

func (w *WhatIf) started(now time.Time, a *outdial.Attempt) {
	i := len(w.kept)
	if n := len(w.free); n > 0 {
		i, w.free = w.free[n-1], w.free[:n-1]
	} else {
		w.kept = append(w.kept, pastCall{first: make([]wish, len(w.policies))})
	}
	k := &w.kept[i]
	k.trunk, k.chance = a.Candidate.Trunk, a.Candidate.Propensity
	if k.chance == 0 {
		k.chance = 1
	}
	if a.Choice.Probability > 0 {
		k.chance *= a.Choice.Probability
	}
	w.open[a.ID.Call] = i
	for j, p := range w.policies {
		t := p.table
		d := decision{t: t, m: w.past.memory(), greedy: true, now: now, call: a.Call, dst: w.plan[:0]}
		plan, err := d.route()
		w.plan = plan[:0]
		k.first[j] = wish{}
		if err == nil {
			k.first[j] = wish{trunk: plan[0].Trunk, where: d.where, terms: d.termsOf(plan[0].Trunk)}
		}
	}
}

// termsOf returns what a trunk of the plan charges, nil = nobody knows.
func (d *decision) termsOf(trunk outdial.TrunkID) *terms {
	if h := d.rateOf(trunk); h.row != 0 {
		return &d.t.rates.terms[d.t.rates.rows[h.row-1].terms()]
	}
	return nil
}

func (w *WhatIf) ended(a *outdial.Attempt) {
	i, ok := w.open[a.ID.Call]
	if !ok {
		return
	}
	delete(w.open, a.ID.Call)
	w.free = append(w.free, i)
	if a.Result.Origin == outdial.OriginNeverSent {
		return
	}
	k := &w.kept[i]
	talk, answered := a.Timeline.Duration()
	answered = answered && !a.Late
	for j, p := range w.policies {
		p.Calls++
		f := &k.first[j]
		switch {
		case f.trunk == 0:
			p.Refused++
			continue
		case f.trunk != k.trunk:
			p.Moved++
			p.Moves[[2]outdial.TrunkID{k.trunk, f.trunk}]++
		default:
			weight := 1 / math.Max(k.chance, 1e-6)
			p.weight += weight
			p.weightSq += weight * weight
			if answered {
				p.weightAnswered += weight
			}
		}
		if !answered {
			continue
		}
		p.Answered++
		if f.terms == nil {
			p.Unrated++
			continue
		}
		p.Cost += f.terms.cost(f.where, talk, 0)
	}
}
