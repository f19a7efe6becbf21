package window_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/window"
)

func drawCaps(t *rapid.T) []window.Cap {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) window.Cap {
		return window.Cap{
			Limit:  rapid.IntRange(1, 6).Draw(t, "limit"),
			Window: time.Duration(rapid.IntRange(1, 60).Draw(t, "window")),
		}
	}), 0, 3).Draw(t, "caps")
}

// TestGateOracle: the gate answers as the list does, whatever the clock does. Undone events are
// exact while the clock runs forwards; TestGateConservative covers the rest.
func TestGateOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &list{caps: drawCaps(t)}
		g := window.NewGate(caps(t, l.caps...), rapid.IntRange(0, 9).Draw(t, "history"))
		undo := rapid.Bool().Draw(t, "undo")
		forced := !undo && rapid.Bool().Draw(t, "forced")
		least := -40
		if undo {
			least = 0
		}
		now := window.Instant(0)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now += window.Instant(rapid.IntRange(least, 25).Draw(t, "elapsed"))
			wantAt := l.allowedAt(now)
			at, ok := g.Peek(now)
			require.Equal(t, wantAt, at)
			require.Equal(t, l.allowed(now), ok)
			switch {
			case undo && len(l.events) > 0 && rapid.IntRange(0, 2).Draw(t, "undo") == 0:
				stamp := l.events[len(l.events)-1-rapid.IntRange(0, min(3, len(l.events)-1)).Draw(t, "which")]
				if g.Undo(stamp) {
					require.True(t, l.undo(stamp))
				}
			case forced && rapid.Bool().Draw(t, "add"):
				require.Equal(t, l.add(now), g.Add(now))
			default:
				if at, ok := g.Allow(now); ok {
					require.Equal(t, l.add(now), at)
				}
			}
			if n := len(l.events); n > 0 && !undo {
				require.Equal(t, l.events[n-1], g.Last())
			}
		}
		if !forced {
			for _, c := range l.caps {
				require.LessOrEqual(t, l.most(c.Window), c.Limit, "%v", l.events)
			}
		}
	})
}

// TestGateConservative: with any mixture of events, undone events and steps of the clock, the gate
// allows nothing that the list does not, and knows when it will.
func TestGateConservative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &list{caps: drawCaps(t)}
		g := window.NewGate(caps(t, l.caps...), 0)
		now := window.Instant(0)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now += window.Instant(rapid.IntRange(-40, 25).Draw(t, "elapsed"))
			at, ok := g.Peek(now)
			require.GreaterOrEqual(t, at, l.allowedAt(now))
			require.False(t, ok && !l.allowed(now))
			if !ok {
				_, later := g.Peek(at)
				require.True(t, later)
				_, sooner := g.Peek(at - 1)
				require.False(t, sooner)
			}
			switch rapid.IntRange(0, 2).Draw(t, "verb") {
			case 0:
				require.Equal(t, l.add(l.held(now)), g.Add(l.held(now)))
			case 1:
				if n := len(l.events); n > 0 {
					stamp := l.events[n-1-rapid.IntRange(0, min(7, n-1)).Draw(t, "which")]
					if g.Undo(stamp) {
						require.True(t, l.undo(stamp))
					}
				}
			case 2:
				if at, ok := g.Allow(l.held(now)); ok {
					require.Equal(t, l.add(now), at)
				}
			}
		}
	})
}

// TestGateCount: Count is that of the list, up to the history.
func TestGateCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &list{}
		history := rapid.IntRange(1, 12).Draw(t, "history")
		g := window.NewGate(window.Caps{}, history)
		now := window.Instant(0)
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			now += window.Instant(rapid.IntRange(-5, 9).Draw(t, "elapsed"))
			l.add(now)
			g.Add(now)
		}
		w := time.Duration(rapid.IntRange(1, 60).Draw(t, "window"))
		require.Equal(t, min(history, l.within(l.held(now), w)), g.Count(now, w))
	})
}

// TestRingOracle: a sum is that of the listed events whose span is live, less those that came too late.
func TestRingOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "buckets")
		width := rapid.IntRange(1, 10).Draw(t, "width")
		r, err := window.NewRing[counts](n, time.Duration(width))
		require.NoError(t, err)
		span := func(i window.Instant) int { return int(math.Floor(float64(i) / float64(width))) }

		now := window.Instant(rapid.IntRange(-200, 200).Draw(t, "start"))
		var events []window.Instant
		newest, late := math.MinInt, uint64(0)
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			now += window.Instant(rapid.IntRange(-20, 25).Draw(t, "elapsed"))
			if rapid.Bool().Draw(t, "event") {
				newest = max(newest, span(now))
				c := r.At(now)
				if newest-span(now) >= n {
					late++
					require.Nil(t, c)
				} else {
					c.calls++
					events = append(events, now)
				}
			}
			last := max(newest, span(now))
			k := rapid.IntRange(0, n).Draw(t, "live")
			want := 0
			for _, e := range events {
				if s := span(e); s > last-k {
					want++
				}
			}
			require.Equal(t, counts{calls: want}, total(r, now, k))
			require.Equal(t, late, r.Late())
		}
	})
}
