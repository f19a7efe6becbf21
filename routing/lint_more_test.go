package routing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// TestLintSharedFateAndCover: trunks that fail together, and destinations that no deck prices (ledger row 57).
func TestLintSharedFateAndCover(t *testing.T) {
	cheapest := func(name string, prefixes ...outdial.Prefix) routing.Rule {
		r := via(name, "a1", "b")
		r.Prefixes, r.Tiers[0].Strategy = prefixes, routing.LeastCost
		return r
	}
	p := routing.Policy{
		Trunks: []routing.Trunk{
			{Name: "a1", Carrier: "A", Deck: "d"}, {Name: "a2", Carrier: "A", Hop: "X"}, {Name: "b", Carrier: "B", Hop: "X", Deck: "d"},
		},
		Decks: []routing.Deck{{Name: "d", Rates: []routing.Rate{{Prefix: 1212}, {Prefix: 44}}}},
		Rules: []routing.Rule{
			via("one carrier", "a1", "a2"), cheapest("covered", 1, 121, 1212, 12125, 447), cheapest("not", 1213, 33, 4), via("one hop", "a2", "b"),
		},
	}
	p.Rules[0].Prefixes, p.Rules[3].Prefixes = []outdial.Prefix{7}, []outdial.Prefix{8}
	var got []string
	for _, f := range routing.Lint(p) {
		got = append(got, f.String())
	}
	require.Equal(t, []string{
		"rules[0]: its trunks share the carrier: they fail together (one_carrier)",
		"rules[2]: no deck of its trunks has a rate for +1213 (uncovered)",
		"rules[2]: no deck of its trunks has a rate for +33 (uncovered)",
		"rules[3]: its trunks share the hop: they fail together (one_carrier)",
	}, got)
}
