package failover

import (
	"math/bits"
	"time"

	"github.com/outdial/outdial"
)

// Pick returns the place in plan of the candidate whose turn it is among those whose bit is set in eligible, and
// how it was chosen; -1 if there is none, none fits into the call's deadline, or an operator holds all of them:
// Choice.Again is when the first of the holds ends then, zero where none has an end. See the package for the order. Places
// from outdial.MaxCandidates on cannot be eligible. For a rehearsal nothing is counted and no probe is claimed.
func (s *Selector) Pick(now time.Time, call *outdial.Call, plan []outdial.Candidate, eligible uint64) (int, outdial.Choice) {
	plan = plan[:min(len(plan), outdial.MaxCandidates)]
	l := s.layouts.get(plan)
	if l != nil && call.Record() == nil && call.Deadline.IsZero() && s.orders.Load() == nil && !call.Rehearsal() {
		if i, among := s.quick(now, call, l, eligible&l.all); i >= 0 {
			return i, outdial.Choice{Why: outdial.WhyWeight, Probability: 1, Among: among}
		}
	}
	everybody := all(plan)
	if eligible &= everybody; eligible == 0 {
		return -1, outdial.Choice{}
	}
	fits := eligible
	if !call.Deadline.IsZero() {
		if fits = s.fitting(now, call, plan, eligible); fits == 0 {
			return -1, outdial.Choice{}
		}
	}
	set := s.sets(now, call, plan, l, fits)
	choice := outdial.Choice{Why: outdial.WhyOrder, Probability: 1}
	from := set.up
	if from == 0 {
		from = set.less
	}
	switch {
	case from == 0 && set.resort == 0:
		return -1, outdial.Choice{Again: s.released(plan, fits)}
	case from == 0:
		choice.Why, from = outdial.WhyLastResort, set.resort
	default:
		if i, why := s.special(now, call, plan, l, &set, from, eligible == everybody); i >= 0 {
			choice.Why = why
			return i, choice
		}
	}
	if set.slow != 0 && !call.Rehearsal() {
		s.accrue(now, call, plan, set.slow)
	}
	return s.turn(call, plan, l, eligible, from, choice)
}

// quick is the ordinary case, where what is wrong is known and nothing is asked for: the next turn of a cycle that is
// known, or the only one who could have a turn. -1 = it is another case.
func (s *Selector) quick(now time.Time, call *outdial.Call, l *layout, eligible uint64) (i int, among uint64) {
	up := eligible
	if s.boards.shown.sick.Load() != 0 {
		v := l.view.get(now, s.boards.shown.epoch.Load(), call.Dest.Group, eligible)
		if v == nil || v.sets.due != 0 {
			return -1, 0
		}
		up = v.sets.up
	}
	for k := range l.tiers {
		t := &l.tiers[k]
		if t.members&up == 0 {
			continue
		}
		among = up & t.weighted
		if among == 0 || eligible == l.all && t.weighted != l.all && s.cfg.keepWarm > 0 {
			return -1, 0
		}
		if among&(among-1) == 0 {
			return bits.TrailingZeros64(among), 0
		}
		c := t.core.Load()
		if c == nil {
			return -1, 0
		}
		if t.inPlace {
			return c.next(among), among
		}
		if i = c.next(t.sorted.own(among)); i >= 0 {
			i = int(t.sorted.index[i])
		}
		return i, among
	}
	return -1, 0
}

// special returns the candidate that a call goes to out of turn: an operator's flip, a probe that is due, a standby that
// is kept warm; -1 = none.
func (s *Selector) special(now time.Time, call *outdial.Call, plan []outdial.Candidate, l *layout, set *sets, from uint64, fresh bool) (int, outdial.Why) {
	flipped, served := -1, uint64(0)
	if flips := s.flips(); flips != nil {
		flipped, served = s.flipTo(now, call, plan, set.up, flips)
	}
	var standbys uint64
	warm := false
	if fresh && s.cfg.keepWarm > 0 {
		standbys = set.warm &^ served &^ takers(plan, l, from)
		if set.slow != 0 { // nor is who would take turns if they were well, or had not saved up for this one
			standbys &^= takers(plan, l, set.warm) | takers(plan, l, from&^set.slow)
		}
		warm = standbys != 0 && s.warm.turn(call, s.cfg.keepWarm)
	}
	i, why := flipped, outdial.WhyFlip
	if i < 0 && set.due != 0 && from&^set.due != 0 {
		i, why = s.probe(now, call, plan, set.due, from), outdial.WhyProbe
	}
	switch {
	case i < 0 && warm:
		return s.warm.pick(call, standbys), outdial.WhyKeepWarm
	case warm && !call.Rehearsal():
		s.warm.give(call.Dest.Group) // the next call makes up for it
	}
	return i, why
}

// takers returns the candidates that take turns where only those of a set can: those with a weight of its lowest tier, or the first
// of a fixed order.
func takers(plan []outdial.Candidate, l *layout, set uint64) uint64 {
	if set == 0 {
		return 0
	}
	_, members, heavy := l.lowest(plan, set)
	if set&heavy != 0 {
		return heavy
	}
	first := set & members
	return first & -first
}

// turn takes the turn of a tier.
func (s *Selector) turn(call *outdial.Call, plan []outdial.Candidate, l *layout, eligible, from uint64, choice outdial.Choice) (int, outdial.Choice) {
	recording := call.Record().On()
	kept, members, heavy := l.lowest(plan, from)
	use := from & heavy
	if use != 0 && choice.Why == outdial.WhyOrder {
		choice.Why = outdial.WhyWeight
	}
	if use&(use-1) == 0 { // none, or one: there are no turns to take
		if use == 0 {
			use = from & members
		}
		if recording {
			recordTier(call, plan, eligible&members, nil)
		}
		return bits.TrailingZeros64(use), choice
	}
	choice.Among = use
	var owed *credits
	if recording {
		owed = new(credits)
	}
	i := 0
	if kept != nil {
		i = s.turns.pick(kept.sorted, kept, use, call.Rehearsal(), owed)
	} else {
		i = s.unkept(plan, members, use, call.Rehearsal(), owed)
	}
	if recording {
		recordTier(call, plan, eligible&members, owed)
	}
	return i, choice
}

// unkept takes a turn of a plan that has no layout.
func (s *Selector) unkept(plan []outdial.Candidate, members, use uint64, rehearsal bool, owed *credits) int {
	var t tier
	t.sort(plan, members)
	return s.turns.pick(&t, nil, use, rehearsal, owed)
}

// probe claims a probe for the first candidate that is due one, in the tiers that a call gets to see: down to the
// lowest that has a candidate that is up. -1 = none.
func (s *Selector) probe(now time.Time, call *outdial.Call, plan []outdial.Candidate, due, up uint64) int {
	last := lowest(plan, up)
	for due != 0 {
		first := due & inTier(plan, lowest(plan, due))
		i := bits.TrailingZeros64(first)
		if plan[i].Tier > last {
			return -1
		}
		if b := s.boards.get(plan[i].Trunk); b != nil {
			b.mu.Lock()
			ok := call.Rehearsal() || b.claim(now, call.Dest.Group, call.ID, now, &s.cfg)
			b.settle(call.Dest.Group)
			b.mu.Unlock()
			if ok {
				return i
			}
		}
		due &^= 1 << i // somebody else was faster
	}
	return -1
}

// recordTier records what speaks for and against the candidates of a tier: their weights, and, where turns were taken,
// what each is owed now.
func recordTier(call *outdial.Call, plan []outdial.Candidate, set uint64, owed *credits) {
	r := call.Record()
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		r.Num(outdial.StageFailover, plan[i].Trunk, "weight", float64(plan[i].Weight))
		if owed != nil && plan[i].Weight > 0 {
			r.Num(outdial.StageFailover, plan[i].Trunk, "credit", owed[i])
		}
	}
}

// Return undoes a Pick that was not used: the target gets its turn back, or may be sent another probe; a turn that an
// operator's flip or the keep-warm share had taken is taken by a later call. It gives back exactly what the Pick charged,
// although health may have changed in between.
func (s *Selector) Return(now time.Time, call *outdial.Call, plan []outdial.Candidate, _ uint64, picked int, choice outdial.Choice) {
	plan = plan[:min(len(plan), outdial.MaxCandidates)]
	if picked < 0 || picked >= len(plan) || call.Rehearsal() {
		return
	}
	switch choice.Why {
	case outdial.WhyProbe:
		if b := s.boards.get(plan[picked].Trunk); b != nil {
			b.mu.Lock()
			b.unclaim(call.Dest.Group, call.ID, now)
			b.settle(call.Dest.Group)
			b.mu.Unlock()
		}
	case outdial.WhyKeepWarm:
		s.warm.give(call.Dest.Group)
	case outdial.WhyFlip:
		s.unflip(now, call, plan[picked].Trunk)
	case outdial.WhyOrder, outdial.WhyWeight, outdial.WhyLastResort:
		if choice.Among == 0 {
			return
		}
		var t tier
		t.sort(plan, inTier(plan, plan[picked].Tier))
		s.turns.refund(&t, choice.Among, picked)
	}
}
