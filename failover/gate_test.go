package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestGate: a gated trunk takes no call, not even as a last resort, until a test of it was passed; a pass may end, and a failed
// test ends it. Calls that have nobody else are refused meanwhile, and the findings say why.
func TestGate(t *testing.T) {
	ids := named("a", "b")
	cfg := failover.Config{IDs: ids, KeepWarm: -1, Trunks: []failover.Trunk{{Name: "a"}, {Name: "b", Gated: true}}}
	s := newSelector(t, cfg)
	j := &memory{}
	build := func(s *failover.Selector) *outdial.Engine {
		e, err := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: 2}}, Failover: s, Journal: j})
		require.NoError(t, err)
		return e
	}
	e := build(s)
	place := func(now time.Time) error {
		session := e.NewSession()
		if err := session.Begin(now, outdial.Call{To: callee}); err != nil {
			return err
		}
		step, err := session.Next(now)
		if err != nil {
			return err
		}
		return session.End(now, step.Attempt.ID, final(486))
	}
	order := func(now time.Time, action string, expires time.Time) {
		require.NoError(t, e.Control(now, outdial.Control{
			Actor: "ops", Action: action, Target: "b", Reason: "a trial run", Value: "93 of 100 calls got through", Expires: expires,
		}))
	}
	codes := func(now time.Time) (list []failover.FindingCode) {
		for _, f := range s.Alarms(now, now) {
			list = append(list, f.Code)
		}
		for _, f := range s.Lint(now, []failover.Route{{Group: "UK", Plan: []outdial.Candidate{{Trunk: 1}, {Trunk: 2}}}}) {
			if f.Code == failover.FindingGated {
				list = append(list, f.Code)
			}
		}
		return list
	}

	var none *outdial.NoRouteError
	require.ErrorAs(t, place(start), &none)
	require.ErrorIs(t, none.Skipped[0].Err, outdial.ErrNotOffered)
	require.Zero(t, s.Health(start, 2, 7))
	require.Equal(t, []failover.FindingCode{failover.FindingGated, failover.FindingGated}, codes(start))
	st := s.Snapshot(start)[1]
	require.Equal(t, failover.Held, st.State)
	require.Equal(t, "no test was passed", st.Why)

	order(start, failover.ActionPass, at(time.Hour))
	require.NoError(t, place(start))
	require.Empty(t, codes(start))
	require.Equal(t, start, s.Snapshot(start)[1].Tested)
	require.Equal(t, at(time.Hour), s.Advance(start))
	require.NoError(t, place(at(time.Hour-1)))
	require.ErrorAs(t, place(at(time.Hour)), &none, "the pass is over")
	require.Equal(t, at(time.Hour), s.Alarms(at(2*time.Hour), start)[0].Since)

	order(at(2*time.Hour), failover.ActionPass, time.Time{})
	require.NoError(t, place(at(20*time.Hour)))
	order(at(21*time.Hour), failover.ActionFail, time.Time{})
	require.ErrorAs(t, place(at(21*time.Hour)), &none)

	// All of that is in the journal; what is gated is a matter of the configuration.
	again := newSelector(t, cfg)
	_, err := build(again).Recover(at(22 * time.Hour))
	require.NoError(t, err)
	require.Equal(t, s.Snapshot(at(22*time.Hour)), again.Snapshot(at(22*time.Hour)))
	cfg.Trunks[1].Gated = false
	open := newSelector(t, cfg)
	_, err = build(open).Recover(at(22 * time.Hour))
	require.NoError(t, err)
	require.InDelta(t, 1, open.Health(at(22*time.Hour), 2, 0), 0)
	require.ErrorContains(t, s.CheckControl(start, &outdial.Control{Action: failover.ActionPass, Target: "x"}), `no trunk "x"`)
	require.ErrorContains(t, s.CheckControl(at(1), &outdial.Control{Action: failover.ActionPass, Target: "a", Expires: start}), "is past")
}

// memory is a journal in memory.
type memory struct{ events []outdial.Event }

func (m *memory) Append(ev *outdial.Event) error {
	ev.Seq = uint64(len(m.events)) + 1
	kept := *ev
	if ev.Attempt != nil {
		a := *ev.Attempt
		a.Channel, a.Use = 0, 0
		kept.Attempt = &a
	}
	m.events = append(m.events, kept)
	return nil
}

func (m *memory) Replay(after uint64, fn func(*outdial.Event) error) error {
	for _, ev := range m.events[min(after, uint64(len(m.events))):] {
		ev.Replay = true
		if ev.Attempt != nil {
			a := *ev.Attempt
			ev.Attempt = &a
		}
		if err := fn(&ev); err != nil {
			return err
		}
	}
	return nil
}
