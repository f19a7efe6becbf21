package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// TestReplayEndsOrders: an order that ended before an event had ended in the replay too, where nobody calls Advance.
func TestReplayEndsOrders(t *testing.T) {
	run := func(replay bool, l trunk.Limits, order outdial.Control, started, ended time.Time, r outdial.Result) trunk.Status {
		f := newFixture(t, l)
		observe := func(ev outdial.Event) {
			ev.Replay = replay
			if !replay {
				f.set.Advance(ev.Time)
			}
			f.set.Observe(&ev)
		}
		order.Actor, order.Target, order.Expires = "kim", "alpha", at(time.Minute)
		observe(outdial.Event{Kind: outdial.EventControl, Time: start, Control: &order})
		var up []*outdial.Attempt
		for range 40 {
			a := &outdial.Attempt{Candidate: *f.c, Start: started}
			if !replay {
				a.Channel = 1
			}
			observe(outdial.Event{Kind: outdial.EventStarted, Time: started, Attempt: a})
			up = append(up, a)
		}
		for _, a := range up[:12] {
			a.State, a.Result = outdial.AttemptEnded, r
			observe(outdial.Event{Kind: outdial.EventEnded, Time: ended, Attempt: a})
		}
		return f.status(at(4 * time.Minute))
	}
	for name, c := range map[string]struct {
		limits         trunk.Limits
		order          outdial.Control
		started, ended time.Time
		result         outdial.Result
	}{
		"trial": {
			trunk.Limits{Channels: 100, CPS: -1, Reserve: -1, State: trunk.Staged, Trial: trunk.Trial{Calls: 10, Channels: -1, CPS: -1}},
			outdial.Control{Action: trunk.ActionCanary},
			at(50 * time.Second), at(3 * time.Minute),
			outdial.Result{Origin: outdial.OriginCarrier, Code: 486},
		},
		"channels": {
			trunk.Limits{Channels: 100, CPS: -1, Reserve: -1},
			outdial.Control{Action: trunk.ActionChannels, Value: "10"},
			at(2 * time.Minute), at(3 * time.Minute),
			outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "channel limit"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			live := run(false, c.limits, c.order, c.started, c.ended, c.result)
			again := run(true, c.limits, c.order, c.started, c.ended, c.result)
			require.Equal(t, live.State, again.State)
			require.Equal(t, live.Trial, again.Trial)
			require.Equal(t, live.Learned.Limit, again.Learned.Limit)
		})
	}
}

// TestTrialJudgesItsOwnCalls: calls that were placed before a trial do not pass it.
func TestTrialJudgesItsOwnCalls(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 100, CPS: -1, Trial: trunk.Trial{Calls: 10}})
	busy := outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
	var up []*outdial.Attempt
	for range 10 {
		up = append(up, f.started(start))
	}
	require.NoError(t, f.order(at(time.Minute), trunk.ActionCanary, "", time.Time{}))
	for _, a := range up {
		f.ended(at(2*time.Minute), a, busy)
	}
	require.Equal(t, trunk.Canary, f.status(at(2*time.Minute)).State)
	for range 10 {
		f.ended(at(3*time.Minute), f.started(at(2*time.Minute)), busy)
	}
	require.Equal(t, trunk.Live, f.status(at(3*time.Minute)).State)
}

// TestRehearsalEndsNoOrder: asking what would be later does not make it later.
func TestRehearsalEndsNoOrder(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 10})
	e, err := outdial.New(outdial.Config{IDs: f.ids, Router: outdial.Plan{*f.c}, Trunks: f.set})
	require.NoError(t, err)
	require.NoError(t, f.order(start, trunk.ActionDrain, "", at(30*time.Minute)))
	later := e.Explain(at(time.Hour), outdial.Call{To: callee})
	require.Equal(t, trunk.Draining, f.status(start).State)
	require.Nil(t, later.Candidates[0].Refused, "by then it has ended")
	now := e.Explain(at(time.Minute), outdial.Call{To: callee})
	require.Equal(t, trunk.ErrDraining.Code(), now.Candidates[0].Refused.Code)
}

// TestRestoreKeepsTheSecond: what left before a restart still counts in the windows that it falls into, and rejections of
// calls from before still teach the rate.
func TestRestoreKeepsTheSecond(t *testing.T) {
	restart := func(f *fixture, l trunk.Limits) *fixture {
		file, err := f.set.Save(0)
		require.NoError(t, err)
		set, err := trunk.New(trunk.Config{IDs: f.ids, Trunks: []trunk.Limits{named(l)}})
		require.NoError(t, err)
		require.NoError(t, set.Restore(file))
		return &fixture{t: t, set: set, ids: f.ids, c: f.c}
	}
	l := trunk.Limits{Channels: -1, CPS: 5, Sustain: 1, SustainWindow: 30 * time.Second, Reserve: -1}
	f, left := newFixture(t, l), 0
	for s := range 20 {
		for range 5 {
			if _, err := f.set.Seize(at(time.Duration(s)*time.Second), nil, f.c, 0); err == nil {
				left++
			}
		}
	}
	require.Equal(t, 30, left)
	f = restart(f, l)
	_, err := f.set.Seize(at(29*time.Second), nil, f.c, 0)
	require.ErrorIs(t, err, trunk.ErrCPS)
	_, err = f.set.Seize(at(30*time.Second), nil, f.c, 0)
	require.NoError(t, err)

	l = trunk.Limits{Channels: -1, CPS: 50, Reserve: -1}
	learn := func(again bool) int {
		f := newFixture(t, l)
		var up []*outdial.Attempt
		for range 30 {
			up = append(up, f.started(start))
		}
		if again {
			f = restart(f, l)
		}
		for _, a := range up[:2] {
			a.Channel = 0
			f.ended(at(50*time.Millisecond), a, outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "CPS limit"})
		}
		return f.status(at(time.Second)).LearnedCPS.Limit
	}
	require.Equal(t, 29, learn(false))
	require.Equal(t, 29, learn(true))
}
