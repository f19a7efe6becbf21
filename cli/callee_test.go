package cli_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func TestCallee(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Pools = append(cfg.Pools, cli.PoolConfig{Name: "other", Program: "other"})
	cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{{2, time.Hour}}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	place := func(d time.Duration, id outdial.CallID, prev outdial.Number) (outdial.Presentation, time.Time, error) {
		call.ID = id
		return g.Reserve(at(d), call, c, prev)
	}
	p, _, err := place(0, 1, 0)
	require.NoError(t, err)
	_, _, err = place(time.Second, 1, p.Number)
	require.NoError(t, err, "attempts of one call count once")
	p2, _, err := place(time.Minute, 2, 0)
	require.NoError(t, err)
	_, again, err := place(2*time.Minute, 3, 0)
	require.ErrorIs(t, err, cli.ErrCallee)
	require.Equal(t, at(time.Hour), again)
	call.ID = 3
	again, err = g.Admit(at(2*time.Minute), call)
	require.ErrorIs(t, err, cli.ErrCallee)
	require.Equal(t, at(time.Hour), again)
	_, err = g.Admit(at(2*time.Minute), callTo(&ids, "other", callee))
	require.NoError(t, err, "another program counts for itself")
	g.Undo(at(2*time.Minute), p2.Lease)
	_, _, err = place(3*time.Minute, 4, 0)
	require.NoError(t, err, "what was undone does not count")
}

func TestCalleeMemory(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1))
	cfg.Limits, cfg.MaxCallees = noLimits(), 2
	cfg.Callee = []cli.Cap{{1, time.Hour}}
	g := mustNew(t, cfg)
	c := &outdial.Candidate{}
	reserve := func(d time.Duration, line int) (time.Time, error) {
		_, again, err := g.Reserve(at(d), callTo(&ids, "survey", num(305, line)), c, 0)
		return again, err
	}
	for i := range 2 {
		_, err := reserve(time.Duration(i)*time.Minute, i)
		require.NoError(t, err)
	}
	again, err := reserve(2*time.Minute, 2)
	require.ErrorIs(t, err, cli.ErrCalleeMemory, "nobody is forgotten who still counts")
	require.Equal(t, at(time.Hour), again)
	_, err = reserve(time.Hour, 2)
	require.NoError(t, err)
	s := g.Snapshot(at(time.Hour)).Programs[0]
	require.Equal(t, 2, s.Callees)
	require.EqualValues(t, 1, s.Evicted)
}

func TestBlocksSuppress(t *testing.T) {
	for _, tc := range []struct {
		name   string
		result outdial.Result
		want   bool
	}{
		{"607", outdial.Result{Code: 607}, true},
		{"608", outdial.Result{Code: 608}, true},
		{"603+", outdial.Result{Code: 603, Phrase: "Network Blocked", Text: "v=analytics1;url=https://x"}, true},
		{"603+ in other case", outdial.Result{Code: 603, Phrase: "NETWORK BLOCKED", Text: "V=Analytics1"}, true},
		{"603 decline", outdial.Result{Code: 603, Phrase: "Decline"}, false},
		{"603 phrase alone", outdial.Result{Code: 603, Phrase: "Network Blocked"}, true},
		{"603 text alone", outdial.Result{Code: 603, Phrase: "Decline", Text: "v=analytics1;url=https://x"}, true},
		{"603+ behind 503", outdial.Result{Code: 503, SIPCause: 603, Text: "v=analytics1"}, true},
		{"603+ behind 403", outdial.Result{Code: 403, SIPCause: 603, Phrase: "Network Blocked"}, true},
		{"608 behind 500", outdial.Result{Code: 500, SIPCause: 608}, true},
		{"607 behind 480", outdial.Result{Code: 480, SIPCause: 607}, true},
		{"603 behind 503", outdial.Result{Code: 503, SIPCause: 603}, false},
		{"text without a 603", outdial.Result{Code: 503, Text: "v=analytics1"}, false},
		{"486", outdial.Result{Code: 486}, false},
	} {
		require.Equal(t, tc.want, tc.result.Blocked(), tc.name)
		for _, replay := range []bool{false, true} {
			var ids outdial.Registry
			cfg := survey(&ids, num(212, 1))
			cfg.Pools = append(cfg.Pools, cli.PoolConfig{Name: "other", Program: "other"})
			g := mustNew(t, cfg)
			call := callTo(&ids, "survey", callee)
			g.Observe(&outdial.Event{
				Kind: outdial.EventEnded, Time: t0, Replay: replay,
				Attempt: &outdial.Attempt{Call: *call, Result: tc.result},
			})
			_, err := g.Admit(at(1000*time.Hour), call)
			_, _, err2 := g.Reserve(at(1000*time.Hour), call, &outdial.Candidate{}, 0)
			if !tc.want {
				require.NoError(t, err, tc.name)
				require.NoError(t, err2, tc.name)
				continue
			}
			require.ErrorIs(t, err, cli.ErrSuppressed, tc.name)
			require.ErrorIs(t, err2, cli.ErrSuppressed, tc.name)
			_, err = g.Admit(t0, callTo(&ids, "other", callee))
			require.NoError(t, err)
			g.Observe(control(t0, cli.ActionUnsuppress, callee.String(), "survey", time.Time{}))
			_, err = g.Admit(at(1000*time.Hour), call)
			require.NoError(t, err)
		}
	}
}

// TestCalleeExactly has many goroutines call one callee at one instant.
func TestCalleeExactly(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Limits = noLimits()
	g := mustNew(t, cfg)
	granted := make([]int, 16)
	var wg sync.WaitGroup
	for w := range granted {
		wg.Go(func() {
			for i := range 20 {
				call := callTo(&ids, "survey", callee)
				call.ID = outdial.CallID(1 + w*20 + i)
				if _, err := g.Admit(t0, call); err != nil {
					continue
				}
				if _, _, err := g.Reserve(t0, call, &outdial.Candidate{}, 0); err == nil {
					granted[w]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, k := range granted {
		sum += k
	}
	require.Equal(t, 3, sum)
}
