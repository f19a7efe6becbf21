package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// TestBurstIsAboveWhatIsPaid: a learned ceiling, or a trial, keeps the ceiling down; what is used below the channels that are
// paid for is no burst for that.
func TestBurstIsAboveWhatIsPaid(t *testing.T) {
	limits := trunk.Limits{Channels: 100, CPS: -1, Reserve: -1, Burst: trunk.Burst{Channels: 150, Budget: 10 * time.Minute, Price: 5}}
	full := func() *fixture {
		f := newFixture(t, limits)
		for range 100 {
			f.acquire(start)
		}
		return f
	}
	t.Run("learned", func(t *testing.T) {
		f := full()
		for range 60 {
			f.started(start)
		}
		f.rejected(start, "channel limit")
		f.rejected(start, "channel limit")
		st := f.status(at(10 * time.Minute))
		require.Equal(t, 60, st.Channels)
		require.Zero(t, st.Burst.Total)
	})
	t.Run("price", func(t *testing.T) {
		f := full()
		require.EqualValues(t, 5, f.set.BurstPrice(start, f.c.Trunk))
		f.set.Release(start, 0)
		f = newFixture(t, limits)
		for range 80 {
			f.acquire(start)
		}
		f.learnChannels()
		require.Equal(t, 80, f.status(start).Channels)
		require.Zero(t, f.set.BurstPrice(start, f.c.Trunk), "the next channel is one of the 100")
	})
	t.Run("trial", func(t *testing.T) {
		f := full()
		require.NoError(t, f.order(start, trunk.ActionCanary, "", at(time.Minute)))
		f.set.Advance(at(time.Minute))
		require.Equal(t, trunk.Live, f.status(at(time.Minute)).State)
		require.Zero(t, f.status(at(time.Minute)).Burst.Total)
		f.acquire(at(2 * time.Minute))
		require.Equal(t, time.Minute, f.status(at(3*time.Minute)).Burst.Total)
	})
}

// TestRemovedTrunkGoesOnCounting: calls that end while their trunk is not configured are not up when it is again.
func TestRemovedTrunkGoesOnCounting(t *testing.T) {
	l := trunk.Limits{Channels: 100, CPS: -1, Reserve: -1, Burst: trunk.Burst{Channels: 110, Budget: -1}}
	for _, replay := range []bool{false, true} {
		f := newFixture(t, l)
		event := func(kind outdial.EventKind, now time.Time, a *outdial.Attempt) {
			f.set.Observe(&outdial.Event{Kind: kind, Time: now, Attempt: a, Replay: replay})
		}
		var up []*outdial.Attempt
		for range 105 {
			a := &outdial.Attempt{Candidate: *f.c, Start: start}
			if !replay {
				a.Channel = 1
			}
			event(outdial.EventStarted, start, a)
			up = append(up, a)
		}
		require.NoError(t, f.set.Update(trunk.Config{IDs: f.ids}))
		for _, a := range up {
			a.State, a.Result = outdial.AttemptEnded, outdial.Result{Origin: outdial.OriginCalleeHangup}
			event(outdial.EventEnded, at(time.Minute), a)
		}
		f.update(l)
		if replay {
			require.Equal(t, 5*time.Minute, f.status(at(time.Hour)).Burst.Total, "5 above the base, for a minute")
		}
		for range 20 {
			f.started(at(2 * time.Minute))
		}
		f.rejected(at(2*time.Minute), "channel limit")
		f.rejected(at(2*time.Minute), "channel limit")
		require.Equal(t, 20, f.status(at(3*time.Minute)).Learned.Limit)
	}
}

// TestSaturationFollowsTheCeiling: a ceiling that comes down to what is in use is told of at once.
func TestSaturationFollowsTheCeiling(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 100, CPS: -1, Alarm: 0.8})
	for range 50 {
		f.acquire(start)
	}
	st := f.status(start)
	require.Equal(t, 0.5, st.Saturation)
	require.False(t, st.Saturated)
	f.update(trunk.Limits{Channels: 20, CPS: -1})
	st = f.status(start)
	require.Equal(t, 2.5, st.Saturation)
	require.True(t, st.Saturated)
	require.Equal(t, trunk.AlertSaturated, f.set.Alerts(nil)[0].Kind)
}
