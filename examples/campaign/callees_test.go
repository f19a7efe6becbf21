package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

func TestAreaCodesAreInService(t *testing.T) {
	plan, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: new(outdial.Registry)})
	require.NoError(t, err)
	seen := make(map[string]bool)
	for _, area := range strings.Fields(areaCodes) {
		require.False(t, seen[area], area)
		seen[area] = true
		d := plan.Locate(time.Now(), fictional(area, 0))
		require.False(t, d.Unassigned, area)
		require.Equal(t, [2]byte{'U', 'S'}, d.Country, area)
	}
}

func TestNumbersAreFictionalAndDisjoint(t *testing.T) {
	ids := callers(maxCallers)
	require.Len(t, ids, maxCallers)
	seen := make(map[outdial.Number]bool)
	for _, n := range ids {
		seen[n] = true
	}
	for _, c := range callees(7, maxCallees) {
		seen[c.Number] = true
	}
	require.Len(t, seen, maxCallees+maxCallers)
	for n := range seen {
		require.Regexp(t, `^\+1[2-9]\d\d55501\d\d$`, n.String())
	}
}

func TestCalleesComeFromTheSeed(t *testing.T) {
	a, b := callees(7, 500), callees(7, 500)
	require.Equal(t, a, b)
	require.NotEqual(t, a, callees(8, 500))
	require.Equal(t, a[:100], callees(7, 100), "a shorter campaign calls the same people first")
	for _, c := range a {
		require.Equal(t, c, person(7, c.Number))
	}
}

func TestMixOfOutcomes(t *testing.T) {
	count := make(map[outcome]int)
	list := callees(3, 7000)
	for _, c := range list {
		count[c.Outcome]++
		require.Positive(t, c.Ring)
		require.GreaterOrEqual(t, c.Talk, minTalk)
		require.LessOrEqual(t, c.Talk, maxTalk)
	}
	total := 0.0
	for _, m := range mix {
		total += m.share
		require.InDelta(t, m.share, float64(count[m.outcome])/float64(len(list)), 0.015, m.outcome)
	}
	require.InDelta(t, 1, total, 1e-9)
	answers := float64(count[human]+count[voicemail]) / float64(len(list))
	require.InDelta(t, 0.23, answers, 0.02)
}
