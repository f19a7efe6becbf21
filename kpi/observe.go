package kpi

import (
	"time"

	"github.com/outdial/outdial"
)

// Observe counts an event. It implements outdial.Observer: it copies what it needs, does not block and allocates
// nothing once the buckets of a cell have been used. A replayed event counts exactly as it did live.
//
// What counts when: a refused bid and a start at once; the outcome of a leg (class, answer, PDD, early media) at
// its answer, or at its end when there was none; its duration at its end. All but the duration go to the bucket in
// which the attempt was started. Progressed and Abandoned events add nothing of their own, since the attempt's
// timeline and results tell it again, once, with the outcome; so repeated 180s and retransmitted finals cannot count
// twice. Disposed events are not counted.
// An attempt must come with its Started, Answered (if it was) and Ended events, each once, in this order.
func (m *Meter) Observe(ev *outdial.Event) {
	a := ev.Attempt
	if a == nil {
		return
	}
	f := fact{now: m.epoch(ev.Time)}
	f.start = m.moment(f.now)
	f.end = f.start
	if !a.Start.IsZero() {
		f.start = m.moment(m.epoch(a.Start))
	}
	switch ev.Kind {
	case outdial.EventRefused:
		m.refused(&f, ev)
	case outdial.EventStarted:
		f.count(nStarted)
		m.bid(&f, a)
	case outdial.EventAnswered:
		m.answered(&f, a)
	case outdial.EventEnded:
		if a.Answered() {
			m.hungUp(&f, a)
		} else {
			failed(&f, a)
		}
	default:
		return
	}
	m.count(&f, a)
}

// count adds a fact to the cell of every view.
func (m *Meter) count(f *fact, a *outdial.Attempt) {
	if f.nStart == 0 && f.nEnd == 0 {
		return
	}
	all := idsOf(a)
	told := m.told.Load()
	late := false
	var key packed
	for i := range m.views {
		v := &m.views[i]
		key.ids = all.and(v.mask)
		key.tag = uint64(v.view)
		out := gone
		for out == gone {
			out = m.cell(v, &key, f.now).add(f, told)
		}
		late = late || out == tooLate
	}
	if late {
		m.late.Add(1)
	}
}

func (m *Meter) refused(f *fact, ev *outdial.Event) {
	f.count(nRefused + counter(min(ev.RefusalStage, outdial.StageCount-1)))
	m.bid(f, ev.Attempt)
	f.hasRefusal, f.refusal = true, m.code(ev.RefusalStage, ev.Refusal)
}

func (m *Meter) answered(f *fact, a *outdial.Attempt) {
	f.known = 1
	f.count(nClass + counter(ClassAnswer))
	f.count(nBy + counter(ByAnswer))
	f.count(nEffective)
	t := &a.Timeline
	f.countIf(t[outdial.MarkProvisional] == 0, nAnswerNoRing)
	if t[outdial.MarkEarlySDP] != 0 {
		f.count(nEarlyMedia)
		f.count(nEarlyMediaAnswer)
	}
	f.setPDD(t)
	if a.Late {
		f.count(nLateAnswers)
		return
	}
	f.answers = 1
	f.count(nAnswers)
	if epoch, first := m.calls.answer(a.ID.Call, f.start.epoch); first {
		f.hasCall, f.atCall, f.call = true, nCallsAnswered, m.moment(epoch)
	}
	if d, ok := t.Between(outdial.MarkRinging, outdial.MarkAnswer); ok {
		f.hasRing, f.ring, f.ringBin = true, d, binOf(d)
	}
}

// hungUp counts the end of an answered leg. A late answer was no conversation, and when the process died nobody
// knows how long it lasted.
func (m *Meter) hungUp(f *fact, a *outdial.Attempt) {
	d, ok := a.Timeline.Duration()
	if !ok || a.Late || a.Result.Origin == outdial.OriginUnknown {
		return
	}
	f.countEnd(nEnded)
	if d < time.Second {
		f.countEnd(nZeroSecond)
	}
	for i, limit := range m.cfg.ShortCalls {
		if d <= limit {
			f.countEnd(nShort + counter(i))
		}
	}
	f.hasLong, f.long, f.longBin = true, d, binOf(d)
}

// failed counts the end of a leg that was not answered.
func failed(f *fact, a *outdial.Attempt) {
	class, by := Classify(a)
	f.count(nClass + counter(class))
	f.count(nBy + counter(by))
	if by == ByNothing {
		f.count(nLost)
		return
	}
	if !class.Seizure() {
		return
	}
	f.known = 1
	code := a.Result.Code
	f.countIf(code == 480 || code == 486 || code == 600 || code == 603, nEffective)
	f.countIf(code >= 300 && code < 400, nRedirected)
	f.countIf(a.Timeline[outdial.MarkEarlySDP] != 0, nEarlyMedia)
	f.setPDD(&a.Timeline)
}

// bid counts the call of a bid, once, where its first bid is counted.
func (m *Meter) bid(f *fact, a *outdial.Attempt) {
	if epoch, first := m.calls.bid(a.ID.Call, f.start.epoch); first {
		f.hasCall, f.atCall, f.call = true, nCalls, m.moment(epoch)
	}
}

func (f *fact) setPDD(t *outdial.Timeline) {
	if d, ok := t.PDD(); ok {
		f.hasPDD, f.pdd, f.pddBin = true, d, binOf(d)
	}
}
