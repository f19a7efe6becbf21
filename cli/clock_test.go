package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestReplayThenLive replays an event, which has a wall time only, and goes on with the times of a running clock, which
// have a monotonic reading as well: the windows must join.
func TestReplayThenLive(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{1, time.Hour}}, Spacing: -1}
	g := mustNew(t, cfg)
	call := callTo(&ids, "survey", callee)
	now := time.Now()
	used := now.Round(0).Add(-30 * time.Minute)
	g.Observe(&outdial.Event{
		Kind: outdial.EventStarted, Time: used, Replay: true,
		Attempt: &outdial.Attempt{Call: *call, CLI: num(212, 1), Pool: ids.Pools.ID("survey"), Start: used},
	})
	_, again, err := g.Reserve(now, call, &outdial.Candidate{}, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	late := again.Sub(used.Add(time.Hour))
	require.True(t, late >= 0 && late < 100*time.Microsecond, "%v", again) // uses are kept in tenths of a millisecond
	_, _, err = g.Reserve(now.Add(30*time.Minute-1), call, &outdial.Candidate{}, 0)
	require.ErrorIs(t, err, cli.ErrCaps)
	_, _, err = g.Reserve(again, call, &outdial.Candidate{}, 0)
	require.NoError(t, err)
}

// TestObserveCountsOnce: a live attempt was counted when its number was reserved; one that holds no lease was not.
func TestObserveCountsOnce(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits = cli.Limits{Spacing: -1}
	g := mustNew(t, cfg)
	call := callTo(&ids, "survey", callee)
	p, _, err := g.Reserve(t0, call, &outdial.Candidate{}, 0)
	require.NoError(t, err)
	used := func() int {
		s, ok := g.Number(t0, num(212, 1))
		require.True(t, ok)
		return s.Uses[0].Used
	}
	a := outdial.Attempt{Call: *call, CLI: p.Number, Pool: p.Pool, Use: p.Lease}
	g.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: t0, Attempt: &a})
	require.Equal(t, 1, used())
	a.Use = 0
	g.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: t0, Attempt: &a})
	require.Equal(t, 2, used())
	a.Pool = 0 // presented by somebody else than a pool
	g.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: t0, Attempt: &a, Replay: true})
	require.Equal(t, 2, used())

	// Uses of a number that is not configured yet count when it is.
	late := num(212, 2)
	a.Pool, a.CLI = p.Pool, late
	g.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: t0, Attempt: &a, Replay: true})
	cfg.Numbers = owned("survey", late)
	require.NoError(t, g.Update(cfg))
	s, ok := g.Number(t0, late)
	require.True(t, ok)
	require.Equal(t, 1, s.Uses[0].Used)
	_, ok = g.Number(t0, num(212, 3))
	require.False(t, ok)
}
