package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestPredicate: each part of a condition, met and not met, by one number.
func TestPredicate(t *testing.T) {
	n := cli.NumberConfig{
		Number: num(212, 1), Pool: "survey", Country: "US", Region: "NY", Type: cli.TypeLocal, Owner: "Acme",
		Assigned: "alpha", Evidence: "LOA 1",
	}
	plain := n
	plain.Assigned = ""
	for name, tc := range map[string]struct {
		p      cli.Predicate
		number cli.NumberConfig
		fault  string // "" = met
	}{
		"country":          {cli.Predicate{Countries: []string{"CA", "US"}}, n, ""},
		"another country":  {cli.Predicate{Countries: []string{"CA"}}, n, `country "US"`},
		"region":           {cli.Predicate{Regions: []string{"NY"}}, n, ""},
		"another region":   {cli.Predicate{Regions: []string{"NJ", "CT"}}, n, `region "NY"`},
		"area":             {cli.Predicate{Areas: []outdial.Prefix{1646, 1212}}, n, ""},
		"another area":     {cli.Predicate{Areas: []outdial.Prefix{1646}}, n, `number "+1212`},
		"type":             {cli.Predicate{Types: []cli.Type{cli.TypeLocal}}, n, ""},
		"another type":     {cli.Predicate{Types: []cli.Type{cli.TypeTollFree, cli.TypeSpecial}}, n, `type "local"`},
		"owner":            {cli.Predicate{Owners: []string{"Acme"}}, n, ""},
		"another owner":    {cli.Predicate{Owners: []string{"Other"}}, n, `owner "Acme"`},
		"carrier":          {cli.Predicate{Assigned: []string{"alpha"}}, n, ""},
		"another carrier":  {cli.Predicate{Assigned: []string{"beta"}}, n, `assigned by "alpha"`},
		"attested":         {cli.Predicate{Attested: true}, n, ""},
		"not attested":     {cli.Predicate{Attested: true}, plain, "attested by"},
		"all at once":      {cli.Predicate{Countries: []string{"US"}, Regions: []string{"NY"}, Attested: true}, n, ""},
		"one of them not":  {cli.Predicate{Countries: []string{"US"}, Regions: []string{"CA"}, Attested: true}, n, "region"},
		"asks for nothing": {cli.Predicate{}, n, "asks nothing"},
		"no such country":  {cli.Predicate{Countries: []string{"usa"}}, n, "Countries"},
	} {
		cfg := survey(new(outdial.Registry))
		cfg.Numbers = []cli.NumberConfig{tc.number}
		tc.p.Name = "east"
		cfg.Pools[0].Require = []cli.Predicate{{Name: "ours", Countries: []string{"US"}}, tc.p}
		g, err := cli.New(cfg)
		if tc.fault != "" {
			require.ErrorContains(t, err, tc.fault, name)
			continue
		}
		require.NoError(t, err, name)
		require.Contains(t, g.Document(), "Every number meets ours (country US) and east (", name)
	}
	cfg := survey(new(outdial.Registry), num(212, 1))
	cfg.Pools[0].Require = []cli.Predicate{{Countries: []string{"CA"}}}
	_, err := cli.New(cfg)
	require.ErrorContains(t, err, `Pools[0] "survey": Require[0]: Name: required`)
}
