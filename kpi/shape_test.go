package kpi_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// Conversations with a tenth of them cut off by voicemail at 27 s have a spike there; the same without has none.
func TestVoicemailSpike(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	talk := func(voicemail bool) kpi.Sketch {
		var s kpi.Sketch
		for i := range 3000 {
			d := time.Duration(rng.ExpFloat64() * 90e9)
			if voicemail && i%10 == 0 {
				d = 27*time.Second + time.Duration(rng.NormFloat64()*2e8)
			}
			s.Add(d)
		}
		return s
	}
	with, without := talk(true), talk(false)
	spikes := with.Spikes()
	require.Len(t, spikes, 1)
	require.InDelta(t, 27, spikes[0].Mode.Seconds(), 0.7)
	require.InDelta(t, 0.1, spikes[0].Share, 0.03)
	require.Empty(t, without.Spikes())
	require.Empty(t, new(kpi.Sketch).Spikes())
}

// Whatever happens, a stage is never larger than the one before it.
func TestFunnelOnlyNarrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := kpi.New(kpi.Config{Window: 10 * time.Minute, Buckets: 5})
		require.NoError(t, err)
		for _, ev := range drawEvents(t) {
			m.Observe(&ev)
			if ev.Kind == outdial.EventAnswered || rapid.IntRange(0, 9).Draw(t, "stray") == 0 {
				d := disposed(ev.Attempt, ev.Time, outdial.Disposition{
					AnsweredBy: outdial.AnsweredBy(rapid.IntRange(0, 6).Draw(t, "by")), Contact: rapid.Bool().Draw(t, "contact"),
				})
				m.Observe(&d)
			}
		}
		for c := range m.Snapshot(t0.Add(3 * time.Minute)) {
			f := c.Funnel()
			require.LessOrEqual(t, f.Reached, f.Attempts)
			require.LessOrEqual(t, f.Answered, f.Reached)
			require.LessOrEqual(t, f.Human, f.Answered)
			require.LessOrEqual(t, f.Contacts, f.Human)
		}
	})
}

// Two series of one mean are ranked by how much they really vary: hours of few calls, whose ratios chance scatters, do not look
// unsteady.
func TestVariationIsNotChance(t *testing.T) {
	const seed = 11
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	hours := func(calls int, spread float64) (list []kpi.Ratio) {
		for i := range 200 {
			p := 0.3 + spread*float64(i%2*2-1)
			r := kpi.Ratio{N: uint64(calls)}
			for range calls {
				if rng.Float64() < p {
					r.K++
				}
			}
			list = append(list, r)
		}
		return append(list, kpi.Ratio{}) // an hour without calls
	}
	chance, ok := kpi.VariationOf(hours(20, 0)) // ± 10 points by chance alone
	require.True(t, ok)
	real, ok := kpi.VariationOf(hours(500, 0.05))
	require.True(t, ok)
	require.Equal(t, 200, chance.N)
	require.InDelta(t, chance.Mean, real.Mean, 0.02)
	require.Greater(t, chance.High-chance.Low, real.High-real.Low, "the range says the opposite")
	require.Less(t, chance.SD, 0.03)
	require.InDelta(t, 0.05, real.SD, 0.006)
	require.InDelta(t, real.SD/real.Mean, real.CV, 1e-12)
	require.Greater(t, real.I2, 0.7)
	require.Less(t, chance.CV, real.CV)
	_, ok = kpi.VariationOf([]kpi.Ratio{{K: 1, N: 2}, {}})
	require.False(t, ok)
	none, ok := kpi.VariationOf([]kpi.Ratio{{N: 5}, {N: 7}})
	require.True(t, ok)
	require.Zero(t, none.SD)
}

// A K above its N counts as N, as everywhere.
func TestVariationOfCallsInTheMiddle(t *testing.T) {
	v, ok := kpi.VariationOf([]kpi.Ratio{{K: 5, N: 3}, {K: 4, N: 3}})
	require.True(t, ok)
	require.Equal(t, kpi.Variation{N: 2, Mean: 1, Low: 1, High: 1}, v)
}

// The sketches of archived hours have no bins: they tell no difference, and take no part in the quantiles of what they are merged
// into.
func TestSketchesWithASumAlone(t *testing.T) {
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}}})
	for i := range 100 {
		observe(m, answeredLeg(i+1, t0, 1, time.Second, time.Minute)...)
	}
	key := kpi.Key{View: kpi.ByTrunk, Trunk: 1}
	live := cell(t, m, t0, key)
	for _, hour := range m.Hours(t0, key) {
		require.EqualValues(t, 100, hour.Ring.Count())
		require.Equal(t, kpi.Difference{P: 1}, hour.Ring.Difference(&live.Ring))
		live.Ring.Merge(&hour.Ring)
	}
	require.EqualValues(t, 200, live.Ring.Count())
	live.Ring.Add(time.Hour)
	q, ok := live.Ring.Quantile(0.5)
	require.True(t, ok)
	require.InEpsilon(t, 9*time.Second, q, 0.02)
}
