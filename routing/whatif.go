package routing

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// WhatIf judges other policies on calls that have been made: it is given the events of a journal, in their order, and asks
// each policy what it would have done. They have one past, which learns from the events as they were. A WhatIf is an
// outdial.Observer: pass its Observe to a journal's Replay. It is not safe for concurrent use.
//
// What a policy would have cost is what the call's answered time, on whichever attempt, costs on the trunk that the policy puts
// first. Whether another trunk would have been answered as well, nobody knows; where the calls were routed with a known probability
// (Candidate.Propensity, Choice.Probability), the answer ratio of first attempts is estimated from those calls on which the policy
// agrees with what was done, each weighed by the inverse of that probability and the weights made to add up to one (the
// self-normalised estimator of A. Swaminathan and T. Joachims, 2015).
type WhatIf struct {
	policies []*WhatIfPolicy
	past     *Router
	open     map[outdial.CallID]int // calls that are judged, or whose end is awaited: index into kept
	kept     []pastCall
	free     []int
	over     []overCall // calls whose first attempt is over, by time: another one may be answered
	decks    []*rates   // each once, however many policies have them
	leaves   []leaf     // of the present call, by decks
	plan     []outdial.Candidate
	decision decision // the present one
}

// pastCall is a call from its first attempt on, until it is answered or no further attempt comes.
type pastCall struct {
	trunk  outdial.TrunkID
	chance float64
	leg    uint8  // the first that left
	living int    // later attempts that have not ended
	first  []wish // by policy
}

// overCall is a call whose first attempt was not answered, and when it ended, ns.
type overCall struct {
	call  outdial.CallID
	ended int64
}

// nextAttempt is how long after the end of a call's attempt another one may come.
const nextAttempt = 2 * time.Minute

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
	Refused  int64                        // would have been refused, be it by Admission (but for suppression lists) or by a rule
	Answered int64                        // were answered in fact, by whichever attempt, the refused ones apart
	Cost     outdial.Micros               // of the answered ones, at the prices of the first trunk; ones without a rate cost nothing
	Unrated  int64                        // answered ones whose first trunk has no rate
	Moves    map[[2]outdial.TrunkID]int64 // from the trunk that was first to the one that would be

	weight, weightSq, weightAnswered float64
	table                            *Table
	decks                            int // in WhatIf.decks
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
		own := *t
		decks := slices.IndexFunc(w.decks, own.rates.equal)
		if decks < 0 {
			decks = len(w.decks)
			w.decks = append(w.decks, &t.rates)
		}
		own.rates = *w.decks[decks]
		w.policies = append(w.policies, &WhatIfPolicy{
			Version: t.version, Moves: map[[2]outdial.TrunkID]int64{}, table: &own, decks: decks,
		})
	}
	if len(w.policies) == 0 {
		return nil, fmt.Errorf("routing: what-if: no table")
	}
	w.leaves = make([]leaf, len(w.decks))
	w.past = NewRouter(tables[0])
	return w, nil
}

// Policies returns what each policy would have done so far, in the order of NewWhatIf. They are the WhatIf's own: do not
// change them.
func (w *WhatIf) Policies() []*WhatIfPolicy { return w.policies }

// Observe takes an event: the first attempt's Started asks the policies, Ended counts.
func (w *WhatIf) Observe(ev *outdial.Event) {
	if a := ev.Attempt; a != nil && (ev.Kind == outdial.EventStarted || ev.Kind == outdial.EventEnded) {
		i, known := w.open[a.ID.Call]
		switch started := ev.Kind == outdial.EventStarted; {
		case started && !known:
			w.started(ev.Time, a)
		case !known:
		case started:
			w.kept[i].living++
		case a.ID.Leg == w.kept[i].leg:
			w.ended(ev.Time, a, i)
		default:
			w.kept[i].living--
			w.answered(a, i)
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
	k.trunk, k.chance, k.leg, k.living = a.Candidate.Trunk, a.Candidate.Propensity, a.ID.Leg, 0
	if k.chance == 0 {
		k.chance = 1
	}
	if a.Choice.Probability > 0 {
		k.chance *= a.Choice.Probability
	}
	w.open[a.ID.Call] = i
	for j, r := range w.decks {
		w.leaves[j] = r.look(a.Call.To)
	}
	d := &w.decision
	for j, p := range w.policies {
		k.first[j] = wish{}
		if _, err := p.table.admit(now, &a.Call, nil); err != nil {
			continue
		}
		d.matter = matter{
			t: p.table, m: w.past.memory(), greedy: true, brief: true, leaf: w.leaves[p.decks], now: now, call: a.Call, dst: w.plan[:0],
		}
		plan, err := d.route()
		w.plan = plan[:0]
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

// ended judges the policies by a call's first attempt.
func (w *WhatIf) ended(now time.Time, a *outdial.Attempt, i int) {
	if a.Result.Origin == outdial.OriginNeverSent { // the next one is the first
		w.forget(a.ID.Call, i)
		return
	}
	k := &w.kept[i]
	for j, p := range w.policies {
		p.Calls++
		switch f := &k.first[j]; {
		case f.trunk == 0:
			p.Refused++
		case f.trunk != k.trunk:
			p.Moved++
			p.Moves[[2]outdial.TrunkID{k.trunk, f.trunk}]++
		default:
			weight := 1 / math.Max(k.chance, 1e-6)
			p.weight += weight
			p.weightSq += weight * weight
			if a.Answered() && !a.Late {
				p.weightAnswered += weight
			}
		}
	}
	if !w.answered(a, i) {
		w.wait(now, a.ID.Call)
	}
}

// answered counts the time of an attempt, if it was answered; then the call is over.
func (w *WhatIf) answered(a *outdial.Attempt, i int) bool {
	talk, ok := a.Timeline.Duration()
	if !ok || a.Late {
		return false
	}
	k := &w.kept[i]
	for j, p := range w.policies {
		switch f := &k.first[j]; {
		case f.trunk == 0:
		case f.terms == nil:
			p.Answered++
			p.Unrated++
		default:
			p.Answered++
			p.Cost += f.terms.cost(f.where, talk, 0)
		}
	}
	w.forget(a.ID.Call, i)
	return true
}

// wait keeps a call for a while, because another attempt may be answered, and forgets those that waited in vain.
func (w *WhatIf) wait(now time.Time, call outdial.CallID) {
	w.over = append(w.over, overCall{call, now.UnixNano()})
	for len(w.over) > 0 && now.UnixNano()-w.over[0].ended >= int64(nextAttempt) {
		old := w.over[0].call
		w.over = w.over[1:]
		i, known := w.open[old]
		switch {
		case !known:
		case w.kept[i].living > 0:
			w.over = append(w.over, overCall{old, now.UnixNano()})
		default:
			w.forget(old, i)
		}
	}
}

func (w *WhatIf) forget(call outdial.CallID, i int) {
	delete(w.open, call)
	w.free = append(w.free, i)
}
