package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// One core more as soon as those in use are busy, one less once they have been idle for a while, never none and never too many.
func TestGovernor(t *testing.T) {
	g := governor{most: 3, now: 1}
	weigh := func(used float64, times int) int {
		for range times {
			g.weigh(used)
		}
		return g.now
	}
	require.Equal(t, 1, weigh(.7, 100), "one is enough")
	require.Equal(t, 2, weigh(.9, 1))
	require.Equal(t, 2, weigh(1.5, 100))
	require.Equal(t, 3, weigh(1.9, 1))
	require.Equal(t, 3, weigh(3, 10), "there are no more")
	require.Equal(t, 3, weigh(1.2, 1000), "two would be nearly as busy")
	require.Equal(t, 3, weigh(.4, calm-1))
	require.Equal(t, 3, weigh(1.2, 1), "not calm any more")
	require.Equal(t, 2, weigh(.4, calm))
	require.Equal(t, 1, weigh(.1, calm))
	require.Equal(t, 1, weigh(0, 1000))
}
