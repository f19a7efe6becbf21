package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// undoBench is a governor whose callees may be called twice in 24 hours, and what reserves for calls by id.
func undoBench(t *testing.T, numbers int) (*cli.Governor, func(id outdial.CallID, prev outdial.Number) (outdial.Presentation, error)) {
	ids := new(outdial.Registry)
	cfg := survey(ids)
	for i := range numbers {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, i))...)
	}
	cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{{2, 24 * time.Hour}}
	g := mustNew(t, cfg)
	return g, func(id outdial.CallID, prev outdial.Number) (outdial.Presentation, error) {
		call := callTo(ids, "survey", callee)
		call.ID = id
		p, _, err := g.Reserve(at(time.Minute), call, &outdial.Candidate{}, prev)
		return p, err
	}
}

// TestUndoOfAnOlderCall: where a call is taken back after another one to the same callee, the other one is as if it had been
// the only one: its further attempts count no more, and when it is taken back too, the callee knows no number.
func TestUndoOfAnOlderCall(t *testing.T) {
	g, reserve := undoBench(t, 2)
	older, err := reserve(1, 0)
	require.NoError(t, err)
	newer, err := reserve(2, 0)
	require.NoError(t, err)
	g.Undo(at(time.Minute), older.Lease)
	further, err := reserve(2, newer.Number)
	require.NoError(t, err)
	_, err = reserve(3, 0)
	require.NoError(t, err, "two calls, one of them of two attempts")
	_, err = reserve(4, 0)
	require.ErrorIs(t, err, cli.ErrCallee)
	g.Undo(at(time.Minute), further.Lease)

	g, reserve = undoBench(t, 2)
	older, err = reserve(1, 0)
	require.NoError(t, err)
	newer, err = reserve(2, 0)
	require.NoError(t, err)
	require.Equal(t, older.Number, newer.Number, "the callee knows it")
	g.Undo(at(time.Minute), older.Lease)
	g.Undo(at(time.Minute), newer.Lease)
	for _, p := range g.Snapshot(at(time.Minute)).Programs {
		require.Zero(t, p.Callees, "nothing left the host: nothing is remembered of the callee")
	}
}

// TestUndoOfALegBeforeAnother: a silent leg that turns out never to have left is taken back after its successor left. The call
// stays counted, for one leg of it was made; if that was never sent either, it is not.
func TestUndoOfALegBeforeAnother(t *testing.T) {
	for _, released := range []bool{false, true} {
		g, reserve := undoBench(t, 1)
		first, err := reserve(1, 0)
		require.NoError(t, err)
		second, err := reserve(1, first.Number)
		require.NoError(t, err)
		if released {
			g.Release(at(time.Minute), second.Lease)
		}
		g.Undo(at(time.Minute), first.Lease)
		_, err = reserve(2, 0)
		require.NoError(t, err)
		_, err = reserve(3, 0)
		require.ErrorIs(t, err, cli.ErrCallee, "two calls left")
	}
	g, reserve := undoBench(t, 1)
	first, err := reserve(1, 0)
	require.NoError(t, err)
	second, err := reserve(1, first.Number)
	require.NoError(t, err)
	g.Undo(at(time.Minute), first.Lease)
	g.Undo(at(time.Minute), second.Lease)
	for id := range outdial.CallID(2) {
		_, err = reserve(2+id, 0)
		require.NoError(t, err, "nothing left before")
	}
}

// TestUndoAfterALongerCap: a use is taken back by its stamp also where a new cap keeps stamps in another unit.
func TestUndoAfterALongerCap(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := survey(ids, num(212, 1))
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{1, 24 * time.Hour}}, Spacing: -1}
	cfg.Callee = []cli.Cap{}
	g := mustNew(t, cfg)
	g.Advance(t0)
	p, _, err := g.Reserve(at(1234567*time.Microsecond), callTo(ids, "survey", callee), &outdial.Candidate{}, 0)
	require.NoError(t, err)
	cfg.Limits.Caps = []cli.Cap{{1, 60 * 24 * time.Hour}}
	require.NoError(t, g.Update(cfg))
	g.Undo(at(2*time.Second), p.Lease)
	_, _, err = g.Reserve(at(3*time.Second), callTo(ids, "survey", callee), &outdial.Candidate{}, 0)
	require.NoError(t, err)
}

// TestWhatRangHasLeft: an attempt that the host calls never sent, although it rang, stays counted, live and in a replay.
func TestWhatRangHasLeft(t *testing.T) {
	ids := new(outdial.Registry)
	g := mustNew(t, survey(ids, num(212, 1)))
	a := outdial.Attempt{
		ID: outdial.AttemptID{Call: 1, Leg: 1}, Call: *callTo(ids, "survey", callee), CLI: num(212, 1), Pool: ids.Pools.ID("survey"), Start: t0,
	}
	start := a
	g.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: t0, Attempt: &start, Replay: true})
	a.Result.Origin = outdial.OriginNeverSent
	a.Timeline.Set(outdial.MarkProvisional, time.Second)
	require.True(t, a.Progressed())
	g.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: at(time.Second), Attempt: &a, Replay: true})
	s, _ := g.Number(at(time.Second), num(212, 1))
	require.Equal(t, 1, s.Uses[0].Used)
}
