package failover

import (
	"github.com/outdial/outdial"
)

// Observe implements outdial.Observer: it learns from what became of attempts, each once, and folds operator
// orders; live or replayed makes no difference.
//
// An attempt counts for its target at its first response beyond 100 or its answer, or else where it was abandoned
// or ended, by the verdict table. What comes from a leg after it counted, because it rang or was abandoned, is no
// further evidence; but a 503 with Retry-After suspends the trunk even then, since it is the trunk that asks.
func (s *Selector) Observe(ev *outdial.Event) {
	a := ev.Attempt
	switch ev.Kind {
	case outdial.EventStarted:
		s.started(ev)
	case outdial.EventProgressed:
		switch {
		case a.State != outdial.AttemptOpen:
		case firstProgress(a, ev.Marks):
			s.learn(ev, Judgement{Evidence: EvidenceHealthy})
		case ev.Marks.Has(outdial.MarkTrying):
			s.hear(ev)
		}
	case outdial.EventAnswered:
		s.answered(ev)
	case outdial.EventAbandoned:
		if !a.Progressed() {
			s.learn(ev, s.Judge(a))
		}
	case outdial.EventEnded:
		s.ended(ev)
	case outdial.EventControl:
		s.obey(ev)
	}
}

// firstProgress reports whether marks hold the first sign of a that is more than 100 Trying.
func firstProgress(a *outdial.Attempt, marks outdial.Marks) bool {
	provisional, media := marks.Has(outdial.MarkProvisional), marks.Has(outdial.MarkMedia)
	return provisional && (media || a.Timeline[outdial.MarkMedia] == 0) ||
		media && (provisional || a.Timeline[outdial.MarkProvisional] == 0)
}

// started counts an attempt that leaves; in a replay it claims the probe too, which Pick did not.
func (s *Selector) started(ev *outdial.Event) {
	a := ev.Attempt
	s.drillCount(ev, false)
	b := s.boards.open(a.Candidate.Trunk, s.cfg.baseline)
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.carrier = a.Candidate.Carrier
	b.openGroup(a.Call.Dest.Group)
	b.open++
	b.count(ev, false)
	if ev.Replay && a.Choice.Why == outdial.WhyProbe {
		b.whole.wake(ev.Time, &s.cfg)
		if t := b.group(a.Call.Dest.Group); t != nil {
			t.wake(ev.Time, &s.cfg)
		}
		b.send(ev.Time, a.Call.Dest.Group, a.ID.Call, a.Start, &s.cfg)
		b.settle(a.Call.Dest.Group)
	}
}

// hear takes a 100 as a sign of life of a trunk that may have fallen silent.
func (s *Selector) hear(ev *outdial.Event) {
	a := ev.Attempt
	b := s.boards.get(a.Candidate.Trunk)
	if b == nil || !b.silence.Load() {
		return
	}
	b.mu.Lock()
	b.whole.hear(ev.Time, a.Start, &s.cfg)
	if t := b.group(a.Call.Dest.Group); t != nil {
		t.hear(ev.Time, a.Start, &s.cfg)
	}
	b.silence.Store(b.inRow())
	b.settle(a.Call.Dest.Group)
	b.mu.Unlock()
}

func (s *Selector) answered(ev *outdial.Event) {
	a := ev.Attempt
	s.drillCount(ev, false)
	b := s.boards.open(a.Candidate.Trunk, s.cfg.baseline)
	if b == nil {
		return
	}
	fresh := !a.Late && !a.Progressed()
	b.mu.Lock()
	if fresh {
		s.learnOn(b, ev, Judgement{Evidence: EvidenceHealthy})
	}
	b.count(ev, false)
	if !a.Late && ev.Time.After(b.answered) {
		b.answered = ev.Time
	}
	b.mu.Unlock()
}

// ended counts a leg that is over, and learns from the end of one that was not answered.
func (s *Selector) ended(ev *outdial.Event) {
	a := ev.Attempt
	b := s.boards.open(a.Candidate.Trunk, s.cfg.baseline)
	if b == nil {
		return
	}
	var j Judgement
	learns := !a.Answered()
	if learns {
		if j = s.Judge(a); a.WasAbandoned() || a.Progressed() {
			j.Evidence, learns = EvidenceNone, j.Suspend > 0
		}
	}
	b.mu.Lock()
	b.open = max(b.open-1, 0)
	if learns {
		s.learnOn(b, ev, j)
	}
	b.mu.Unlock()
	s.drillCount(ev, j.Evidence.good())
}

// learn folds the one thing that an attempt says of its target.
func (s *Selector) learn(ev *outdial.Event, j Judgement) {
	if b := s.boards.open(ev.Attempt.Candidate.Trunk, s.cfg.baseline); b != nil {
		b.mu.Lock()
		s.learnOn(b, ev, j)
		b.mu.Unlock()
		s.drillCount(ev, j.Evidence.good())
	}
}

// learnOn is learn for a board. The caller holds its lock.
func (s *Selector) learnOn(b *board, ev *outdial.Event, j Judgement) {
	cfg := &s.cfg
	if !b.launchTo.IsZero() && ev.Time.Before(b.launchTo) {
		cfg = &s.launch
	}
	b.learn(ev.Time, ev.Attempt, j, cfg)
	if j.Evidence == EvidenceHard {
		b.silence.Store(true)
	}
	if j.Evidence.good() {
		b.good(ev, s)
	}
	b.settle(ev.Attempt.Call.Dest.Group)
}

// good counts an attempt that has reached its callee, and how long that took.
func (b *board) good(ev *outdial.Event, s *Selector) {
	a := ev.Attempt
	if ev.Time.After(b.reached) {
		b.reached = ev.Time
	}
	if ev.Kind == outdial.EventAnswered {
		return // counted with the answer
	}
	b.count(ev, true)
	if d, ok := a.Timeline.PDD(); ok && ev.Kind == outdial.EventProgressed {
		b.whole.setup.learn(d)
		s.slow(b.whole.setup.typical())
		if t := b.group(a.Call.Dest.Group); t != nil {
			t.setup.learn(d)
			s.slow(t.setup.typical())
		}
	}
}
