package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestHoldAfterAHold: whether anybody looked after the first one lapsed makes no difference.
func TestHoldAfterAHold(t *testing.T) {
	for _, looked := range []bool{true, false} {
		ids := &outdial.Registry{}
		ids.Trunks.Add("alpha")
		b := newBench(t, failover.Config{IDs: ids}, on(1, 0, 0))
		hold := func(now, until time.Time) {
			b.s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: &outdial.Control{
				Action: failover.ActionHold, Target: "alpha", Expires: until,
			}})
		}
		hold(start, at(time.Hour))
		hold(at(time.Minute), at(2*time.Hour))
		require.Equal(t, start, b.target(at(time.Minute), 1, 0).Since, "extended")
		if looked {
			b.s.Advance(at(2 * time.Hour))
		}
		hold(at(3*time.Hour), at(4*time.Hour))
		require.Equal(t, at(3*time.Hour), b.target(at(3*time.Hour), 1, 0).Since, "looked: %v", looked)
	}
}

// TestAgain: where nothing is offered, the first end of a hold is when to ask again.
func TestAgain(t *testing.T) {
	ids := &outdial.Registry{}
	ids.Trunks.Add("alpha", "beta", "gamma")
	b := newBench(t, failover.Config{IDs: ids}, on(1, 0, 0), on(2, 0, 0), on(3, 1, 0))
	for target, until := range map[string]time.Time{"alpha": {}, "beta": at(2 * time.Hour), "gamma": at(time.Hour)} {
		b.s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: start, Control: &outdial.Control{
			Action: failover.ActionHold, Target: target, Expires: until,
		}})
	}
	for eligible, again := range map[uint64]time.Time{0: {}, 1: {}, 2: at(2 * time.Hour), 3: at(2 * time.Hour), 7: at(time.Hour)} {
		i, choice := b.s.Pick(start, &b.call, b.plan, eligible)
		require.Equal(t, -1, i)
		require.Equal(t, outdial.Choice{Again: again}, choice, "%b", eligible)
	}
	i, choice := b.s.Pick(at(time.Hour), &b.call, b.plan, 7)
	require.Equal(t, 2, i)
	require.Zero(t, choice.Again)
}

func TestHold(t *testing.T) {
	ids := &outdial.Registry{}
	ids.Trunks.Add("alpha", "beta")
	b := newBench(t, failover.Config{IDs: ids}, on(1, 0, 0), on(2, 1, 0))
	order := func(now time.Time, action, target string, expires time.Time) {
		b.s.Observe(&outdial.Event{
			Kind: outdial.EventControl, Time: now, Replay: true,
			Control: &outdial.Control{Action: action, Target: target, Expires: expires},
		})
	}
	order(start, failover.ActionHold, "gamma", time.Time{})
	order(start, failover.ActionHold, "alpha", at(time.Hour))
	trunk, _ := b.pick(start, 3)
	require.Equal(t, outdial.TrunkID(2), trunk)
	trunk, _ = b.pick(start, 1)
	require.Zero(t, trunk, "not even as a last resort")
	st := b.target(start, 1, 0)
	require.Equal(t, failover.Held, st.State)
	require.Equal(t, "alpha", st.Name)
	require.Equal(t, at(time.Hour), b.s.Advance(start))
	trunk, _ = b.pick(at(time.Hour), 3)
	require.Equal(t, outdial.TrunkID(1), trunk)

	order(at(time.Hour), failover.ActionHold, "alpha", time.Time{})
	trunk, _ = b.pick(at(1000*time.Hour), 3)
	require.Equal(t, outdial.TrunkID(2), trunk)
	order(at(1000*time.Hour), failover.ActionRelease, "alpha", time.Time{})
	trunk, _ = b.pick(at(1000*time.Hour), 3)
	require.Equal(t, outdial.TrunkID(1), trunk)
}
