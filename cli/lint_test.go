package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestCallback: where a country's rules say so, a number is presented only for as long as its last test for calls back is
// recent, in the callee's country or not; where they only ask, Lint says which numbers were not tested.
func TestCallback(t *testing.T) {
	for _, only := range []bool{true, false} {
		var ids outdial.Registry
		cfg := survey(&ids, num(212, 1), num(212, 2), num(212, 3))
		cfg.Limits, cfg.Callee = noLimits(), []cli.Cap{}
		cfg.Rules = []cli.CountryRule{
			{Country: "US", Name: "own", Dated: "2026-11-02", Callback: cli.Span(48 * time.Hour), CallbackOnly: only},
			{Country: "US", Name: "slack", Dated: "2026-11-02", Callback: cli.Span(480 * time.Hour)},
		}
		for i := range cfg.Numbers {
			cfg.Numbers[i].Country = "US"
		}
		cfg.Numbers[0].Callback = t0.Add(-47 * time.Hour)
		cfg.Numbers[1].Callback = t0.Add(-49 * time.Hour)
		g := mustNew(t, cfg)
		call := callTo(&ids, "survey", callee)
		number := func(i int) cli.NumberSnapshot {
			s, _ := g.Number(t0, cfg.Numbers[i].Number)
			return s
		}
		find := func(now time.Time) cli.Finding {
			for _, f := range g.Lint(now) {
				if f.Code == cli.FindingCallback {
					return f
				}
			}
			return cli.Finding{}
		}
		require.Equal(t, []outdial.Number{num(212, 2), num(212, 3)}, find(t0).Numbers)
		require.Equal(t, only, find(t0).Denied)
		require.Equal(t, cfg.Numbers[0].Callback, number(0).Callback)
		if !only {
			require.Equal(t, cli.StatusReady, number(2).Status)
			require.Contains(t, g.Document(), "should be tested for calls back every 48h")
			continue
		}
		require.Contains(t, g.Document(), "only where a test of the last 48h")
		require.Equal(t, cli.StatusReady, number(0).Status)
		require.Equal(t, cli.StatusUntested, number(1).Status)
		require.Equal(t, cli.StatusUntested, number(2).Status)
		require.Equal(t, 2, g.Snapshot(t0).Pools[0].Untested)
		p, _, err := g.Reserve(t0, call, &outdial.Candidate{}, 0)
		require.NoError(t, err)
		require.Equal(t, num(212, 1), p.Number)
		_, _, err = g.Reserve(at(time.Hour), call, &outdial.Candidate{}, 0)
		require.ErrorIs(t, err, cli.ErrCallback, "its test is too old now")
		cfg.Numbers[2].Callback = at(time.Hour)
		require.NoError(t, g.Update(cfg))
		p, _, err = g.Reserve(at(time.Hour), call, &outdial.Candidate{}, 0)
		require.NoError(t, err)
		require.Equal(t, num(212, 3), p.Number)
	}
	var ids outdial.Registry
	cfg := survey(&ids)
	cfg.Rules = []cli.CountryRule{{Country: "US", Name: "x", Dated: "2026-11-02", CallbackOnly: true}}
	_, err := cli.New(cfg)
	require.ErrorContains(t, err, "CallbackOnly")
}

func TestLint(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2), num(212, 3), num(212, 4))
	cfg.Pools = append(cfg.Pools, cli.PoolConfig{Name: "idle", Program: "idle", Purpose: cli.PurposeSurvey})
	for i := range cfg.Numbers {
		cfg.Numbers[i].Country, cfg.Numbers[i].Assigned = "US", "alpha"
	}
	cfg.Numbers[1].Evidence = ""
	cfg.Numbers[2].Expires = t0.Add(29 * 24 * time.Hour)
	cfg.Numbers[2].Assigned = ""
	cfg.Numbers[3].Evidence, cfg.Numbers[3].State = "", cli.StateReleased
	findings := map[cli.FindingCode]cli.Finding{}
	for _, f := range mustNew(t, cfg).Lint(t0) {
		findings[f.Code] = f
	}
	require.Len(t, findings, 5)
	require.Equal(t, "idle", findings[cli.FindingEmpty].Pool)
	require.Equal(t, "survey", findings[cli.FindingPurpose].Pool)
	require.Equal(t, []outdial.Number{num(212, 2)}, findings[cli.FindingRight].Numbers)
	require.True(t, findings[cli.FindingRight].Denied)
	require.Equal(t, []outdial.Number{num(212, 3)}, findings[cli.FindingRightEnds].Numbers)
	require.False(t, findings[cli.FindingRightEnds].Denied)
	require.Equal(t, []outdial.Number{num(212, 3)}, findings[cli.FindingAttestation].Numbers)
	require.Contains(t, findings[cli.FindingAttestation].Text, "1 of 4 numbers")
}

// TestRulesOfACountryThatNumberingTells: a number that does not say its country is not outside its rules.
func TestRulesOfACountryThatNumberingTells(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, outdial.MustNumber("+33142123456"))
	cfg.Pools[0].Purpose = cli.PurposeTelemarketing
	cfg.Numbering = everywhere{'F', 'R'}
	_, err := cli.New(cfg)
	require.ErrorContains(t, err, "fr-sales")
}

// everywhere is a numbering plan of one country.
type everywhere [2]byte

func (e everywhere) Locate(time.Time, outdial.Number) outdial.Destination {
	return outdial.Destination{Country: e}
}
