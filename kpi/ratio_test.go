package kpi_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/kpi"
)

func TestRatioOfNothingIsUndefined(t *testing.T) {
	_, ok := kpi.Ratio{}.Value()
	require.False(t, ok)
	_, _, ok = kpi.Ratio{}.Interval(0.95)
	require.False(t, ok)
	require.Equal(t, "undefined", kpi.Ratio{}.Verdict(0).String())
	require.Equal(t, "insufficient data", kpi.Ratio{K: 1, N: 29}.Verdict(30).String())
	require.Equal(t, "ok", kpi.Ratio{K: 1, N: 30}.Verdict(30).String())
}

func TestRatioNeverExceedsOne(t *testing.T) {
	v, _ := kpi.Ratio{K: 3, N: 2}.Value()
	require.Equal(t, 1.0, v)
	low, high, ok := kpi.Ratio{K: 3, N: 2}.Interval(0.95)
	require.True(t, ok)
	require.Equal(t, 1.0, high)
	require.Greater(t, low, 0.3)
}

func TestWilsonInterval(t *testing.T) {
	for _, x := range []struct {
		k, n      uint64
		level     float64
		low, high float64
	}{
		{40, 100, 0.95, 0.3094, 0.4980},
		{0, 100, 0.95, 0, 0.0370},
		{3, 100, 0.95, 0.0103, 0.0845},
		{100, 100, 0.95, 0.9630, 1},
		{1, 1, 0.95, 0.2065, 1},
		{40, 100, 0.80, 0.3394, 0.4638},
	} {
		low, high, ok := kpi.Ratio{K: x.k, N: x.n}.Interval(x.level)
		require.True(t, ok)
		require.InDelta(t, x.low, low, 1e-3, x)
		require.InDelta(t, x.high, high, 1e-3, x)
	}
	for _, level := range []float64{0, 1, -1, 2, math.NaN()} {
		_, _, ok := kpi.Ratio{K: 1, N: 2}.Interval(level)
		require.False(t, ok)
	}
}

// Coverage by exact enumeration: the chance, over the binomial distribution, that the interval holds the true share.
// Wald's interval falls to 45 % at the first of these points.
func TestWilsonCoverage(t *testing.T) {
	var sum float64
	var points int
	for _, n := range []uint64{30, 50, 100, 300} {
		for p := 0.02; p < 0.985; p += 0.01 {
			var covered float64
			for k := uint64(0); k <= n; k++ {
				low, high, _ := kpi.Ratio{K: k, N: n}.Interval(0.95)
				if low <= p && p <= high {
					covered += binomial(n, k, p)
				}
			}
			require.Greater(t, covered, 0.90, "n=%d p=%.2f", n, p)
			sum += covered
			points++
		}
	}
	require.Greater(t, sum/float64(points), 0.948)
}

func binomial(n, k uint64, p float64) float64 {
	lg := func(x uint64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
}
