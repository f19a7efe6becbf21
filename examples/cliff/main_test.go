package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCliff: what an outage costs without failover, and with it.
func TestCliff(t *testing.T) {
	var got []outcome
	for _, w := range ways {
		o, err := simulate(w)
		require.NoError(t, err)
		sum := 0
		for _, n := range o.placed {
			sum += n
		}
		require.Equal(t, int(ends/time.Second)*rate, sum, "every call is accounted for")
		got = append(got, o)
	}
	depth, width := got[0].cliff()
	require.InDelta(t, 0.95, depth, 0.03)
	require.Equal(t, repaired-broken, width)
	require.InDelta(t, 1140, got[0].lost, 5)

	require.Zero(t, got[1].lost)
	require.InDelta(t, 1140, got[1].delayed, 5)
	require.Equal(t, timerB, got[1].longest)

	require.Zero(t, got[2].lost)
	require.InDelta(t, 1140, got[2].delayed, 5, "every one of them, a second each")
	require.Equal(t, time.Second, got[2].longest)

	require.Zero(t, got[3].lost)
	require.LessOrEqual(t, got[3].delayed, 15)
	require.LessOrEqual(t, got[3].longest, time.Second)
	depth, width = got[2].cliff()
	require.InDelta(t, 0.95, depth, 0.03)
	require.Equal(t, repaired-broken, width)
	depth, width = got[3].cliff()
	require.LessOrEqual(t, depth, 0.3)
	require.LessOrEqual(t, width, 2*column)
}
