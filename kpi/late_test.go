package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

func disposed(a *outdial.Attempt, at time.Time, d outdial.Disposition) outdial.Event {
	return outdial.Event{Kind: outdial.EventDisposed, Time: at, Attempt: a, Disposition: &d}
}

// What becomes known three days later joins once, where the attempt was, by its id alone.
func TestDispositionsJoinOnceAndLate(t *testing.T) {
	week := kpi.Span{Window: 7 * 24 * time.Hour, Buckets: 84}
	m := newMeter(t, kpi.Config{Spans: []kpi.Span{week}})
	l := newLeg(1, 1, t0, 4)
	l.a.Call.Mode = outdial.ModePredictive
	observe(m, l.started(), l.progressed(180, false, time.Second), l.answered(9*time.Second),
		l.ended(outdial.Result{Origin: outdial.OriginCalleeHangup}, time.Minute))
	later := t0.Add(72 * time.Hour)
	contact := outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: true, AgentTime: 90 * time.Second}
	id := &outdial.Attempt{ID: l.a.ID}
	observe(m, disposed(id, later, contact), disposed(id, later.Add(time.Hour), contact), disposed(&l.a, later, contact))
	w, ok := m.Over(week.Window)
	require.True(t, ok)
	c, ok := w.Cell(later, kpi.Key{View: kpi.ByTrunk, Trunk: 4})
	require.True(t, ok)
	require.EqualValues(t, 1, c.Contacts)
	require.EqualValues(t, 1, c.Disposed[outdial.AnsweredByHuman])
	require.Equal(t, 90*time.Second, c.AgentTime)
	require.EqualValues(t, 1, c.LiveAnswers)
	require.Zero(t, c.Abandoned)
	require.EqualValues(t, 2, m.Stats().Unjoined)

	// An attempt that the meter does not know: the event tells enough, or it is counted as unjoined.
	stranger := newLeg(77, 1, t0, 9)
	observe(m, disposed(&outdial.Attempt{ID: stranger.a.ID}, later, contact))
	require.EqualValues(t, 3, m.Stats().Unjoined)
	observe(m, disposed(&stranger.a, later, contact), disposed(&stranger.a, later, contact))
	c, _ = w.Cell(later, kpi.Key{View: kpi.ByTrunk, Trunk: 9})
	require.EqualValues(t, 1, c.Contacts)
	require.EqualValues(t, 4, m.Stats().Unjoined)
}

// An engine's ids: the latest answers are all remembered, legs of one call are told apart.
func TestDispositionsOfManyCalls(t *testing.T) {
	m := newMeter(t, kpi.Config{RecentAnswers: 1000, Views: []kpi.View{}})
	id := func(i int) outdial.CallID { return outdial.CallID((1_700_000_000_000_000+i)<<12 | 5) }
	for i := range 1500 {
		l := newLeg(0, 1, t0, 1)
		l.a.ID.Call, l.a.Call.ID = id(i), id(i)
		observe(m, l.started(), l.answered(time.Second))
	}
	for i := range 1500 {
		observe(m, disposed(&outdial.Attempt{ID: outdial.AttemptID{Call: id(i), Leg: 1}}, t0, outdial.Disposition{Contact: true}))
	}
	observe(m, disposed(&outdial.Attempt{ID: outdial.AttemptID{Call: id(1499), Leg: 2}}, t0, outdial.Disposition{Contact: true}))
	require.EqualValues(t, 1000, cell(t, m, t0, kpi.Key{}).Contacts)
	require.EqualValues(t, 501, m.Stats().Unjoined)
}

func TestAbandonedCalls(t *testing.T) {
	for _, x := range []struct {
		codes []string
		mode  outdial.Mode
		d     outdial.Disposition
		want  kpi.Ratio
	}{
		{nil, outdial.ModePredictive, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman}, kpi.Ratio{K: 1, N: 1}},
		{nil, outdial.ModePredictive, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, AgentTime: 1e9}, kpi.Ratio{K: 0, N: 1}},
		{nil, outdial.ModePredictive, outdial.Disposition{AnsweredBy: outdial.AnsweredByVoicemail}, kpi.Ratio{}},
		{nil, outdial.ModeManual, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman}, kpi.Ratio{}},
		{[]string{"DROP"}, outdial.ModePrerecorded, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman}, kpi.Ratio{K: 0, N: 1}},
		{[]string{"DROP"}, outdial.ModePrerecorded, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Code: "DROP"}, kpi.Ratio{K: 1, N: 1}},
	} {
		m := newMeter(t, kpi.Config{AbandonedCodes: x.codes, Views: []kpi.View{}})
		l := newLeg(1, 1, t0, 1)
		l.a.Call.Mode = x.mode
		observe(m, l.started(), l.answered(time.Second), disposed(&l.a, t0, x.d))
		c := cell(t, m, t0, kpi.Key{})
		require.Equal(t, x.want, c.AbandonedRate(), x)
	}
}

func TestLabelledCalls(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{kpi.ByPool}})
	label := func(at time.Time, n outdial.Number, engine string, s outdial.LabelStatus, ttl time.Duration) {
		m.Observe(&outdial.Event{Kind: outdial.EventLabelled, Time: at, Label: &outdial.Label{Number: n, Engine: engine, Status: s, TTL: ttl}})
	}
	dial := func(at time.Time, n outdial.Number) {
		l := newLeg(0, 1, at, 1)
		l.a.CLI = n
		observe(m, l.started())
	}
	const a, b, c = 12125550001, 12125550002, 12125550003
	dial(t0, a) // before anybody looked
	label(t0.Add(time.Second), a, "east", outdial.LabelClean, time.Hour)
	label(t0.Add(time.Second), a, "west", outdial.LabelLabelled, time.Minute)
	label(t0.Add(time.Second), b, "east", outdial.LabelClean, 0)
	dial(t0.Add(2*time.Second), a) // the worst that holds
	dial(t0.Add(2*time.Minute), a) // west's word has expired
	dial(t0.Add(2*time.Minute), b)
	dial(t0.Add(2*time.Minute), c) // unknown
	label(t0.Add(time.Minute), b, "east", outdial.LabelBlocked, 0)
	label(t0.Add(time.Second), b, "east", outdial.LabelClean, 0) // an older word comes late
	dial(t0.Add(2*time.Minute), b)
	got := cell(t, m, t0.Add(3*time.Minute), kpi.Key{View: kpi.ByPool, Pool: 1})
	require.Equal(t, [kpi.LabelStatuses]uint64{2, 2, 0, 1, 1}, got.Labels)
	labelled, unknown := got.LabelledCalls()
	require.Equal(t, kpi.Ratio{K: 2, N: 4}, labelled)
	require.Equal(t, kpi.Ratio{K: 2, N: 6}, unknown)
}

// Golden arithmetic of a tariff of 30/6, a price of 0.012 a minute, a surcharge for calls under 6 s and one per answer.
func TestTariff(t *testing.T) {
	tariff := kpi.Tariff{
		Carrier: 1, Initial: 30 * time.Second, Increment: 6 * time.Second, PerAnswer: 100,
		ShortBelow: 6 * time.Second, PerShort: 10_000,
	}
	for _, x := range []struct {
		d    time.Duration
		want outdial.Micros
	}{
		{5999 * time.Millisecond, 6000 + 100 + 10_000},
		{6 * time.Second, 6100},
		{30 * time.Second, 6100},
		{30*time.Second + 1, 7300},
		{36 * time.Second, 7300},
		{time.Minute, 12_100},
		{61 * time.Second, 13_300},
	} {
		require.Equal(t, x.want, tariff.Cost(12_000, x.d), x.d)
	}
	m := newMeter(t, kpi.Config{Tariffs: []kpi.Tariff{tariff}, Views: []kpi.View{}})
	for i, d := range []time.Duration{5 * time.Second, time.Minute, time.Minute} {
		l := newLeg(i+1, 1, t0, 1)
		l.a.Candidate.Cost = 12_000
		observe(m, l.started(), l.answered(time.Second), l.ended(outdial.Result{Origin: outdial.OriginCalleeHangup}, time.Second+d),
			disposed(&l.a, t0, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: i > 0, AgentTime: 30 * time.Second}))
	}
	c := cell(t, m, t0.Add(2*time.Minute), kpi.Key{})
	require.EqualValues(t, 16_100+2*12_100, c.Cost)
	fees := kpi.Fees{PerAttempt: 500, AgentHour: 18_000_000, Idle: 90 * time.Second, Fixed: kpi.MonthlyPart(7_200_000, time.Hour)}
	require.EqualValues(t, 10_000, fees.Fixed)
	require.EqualValues(t, 40_300+3*500+900_000+10_000, c.TotalCost(fees))
	perContact, ok := c.CostPerContact(fees)
	require.True(t, ok)
	require.EqualValues(t, 475_900, perContact)
	perMinute, _ := c.CostPerMinute(fees)
	require.EqualValues(t, 456_864, perMinute) // 951,800 ÷ 125 s
	d, _ := c.AgentTimePerAttempt()
	require.Equal(t, 30*time.Second, d)
	d, _ = c.AgentTimePerContact()
	require.Equal(t, 45*time.Second, d)
	var none kpi.Cell
	_, ok = none.CostPerContact(fees)
	require.False(t, ok, "undefined, not zero")
	_, ok = none.CostPerMinute(fees)
	require.False(t, ok)
}
