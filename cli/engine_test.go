package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// journal keeps copies of the events in memory.
type journal struct{ events []outdial.Event }

func (j *journal) Append(ev *outdial.Event) error {
	kept := *ev
	if ev.Attempt != nil {
		a := *ev.Attempt
		kept.Attempt = &a
	}
	ev.Seq = uint64(len(j.events) + 1)
	kept.Seq = ev.Seq
	j.events = append(j.events, kept)
	return nil
}

func (j *journal) Replay(after uint64, fn func(*outdial.Event) error) error {
	for _, ev := range j.events[after:] {
		ev.Replay = true
		if ev.Attempt != nil {
			a := *ev.Attempt
			a.Use, a.Channel = 0, 0
			ev.Attempt = &a
		}
		if err := fn(&ev); err != nil {
			return err
		}
	}
	return nil
}

// TestNeverSentIsTakenBack: what never left counts neither live nor after a restart, whatever came before and after it.
func TestNeverSentIsTakenBack(t *testing.T) {
	for name, order := range map[string][]bool{ // sent?
		"alone": {false}, "first": {false, true}, "last": {true, false}, "between": {true, false, true}, "two": {false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			var ids outdial.Registry
			cfg := survey(&ids, num(212, 1), num(212, 2))
			cfg.Limits = cli.Limits{Caps: []cli.Cap{{3, time.Hour}}, Spacing: -1}
			cfg.Callee = []cli.Cap{{2, time.Hour}}
			j := &journal{}
			build := func() (*cli.Governor, *outdial.Engine) {
				g := mustNew(t, cfg)
				e, err := outdial.New(outdial.Config{
					IDs: &ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t")}}, CLIs: g, Journal: j,
				})
				require.NoError(t, err)
				return g, e
			}
			live, e := build()
			s, now, sent := e.NewSession(), t0, 0
			for _, leaves := range order {
				now = now.Add(time.Second)
				require.NoError(t, s.Begin(now, *callTo(&ids, "survey", callee)))
				step, err := s.Next(now)
				require.NoError(t, err)
				res := outdial.Result{Origin: outdial.OriginNeverSent}
				if leaves {
					sent++
					res = outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
				}
				now = now.Add(time.Second)
				require.NoError(t, s.End(now, step.Attempt.ID, res))
			}
			replayed, again := build()
			_, err := again.Recover(now)
			require.NoError(t, err)
			require.Equal(t, live.Snapshot(now).Pools, replayed.Snapshot(now).Pools)
			used := 0
			for _, n := range replayed.Snapshot(now).Pools[0].Numbers {
				used += n.Uses[0].Used
			}
			require.Equal(t, sent, used)
			for i := range 3 { // the callee's count is the same: two calls an hour
				call := callTo(&ids, "survey", callee)
				call.ID = outdial.CallID(i + 1)
				p1, again1, err1 := live.Reserve(now, call, &outdial.Candidate{}, 0)
				p2, again2, err2 := replayed.Reserve(now, call, &outdial.Candidate{}, 0)
				require.Equal(t, i >= 2-sent, err1 != nil)
				require.Equal(t, err1, err2)
				require.True(t, again1.Equal(again2))
				require.Equal(t, p1.Number, p2.Number)
			}
		})
	}
}

// TestOpenAtARestart: an attempt that was open when the process died may have left, and stays counted.
func TestOpenAtARestart(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	g := mustNew(t, cfg)
	a := &outdial.Attempt{
		ID: outdial.AttemptID{Call: 7, Leg: 1}, Call: *callTo(&ids, "survey", callee), CLI: num(212, 1),
		Pool: ids.Pools.ID("survey"), Start: t0,
	}
	g.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: t0, Replay: true, Attempt: a})
	a.State, a.Result = outdial.AttemptEnded, outdial.Result{Origin: outdial.OriginUnknown}
	g.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: at(time.Second), Attempt: a})
	a.Result.Origin = outdial.OriginNeverSent // told twice: the second counts no more
	g.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: at(time.Second), Attempt: a})
	n, _ := g.Number(t0, num(212, 1))
	require.Equal(t, 1, n.Uses[0].Used)
}

// TestRehearsalCountsNothing: Engine.Explain chooses as a call would, and the next call finds everything as it was: who
// is next, who is remembered, and who was forgotten for want of room.
func TestRehearsalCountsNothing(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2), num(415, 3))
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{2, time.Hour}}, Spacing: -1}
	cfg.Callee, cfg.MaxCallees = []cli.Cap{{2, time.Minute}}, 2
	build := func() (*cli.Governor, *outdial.Engine) {
		g := mustNew(t, cfg)
		e, err := outdial.New(outdial.Config{IDs: &ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t")}}, CLIs: g})
		require.NoError(t, err)
		return g, e
	}
	asked, e := build()
	plain, _ := build()
	others := []outdial.Number{num(305, 9), num(907, 8), callee}
	now := t0
	for i := range 6 {
		now = now.Add(70 * time.Second) // the callees remembered may be displaced now
		before := asked.Snapshot(now)
		for k := range 100 {
			x := e.Explain(now, *callTo(&ids, "survey", others[k%3]))
			if x.Outcome == "dial" {
				require.NotZero(t, x.Candidates[0].CLI)
			}
		}
		require.Equal(t, before, asked.Snapshot(now))
		call := callTo(&ids, "survey", others[i%2])
		call.ID = outdial.CallID(i + 1)
		p1, again1, err1 := asked.Reserve(now, call, &outdial.Candidate{}, 0)
		p2, again2, err2 := plain.Reserve(now, call, &outdial.Candidate{}, 0)
		require.Equal(t, err2, err1)
		require.Equal(t, again2, again1)
		require.Equal(t, p2, p1)
		require.Equal(t, plain.Snapshot(now), asked.Snapshot(now))
	}
}

// TestControlsThatDoNothing: they are refused, change nothing, and are not journalled.
func TestControlsThatDoNothing(t *testing.T) {
	var ids outdial.Registry
	ids.Programs.ID("elsewhere") // known to the registry, but nobody presents for it
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Numbers[1].Pool = "" // in stock
	g := mustNew(t, cfg)
	j := &journal{}
	e, err := outdial.New(outdial.Config{IDs: &ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t")}}, CLIs: g, Journal: j})
	require.NoError(t, err)
	control := func(action, target, value string, expires time.Time) error {
		return e.Control(t0, outdial.Control{
			Actor: "ops", Action: action, Target: target, Value: value, Reason: "complaints", Expires: expires,
		})
	}
	mine, stock, other := num(212, 1).String(), num(212, 2).String(), num(212, 3).String()
	before := g.Snapshot(t0)
	for _, c := range []struct {
		action, target, value string
		expires               time.Time
		want                  string
	}{
		{cli.ActionQuarantine, other, "", time.Time{}, "not in the inventory"},
		{cli.ActionRelease, other, "", time.Time{}, "not in the inventory"},
		{cli.ActionQuarantine, "nonsense", "", time.Time{}, "Target"},
		{cli.ActionQuarantine, "", "", time.Time{}, "Target"},
		{cli.ActionQuarantine, mine, "", t0, "is past"},
		{cli.ActionRelease, mine, "", at(-1), "is past"},
		{cli.ActionSuppress, "nonsense", "survey", time.Time{}, "Target"},
		{cli.ActionSuppress, callee.String(), "nobody", time.Time{}, `no program "nobody"`},
		{cli.ActionSuppress, callee.String(), "elsewhere", time.Time{}, "no program"},
		{cli.ActionSuppress, callee.String(), "", time.Time{}, "no program"},
		{cli.ActionSuppress, callee.String(), "survey", t0, "is past"},
		{cli.ActionUnsuppress, callee.String(), "nobody", time.Time{}, "no program"},
	} {
		require.ErrorContains(t, control(c.action, c.target, c.value, c.expires), c.want, "%+v", c)
	}
	require.Empty(t, j.events)
	require.Equal(t, before, g.Snapshot(t0))
	_, known := ids.Programs.Lookup("nobody")
	require.False(t, known, "a refused change names nobody")

	require.NoError(t, control("trunk.drain", "nonsense", "", t0), "an action of others")
	require.NoError(t, control(cli.ActionQuarantine, mine, "", at(time.Hour)))
	require.NoError(t, control(cli.ActionQuarantine, stock, "", time.Time{}))
	require.NoError(t, control(cli.ActionSuppress, callee.String(), "survey", at(time.Hour)))
	require.NoError(t, control(cli.ActionUnsuppress, callee.String(), "survey", time.Time{}))
	cfg.Numbers = owned("survey", num(212, 3))
	require.NoError(t, g.Update(cfg))
	require.NoError(t, control(cli.ActionRelease, mine, "", time.Time{}), "it left the inventory, and is held all the same")
	require.ErrorContains(t, control(cli.ActionQuarantine, mine, "", time.Time{}), "not in the inventory")
	require.Len(t, j.events, 6)
}
