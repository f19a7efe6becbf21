package pick_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/pick"
)

// TestCycle: what a cycle says is what a Rota picks, for two turns of it, and skipping some is the same as picking them.
func TestCycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Uint32Range(0, 60), 1, 10).Draw(t, "weights")
		all := uint64(1)<<len(weights) - 1
		eligible := rapid.Uint64Range(0, all).Draw(t, "eligible")
		r, skipped := rota(t, weights...), rota(t, weights...)
		cycle := r.Cycle(eligible)
		require.Len(t, cycle, r.Period(eligible))
		if len(cycle) == 0 {
			return
		}
		counts := make([]int, len(weights))
		for i := range 2 * len(cycle) {
			picked := r.Pick(eligible)
			require.Equal(t, int(cycle[i%len(cycle)]), picked)
			counts[picked]++
		}
		for i, n := range counts {
			for k, m := range counts {
				if (eligible>>i)&(eligible>>k)&1 == 0 {
					continue
				}
				require.Equal(t, n*int(weights[k]), m*int(weights[i]), "shares are exact after a period")
			}
		}
		some := rapid.IntRange(0, len(cycle)).Draw(t, "skipped")
		skipped.Skip(cycle[:some], eligible)
		for i := range len(cycle) {
			require.Equal(t, int(cycle[(some+i)%len(cycle)]), skipped.Pick(eligible))
		}
	})
}

// TestCycleAfterChanges: once a change is made up for there is a cycle again, and never a wrong one.
func TestCycleAfterChanges(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Uint32Range(1, 20), 2, 8).Draw(t, "weights")
		all := uint64(1)<<len(weights) - 1
		r := rota(t, weights...)
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			some := rapid.Uint64Range(1, all).Draw(t, "some")
			if picked := r.Pick(some); rapid.Bool().Draw(t, "return") {
				require.NoError(t, r.Return(picked, some))
			}
		}
		for range 3 * r.Period(all) {
			r.Pick(all)
		}
		cycle := r.Cycle(all)
		for i := range 2 * len(cycle) {
			require.Equal(t, int(cycle[i%len(cycle)]), r.Pick(all))
		}
		if cycle != nil {
			found++
		}
	})
	require.Greater(t, found, 10, "most do; so few of a hundred would be no chance")
}

func TestCycleTooLong(t *testing.T) {
	r := rota(t, pick.MaxCycle, 1)
	require.Equal(t, pick.MaxCycle+1, r.Period(0b11))
	require.Nil(t, r.Cycle(0b11))
	require.Zero(t, r.Period(0b01))
}

// TestAbsorb: picks that two rotas have made are made up for by the one that absorbs the other: its credits are those of one
// rota that has made them all.
func TestAbsorb(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Uint32Range(1, 60), 2, 8).Draw(t, "weights")
		all := uint64(1)<<len(weights) - 1
		a := rota(t, weights...)
		a.Pick(all)
		b := a.Fresh()
		owed := make([]float64, len(weights))
		sum := func() {
			for i := range owed {
				owed[i] = a.Credit(i) + b.Credit(i)
			}
		}
		sum()
		for range rapid.IntRange(0, 100).Draw(t, "picks") {
			in := rapid.SampledFrom([]*pick.Rota{a, b}).Draw(t, "in")
			in.Pick(rapid.Uint64Range(1, all).Draw(t, "among"))
			sum()
		}
		a.Absorb(b)
		for i := range owed {
			require.InDelta(t, owed[i], a.Credit(i), 1e-9)
			require.Zero(t, b.Credit(i))
		}
		require.Equal(t, a.Fresh().Pick(all), rota(t, weights...).Pick(all), "nobody is owed anything")
	})
}
