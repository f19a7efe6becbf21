package window_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/internal/window"
)

const second = window.Instant(time.Second)

func caps(t require.TestingT, list ...window.Cap) window.Caps {
	c, err := window.NewCaps(list...)
	require.NoError(t, err)
	return c
}

func limit(n int, w time.Duration) window.Cap { return window.Cap{Limit: n, Window: w} }

func TestGate(t *testing.T) {
	g := window.NewGate(caps(t, limit(2, 10*time.Second), limit(3, time.Minute), limit(1, time.Second)), 0)
	require.Equal(t, window.Never, g.Last())
	for i, c := range []struct {
		now, at window.Instant
		ok      bool
	}{
		{5 * second, 5 * second, true},
		{5 * second, 6 * second, false}, // spacing
		{6*second - 1, 6 * second, false},
		{6 * second, 6 * second, true},
		{7 * second, 15 * second, false}, // 2 in 10 s
		{15*second - 1, 15 * second, false},
		{15 * second, 15 * second, true},  // a half-open window: 5 s and 15 s are never in the same
		{17 * second, 65 * second, false}, // 3 in a minute
		{65 * second, 65 * second, true},
	} {
		at, ok := g.Peek(c.now)
		require.Equal(t, c.at, at, i)
		require.Equal(t, c.ok, ok, i)
		at, ok = g.Allow(c.now)
		require.Equal(t, c.at, at, i)
		require.Equal(t, c.ok, ok, i)
	}
	require.Equal(t, 65*second, g.Last())
	require.Equal(t, 3, g.Count(65*second, time.Minute))
	require.Equal(t, 1, g.Count(65*second, 50*time.Second))
	require.Equal(t, 0, g.Count(600*second, time.Minute))
}

func TestGateNoCaps(t *testing.T) {
	g := window.NewGate(window.Caps{}, 0)
	for range 10 {
		at, ok := g.Allow(7)
		require.True(t, ok)
		require.Equal(t, window.Instant(7), at)
	}
}

func TestGateBackwardsClock(t *testing.T) {
	g := window.NewGate(caps(t, limit(2, 10*time.Second)), 0)
	g.Add(100 * second)
	at, ok := g.Allow(40 * second)
	require.True(t, ok)
	require.Equal(t, 100*second, at, "held at the newest stamp")
	at, ok = g.Allow(41 * second)
	require.False(t, ok)
	require.Equal(t, 110*second, at)
	require.Equal(t, 2, g.Count(0, 10*time.Second))
}

func TestGateUndo(t *testing.T) {
	g := window.NewGate(caps(t, limit(2, 10*time.Second)), 3)
	for _, s := range []window.Instant{1, 2, 3, 4} {
		g.Add(s * second)
	}
	require.False(t, g.Undo(1*second), "forgotten")
	require.False(t, g.Undo(9*second), "never counted")
	require.True(t, g.Undo(3*second), "from the middle")
	require.False(t, g.Undo(3*second), "twice")
	at, _ := g.Peek(5 * second)
	require.Equal(t, 12*second, at)
	require.True(t, g.Undo(4*second))
	at, _ = g.Peek(5 * second)
	require.Equal(t, 11*second, at, "exact: one event is missing")
	require.True(t, g.Undo(2*second))
	at, _ = g.Peek(5 * second)
	require.Equal(t, 11*second, at, "later than 5 s, which a full list gives, and never earlier")
	require.Equal(t, 1*second, g.Last())
}

func TestGateSetCaps(t *testing.T) {
	g := window.NewGate(caps(t, limit(1, time.Minute)), 2)
	g.Add(0)
	g.Add(second)
	require.ErrorContains(t, g.SetCaps(caps(t, limit(3, time.Minute))), "3")
	at, _ := g.Peek(2 * second)
	require.Equal(t, 61*second, at, "the old caps hold after an error")
	require.NoError(t, g.SetCaps(caps(t, limit(2, time.Minute))))
	at, _ = g.Peek(2 * second)
	require.Equal(t, 60*second, at)
}

func TestNewCapsErrors(t *testing.T) {
	_, err := window.NewCaps(limit(0, time.Second), limit(1, 0), limit(1, time.Second), limit(1, math.MaxInt64))
	require.ErrorContains(t, err, "cap 0: limit 0")
	require.ErrorContains(t, err, "cap 1: window 0s")
	require.ErrorContains(t, err, "cap 3: window")
	require.NotContains(t, err.Error(), "cap 2")
}

func TestGateAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	g := window.NewGate(caps(t, limit(100, time.Hour), limit(20, time.Minute)), 0)
	now := window.Instant(0)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now += second
		if at, ok := g.Allow(now); ok && at%7 == 0 {
			g.Undo(at)
		}
	}))
}

func TestEpoch(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	e := window.NewEpoch(start)
	require.Equal(t, window.Instant(1), e.Instant(start.Add(1)))
	require.Equal(t, -second, e.Instant(start.Add(-time.Second)))
	require.Equal(t, start.Add(time.Hour), e.Time(e.Instant(start.Add(time.Hour))))
	require.Equal(t, window.Never, e.Instant(time.Time{}))

	// The last Instant leaves room for the longest window.
	g := window.NewGate(caps(t, limit(1, window.MaxWindow)), 0)
	g.Add(e.Instant(start.AddDate(1000, 0, 0)))
	_, ok := g.Peek(e.Instant(start))
	require.False(t, ok)
}
