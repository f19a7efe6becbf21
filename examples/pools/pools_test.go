package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/race"
)

// TestSmallPool is the simulation in a small form, with fixed seeds: what is found, and what is taken for bad.
func TestSmallPool(t *testing.T) {
	if race.Enabled {
		t.Skip("a simulation in one goroutine: there is nothing for the race detector to see")
	}
	w := world{numbers: 200, days: 60, calls: 100, spread: .20, hazard: .005}
	play := func(name string) (all tally) {
		for _, r := range rules {
			if r.name == name {
				p, err := r.make(&w)
				require.NoError(t, err)
				all.add(w.play(1, p, nil))
			}
		}
		return all
	}
	ours := play(governed)
	require.Greater(t, ours.decays, 20)
	require.LessOrEqual(t, ours.falseShare(), .02)
	require.GreaterOrEqual(t, float64(len(ours.delays)), .9*float64(ours.decays))
	require.LessOrEqual(t, quantile(ours.delays, .5), 450.)
	naive := play("answer rate of the day < 10 %")
	require.Greater(t, naive.falseShare(), .5)

	var tr trace
	p, err := newCLI(w.numbers)
	require.NoError(t, err)
	w.days = 20
	w.play(1, p, &tr)
	require.Contains(t, string(tr.svg()), "polyline")
}

func TestBlocksAreFound(t *testing.T) {
	if race.Enabled {
		t.Skip("a simulation in one goroutine: there is nothing for the race detector to see")
	}
	b, err := blocks(1)
	require.NoError(t, err)
	require.Equal(t, b.decays, len(b.delays))
	require.LessOrEqual(t, mean(b.delays), 350.)
	require.LessOrEqual(t, b.falseShare(), .02)
}
