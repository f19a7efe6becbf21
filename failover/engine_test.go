package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

var callee = outdial.MustNumber("+12125550123")

// TestRehearsalLeavesNoTrace: Engine.Explain asks, and neither health, nor probes, nor turns remember it.
func TestRehearsalLeavesNoTrace(t *testing.T) {
	plan := outdial.Plan{on(1, 0, 60), on(2, 0, 30), on(3, 0, 10), on(4, 0, 7), on(5, 1, 3), on(6, 1, 4)}
	build := func() (*bench, *outdial.Engine) {
		b := newBench(t, failover.Config{Jitter: -1}, plan...)
		e, err := outdial.New(outdial.Config{Router: plan, Failover: b.s, MaxAttempts: 8})
		require.NoError(t, err)
		return b, e
	}
	asked, e := build()
	plain, _ := build()
	// Before any turn was taken, among turns, and while a probe is due.
	for phase := range 3 {
		now := at(time.Duration(phase) * time.Minute)
		for _, b := range []*bench{asked, plain} {
			if phase == 2 {
				for range 3 {
					b.end(at(100*time.Second), 3, 0, ended(outdial.OriginTransport))
				}
			}
		}
		before := asked.s.Snapshot(now)
		for range 100 {
			x := e.Explain(now, outdial.Call{To: callee})
			require.Equal(t, "dial", x.Outcome)
			probes := 0
			for _, c := range x.Candidates {
				require.Equal(t, "dialled", c.Fate)
				if c.Chosen == "probe" {
					probes++
				}
			}
			require.Equal(t, phase == 2, probes == 1)
		}
		require.Equal(t, before, asked.s.Snapshot(now))
		for i := range 40 {
			x, why := asked.pick(now, 63)
			y, because := plain.pick(now, 63)
			require.Equal(t, y, x, "phase %d, pick %d", phase, i)
			require.Equal(t, because, why)
		}
		require.Equal(t, plain.s.Snapshot(now), asked.s.Snapshot(now))
	}
}

// otherWeights is a router that gives every call another tier of the same trunks.
type otherWeights struct{ n int }

func (*otherWeights) Admit(time.Time, *outdial.Call) (time.Time, error) { return time.Time{}, nil }

func (o *otherWeights) Route(_ time.Time, _ *outdial.Call, dst []outdial.Candidate) ([]outdial.Candidate, error) {
	o.n++
	return append(dst, on(1, 0, o.n+10), on(2, 0, 3)), nil
}

// TestRehearsalForgetsNoTurns: turns of tiers that were only asked about displace none of those that are in use.
func TestRehearsalForgetsNoTurns(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 5), on(2, 0, 5))
	e, err := outdial.New(outdial.Config{Router: &otherWeights{}, Failover: b.s})
	require.NoError(t, err)
	first, _ := b.pick(start, 3)
	for range 12_000 {
		e.Explain(start, outdial.Call{To: callee})
	}
	next, _ := b.pick(start, 3)
	require.NotEqual(t, first, next)
}

// TestControls: an order that would do nothing is refused, changes nothing and is not journalled.
func TestControls(t *testing.T) {
	ids := &outdial.Registry{}
	ids.Trunks.Add("alpha")
	s := newSelector(t, failover.Config{IDs: ids})
	j := &journal{}
	e, err := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{on(1, 0, 0)}, Failover: s, Journal: j})
	require.NoError(t, err)
	order := func(action, target string, expires time.Time) error {
		return e.Control(start, outdial.Control{Actor: "ops", Action: action, Target: target, Reason: "test", Expires: expires})
	}
	require.ErrorContains(t, order(failover.ActionHold, "gamma", time.Time{}), `no trunk "gamma"`)
	require.ErrorContains(t, order(failover.ActionRelease, "", time.Time{}), "no trunk")
	require.ErrorContains(t, order(failover.ActionHold, "alpha", start), "is past")
	require.Empty(t, j.events)
	require.Empty(t, s.Snapshot(start))
	require.ErrorContains(t, newSelector(t, failover.Config{}).CheckControl(start, &outdial.Control{
		Action: failover.ActionHold, Target: "alpha",
	}), "registry")

	require.NoError(t, order("trunk.drain", "gamma", time.Time{}), "an action of others")
	require.NoError(t, order(failover.ActionHold, "alpha", at(1)))
	require.Len(t, j.events, 2)
	require.Equal(t, failover.Held, s.Snapshot(start)[0].State)
	require.NoError(t, order(failover.ActionRelease, "alpha", time.Time{}))
	require.Equal(t, failover.Up, s.Snapshot(start)[0].State)
}

// journal keeps the kinds of events.
type journal struct{ events []outdial.EventKind }

func (j *journal) Append(ev *outdial.Event) error {
	j.events = append(j.events, ev.Kind)
	return nil
}

func (j *journal) Replay(uint64, func(*outdial.Event) error) error { return nil }

// TestNeverSent: a leg that did not leave costs its target no turn and its probe nothing.
func TestNeverSent(t *testing.T) {
	plan := outdial.Plan{on(1, 0, 50), on(2, 0, 50)}
	b := newBench(t, failover.Config{Jitter: -1}, plan...)
	e, err := outdial.New(outdial.Config{Router: plan, Failover: b.s})
	require.NoError(t, err)
	place := func(now time.Time, sent bool) outdial.TrunkID {
		s := e.NewSession()
		require.NoError(t, s.Begin(now, outdial.Call{To: callee}))
		step, err := s.Next(now)
		require.NoError(t, err)
		trunk := step.Attempt.Candidate.Trunk
		res := outdial.Result{Origin: outdial.OriginNeverSent}
		if sent {
			res = final(486)
		}
		require.NoError(t, s.End(now.Add(time.Second), step.Attempt.ID, res))
		return trunk
	}
	first := place(start, false)
	require.Equal(t, first, place(start, false))
	require.Equal(t, first, place(start, true))
	require.NotEqual(t, first, place(start, true))

	for range 3 {
		b.end(start, 2, 0, ended(outdial.OriginTransport))
	}
	for range 3 {
		require.Equal(t, outdial.TrunkID(2), place(at(time.Minute), false), "a probe")
	}
	require.Equal(t, failover.Out, b.target(at(time.Minute), 2, 0).State)
}
