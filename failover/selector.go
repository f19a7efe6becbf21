package failover

import (
	"errors"
	"math/bits"
	"time"

	"github.com/outdial/outdial"
)

// Selector chooses among candidates, judges outcomes and keeps health. It must be made by New. All methods are safe
// for concurrent use. Pick, Return, Verdict, Judge and Observe allocate nothing, but when they meet a trunk, a
// destination group or a set of weights for the first time.
type Selector struct {
	cfg    settings
	ids    *outdial.Registry
	rules  classifier
	boards boards
	turns  turns
}

var (
	_ outdial.Failover       = (*Selector)(nil)
	_ outdial.Advancer       = (*Selector)(nil)
	_ outdial.ControlChecker = (*Selector)(nil)
)

// New returns a Selector to which every target is up. The error names every bad field of cfg.
func New(cfg Config) (*Selector, error) {
	s := &Selector{ids: cfg.IDs}
	var err error
	s.cfg, err = cfg.settings()
	s.rules.retryAfter, s.rules.ignoreRetry = cfg.RetryAfterMax, cfg.RetryAfterMax < 0
	if cfg.RetryAfterMax == 0 {
		s.rules.retryAfter = DefaultRetryAfterMax
	}
	own, ownErr := compile(cfg.Rules, "Rules")
	defaults, defaultErr := compile(DefaultRules(), "DefaultRules")
	s.rules.rows = append(own, defaults...)
	err = errors.Join(err, ownErr, defaultErr, s.rules.override(cfg.Overrides, cfg.IDs))
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Pick returns the place in plan of the candidate whose turn it is among those whose bit is set in eligible, and
// how it was chosen; -1 if there is none, or an operator holds all of them: Choice.Again is when the first of the holds
// ends then, zero where none has an end. See the package for the order. Places from outdial.MaxCandidates on cannot be
// eligible. For a rehearsal nothing is counted and no probe is claimed.
func (s *Selector) Pick(now time.Time, call *outdial.Call, plan []outdial.Candidate, eligible uint64) (int, outdial.Choice) {
	plan = plan[:min(len(plan), outdial.MaxCandidates)]
	set := s.sets(now, call, plan, eligible)
	choice := outdial.Choice{Why: outdial.WhyOrder, Probability: 1}
	from := set.up
	switch {
	case set.up == 0 && set.resort == 0:
		return -1, outdial.Choice{Again: s.released(plan, eligible)}
	case set.up == 0:
		choice.Why, from = outdial.WhyLastResort, set.resort
	case set.due != 0:
		if i := s.probe(now, call, plan, set); i >= 0 {
			choice.Why = outdial.WhyProbe
			return i, choice
		}
	}
	recording := call.Record().On()
	members := inTier(plan, lowest(plan, from))
	shares := members & weighted(plan)
	use := from & shares
	if use == 0 {
		from &= members
		if recording {
			recordTier(call, plan, eligible&members, nil)
		}
		return bits.TrailingZeros64(from), choice
	}
	if choice.Why == outdial.WhyOrder {
		choice.Why = outdial.WhyWeight
	}
	c := charge{call: call.ID, among: use, free: call.Rehearsal()}
	if use == eligible&shares { // what Return takes for granted
		c.call = 0
	}
	if use&(use-1) == 0 && c.call == 0 { // one: there are no turns to take
		if recording {
			recordTier(call, plan, eligible&members, nil)
		}
		return bits.TrailingZeros64(use), choice
	}
	var t tier
	t.sort(plan, members)
	var owed *credits
	if recording {
		owed = new(credits)
	}
	i := s.turns.pick(&t, &c, owed)
	if recording {
		recordTier(call, plan, eligible&members, owed)
	}
	return i, choice
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

// Return undoes a Pick that was not used: the target gets its turn back, or may be sent another probe. It gives back
// exactly what the Pick charged, although health may have changed in between, where Call.ID is set and either every
// weighted candidate of the tier that was eligible took part, or fewer than maxCharges picks in which some rested came
// in between. Otherwise the targets that take part now are given their shares back, which leaves each less than one
// call from where it was.
func (s *Selector) Return(now time.Time, call *outdial.Call, plan []outdial.Candidate, eligible uint64, picked int, choice outdial.Choice) {
	plan = plan[:min(len(plan), outdial.MaxCandidates)]
	if picked < 0 || picked >= len(plan) || call.Rehearsal() {
		return
	}
	if choice.Why == outdial.WhyProbe {
		if b := s.boards.get(plan[picked].Trunk); b != nil {
			b.mu.Lock()
			b.unclaim(call.Dest.Group, call.ID, now)
			b.mu.Unlock()
		}
		return
	}
	if choice.Why != outdial.WhyWeight && choice.Why != outdial.WhyLastResort || plan[picked].Weight == 0 {
		return
	}
	members := inTier(plan, plan[picked].Tier)
	among := (eligible | 1<<picked) & members & weighted(plan)
	if call.ID == 0 {
		set := s.sets(now, call, plan, eligible)
		from := set.up
		if choice.Why == outdial.WhyLastResort {
			from = set.resort
		}
		among &= from | 1<<picked
	}
	var t tier
	t.sort(plan, members)
	s.turns.refund(&t, &charge{call: call.ID, among: among}, picked)
}

// Verdict implements outdial.Failover: the verdict of Judge.
func (s *Selector) Verdict(a *outdial.Attempt) outdial.Verdict { return s.Judge(a).Verdict }

// Judge says what the verdict table makes of how a ended, or of why hunting moved on from it: of a.Outcome alone.
func (s *Selector) Judge(a *outdial.Attempt) Judgement {
	return s.rules.judge(&a.Candidate, a.Outcome())
}

// Advance ends what time alone ends (suspensions, holds, lost probes) and returns when something may be due next;
// zero = nothing is. Choices do not depend on it: they look at the time themselves. It implements outdial.Advancer.
func (s *Selector) Advance(now time.Time) (next time.Time) {
	for _, b := range s.boards.all() {
		if b == nil || b.sick.Load() == 0 {
			continue
		}
		b.mu.Lock()
		at := b.advance(now)
		b.settleAll()
		b.mu.Unlock()
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// sets are places in a plan, by what may be done with them.
type sets struct {
	up     uint64 // may get their share
	due    uint64 // may be sent a probe
	resort uint64 // may be tried when none is up: those that asked to be left alone only if there are no others
}

// sets looks at the health of the eligible candidates.
func (s *Selector) sets(now time.Time, call *outdial.Call, plan []outdial.Candidate, eligible uint64) sets {
	eligible &= 1<<len(plan) - 1
	recording := call.Record().On()
	if s.boards.sick.Load() == 0 && !recording {
		return sets{up: eligible}
	}
	var set sets
	var asked uint64
	for rest := eligible; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		st := standing{up: true}
		if b := s.boards.get(plan[i].Trunk); b != nil && b.sick.Load() != 0 {
			b.mu.Lock()
			st = b.at(now, call.Dest.Group)
			b.settle(call.Dest.Group)
			b.mu.Unlock()
		}
		if recording {
			call.Record().Text(outdial.StageFailover, plan[i].Trunk, "state", st.state.String())
		}
		switch {
		case st.up:
			set.up |= 1 << i
		case st.refuses:
		case st.asked:
			asked |= 1 << i
		default:
			set.resort |= 1 << i
		}
		if st.due {
			set.due |= 1 << i
		}
	}
	if set.resort == 0 {
		set.resort = asked
	}
	return set
}

// released returns when the first of the candidates, all of which are held, is released; zero = not known.
func (s *Selector) released(plan []outdial.Candidate, eligible uint64) (first time.Time) {
	for rest := eligible & (1<<len(plan) - 1); rest != 0; rest &= rest - 1 {
		if b := s.boards.get(plan[bits.TrailingZeros64(rest)].Trunk); b != nil {
			b.mu.Lock()
			if b.held && !b.heldTo.IsZero() && (first.IsZero() || b.heldTo.Before(first)) {
				first = b.heldTo
			}
			b.mu.Unlock()
		}
	}
	return first
}

// probe claims a probe for the first candidate that is due one, in the tiers that a call gets to see: down to the
// lowest that has a candidate that is up. -1 = none.
func (s *Selector) probe(now time.Time, call *outdial.Call, plan []outdial.Candidate, set sets) int {
	last := lowest(plan, set.up)
	for due := set.due; due != 0; {
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

// lowest returns the lowest tier among the places in set, which is not empty.
func lowest(plan []outdial.Candidate, set uint64) uint8 {
	low := plan[bits.TrailingZeros64(set)].Tier
	for ; set != 0; set &= set - 1 {
		low = min(low, plan[bits.TrailingZeros64(set)].Tier)
	}
	return low
}

// inTier returns the places of one tier.
func inTier(plan []outdial.Candidate, tier uint8) (set uint64) {
	for i := range plan {
		if plan[i].Tier == tier {
			set |= 1 << i
		}
	}
	return set
}

// weighted returns the places that have a weight.
func weighted(plan []outdial.Candidate) (set uint64) {
	for i := range plan {
		if plan[i].Weight > 0 {
			set |= 1 << i
		}
	}
	return set
}
