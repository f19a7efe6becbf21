package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/race"
)

// slow skips what takes minutes with the race detector, which finds nothing in a single goroutine.
func slow(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine; runs without the race detector")
	}
}

// TestFigures holds what the table in the README says, on fewer days: the seed is fixed, so is the result.
func TestFigures(t *testing.T) {
	slow(t)
	const days, rate = 1, 30
	by := map[string]map[string]figures{}
	for _, sc := range scenarios() {
		by[sc.name] = map[string]figures{}
		for _, name := range []string{"least-cost", "ours", "oracle"} {
			m := sc.open(7)
			s, err := open(name, m, 7)
			require.NoError(t, err)
			by[sc.name][name] = day(m, s, rate, 7)
		}
		ours := by[sc.name]["ours"]
		require.Zero(t, ours.broken, "%s: exploration within its budget", sc.name)
		require.LessOrEqual(t, float64(ours.explored), 0.05*float64(ours.calls), sc.name)
		require.LessOrEqual(t, ours.flaps, days, sc.name)
		require.LessOrEqual(t, ours.perContact(), 1.03*by[sc.name]["oracle"].perContact(), sc.name)
	}
	require.LessOrEqual(t, by["wide-40"]["ours"].exposure(), 0.02)
	require.LessOrEqual(t, by["prefix-40"]["ours"].exposure(), 0.10)
	evening := 0.0
	for i, share := range by["day-parts"]["ours"].shares {
		if i >= 18*4 && i < 22*4 {
			evening += share / 16
		}
	}
	require.Greater(t, evening, 0.93, "the evening moves no calls but those that explore")
	for _, name := range []string{"wide-40", "fault", "false-answers"} {
		require.Less(t, by[name]["ours"].perContact(), by[name]["least-cost"].perContact(), name)
	}
}

// TestRecovery: a carrier that has healed is back within a quarter of an hour.
func TestRecovery(t *testing.T) {
	slow(t)
	scenarios := scenarios()
	fault := scenarios[slices.IndexFunc(scenarios, func(s *scenario) bool { return s.name == "fault" })]
	for seed := range uint64(3) {
		s, err := newOurs(50)
		require.NoError(t, err)
		f := day(fault.open(seed+2), s, 60, seed+2)
		require.GreaterOrEqual(t, f.recovered, 0., "seed %d", seed+2)
		require.LessOrEqual(t, f.recovered, 15., "seed %d", seed+2)
	}
}

func TestTableAndPlot(t *testing.T) {
	var b bytes.Buffer
	all, err := play(&b, 5, 1, 1, "equal")
	require.NoError(t, err)
	require.Contains(t, b.String(), "| equal | oracle |")
	svg := string(draw(all))
	require.Equal(t, len(strategyNames), strings.Count(svg, "<polyline"))
	_, err = play(&b, 5, 1, 1, "nonsense")
	require.Error(t, err)
}
