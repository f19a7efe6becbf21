package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func TestSticky(t *testing.T) {
	for _, mode := range []cli.StickyMode{cli.StickyPrefer, cli.StickyStrict, cli.StickyOff} {
		t.Run(mode.String(), func(t *testing.T) {
			var ids outdial.Registry
			cfg := survey(&ids, num(212, 1), num(212, 2), num(212, 3))
			cfg.Limits = cli.Limits{Caps: []cli.Cap{{1, time.Minute}}, Spacing: -1}
			cfg.Sticky = cli.Sticky{Mode: mode, TTL: time.Hour, Strict: -1}
			cfg.Callee = []cli.Cap{}
			g := mustNew(t, cfg)
			call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
			reserve := func(d time.Duration) (outdial.Number, time.Time, error) {
				p, again, err := g.Reserve(at(d), call, c, 0)
				return p.Number, again, err
			}
			first, _, err := reserve(0)
			require.NoError(t, err)
			n, again, err := reserve(30 * time.Second)
			if mode == cli.StickyStrict {
				require.ErrorIs(t, err, cli.ErrSticky)
				require.Equal(t, at(time.Minute), again)
				n, _, err = reserve(time.Minute)
				require.NoError(t, err)
				require.Equal(t, first, n)
				return
			}
			require.NoError(t, err)
			require.NotEqual(t, first, n)
			third, _, err := reserve(10 * time.Minute)
			require.NoError(t, err)
			if mode == cli.StickyPrefer {
				require.Equal(t, n, third, "the number that the callee saw last")
				fourth, _, err := reserve(10*time.Minute + time.Hour)
				require.NoError(t, err)
				require.NotEqual(t, third, fourth, "forgotten after the TTL")
			} else {
				require.NotEqual(t, n, third)
			}
		})
	}
}

func TestFailoverKeepsNumber(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2))
	cfg.Numbers[0].Carriers = []string{"alpha", "beta"}
	cfg.Numbers[1].Carriers = []string{"gamma", "beta"}
	cfg.Limits.Caps = []cli.Cap{{2, time.Hour}}
	g := mustNew(t, cfg)
	call := callTo(&ids, "survey", callee)
	on := func(carrier string) *outdial.Candidate { return &outdial.Candidate{Carrier: ids.Carriers.ID(carrier)} }
	p, _, err := g.Reserve(t0, call, on("alpha"), 0)
	require.NoError(t, err)
	require.Equal(t, num(212, 1), p.Number)
	p, _, err = g.Reserve(at(time.Second), call, on("beta"), p.Number)
	require.NoError(t, err, "spacing does not hold within a call")
	require.Equal(t, num(212, 1), p.Number)
	s, _ := g.Number(at(time.Second), num(212, 1))
	require.Equal(t, 2, s.Uses[0].Used, "one more exposure")
	p, _, err = g.Reserve(at(2*time.Second), call, on("gamma"), p.Number)
	require.NoError(t, err)
	require.Equal(t, num(212, 2), p.Number, "a number goes to no carrier that does not accept it")
	_, _, err = g.Reserve(at(3*time.Second), call, on("delta"), p.Number)
	require.ErrorIs(t, err, cli.ErrCarrier)

	cfg.Sticky.Mode = cli.StickyStrict
	require.NoError(t, g.Update(cfg))
	_, _, err = g.Reserve(at(3*time.Second), call, on("alpha"), num(212, 2))
	require.ErrorIs(t, err, cli.ErrSticky)
}

// TestUndoneCallLeavesTheNumberKnown: where a callee is called again when no cap counts its last call any more, and nothing leaves,
// it is as it was: the number that it saw is the one that it knows, for as long as that is remembered.
func TestUndoneCallLeavesTheNumberKnown(t *testing.T) {
	for _, caps := range [][]cli.Cap{{}, {{1, time.Minute}}, {{2, time.Minute}}} {
		var ids outdial.Registry
		cfg := survey(&ids, num(212, 1), num(212, 2))
		cfg.Limits, cfg.Callee = noLimits(), caps
		cfg.Sticky = cli.Sticky{Mode: cli.StickyStrict, TTL: time.Hour}
		g := mustNew(t, cfg)
		call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
		first, _, err := g.Reserve(at(0), call, c, 0)
		require.NoError(t, err)
		g.Release(at(time.Second), first.Lease)
		again, _, err := g.Reserve(at(2*time.Minute), call, c, 0)
		require.NoError(t, err)
		require.Equal(t, first.Number, again.Number)
		g.Undo(at(2*time.Minute), again.Lease)
		g.Observe(control(at(3*time.Minute), cli.ActionQuarantine, first.Number.String(), "", time.Time{}))
		_, _, err = g.Reserve(at(4*time.Minute), call, c, 0)
		require.ErrorIs(t, err, cli.ErrSticky, "%v", caps)
	}
}

// TestStickyIsTheProgram: a callee keeps its number whichever pool of the program a call would present from; where the candidate
// takes numbers of one pool only, it is that or none while the callee is bound strictly. Another tenant's number binds nobody.
func TestStickyIsTheProgram(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := cli.Config{
		IDs: ids, Limits: noLimits(), Callee: []cli.Cap{},
		Pools: []cli.PoolConfig{
			{Name: "first", Program: "survey"}, {Name: "second", Program: "survey"}, {Name: "own", Program: "survey", Tenant: "acme"},
		},
		Campaigns: []cli.CampaignConfig{{Campaign: "autumn", Pool: "second"}},
		Numbers:   append(append(owned("first", num(212, 1)), owned("second", num(212, 2))...), owned("own", num(212, 3))...),
	}
	g := mustNew(t, cfg)
	reserve := func(to outdial.Number, campaign, pool, tenant string) (outdial.Presentation, error) {
		call := callTo(ids, "survey", to)
		call.Campaign, call.Tenant = ids.Campaigns.ID(campaign), ids.Tenants.ID(tenant)
		p, _, err := g.Reserve(at(time.Minute), call, &outdial.Candidate{Pool: ids.Pools.ID(pool)}, 0)
		return p, err
	}
	p, err := reserve(num(300, 1), "", "", "")
	require.NoError(t, err)
	require.Equal(t, num(212, 1), p.Number)
	p, err = reserve(num(300, 1), "autumn", "", "")
	require.NoError(t, err)
	require.Equal(t, num(212, 1), p.Number)
	require.Equal(t, ids.Pools.ID("first"), p.Pool, "the pool that the number is of")
	_, err = reserve(num(300, 1), "", "second", "")
	require.ErrorIs(t, err, cli.ErrSticky)
	p, err = reserve(num(300, 2), "autumn", "", "")
	require.NoError(t, err)
	require.Equal(t, num(212, 2), p.Number)

	p, err = reserve(num(300, 3), "", "own", "acme")
	require.NoError(t, err)
	require.Equal(t, num(212, 3), p.Number)
	p, err = reserve(num(300, 3), "", "", "other")
	require.NoError(t, err)
	require.Equal(t, num(212, 1), p.Number)
}
