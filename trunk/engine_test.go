package trunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

var callee = outdial.MustNumber("+12125550123")

// TestRehearsalCountsNothing: Engine.Explain is told what a call would be told, and nothing is taken, counted or moved
// on, refusals included.
func TestRehearsalCountsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		limits  trunk.Limits
		outcome string
		calls   int // up already
	}{
		"room":     {trunk.Limits{Channels: 2, CPS: 3}, "dial", 1},
		"full":     {trunk.Limits{Channels: 2, CPS: 3}, "no_route", 2},
		"cps":      {trunk.Limits{Channels: 9, CPS: 2}, "no_route", 2},
		"smooth":   {trunk.Limits{Channels: 9, CPS: 2, Smooth: 3 * time.Second}, "dial", 2},
		"draining": {trunk.Limits{State: trunk.Draining}, "no_route", 0},
		"out":      {trunk.Limits{State: trunk.Out}, "no_route", 0},
		"fresh":    {trunk.Limits{}, "dial", 0},
	} {
		t.Run(name, func(t *testing.T) {
			asked, plain := newFixture(t, c.limits), newFixture(t, c.limits)
			e, err := outdial.New(outdial.Config{
				IDs: asked.ids, Router: outdial.Plan{*asked.c}, Trunks: asked.set,
			})
			require.NoError(t, err)
			place := func(f *fixture, now time.Time) (time.Time, error) {
				l, _, err := f.set.Acquire(now, nil, f.c)
				if err != nil {
					return time.Time{}, err
				}
				return f.set.Seize(now, nil, f.c, l)
			}
			for _, f := range []*fixture{asked, plain} {
				for range c.calls {
					_, err := place(f, start)
					require.NoError(t, err)
				}
			}
			before := asked.status(start)
			for range 100 {
				x := e.Explain(start, outdial.Call{To: callee})
				require.Equal(t, c.outcome, x.Outcome)
				require.Equal(t, "in_use", x.Candidates[0].Readings[0].Name)
				in := c.calls
				if name != "full" && c.limits.State == trunk.Live {
					in++
				}
				require.InDelta(t, in, x.Candidates[0].Readings[0].Value, 0)
			}
			e.Explain(at(time.Hour), outdial.Call{To: callee}) // what if it were later
			require.Equal(t, before, asked.status(start))
			for i := range 8 {
				now := at(time.Duration(i) * 300 * time.Millisecond)
				at1, err1 := place(asked, now)
				at2, err2 := place(plain, now)
				require.Equal(t, err2, err1)
				require.Equal(t, at2, at1)
				require.Equal(t, plain.status(now), asked.status(now))
			}
		})
	}
}

// TestNeverSent: an attempt that did not leave gives its channel and its place in the calls per second back.
func TestNeverSent(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 1, CPS: 1})
	e, err := outdial.New(outdial.Config{IDs: f.ids, Router: outdial.Plan{*f.c}, Trunks: f.set})
	require.NoError(t, err)
	s := e.NewSession()
	for range 3 {
		require.NoError(t, s.Begin(start, outdial.Call{To: callee}))
		step, err := s.Next(start)
		require.NoError(t, err)
		require.NoError(t, s.End(start, step.Attempt.ID, outdial.Result{Origin: outdial.OriginNeverSent}))
	}
	require.Zero(t, f.status(start).InUse)
	require.Zero(t, f.status(start).Seized)
}

type journal struct{ n int }

func (j *journal) Append(*outdial.Event) error {
	j.n++
	return nil
}

func (*journal) Replay(uint64, func(*outdial.Event) error) error { return nil }

// TestOrdersThatDoNothing: they are refused, change nothing, and are not journalled.
func TestOrdersThatDoNothing(t *testing.T) {
	f, j := newFixture(t, trunk.Limits{}), &journal{}
	e, err := outdial.New(outdial.Config{IDs: f.ids, Router: outdial.Plan{*f.c}, Trunks: f.set, Journal: j})
	require.NoError(t, err)
	f.ids.Trunks.Add("beta") // known by name, but not configured
	order := func(action, target, value string, expires time.Time) error {
		return e.Control(start, outdial.Control{
			Actor: "ops", Action: action, Target: target, Value: value, Reason: "test", Expires: expires,
		})
	}
	for _, action := range []string{trunk.ActionDrain, trunk.ActionOut, trunk.ActionLive} {
		require.ErrorContains(t, order(action, "gamma", "", time.Time{}), `no trunk "gamma"`)
		require.ErrorContains(t, order(action, "beta", "", time.Time{}), "no trunk")
		require.ErrorContains(t, order(action, "", "", time.Time{}), "no trunk")
		require.ErrorContains(t, order(action, "alpha", "canary", time.Time{}), `Value: "canary"`)
		require.ErrorContains(t, order(action, "alpha", "", start), "is past")
	}
	require.Zero(t, j.n)
	require.Equal(t, trunk.Live, f.status(start).State)
	require.NoError(t, order("trunks.unheard_of", "gamma", "x", start), "an action of others")
	require.NoError(t, order(trunk.ActionDrain, "alpha", "", at(1)))
	require.Equal(t, trunk.Draining, f.status(start).State)
	require.Equal(t, 2, j.n)
	require.NoError(t, f.set.Update(trunk.Config{IDs: f.ids, Trunks: []trunk.Limits{{Name: "beta"}}}))
	require.ErrorContains(t, order(trunk.ActionLive, "alpha", "", time.Time{}), "no trunk", "no longer configured")
}
