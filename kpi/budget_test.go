package kpi_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// A day's calls of a carrier whose contract allows 15 % of up to six seconds: at 14.9 % it is a warning, at 15.1 % it is time to
// stop, and the next day begins anew. The calls come from a journal.
func TestContractOfShortCalls(t *testing.T) {
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByCarrier}}})
	day := t0.Truncate(24 * time.Hour)
	call := 0
	dial := func(at time.Time, carrier outdial.TrunkID, n int, talk time.Duration) {
		for range n {
			call++
			for _, ev := range answeredLeg(call, at, carrier, time.Second, talk) {
				ev.Replay = true
				m.Observe(&ev)
			}
		}
	}
	budget := kpi.Budget{
		Key: kpi.Key{View: kpi.ByCarrier, Carrier: 1}, What: kpi.ShareShort, Within: 6 * time.Second, Limit: kpi.Limit{Most: 0.15},
	}
	stands := func(now time.Time) kpi.Standing {
		s, err := m.Standing(now, budget)
		require.NoError(t, err)
		return s
	}
	dial(day.Add(-time.Hour), 1, 500, time.Second) // the day before
	dial(day.Add(2*time.Hour), 2, 500, time.Second)
	dial(day.Add(2*time.Hour), 1, 80, 6*time.Second)
	dial(day.Add(5*time.Hour), 1, 69, time.Second)
	dial(day.Add(5*time.Hour), 1, 849, time.Minute)
	now := day.Add(6 * time.Hour)
	s := stands(now)
	require.Equal(t, kpi.Ratio{K: 149, N: 998}, s.Ratio)
	dial(day.Add(5*time.Hour), 1, 2, time.Minute)
	s = stands(now)
	require.Equal(t, kpi.Ratio{K: 149, N: 1000}, s.Ratio, "14.9 %")
	require.Equal(t, kpi.SignalWarn, s.Signal)
	require.EqualValues(t, 1, s.Room)
	require.Equal(t, []time.Time{day, day.Add(24 * time.Hour)}, []time.Time{s.From, s.To})
	require.InDelta(t, 0.45, s.Breach, 0.1, "about even, with three quarters of the day to come")

	dial(day.Add(5*time.Hour), 1, 2, time.Second)
	s = stands(now)
	require.Equal(t, kpi.Ratio{K: 151, N: 1002}, s.Ratio, "15.1 %")
	require.Equal(t, kpi.SignalStop, s.Signal)
	require.Zero(t, s.Room)

	s = stands(day.Add(24 * time.Hour))
	require.Equal(t, kpi.Ratio{}, s.Ratio)
	require.Equal(t, kpi.SignalNone, s.Signal)
}

// A dialer that loses its agents in the middle of a run abandons more calls; who stops when told to never comes to the 3 % of the law.
func TestAbandonedBudgetStopsInTime(t *testing.T) {
	const seed = 11
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByCampaign}}})
	budget := kpi.Budget{
		Key: kpi.Key{View: kpi.ByCampaign, Campaign: 1}, What: kpi.ShareAbandoned, Period: 30 * 24 * time.Hour, Rolling: true,
		Limit: kpi.Limit{Most: 0.03, Stop: 0.025, Warn: 0.015, Least: 500},
	}
	const agentsGone = 2000
	warned, stopped, fine := 0, 0, 0
	for call := 1; call <= 4000; call++ {
		at := t0.Add(time.Duration(call) * 20 * time.Second)
		l := newLeg(call, 1, at, 1)
		l.a.Call.Campaign, l.a.Call.Mode = 1, outdial.ModePredictive
		abandons := 0.005
		if call > agentsGone {
			abandons = 0.08
		}
		d := outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, AgentTime: time.Minute}
		if rng.Float64() < abandons {
			d.AgentTime = 0
		}
		observe(m, l.started(), l.answered(9*time.Second), disposed(&l.a, at.Add(time.Minute), d))
		s, err := m.Standing(at.Add(time.Minute), budget)
		require.NoError(t, err)
		switch s.Signal {
		case kpi.SignalFine:
			fine++
		case kpi.SignalWarn:
			if warned == 0 {
				warned = call
			}
		case kpi.SignalStop:
			stopped = call
			share, _ := s.Ratio.Value()
			require.Less(t, share, 0.03)
			require.Positive(t, s.Room)
		}
		if stopped > 0 {
			break
		}
	}
	t.Logf("warned at call %d, stopped at %d", warned, stopped)
	require.Greater(t, fine, 1000)
	require.Greater(t, warned, agentsGone)
	require.Greater(t, stopped, warned)
}

func TestStandingNamesWhatIsWrong(t *testing.T) {
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByCarrier}}})
	_, err := m.Standing(t0, kpi.Budget{
		Key: kpi.Key{View: kpi.ByTrunk}, What: 99, Within: time.Second, Period: time.Minute, Limit: kpi.Limit{Most: 2},
	})
	for _, field := range []string{"Key", "What", "Within", "Period", "Limit: Most"} {
		require.ErrorContains(t, err, "Budget."+field)
	}
	_, err = m.Standing(t0, kpi.Budget{Key: kpi.Key{View: kpi.ByCarrier}, Within: 5 * time.Second})
	require.ErrorContains(t, err, "Within: 5s: none of")
	_, err = newMeter(t, kpi.Config{}).Standing(t0, kpi.Budget{What: kpi.ShareFailed})
	require.ErrorContains(t, err, "not archived")
}

// Each share is what its name says.
func TestShares(t *testing.T) {
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.Total}}})
	for i := range 10 {
		switch {
		case i < 4:
			observe(m, answeredLeg(i+1, t0, 1, time.Second, time.Minute)...)
		case i < 7:
			l := newLeg(i+1, 1, t0, 1)
			observe(m, l.started(), l.ended(outdial.Result{Origin: outdial.OriginCaller, Code: 487}, time.Second))
		default:
			observe(m, failedLeg(i+1, 1, t0, 1, 608)...)
		}
	}
	for what, want := range map[kpi.Share]kpi.Ratio{
		kpi.ShareFailed: {K: 6, N: 10}, kpi.ShareGivenUp: {K: 3, N: 10}, kpi.ShareBlocked: {K: 3, N: 10}, kpi.ShareAbandoned: {},
	} {
		s, err := m.Standing(t0, kpi.Budget{What: what})
		require.NoError(t, err)
		require.Equal(t, want, s.Ratio, what)
		text, _ := what.MarshalText()
		var back kpi.Share
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, what, back)
	}
	require.ErrorContains(t, new(kpi.Share).UnmarshalText([]byte("most")), `"most"`)
}
