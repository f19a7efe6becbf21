package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestClassesCannotBeTalkedAround: a number is judged by the rules of the country that its digits tell, where the inventory says
// nothing or another one, and one that does not begin as the numbers of its country do is an error. Countries that share a
// calling code are told apart by the inventory.
func TestClassesCannotBeTalkedAround(t *testing.T) {
	ids := new(outdial.Registry)
	plan, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids})
	require.NoError(t, err)
	sales := func(n cli.NumberConfig, plan outdial.Numbering) error {
		n.Pool, n.Evidence = "sales", "LOA"
		_, err := cli.New(cli.Config{
			IDs: ids, Numbers: []cli.NumberConfig{n}, Numbering: plan,
			Pools: []cli.PoolConfig{{Name: "sales", Program: "sales", Purpose: cli.PurposeTelemarketing}},
		})
		return err
	}
	paris := outdial.MustNumber("+33612345678")
	for _, country := range []string{"", "FR"} {
		require.ErrorContains(t, sales(cli.NumberConfig{Number: paris, Country: country}, nil), "fr-sales", country)
	}
	require.ErrorContains(t, sales(cli.NumberConfig{Number: paris, Country: "GB"}, nil), "+44")
	for _, country := range []string{"", "FR", "GB", "XX"} {
		require.ErrorContains(t, sales(cli.NumberConfig{Number: paris, Country: country}, plan), "fr-sales", country)
	}
	guernsey := outdial.MustNumber("+441481712345")
	require.NoError(t, sales(cli.NumberConfig{Number: guernsey, Country: "GG"}, nil))
}

// TestCalleesOfAnUnknownCountry: where nothing looked a callee up, its calling code tells whose rules hold.
func TestCalleesOfAnUnknownCountry(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := survey(ids, num(212, 1))
	cfg.Limits, cfg.Pools[0].Purpose = noLimits(), cli.PurposeTelemarketing
	cfg.Callee = []cli.Cap{{50, time.Hour}}
	g := mustNew(t, cfg)
	paris := outdial.MustNumber("+33142685300")
	for i := range 4 {
		_, _, err := g.Reserve(at(time.Duration(i)*24*time.Hour), callTo(ids, "survey", paris), &outdial.Candidate{}, 0)
		require.NoError(t, err)
	}
	_, _, err := g.Reserve(at(4*24*time.Hour), callTo(ids, "survey", paris), &outdial.Candidate{}, 0)
	require.ErrorIs(t, err, cli.ErrCallee, "four in thirty days")
}

// TestCallbackDates: a test that is still to come says nothing, and none is so far off that it is taken for another time.
func TestCallbackDates(t *testing.T) {
	ids := new(outdial.Registry)
	cfg := survey(ids, num(212, 1), num(212, 2))
	cfg.Numbers[0].Country, cfg.Numbers[1].Country = "US", "US"
	cfg.Numbers[0].Callback = time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)
	cfg.Numbers[1].Callback = t0.Add(30 * 24 * time.Hour)
	cfg.Rules = []cli.CountryRule{{Country: "US", Name: "x", Dated: "2026-01-01", Callback: cli.Span(720 * time.Hour)}}
	g := mustNew(t, cfg)
	for _, f := range g.Lint(t0) {
		if f.Code == cli.FindingCallback {
			require.Len(t, f.Numbers, 2)
			return
		}
	}
	t.Fatal("nothing was found")
}

// TestRulesAreNamedOnce: a configuration's own rules are checked as a country pack is.
func TestRulesAreNamedOnce(t *testing.T) {
	rule := cli.CountryRule{Country: "US", Name: "x", Dated: "2026-01-01"}
	_, err := cli.New(cli.Config{IDs: new(outdial.Registry), Rules: []cli.CountryRule{rule, rule}})
	require.ErrorContains(t, err, "given twice")
}
