package failover

import (
	"sync"
	"sync/atomic"

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
// or ended, by the verdict table. What comes from a leg after it was abandoned counts no more.
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
		s.moved.add(a.ID)
		if !a.Progressed() {
			s.learn(ev, s.Judge(a))
		}
	case outdial.EventEnded:
		if !s.moved.remove(a.ID) && !a.Progressed() && !a.Answered() {
			s.learn(ev, s.Judge(a))
		}
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
	b := s.boards.get(ev.Attempt.Candidate.Trunk)
	if b == nil {
		return
	}
	b.mu.Lock()
	b.claim(ev.Time, ev.Attempt.Call.Dest.Group, &s.cfg)
	b.settle(ev.Attempt.Call.Dest.Group)
	b.mu.Unlock()
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

// moved keeps the attempts that were abandoned and have not ended: they counted already. It is empty almost always.
type moved struct {
	n   atomic.Int32 // len(ids)
	mu  sync.Mutex
	ids map[outdial.AttemptID]struct{}
}

// maxMoved bounds moved against a host that never ends what it abandons.
const maxMoved = 1 << 16

func (m *moved) add(id outdial.AttemptID) {
	m.mu.Lock()
	if m.ids == nil || len(m.ids) >= maxMoved {
		m.ids = make(map[outdial.AttemptID]struct{})
	}
	m.ids[id] = struct{}{}
	m.n.Store(int32(len(m.ids)))
	m.mu.Unlock()
}

// remove reports whether id was there.
func (m *moved) remove(id outdial.AttemptID) bool {
	if m.n.Load() == 0 {
		return false
	}
	m.mu.Lock()
	_, ok := m.ids[id]
	delete(m.ids, id)
	m.n.Store(int32(len(m.ids)))
	m.mu.Unlock()
	return ok
}
