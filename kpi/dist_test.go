package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// Each delay ends where its definition says, and answered and failed legs are not mixed.
func TestDelaysByDefinition(t *testing.T) {
	type want struct{ pdd, ringing, audible, srd, failed time.Duration } // 0 = none
	carrier := outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
	for name, tc := range map[string]struct {
		play func(l *leg) []outdial.Event
		want want
	}{
		"180, answer": {func(l *leg) []outdial.Event {
			return []outdial.Event{l.progressed(180, false, 2e9), l.answered(9e9)}
		}, want{pdd: 2e9, ringing: 2e9, audible: 2e9, srd: 2e9}},
		"183 without a word, 180, answer": {func(l *leg) []outdial.Event {
			return []outdial.Event{l.progressed(183, false, 1e9), l.progressed(180, false, 3e9), l.answered(9e9)}
		}, want{pdd: 1e9, ringing: 3e9, audible: 3e9, srd: 1e9}},
		"183 with SDP, busy": {func(l *leg) []outdial.Event {
			return []outdial.Event{l.progressed(183, true, 2e9), l.ended(carrier, 5e9)}
		}, want{pdd: 2e9, audible: 2e9, failed: 2e9}},
		"183, then leave to send, then media, busy": {func(l *leg) []outdial.Event {
			first := l.progressed(183, false, 1e9)
			l.a.Timeline.Set(outdial.MarkEarlyMedia, 2e9)
			l.a.Timeline.Set(outdial.MarkMedia, 25e8)
			return []outdial.Event{first, l.ended(carrier, 5e9)}
		}, want{pdd: 1e9, audible: 2e9, failed: 1e9}},
		"answer at once": {func(l *leg) []outdial.Event {
			return []outdial.Event{l.answered(4e9)}
		}, want{srd: 4e9}},
		"busy at once": {func(l *leg) []outdial.Event {
			return []outdial.Event{l.progressed(100, false, 1e8), l.ended(carrier, 3e9)}
		}, want{failed: 3e9}},
		"silence": {func(l *leg) []outdial.Event {
			return []outdial.Event{l.ended(outdial.Result{Origin: outdial.OriginNoTrying}, 32e9)}
		}, want{}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMeter(t, kpi.Config{Views: []kpi.View{}})
			l := newLeg(1, 1, t0, 1)
			observe(m, l.started())
			observe(m, tc.play(l)...)
			c := cell(t, m, t0.Add(time.Minute), kpi.Key{})
			require.Equal(t, tc.want, want{c.PDD.Sum(), c.Ringing.Sum(), c.Audible.Sum(), c.SRD.Sum(), c.SRDFailed.Sum()})
		})
	}
}

// A BYE of the host that is answered, that fails, and that nobody answers: RFC 6076 §4.4 keeps the first two apart and leaves
// the third out; none of them makes the conversation longer.
func TestSessionDisconnectDelay(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{}})
	for i, r := range []outdial.Result{{Bye: 2e9, ByeCode: 200}, {Bye: 1e9, ByeCode: 481}, {Bye: 32e9}, {}} {
		r.Origin = outdial.OriginCallerHangup
		l := newLeg(1+i, 1, t0, 1)
		observe(m, l.started(), l.progressed(180, false, 1e9), l.answered(5e9))
		if r.Bye > 0 {
			l.a.Timeline.Set(outdial.MarkBye, 65e9)
		}
		observe(m, l.ended(r, 65e9+r.Bye))
	}
	c := cell(t, m, t0.Add(2*time.Minute), kpi.Key{})
	require.EqualValues(t, 1, c.SDD.Count())
	require.Equal(t, 2*time.Second, c.SDD.Sum())
	require.EqualValues(t, 1, c.SDDFailed.Count())
	require.Equal(t, time.Second, c.SDDFailed.Sum())
	acd, ok := c.ACD()
	require.True(t, ok)
	require.Equal(t, time.Minute, acd)
}

// By end time a window that has just begun misses the long calls; by cohort it says how many are still missing.
func TestCohortACD(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{}, Cohorts: true, Window: time.Hour, Buckets: 4})
	start := t0.Add(50 * time.Minute)
	for i := range 10 { // ten calls of 5 min, of which four last 50 min instead
		l := newLeg(1+i, 1, start, 1)
		observe(m, l.started(), l.answered(5e9))
		talk := 5 * time.Minute
		if i < 4 {
			talk = 50 * time.Minute
		}
		observe(m, l.ended(outdial.Result{Origin: outdial.OriginCalleeHangup}, 5e9+talk))
	}
	c := cell(t, m, start.Add(time.Hour-10*time.Minute), kpi.Key{})
	mean, completeness, ok := c.CohortACD()
	require.True(t, ok)
	require.Equal(t, 23*time.Minute, mean)
	require.Equal(t, kpi.Ratio{K: 10, N: 10}, completeness)

	m = newMeter(t, kpi.Config{Views: []kpi.View{}, Cohorts: true})
	observe(m, newLeg(1, 1, t0, 1).started())
	open := newLeg(1, 1, t0, 1)
	observe(m, open.answered(5e9))
	done := newLeg(2, 1, t0, 1)
	observe(m, done.started(), done.answered(5e9), done.ended(outdial.Result{Origin: outdial.OriginCalleeHangup}, 65e9))
	c = cell(t, m, t0.Add(2*time.Minute), kpi.Key{})
	mean, completeness, ok = c.CohortACD()
	require.True(t, ok)
	require.Equal(t, time.Minute, mean)
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, completeness)
	_, _, ok = cell(t, newMeterWith(t, open.started()), t0, kpi.Key{}).CohortACD()
	require.False(t, ok, "undefined, not zero")
}

func newMeterWith(t *testing.T, events ...outdial.Event) *kpi.Meter {
	m := newMeter(t, kpi.Config{})
	observe(m, events...)
	return m
}
