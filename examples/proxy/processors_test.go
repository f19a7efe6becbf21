package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// weigh lets g look so many times at the same use, and returns how many cores there are then.
func weigh(g *governor, used float64, times int) int {
	for range times {
		g.weigh(used)
	}
	return g.now
}

// One core more as soon as those in use are busy, one less once one less has been enough for a while, never none and never too many.
func TestGovernor(t *testing.T) {
	g := newGovernor(3)
	require.Equal(t, 1, weigh(&g, .7, 100), "one is enough")
	require.Equal(t, 1, weigh(&g, .9, 1), "busy for a moment")
	require.Equal(t, 1, weigh(&g, .7, 1))
	require.Equal(t, 2, weigh(&g, .9, 2))
	require.Equal(t, 2, weigh(&g, 1.5, 100))
	require.Equal(t, 3, weigh(&g, 1.98, 1), "there is no more in them")
	require.Equal(t, 3, weigh(&g, 3, 10), "there are no more")
	require.Equal(t, 3, weigh(&g, 1.95, 1000), "two would not be enough")
	require.Equal(t, 3, weigh(&g, .4, calm-1))
	require.Equal(t, 3, weigh(&g, 1.95, 2), "not calm any more")
	require.Equal(t, 3, weigh(&g, .4, calm-1))
	require.Equal(t, 2, weigh(&g, .4, 1))
	require.Equal(t, 1, weigh(&g, .1, calm))
	require.Equal(t, 1, weigh(&g, 0, 1000))
}

// A load that two cores use more for than one does goes back to one: it is tried.
func TestGovernorTries(t *testing.T) {
	g := newGovernor(2)
	use := func() float64 { return map[int]float64{1: .5, 2: .85}[g.now] }
	require.Equal(t, 2, weigh(&g, 1, 1), "a burst")
	for range calm {
		g.weigh(use())
	}
	require.Equal(t, 1, g.now)
	require.Equal(t, 1, weigh(&g, .5, 1000))
}

// What comes now and then and is over at once, as a collection of garbage is, keeps a core no more than it asks for one.
func TestGovernorIgnoresMoments(t *testing.T) {
	g := newGovernor(2)
	require.Equal(t, 2, weigh(&g, 1, 1))
	for range 20 {
		weigh(&g, .3, 3)
		weigh(&g, map[int]float64{1: .9, 2: 1}[g.now], 1)
	}
	require.Equal(t, 1, g.now)
}

// Where one less turns out not to be enough, it is tried more and more rarely; and as soon as at first again after a burst of its own.
func TestGovernorLearns(t *testing.T) {
	g := newGovernor(2)
	use := func() float64 { return map[int]float64{1: .9, 2: .93}[g.now] }
	tries, last := []int(nil), g.weigh(1)
	for look := range 4000 {
		if now := g.weigh(use()); now < last {
			tries = append(tries, look)
			last = now
		} else {
			last = now
		}
	}
	require.Less(t, len(tries), 25, "about once in a minute")
	gaps := make([]int, 0, len(tries))
	for i := 1; i < len(tries); i++ {
		gaps = append(gaps, tries[i]-tries[i-1]-2)
	}
	require.Equal(t, []int{2 * calm, 4 * calm, 8 * calm, 16 * calm, patient, patient}, gaps[:6])

	require.Equal(t, 1, weigh(&g, .5, patient+calm))
	require.Equal(t, 2, weigh(&g, 1, 1))
	require.Equal(t, 1, weigh(&g, .5, calm))
}
