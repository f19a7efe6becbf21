package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestLongerCapAfterAnIdleTime: uses that have left every window of the caps in force are not forgotten for a longer one: what is
// no longer known counts as used.
func TestLongerCapAfterAnIdleTime(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := survey(ids, num(212, 1))
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{3, 24 * time.Hour}}, Spacing: -1}
	cfg.Callee = []cli.Cap{}
	g := mustNew(t, cfg)
	now := t0
	use := func() error {
		_, _, err := g.Reserve(now, callTo(ids, "survey", callee), &outdial.Candidate{}, 0)
		return err
	}
	for range 3 {
		require.NoError(t, use())
	}
	now = at(10 * 24 * time.Hour)
	require.NoError(t, use())
	cfg.Limits.Caps = []cli.Cap{{4, 30 * 24 * time.Hour}}
	require.NoError(t, g.Update(cfg))
	require.ErrorIs(t, use(), cli.ErrCaps, "four in ten days")
	now = at(30*24*time.Hour - time.Second)
	require.ErrorIs(t, use(), cli.ErrCaps)
	now = now.Add(time.Second)
	require.NoError(t, use())
}

// shared is quotas and budgets of a tenant and a region, whose counts outlive configurations.
func sharedConfig(ids *outdial.Registry, caps ...cli.Cap) cli.Config {
	cfg := survey(ids)
	cfg.Secret = []byte("0123456789abcdef")
	for i := range 40 {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, i))...)
		cfg.Numbers[i].Region = "NY"
	}
	cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{}
	cfg.Tenants = []cli.TenantConfig{{Tenant: "acme", Quotas: caps}}
	cfg.Pools[0].Budgets = []cli.Budget{{Region: "NY", Cap: caps[0]}}
	return cfg
}

// TestSharedCountsOutliveConfigurations: a quota or a budget that grows, or is away for a while, forgets nothing; neither does a
// state that is saved in between.
func TestSharedCountsOutliveConfigurations(t *testing.T) {
	for _, what := range []string{"tenant", "region"} {
		for _, way := range []string{"grow", "leave", "save"} {
			t.Run(what+" "+way, func(t *testing.T) {
				ids := new(outdial.Registry)
				cfg := sharedConfig(ids, cli.Cap{Max: 2, Window: time.Minute})
				g := mustNew(t, cfg)
				now := t0
				use := func() error {
					call := callTo(ids, "survey", callee)
					if what == "tenant" {
						call.Tenant = ids.Tenants.ID("acme")
					}
					_, _, err := g.Reserve(now, call, &outdial.Candidate{}, 0)
					return err
				}
				if what == "tenant" {
					cfg.Pools[0].Budgets = nil
				} else {
					cfg.Tenants = nil
				}
				require.NoError(t, g.Update(cfg))
				for range 4 {
					require.NoError(t, use())
					require.NoError(t, use())
					require.Error(t, use())
					now = now.Add(time.Minute)
				}
				if way == "leave" {
					away := cfg
					away.Tenants, away.Pools = nil, []cli.PoolConfig{{Name: "survey", Program: "survey"}}
					require.NoError(t, g.Update(away))
				}
				if way == "save" {
					state, err := g.Save(0)
					require.NoError(t, err)
					g, err = cli.Restore(cfg, state)
					require.NoError(t, err)
				}
				long := cli.Cap{Max: 8, Window: time.Hour}
				if what == "tenant" {
					cfg.Tenants = []cli.TenantConfig{{Tenant: "acme", Quotas: []cli.Cap{long}}}
				} else {
					cfg.Pools = []cli.PoolConfig{{Name: "survey", Program: "survey", Budgets: []cli.Budget{{Region: "NY", Cap: long}}}}
				}
				require.NoError(t, g.Update(cfg))
				require.Error(t, use(), "eight were used within the hour")
				now = at(time.Hour + 4*time.Minute)
				require.NoError(t, use())
			})
		}
	}
}

// TestNoWayBackThroughTheInventory: leaving the inventory and returning brings no number back from released, nor from retiring.
func TestNoWayBackThroughTheInventory(t *testing.T) {
	for _, state := range []cli.State{cli.StateRetiring, cli.StateReleased} {
		f := newFleet(t, 2, nil)
		n := f.cfg.Numbers[0].Number
		f.observe(*control(f.now, cli.ActionState, n.String(), state.String(), time.Time{}))
		require.Equal(t, state, f.state(n))
		away := f.cfg
		away.Numbers = f.cfg.Numbers[1:]
		require.NoError(t, f.g.Update(away))
		f.cfg.Numbers[0].State = cli.StateWarming
		require.ErrorContains(t, f.g.Update(f.cfg), "no way back")
		require.NoError(t, f.g.Update(away))
		f.cfg.Numbers[0].State = cli.StateUnset
		require.NoError(t, f.g.Update(f.cfg), "as it was configured")
		require.Equal(t, state, f.state(n))
	}
}

// TestOutOfQuarantineIsOnTrial: nobody takes a number out of quarantine into full use: it is on trial first.
func TestOutOfQuarantineIsOnTrial(t *testing.T) {
	f := newFleet(t, 2, nil)
	n := f.cfg.Numbers[0].Number
	move := func(to string) error {
		c := outdial.Control{Actor: "kim", Reason: "test", Action: cli.ActionState, Target: n.String(), Value: to}
		if err := f.g.CheckControl(f.now, &c); err != nil {
			return err
		}
		f.observe(outdial.Event{Kind: outdial.EventControl, Time: f.now, Control: &c})
		return nil
	}
	require.NoError(t, move("quarantined"))
	for _, to := range []string{"active", "probation", "warming", "registered", "ordered"} {
		require.ErrorContains(t, move(to), "quarantine")
	}
	f.cfg.Numbers[0].State = cli.StateWarming
	require.ErrorContains(t, f.g.Update(f.cfg), "quarantine")
	f.cfg.Numbers[0].State = cli.StateUnset
	require.NoError(t, f.g.Update(f.cfg))
	require.Equal(t, cli.StateQuarantined, f.state(n))
	require.NoError(t, move("rehab"))
	require.NoError(t, move("active"), "an operator may know")
}

// TestRetiringByConfiguration: a number that a configuration retires takes calls back for as long as any other, and is then
// released.
func TestRetiringByConfiguration(t *testing.T) {
	f := newFleet(t, 2, nil)
	n := f.cfg.Numbers[0].Number
	f.call(n, busy, 0)
	f.cfg.Numbers[0].State = cli.StateRetiring
	require.NoError(t, f.g.Update(f.cfg))
	f.now = f.now.Add(29 * 24 * time.Hour)
	f.g.Advance(f.now)
	require.Equal(t, cli.StateRetiring, f.state(n))
	f.now = f.now.Add(2 * 24 * time.Hour)
	f.g.Advance(f.now)
	require.Equal(t, cli.StateReleased, f.state(n))
}
