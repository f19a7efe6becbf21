package main

import (
	"bytes"
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
	for _, name := range []string{"wide-40", "fault", "false-answers"} {
		require.Less(t, by[name]["ours"].perContact(), by[name]["least-cost"].perContact(), name)
	}
}

// TestRecovery: a carrier that has healed is back within a quarter of an hour on most days.
func TestRecovery(t *testing.T) {
	slow(t)
	soon := 0
	const days = 3
	for seed := range uint64(days) {
		for _, sc := range scenarios() {
			if sc.name == "fault" {
				m := sc.open(seed + 2)
				s, err := newOurs(50)
				require.NoError(t, err)
				if f := day(m, s, 60, seed+2); f.recovered >= 0 && f.recovered <= 15 {
					soon++
				}
			}
		}
	}
	require.GreaterOrEqual(t, soon, days/2+1)
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
