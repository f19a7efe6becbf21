package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// t0 is the start of a bucket of the default meter.
var t0 = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func newMeter(t testing.TB, cfg kpi.Config) *kpi.Meter {
	m, err := kpi.New(cfg)
	require.NoError(t, err)
	return m
}

// leg is an attempt in the making; its methods give the events of its life.
type leg struct{ a outdial.Attempt }

func newLeg(call, n int, start time.Time, trunk outdial.TrunkID) *leg {
	l := &leg{outdial.Attempt{
		ID: outdial.AttemptID{Call: outdial.CallID(call), Leg: uint8(n)}, Start: start, State: outdial.AttemptOpen,
	}}
	l.a.Candidate.Trunk, l.a.Candidate.Carrier = trunk, outdial.CarrierID(trunk)
	l.a.Call.ID = outdial.CallID(call)
	l.a.Call.Program, l.a.Call.Dest.Group, l.a.Pool = 1, 1, 1
	return l
}

func (l *leg) event(kind outdial.EventKind, after time.Duration) outdial.Event {
	a := l.a
	return outdial.Event{Kind: kind, Time: l.a.Start.Add(after), Attempt: &a}
}

func (l *leg) started() outdial.Event { return l.event(outdial.EventStarted, 0) }

func (l *leg) refused(stage outdial.Stage, code string) outdial.Event {
	ev := l.event(outdial.EventRefused, 0)
	ev.RefusalStage, ev.Refusal = stage, code
	return ev
}

func (l *leg) progressed(code int, sdp bool, after time.Duration) outdial.Event {
	marks := outdial.ProgressOf(code, sdp)
	for m := outdial.MarkTrying; m <= outdial.MarkEarlySDP; m++ {
		if marks.Has(m) {
			l.a.Timeline.Set(m, after)
		}
	}
	ev := l.event(outdial.EventProgressed, after)
	ev.Marks = marks
	return ev
}

func (l *leg) answered(after time.Duration) outdial.Event {
	l.a.Timeline.Set(outdial.MarkAnswer, after)
	l.a.State = outdial.AttemptAnswered
	return l.event(outdial.EventAnswered, after)
}

func (l *leg) ended(r outdial.Result, after time.Duration) outdial.Event {
	l.a.Timeline.Set(outdial.MarkEnd, after)
	l.a.State, l.a.Result = outdial.AttemptEnded, r
	return l.event(outdial.EventEnded, after)
}

func observe(m *kpi.Meter, events ...outdial.Event) {
	for i := range events {
		m.Observe(&events[i])
	}
}

// answeredLeg is a whole conversation: 180 after pdd, answer after 10 s, end after talk.
func answeredLeg(call int, start time.Time, trunk outdial.TrunkID, pdd, talk time.Duration) []outdial.Event {
	l := newLeg(call, 1, start, trunk)
	return []outdial.Event{
		l.started(), l.progressed(100, false, 20*time.Millisecond), l.progressed(180, false, pdd),
		l.answered(10 * time.Second),
		l.ended(outdial.Result{Origin: outdial.OriginCalleeHangup}, 10*time.Second+talk),
	}
}

func failedLeg(call, n int, start time.Time, trunk outdial.TrunkID, code uint16) []outdial.Event {
	l := newLeg(call, n, start, trunk)
	return []outdial.Event{
		l.started(), l.ended(outdial.Result{Origin: outdial.OriginCarrier, Code: code}, 300*time.Millisecond),
	}
}

func cell(t testing.TB, m *kpi.Meter, now time.Time, key kpi.Key) *kpi.Cell {
	c, ok := m.Cell(now, key)
	require.True(t, ok, "no cell %+v", key)
	return &c
}
