package failover

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// Operator orders, as the Action of an outdial.Control. Target is the name of a trunk.
const (
	ActionHold    = "failover.hold"    // leave the trunk out of every choice until Control.Expires (zero = until released)
	ActionRelease = "failover.release" // end a hold
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
		if ev.Replay && a.Choice.Why == outdial.WhyProbe {
			s.reprobe(ev)
		}
	case outdial.EventProgressed:
		if a.State == outdial.AttemptOpen && firstProgress(a, ev.Marks) {
			s.learn(ev, Judgement{Evidence: EvidenceHealthy})
		}
	case outdial.EventAnswered:
		if !a.Late && !a.Progressed() {
			s.learn(ev, Judgement{Evidence: EvidenceHealthy})
		}
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

// ended learns from the end of a leg that was not answered.
func (s *Selector) ended(ev *outdial.Event) {
	a := ev.Attempt
	if a.Answered() {
		return
	}
	j := s.Judge(a)
	if a.WasAbandoned() || a.Progressed() {
		if j.Suspend == 0 {
			return
		}
		j.Evidence = EvidenceNone
	}
	s.learn(ev, j)
}

func (s *Selector) learn(ev *outdial.Event, j Judgement) {
	a := ev.Attempt
	b := s.boards.open(a.Candidate.Trunk)
	if b == nil {
		return
	}
	b.mu.Lock()
	b.learn(ev.Time, a, j, &s.cfg)
	b.settle(a.Call.Dest.Group)
	b.mu.Unlock()
}

// reprobe sends a probe in a replay, where Pick did not.
func (s *Selector) reprobe(ev *outdial.Event) {
	a := ev.Attempt
	b := s.boards.get(a.Candidate.Trunk)
	if b == nil {
		return
	}
	b.mu.Lock()
	b.claim(ev.Time, a.Call.Dest.Group, a.ID.Call, a.Start, &s.cfg)
	b.settle(a.Call.Dest.Group)
	b.mu.Unlock()
}

// CheckControl implements outdial.ControlChecker: it refuses an order for a trunk that is not known, and a hold whose
// end has passed. Actions of others give nil.
func (s *Selector) CheckControl(now time.Time, c *outdial.Control) error {
	if c.Action != ActionHold && c.Action != ActionRelease {
		return nil
	}
	if s.ids == nil {
		return fmt.Errorf("failover: %s: no registry was configured, so that no trunk has a name", c.Action)
	}
	if id, ok := s.ids.Trunks.Lookup(c.Target); !ok || id == 0 || id > maxTrunk {
		return fmt.Errorf("failover: %s: no trunk %q", c.Action, c.Target)
	}
	if c.Action == ActionHold && !c.Expires.IsZero() && !c.Expires.After(now) {
		return fmt.Errorf("failover: %s: %v is past", c.Action, c.Expires)
	}
	return nil
}

func (s *Selector) obey(ev *outdial.Event) {
	c := ev.Control
	if s.ids == nil || c == nil || c.Action != ActionHold && c.Action != ActionRelease {
		return
	}
	id, ok := s.ids.Trunks.Lookup(c.Target)
	if !ok {
		return
	}
	b := s.boards.open(id)
	if b == nil {
		return
	}
	b.mu.Lock()
	if c.Action == ActionHold {
		b.hold(ev.Time, c.Expires)
	} else {
		b.held = false
	}
	b.settle(0)
	b.mu.Unlock()
}
