package kpi_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/kpi"
)

func sketchOf(ds []time.Duration) *kpi.Sketch {
	s := new(kpi.Sketch)
	for _, d := range ds {
		s.Add(d)
	}
	return s
}

// Every quantile is within 1/65 of the exact one, from an exact sort, from 32 µs to the longest duration.
func TestSketchQuantileError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(math.Exp(rapid.Float64Range(math.Log(32e3), math.Log(9e18)).Draw(t, "log")))
		}), 1, 300).Draw(t, "durations")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		got, ok := sketchOf(ds).Quantile(q)
		require.True(t, ok)
		slices.Sort(ds)
		want := ds[max(int(math.Ceil(q*float64(len(ds)))), 1)-1]
		// One microsecond is what the truncation to whole ones costs.
		require.InDelta(t, float64(want), float64(got), float64(want)/65+1e3, "exact %v, got %v", want, got)
	})
}

// At telephone scale the bound is met with nothing to spare for the truncation: ≤ 2 % from 100 ms to 60 s.
func TestSketchErrorAtTelephoneScale(t *testing.T) {
	worst := 0.0
	for d := 100 * time.Millisecond; d <= time.Minute; d += d/997 + 1 {
		got, _ := sketchOf([]time.Duration{d}).Quantile(0.5)
		worst = max(worst, math.Abs(float64(got-d))/float64(d))
	}
	require.Less(t, worst, 0.0155)
	require.Greater(t, worst, 0.014, "the bins are as wide as they are meant to be")
}

func TestSketchEdges(t *testing.T) {
	var s kpi.Sketch
	_, ok := s.Quantile(0.5)
	require.False(t, ok)
	_, ok = s.Mean()
	require.False(t, ok)
	s.Add(-time.Second)
	s.Add(0)
	s.Add(math.MaxInt64)
	require.EqualValues(t, 3, s.Count())
	d, ok := s.Quantile(0)
	require.True(t, ok)
	require.Zero(t, d)
	for _, q := range []float64{-0.1, 1.1, math.NaN()} {
		_, ok = s.Quantile(q)
		require.False(t, ok)
	}
	s.Reset()
	require.Equal(t, uint64(0), s.Count())
	require.Zero(t, s.Sum())
}

func TestSketchMergeIsExact(t *testing.T) {
	durations := rapid.SliceOf(rapid.Map(rapid.Int64Range(0, 1e12), func(n int64) time.Duration { return time.Duration(n) }))
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := durations.Draw(t, "a"), durations.Draw(t, "b"), durations.Draw(t, "c")
		whole := sketchOf(slices.Concat(a, b, c))
		left := sketchOf(a)
		left.Merge(sketchOf(b))
		left.Merge(sketchOf(c))
		bc := sketchOf(c)
		bc.Merge(sketchOf(b))
		right := bc.Clone()
		right.Merge(sketchOf(a))
		requireSameSketch(t, whole, left)
		requireSameSketch(t, whole, &right)
		requireSameSketch(t, sketchOf(slices.Concat(b, c)), bc) // the clone shares nothing
	})
}

type bar struct {
	d time.Duration
	n uint64
}

func bars(s *kpi.Sketch) (out []bar) {
	for d, n := range s.All() {
		out = append(out, bar{d, n})
	}
	return out
}

func requireSameSketch(t require.TestingT, a, b *kpi.Sketch) {
	require.Equal(t, a.Count(), b.Count())
	require.Equal(t, a.Sum(), b.Sum())
	require.Equal(t, bars(a), bars(b))
}

func TestSketchAddDoesNotAllocate(t *testing.T) {
	s := sketchOf([]time.Duration{time.Second, time.Minute})
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Add(time.Second) }))
}
