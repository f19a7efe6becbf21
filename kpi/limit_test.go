package kpi_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/kpi"
)

func TestLimitSignals(t *testing.T) {
	contract := kpi.Limit{Most: 0.15}
	for k, want := range map[uint64]kpi.Signal{
		0: kpi.SignalFine, 119: kpi.SignalFine, 120: kpi.SignalWarn, 149: kpi.SignalWarn, 150: kpi.SignalStop, 151: kpi.SignalStop,
		1000: kpi.SignalStop, 2000: kpi.SignalStop,
	} {
		require.Equal(t, want, contract.Signal(kpi.Ratio{K: k, N: 1000}), k)
	}
	require.Equal(t, kpi.SignalNone, contract.Signal(kpi.Ratio{K: 29, N: 29}))
	require.Equal(t, kpi.SignalStop, kpi.Limit{Most: 0.15, Least: 1}.Signal(kpi.Ratio{K: 1, N: 1}))
	require.Equal(t, kpi.SignalNone, kpi.Limit{}.Signal(kpi.Ratio{K: 100, N: 100}))
	require.Equal(t, kpi.SignalNone, contract.Signal(kpi.Ratio{}))
	soft := kpi.Limit{Most: 0.15, Stop: 0.12, Warn: 0.11}
	require.Equal(t, kpi.SignalStop, soft.Signal(kpi.Ratio{K: 12, N: 100}))
	require.Equal(t, kpi.SignalWarn, soft.Signal(kpi.Ratio{K: 11, N: 100}))
	require.NoError(t, soft.Validate())
	require.NoError(t, kpi.Limit{}.Validate())
	err := kpi.Limit{Most: 1, Stop: 2, Warn: -1}.Validate()
	for _, field := range []string{"Most", "Stop", "Warn"} {
		require.ErrorContains(t, err, field)
	}
	require.ErrorContains(t, kpi.Limit{Stop: 0.1}.Validate(), "Stop")
}

// So many failures in a row fit, and not one more.
func TestLimitRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := kpi.Limit{Most: float64(rapid.IntRange(1, 99).Draw(t, "percent")) / 100}
		n := rapid.Uint64Range(0, 100_000).Draw(t, "n")
		r := kpi.Ratio{K: rapid.Uint64Range(0, n).Draw(t, "k"), N: n}
		room := l.Room(r)
		over := func(more uint64) bool { return float64(r.K+more) > l.Most*float64(r.N+more)+1e-6 }
		require.True(t, over(room+1))
		if room > 0 {
			require.False(t, over(room))
		}
	})
	require.Equal(t, ^uint64(0), kpi.Limit{}.Room(kpi.Ratio{}))
}

// The forecast is the beta-binomial as Pólya's urn gives it, one trial after the other.
func TestLimitBreachAgainstAnUrn(t *testing.T) {
	for _, x := range []struct {
		most float64
		r    kpi.Ratio
		more uint64
	}{
		{0.15, kpi.Ratio{K: 14, N: 100}, 50},
		{0.15, kpi.Ratio{K: 10, N: 100}, 300},
		{0.03, kpi.Ratio{K: 0, N: 0}, 40},
		{0.03, kpi.Ratio{K: 30, N: 1000}, 7},
		{0.5, kpi.Ratio{K: 1, N: 1}, 1},
	} {
		p := []float64{1} // by how many failed so far
		a, b := float64(x.r.K)+0.5, float64(x.r.N-x.r.K)+0.5
		for i := range x.more {
			next := make([]float64, len(p)+1)
			for k, v := range p {
				fails := (a + float64(k)) / (a + b + float64(i))
				next[k+1] += v * fails
				next[k] += v * (1 - fails)
			}
			p = next
		}
		var want float64
		for k, v := range p {
			if float64(x.r.K)+float64(k) > x.most*float64(x.r.N+x.more)+1e-9 {
				want += v
			}
		}
		require.InDelta(t, want, kpi.Limit{Most: x.most}.Breach(x.r, x.more), 1e-9, x)
	}
	l := kpi.Limit{Most: 0.15}
	r := kpi.Ratio{K: 149, N: 1000}
	require.InDelta(t, l.Breach(r, 1<<14), l.Breach(r, 1<<14+1), 1e-3, "many trials are as good as the rate itself")
	require.Zero(t, l.Breach(r, 0))
	require.Equal(t, 1.0, l.Breach(kpi.Ratio{K: 200, N: 1000}, 0))
	require.Equal(t, 1.0, l.Breach(kpi.Ratio{K: 300, N: 1000}, 10), "nothing can save it")
	require.Zero(t, kpi.Limit{}.Breach(r, 10))
}
