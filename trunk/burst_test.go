package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

func TestBurstWindow(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 2, Burst: trunk.Burst{
		Channels: 4, Window: 10 * time.Minute, Rest: 5 * time.Minute, Budget: -1, From: outdial.PriorityNormal,
	}})
	normal := &outdial.Call{Priority: outdial.PriorityNormal}
	a, b := f.acquire(start), f.acquire(start)
	f.refused(start, trunk.ErrChannels) // bulk calls do not burst
	require.NoError(t, f.ask(start, normal))
	require.True(t, f.status(at(9*time.Minute)).Burst.Allowed)
	require.NoError(t, f.ask(at(9*time.Minute), normal))
	require.ErrorIs(t, f.ask(at(9*time.Minute), normal), trunk.ErrChannels, "the burst ceiling")
	f.set.Release(at(9*time.Minute), a)
	require.ErrorIs(t, f.ask(at(10*time.Minute), normal), trunk.ErrBurstBudget, "the window is over")
	require.Equal(t, 3, f.status(at(10*time.Minute)).InUse, "no call is dropped")
	require.ErrorIs(t, f.ask(at(15*time.Minute), normal), trunk.ErrBurstBudget, "use was not back within the base")
	f.set.Release(at(15*time.Minute), b)
	require.NoError(t, f.ask(at(15*time.Minute), normal), "rested, and back within the base")
	st := f.status(at(16 * time.Minute))
	require.Equal(t, 3, st.InUse)
	require.Equal(t, 9*time.Minute+2*0+1*6*time.Minute+1*time.Minute, st.Burst.Total)
	require.Equal(t, uint64(2), st.Blocked.Burst)
}

func TestBurstBudgetIsOfADay(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 1, Burst: trunk.Burst{Channels: 3, Budget: time.Hour, Zone: "America/New_York"}})
	night := time.Date(2026, 3, 3, 4, 30, 0, 0, time.UTC) // half an hour before midnight there
	f.acquire(night)
	l := f.acquire(night)
	require.Equal(t, 30*time.Minute, f.status(night.Add(30*time.Minute-1)).Burst.Today+1)
	st := f.status(night.Add(50 * time.Minute))
	require.Equal(t, 20*time.Minute, st.Burst.Today, "a new day")
	require.Equal(t, 50*time.Minute, st.Burst.Total)
	f.acquire(night.Add(50 * time.Minute))
	st = f.status(night.Add(70 * time.Minute))
	require.Equal(t, time.Hour, st.Burst.Today)
	require.Zero(t, st.Burst.Left)
	f.set.Release(night.Add(70*time.Minute), l)
	f.refused(night.Add(70*time.Minute), trunk.ErrBurstBudget)
	alerts := f.set.Alerts(nil)
	require.Equal(t, trunk.AlertBurstSpent, alerts[len(alerts)-1].Kind)
	f.acquire(night.Add(25 * time.Hour))
}

func TestBurstPrice(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 1, Burst: trunk.Burst{Channels: 2, Budget: -1, Price: 7}})
	require.Zero(t, f.set.BurstPrice(start, f.c.Trunk))
	f.acquire(start)
	require.Equal(t, outdial.Micros(7), f.set.BurstPrice(start, f.c.Trunk))
	require.Zero(t, f.set.BurstPrice(start, 99))
}

// TestBurstSum: what is billed is the sum over time of what was used above the base, whatever the order of calls and of
// changes of the base; and a replay of the same calls from a journal comes to the same.
func TestBurstSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := trunk.Limits{Channels: 2, Burst: trunk.Burst{Channels: 6, Budget: -1}}
		live, again := newFixture(t, limits), newFixture(t, limits)
		now, base := start, 2
		var want time.Duration
		type up struct {
			lease outdial.Lease
			a     outdial.Attempt
		}
		var held []up
		step := func() {
			d := time.Duration(rapid.IntRange(0, 5_000_000).Draw(t, "ms")) * time.Millisecond
			now = now.Add(d)
			want += d * time.Duration(max(len(held)-base, 0))
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			step()
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				l, _, err := live.set.Acquire(now, nil, live.c)
				if err != nil {
					require.GreaterOrEqual(t, len(held), 6)
					continue
				}
				a := outdial.Attempt{Candidate: *live.c, Start: now}
				held = append(held, up{l, a})
				again.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Replay: true, Attempt: &a})
				a.Channel = l
				live.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &a})
			case 2, 3:
				if len(held) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(held)-1).Draw(t, "which")
				h := held[i]
				held = append(held[:i:i], held[i+1:]...)
				live.set.Release(now, h.lease)
				again.set.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Replay: true, Attempt: &h.a})
				h.a.Channel = h.lease
				live.set.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &h.a})
			case 4:
				base = rapid.IntRange(1, 5).Draw(t, "base")
				order := &outdial.Control{Action: trunk.ActionChannels, Target: "alpha", Value: string(rune('0' + base))}
				live.set.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: order})
				again.set.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: order, Replay: true})
			}
		}
		step()
		a, b := live.status(now), again.status(now)
		require.Equal(t, want, a.Burst.Total)
		require.Equal(t, a.Burst.Total, b.Burst.Total)
		require.Equal(t, a.Burst.Today, b.Burst.Today)
		require.Equal(t, a.Traffic, b.Traffic)
	})
}
