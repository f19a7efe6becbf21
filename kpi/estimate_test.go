package kpi_test

import (
	"sync"
	"sync/atomic"
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

// Cores that count as fast as they can, in slices of time that readers ask for in any order, over cells that are divided, and others
// that are made meanwhile: afterwards every estimate is what a meter tells that was told everything one by one.
func TestEstimatesOfManyCoresAreExact(t *testing.T) {
	const writers, legs, trunks, groups = 4, 1500, 3, 40
	for _, cfg := range []kpi.Config{{}, {HalfLife: 7 * time.Minute}, {Views: []kpi.View{}}} {
		live, replay := newMeter(t, cfg), newMeter(t, cfg)
		live.Spread()
		all := make([][]outdial.Event, writers)
		for w := range all {
			for i := range legs {
				start := t0.Add(time.Duration(i) * 50 * time.Minute / legs)
				events := failedLeg(w*legs+i+1, 1, start, outdial.TrunkID(i%trunks+1), 486)
				if i%3 == 0 {
					events = answeredLeg(w*legs+i+1, start, outdial.TrunkID(i%trunks+1), time.Second, 5*time.Second)
				}
				for k := range events {
					events[k].Attempt.Call.Dest.Group = outdial.GroupID(i*groups/legs + 1) // new ones come all the time
				}
				all[w] = append(all[w], events...)
			}
		}
		ask := func(m *kpi.Meter, now time.Time, each func(outdial.Estimate)) {
			for trunk := range outdial.TrunkID(trunks) {
				for group := range outdial.GroupID(groups) {
					for _, metric := range []outdial.Metric{outdial.MetricASR, outdial.MetricNER, outdial.MetricShort} {
						each(m.Measure(now, metric, &outdial.Candidate{Trunk: trunk + 1}, group+1))
					}
				}
			}
		}
		const before = 100
		for w := range all {
			observe(live, all[w][:before]...)
		}
		live.Divide(0) // those that are there by now; others are as many cores meet over them
		var done sync.WaitGroup
		var over atomic.Bool
		for w := range all {
			done.Go(func() {
				for i := range all[w][before:] {
					live.Observe(&all[w][before+i])
				}
			})
		}
		var reader sync.WaitGroup
		reader.Go(func() {
			for i := 0; !over.Load(); i++ {
				ask(live, t0.Add(time.Duration(i*7%55)*time.Minute), func(outdial.Estimate) {})
			}
		})
		done.Wait()
		over.Store(true)
		reader.Wait()
		for w := range all {
			observe(replay, all[w]...)
		}
		now := t0.Add(54 * time.Minute)
		var got, want []outdial.Estimate
		ask(live, now.Add(-20*time.Minute), func(outdial.Estimate) {})
		ask(live, now, func(e outdial.Estimate) { got = append(got, e) })
		ask(replay, now, func(e outdial.Estimate) { want = append(want, e) })
		for i := range want {
			require.InDelta(t, want[i].N, got[i].N, 1e-3)
			require.InDelta(t, want[i].Mean, got[i].Mean, 1e-6)
		}
		if cfg.HalfLife == 0 {
			require.Equal(t, want, got, "to the last bit")
		}
	}
}

// The account that is open when the cores stop is exact, not only the next one.
func TestOpenAccountIsExact(t *testing.T) {
	for range 20 {
		m, now := newMeter(t, kpi.Config{}), t0.Add(2*time.Minute)
		var done sync.WaitGroup
		for w := range 3 {
			done.Go(func() {
				for i := range 300 {
					for _, ev := range failedLeg(1000*w+i+1, 1, t0, outdial.TrunkID(i%2+1), 486) {
						ev.Attempt.Call.Dest.Group = outdial.GroupID(i/30 + 1)
						m.Observe(&ev)
					}
				}
			})
		}
		c := &outdial.Candidate{Trunk: 1}
		for range 50 { // the first of them opens it, while they count
			m.Estimate(now, c, 1)
		}
		done.Wait()
		alone := newMeter(t, kpi.Config{})
		for w := range 3 {
			for i := range 300 {
				for _, ev := range failedLeg(1000*w+i+1, 1, t0, outdial.TrunkID(i%2+1), 486) {
					ev.Attempt.Call.Dest.Group = outdial.GroupID(i/30 + 1)
					alone.Observe(&ev)
				}
			}
		}
		for group := range outdial.GroupID(10) {
			require.Equal(t, alone.Estimate(now, c, group+1), m.Estimate(now, c, group+1))
		}
	}
}
