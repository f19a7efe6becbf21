package kpi

import (
	"time"

	"github.com/outdial/outdial"
)

// fact is one event as increments, worked out once and then added to the cells that it concerns.
type fact struct {
	now   int64 // tick of the event
	n     int
	parts [2]part
	seat  *seat // of who counts it, once that is asked for
	held  *lane // whose lock is held, once a part was counted in
}

// part is one count, and the slice that it belongs to.
type part struct {
	tick int64
	kind uint16
	q    [maxDists]quantum // durations, by the kind's effects
	sum  int64             // by the kind's effects
}

func (f *fact) add(tick int64, kind uint16) *part {
	p := &f.parts[f.n]
	f.n++
	p.tick, p.kind, p.sum = tick, kind, 0
	return p
}

// Observe counts an event. It implements outdial.Observer: it copies what it needs, does not block and allocates
// nothing once the buckets of a cell have been used. A replayed event counts exactly as it did live.
//
// What counts when: a refused bid and a start at once; the outcome of a leg (class, answer, PDD, early media) at
// its answer, or at its end when there was none; its duration at its end; a disposition once, when it comes, also days
// later. All but the duration go to the bucket in which the attempt was started. Progressed and Abandoned events add
// nothing of their own, since the attempt's timeline and results tell it again, once, with the outcome; so repeated 180s
// and retransmitted finals cannot count twice.
// An attempt must come with its Started, Answered (if it was) and Ended events, each once, in this order.
func (m *Meter) Observe(ev *outdial.Event) {
	a := ev.Attempt
	if a == nil {
		if ev.Kind == outdial.EventLabelled && ev.Label != nil {
			m.labels.observe(ev.Time, ev.Label)
		}
		return
	}
	if ev.Kind == outdial.EventProgressed || ev.Kind == outdial.EventAbandoned {
		return
	}
	var f fact
	f.now = m.tickOf(ev.Time)
	start := f.now
	if a.Start != ev.Time && !a.Start.IsZero() {
		start = m.tickOf(a.Start)
	}
	var d ids
	m.idsOf(a, &d)
	switch ev.Kind {
	case outdial.EventRefused:
		m.refused(&f, start, ev)
	case outdial.EventStarted:
		m.started(&f, start, a)
	case outdial.EventAnswered:
		m.answered(&f, start, a, &d)
	case outdial.EventEnded:
		if a.Answered() {
			m.hungUp(&f, start, a)
		} else {
			m.failed(&f, start, a)
		}
	case outdial.EventDisposed:
		if ev.Disposition == nil || !m.disposed(&f, start, ev, &d) {
			return
		}
	}
	if f.n > 0 {
		m.count(&f, &d)
	}
}

func (m *Meter) started(f *fact, start int64, a *outdial.Attempt) {
	k := famStarted | kind(m.labels.status(a.CLI, a.Start))<<startLabelShift
	m.bid(f, start, a, k)
}

func (m *Meter) refused(f *fact, start int64, ev *outdial.Event) {
	stage := min(ev.RefusalStage, outdial.StageCount-1)
	k := famRefused | kind(stage)<<refusedStageShift | kind(m.code(ev.RefusalStage, ev.Refusal))
	m.bid(f, start, ev.Attempt, k)
}

// bid counts a bid, and its call with the first one.
func (m *Meter) bid(f *fact, start int64, a *outdial.Attempt, k kind) {
	at, first := m.calls.bid(a.ID.Call, start)
	if first && at == start {
		k |= kindFirst
	}
	f.add(start, m.kinds.number(k))
	if first && at != start {
		f.add(at, m.kinds.number(famCall))
	}
}

func (m *Meter) answered(f *fact, start int64, a *outdial.Attempt, d *ids) {
	t := &a.Timeline
	k := famOutcome | kind(ClassAnswer)<<outcomeClassShift | kind(ByAnswer)<<outcomeByShift | flags(a) |
		flag(atOnce(t), outcomeFAS)
	at, first := start, false
	if a.Late {
		k |= 1 << outcomeLate
	} else if at, first = m.calls.answer(a.ID.Call, start); first && at == start {
		k |= kindFirst
	}
	if !a.Late {
		m.answers.remember(start, a, d)
	}
	m.delays(f.add(start, m.kinds.number(k)), a)
	if first && at != start {
		f.add(at, m.kinds.number(famCallAnswer))
	}
}

// atOnce reports whether an answer came as no person answers: within a second of the INVITE or of the first 180.
func atOnce(t *outdial.Timeline) bool {
	from := outdial.MarkInvite
	if t[outdial.MarkRinging] != 0 {
		from = outdial.MarkRinging
	}
	d, ok := t.Between(from, outdial.MarkAnswer)
	return ok && d < time.Second
}

// hungUp counts the end of an answered leg. A late answer was no conversation, and when the process died nobody
// knows how long it lasted.
func (m *Meter) hungUp(f *fact, start int64, a *outdial.Attempt) {
	d, ok := a.Timeline.Duration()
	if !ok || a.Late || a.Result.Origin == outdial.OriginUnknown {
		return
	}
	over := 0
	for _, limit := range m.cfg.ShortCalls {
		if d > limit {
			over++
		}
	}
	k := famEnded | kind(over)<<endedOverShift | kind(min(a.Result.Origin, mostOrigin))<<endedOriginShift |
		flag(d < time.Second, endedZero) | flag(abnormal(&a.Result), endedAbnormal)
	switch code := a.Result.ByeCode; {
	case code >= 300:
		k |= 1 << endedByeFailed
	case code >= 200:
		k |= 1 << endedBye
	}
	p := f.add(f.now, m.kinds.number(k))
	m.delays(p, a)
	p.sum = int64(m.tariffs.cost(a, d))
	if m.cfg.Cohorts {
		f.add(start, m.kinds.number(famCohort)).sum = d.Milliseconds()
	}
}

// delays fills in the durations that a count brings along.
func (m *Meter) delays(p *part, a *outdial.Attempt) {
	does := &m.kinds.does[p.kind]
	for i, d := range does.dists[:does.n] {
		p.q[i] = quantumOf(d.delay(a))
	}
}

// abnormal reports whether a conversation was ended by something else than the people on it: media or signalling was
// lost, or the BYE brought a Q.850 cause other than normal clearing (16, 31).
func abnormal(r *outdial.Result) bool {
	switch r.Origin {
	case outdial.OriginMediaLoss, outdial.OriginTransport:
		return true
	}
	return r.Cause.Value != 0 && r.Cause.Value != 16 && r.Cause.Value != 31
}

// failed counts the end of a leg that was not answered.
func (m *Meter) failed(f *fact, start int64, a *outdial.Attempt) {
	class, by := Classify(a)
	k := famOutcome | kind(class)<<outcomeClassShift | kind(by)<<outcomeByShift | kind(a.Result.Code&0x3ff)<<outcomeCodeShift |
		flags(a)
	m.delays(f.add(start, m.kinds.number(k)), a)
}

// flags are the parts of an outcome that do not depend on what it was.
func flags(a *outdial.Attempt) kind { return progress(a) | flag(a.Result.Blocked(), outcomeBlocked) }
