package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// feed gives the meter answered and failed legs on a trunk to a group.
func feed(m *kpi.Meter, trunk outdial.TrunkID, group outdial.GroupID, answered, failed int) {
	for i := range answered + failed {
		events := failedLeg(0, 1, t0, trunk, 486)
		if i < answered {
			events = answeredLeg(0, t0, trunk, time.Second, time.Minute)
		}
		for j := range events {
			events[j].Attempt.Call.Dest.Group = group
		}
		observe(m, events...)
	}
}

func TestEstimateShrinksToTheLevelAbove(t *testing.T) {
	m := newMeter(t, kpi.Config{PriorStrength: 10})
	ask := func(trunk outdial.TrunkID, group outdial.GroupID) outdial.Estimate {
		return m.Estimate(t0.Add(2*time.Minute), &outdial.Candidate{Trunk: trunk}, group)
	}
	require.False(t, ask(1, 1).Known(), "nothing seen at all")

	feed(m, 1, 1, 30, 70)
	feed(m, 2, 1, 500, 500)

	// A trunk that was never seen stands as all traffic does.
	e := ask(9, 1)
	require.InDelta(t, 530.5/1101, e.Mean, 1e-12)
	require.InDelta(t, 9, e.N, 1e-12)
	require.Greater(t, e.Var, 0.01)

	// A group that was never seen on a trunk stands as the trunk, which leans a little on the rest.
	e = ask(1, 7)
	require.InDelta(t, (500.5/1001*10+30)/110, e.Mean, 1e-12)
	require.InDelta(t, 9, e.N, 1e-12)

	// What was seen carries its weight.
	e = ask(1, 1)
	require.InDelta(t, (500.5/1001*10+30)/110, e.Mean, 1e-12)
	require.InDelta(t, 109, e.N, 1e-12)
	require.InDelta(t, e.Mean*(1-e.Mean)/111, e.Var, 1e-12)
	require.Less(t, e.Lower(2), 0.30)

	// One answer does not make a perfect route.
	feed(m, 3, 1, 1, 0)
	require.Less(t, ask(3, 1).Mean, 0.6)
}

func TestEstimateWithFewViews(t *testing.T) {
	now := t0.Add(2 * time.Minute)
	for _, x := range []struct {
		views []kpi.View
		n     float64
	}{
		{[]kpi.View{kpi.Total}, 40},
		{[]kpi.View{kpi.ByTrunk}, 20},
		{[]kpi.View{kpi.ByTrunk | kpi.ByGroup}, 10},
		{[]kpi.View{kpi.Total, kpi.ByTrunk | kpi.ByGroup}, 10 + 20 - 1},
		{[]kpi.View{kpi.ByPool}, 0},
	} {
		m := newMeter(t, kpi.Config{Views: x.views, PriorStrength: 20})
		feed(m, 1, 1, 5, 5)
		feed(m, 1, 2, 5, 5)
		feed(m, 2, 1, 10, 10)
		e := m.Estimate(now, &outdial.Candidate{Trunk: 1}, 1)
		require.InDelta(t, x.n, e.N, 1e-9, x.views)
		require.Equal(t, x.n > 0, e.Known())
		if e.Known() {
			require.InDelta(t, 0.5, e.Mean, 1e-9)
		}
	}
}

func TestEstimateForgets(t *testing.T) {
	m := newMeter(t, kpi.Config{Window: time.Hour})
	feed(m, 1, 1, 50, 50)
	c := &outdial.Candidate{Trunk: 1}
	require.InDelta(t, 100, m.Estimate(t0.Add(59*time.Minute), c, 1).N, 1e-9)
	require.Zero(t, m.Estimate(t0.Add(time.Hour), c, 1))
	require.InDelta(t, 100, m.Estimate(t0.Add(59*time.Minute), c, 1).N, 1e-9, "a reader that is behind")
}

// quality is what a router declares to read a meter.
type quality interface {
	Estimate(now time.Time, c *outdial.Candidate, group outdial.GroupID) outdial.Estimate
}

var _ quality = (*kpi.Meter)(nil)

// What comes late weighs by its attempt's age, as it does when the sums are worked out anew.
func TestEstimateWeighsLateFactsByTheirAge(t *testing.T) {
	cfg := kpi.Config{HalfLife: 10 * time.Minute}
	m, now, c := newMeter(t, cfg), t0.Add(21*time.Minute), &outdial.Candidate{Trunk: 1}
	l := newLeg(1, 1, t0, 1)
	observe(m, l.started())
	m.Estimate(now, c, 1) // from now on the sums are kept up
	observe(m, l.ended(outdial.Result{Origin: outdial.OriginCarrier, Code: 486}, 20*time.Minute))
	b, err := m.Save(1)
	require.NoError(t, err)
	anew := newMeter(t, cfg)
	require.NoError(t, anew.Restore(b))
	want, got := anew.Estimate(now, c, 1), m.Estimate(now, c, 1)
	require.InDelta(t, 0.25, got.N, 1e-5, "two half-lives")
	require.InDelta(t, want.N, got.N, 1e-5)
	require.InDelta(t, want.Mean, got.Mean, 1e-5)
}
