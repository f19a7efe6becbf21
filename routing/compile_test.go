package routing_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/routing"
)

// TestCompileErrors holds that one error names every fault with its place, and that a rejected policy issues no ids.
func TestCompileErrors(t *testing.T) {
	const long = 1_000_000_000_000_000
	target := func(n string) routing.Target { return routing.Target{Trunk: n} }
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "x"}, {Name: "b", Deck: "nowhere"}, {Name: "a"}, {}},
		Decks: []routing.Deck{
			{Name: "d", Rates: []routing.Rate{
				{Prefix: 1, PerMinute: 1},
				{Prefix: long},
				{Prefix: 2, PerMinute: -1},
				{Prefix: 2, Setup: routing.MaxPrice + 1},
				{Prefix: 2, Effective: 5, End: 5},
				{Prefix: 1, PerMinute: 2},
				{Prefix: 1, PerMinute: 2, Effective: 5},
			}},
			{Name: "d"},
			{},
		},
		Rules: []routing.Rule{
			{},
			{Block: true, Tiers: []routing.Tier{{Trunks: []routing.Target{target("a")}}}},
			{
				Prefixes: []outdial.Prefix{1, long, 1}, Modes: []string{"robot"}, Campaigns: []string{"c", "c", ""},
				DayParts: []string{"noon"}, Tags: []string{"vip", "a b", "vip"},
				Tiers: []routing.Tier{{Strategy: "cheapest"}},
			},
			{AllTags: true, Tiers: []routing.Tier{
				{Trunks: []routing.Target{{Trunk: "a", Weight: 5}, target("b")}},
				{LCR: routing.GlobalLPM, Trunks: []routing.Target{target("zz"), {}, {Trunk: "a", Carrier: "x"}, {Carrier: "y"}}},
				{Strategy: routing.LeastCost, LCR: "lpm", Trunks: []routing.Target{{Carrier: "x", Weight: 7}}},
				{Strategy: routing.Weighted, Trunks: []routing.Target{{Trunk: "b", Weight: routing.MaxWeight + 1}}},
			}},
		},
		Admission: routing.Admission{
			Deny: []outdial.Prefix{1900, long}, Allow: []outdial.Prefix{1900},
			Windows: []routing.Window{
				{From: -1, To: routing.Day + 1}, {}, {Programs: []string{"p", "p", ""}, To: 1},
			},
		},
		Defaults: routing.Defaults{
			LCR: "lpm", TypicalCall: 90_000, Quality: routing.QualityPrior{Mean: 1.1, Strength: math.NaN(), Z: math.Inf(1)},
		},
	}
	ids := new(outdial.Registry)
	_, err := routing.Compile(p, routing.CompileConfig{IDs: ids})
	require.Error(t, err)
	require.Zero(t, ids.Trunks.Len()+ids.Campaigns.Len()+ids.Programs.Len()+ids.DayParts.Len())
	lines := strings.Split(strings.TrimPrefix(err.Error(), "routing: policy: "), "\n")
	require.Equal(t, []string{
		`decks[1].name: "d" is already decks[0]`,
		`decks[2].name: required`,
		`trunks[1].deck: there is no deck "nowhere"`,
		`trunks[2].name: "a" is already trunks[0]`,
		`trunks[3].name: required`,
		`rules[0].tiers: required; to refuse the calls, set block`,
		`rules[1].tiers: a rule that blocks has none`,
		`rules[2].prefixes[1]: more than 15 digits`,
		`rules[2].prefixes[2]: +1 is already prefixes[0]`,
		`rules[2].campaigns[1]: "c" is given twice`,
		`rules[2].campaigns[2]: empty name`,
		`rules[2].modes[0]: "robot" is not "manual", "predictive" or "prerecorded"`,
		`rules[2].tags[1]: "a b": a tag has no spaces, commas and semicolons`,
		`rules[2].tags[2]: "vip" is given twice`,
		`rules[2].day_parts[0]: the numbering plan has no day-part "noon"`,
		`rules[2].tiers[0].strategy: "cheapest" is not "priority", "weighted", "least-cost", "quality" or "cost-per-contact"`,
		`rules[2].tiers[0].trunks: required`,
		`rules[3].all_tags: 0 tags: want 1 to 8`,
		`rules[3].tiers[0].trunks[1].weight: 0 is not between 1 and 1000000`,
		`rules[3].tiers[1].lcr: the strategy of the tier is "priority"`,
		`rules[3].tiers[1].trunks[0].trunk: there is no trunk "zz"`,
		`rules[3].tiers[1].trunks[1]: want a trunk, a carrier or a tag`,
		`rules[3].tiers[1].trunks[2]: want a trunk, a carrier or a tag`,
		`rules[3].tiers[1].trunks[2]: its trunk is already in rules[3].tiers[0].trunks[0]`,
		`rules[3].tiers[1].trunks[3].carrier: no trunk has the carrier "y"`,
		`rules[3].tiers[2].lcr: "lpm" is neither "per-carrier-lpm" nor "global-lpm"`,
		`rules[3].tiers[2].trunks[0].weight: the strategy of the tier is "least-cost"`,
		`rules[3].tiers[2].trunks[0]: its trunk is already in rules[3].tiers[0].trunks[0]`,
		`rules[3].tiers[3].trunks[0].weight: 1000001 is not between 1 and 1000000`,
		`rules[3].tiers[3].trunks[0]: its trunk is already in rules[3].tiers[0].trunks[1]`,
		`admission.deny[1]: more than 15 digits`,
		`admission.allow[0]: +1900 is already in admission.deny[0]`,
		`admission.windows[0].from: not between 00:00 and 24:00`,
		`admission.windows[0].to: not between 00:00 and 24:00`,
		`admission.windows[1]: from and to are the same: nobody could be called`,
		`admission.windows[1].programs[0]: "" already has a window: admission.windows[0].programs[0]`,
		`admission.windows[2].programs[1]: "p" already has a window: admission.windows[2].programs[0]`,
		`admission.windows[2].programs[2]: "" already has a window: admission.windows[1].programs[0]`,
		`admission.windows[2].programs[2]: empty name`,
		`admission.windows: need CompileConfig.Numbering, which knows the callee's clocks`,
		`defaults.lcr: "lpm" is neither "per-carrier-lpm" nor "global-lpm"`,
		`defaults.typical_call_seconds: 90000 is more than 86400`,
		`defaults.quality.mean: 1.1 is not between 0 and 1`,
		`defaults.quality.strength: NaN is not a number up to 1e9`,
		`defaults.quality.z: +Inf is not a number up to 100`,
		`decks[0].rates[1].prefix: more than 15 digits`,
		`decks[0].rates[2].rate: not between 0 and 1000000`,
		`decks[0].rates[3].setup: not between 0 and 1000000`,
		`decks[0].rates[4].end: not after effective`,
		`decks[0].rates[5].prefix: +1 is already in rates[0], effective at the same time`,
	}, lines)

	_, err = routing.Compile(routing.Policy{}, routing.CompileConfig{})
	require.EqualError(t, err, "routing: policy: CompileConfig.IDs: required\nrules: none: every call would be refused")
}

// TestCompileLimits holds the bounds that keep a table small enough for a Session and for its index types.
func TestCompileLimits(t *testing.T) {
	p := routing.Policy{Rules: []routing.Rule{{Tiers: []routing.Tier{{Trunks: []routing.Target{{Carrier: "x"}}}}}}}
	for i := range outdial.MaxCandidates + 1 {
		p.Trunks = append(p.Trunks, routing.Trunk{Name: strings.Repeat("t", i+1), Carrier: "x"})
	}
	_, err := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry)})
	require.EqualError(t, err, "routing: policy: rules[0].tiers: 65 trunks are more than a call can have: 64")
	p.Trunks = p.Trunks[1:]
	require.Len(t, compile(t, p, routing.CompileConfig{}).route(t, monday, outdial.Call{To: 12125550123}), 64)

	many := make([]string, 300)
	for i := range many {
		many[i] = strings.Repeat("n", i+1)
	}
	p.Rules[0].Campaigns, p.Rules[0].Programs = many, many
	_, err = routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry)})
	require.ErrorContains(t, err, "names more than 65536 combinations")
	require.NotPanics(t, func() { routing.Lint(p) })

	bad := routing.Deck{Name: "d"}
	for range 250 {
		bad.Rates = append(bad.Rates, routing.Rate{Prefix: 1 << 60})
	}
	_, err = routing.Compile(routing.Policy{Decks: []routing.Deck{bad}}, routing.CompileConfig{IDs: new(outdial.Registry)})
	require.Equal(t, 1+100+1, strings.Count(err.Error(), "\n")+1, "the rules, 100 rows, and that there are more")
	require.ErrorContains(t, err, "more faults")
}

// TestCompileObjectives holds that as many different settings of success as a table can tell apart are taken, the same ones as
// often as they are given, and one more is an error instead of another tier's setting.
func TestCompileObjectives(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine, and much to compile")
	}
	const most, tiers = 1 << 16, 64
	var p routing.Policy
	for i := range tiers {
		p.Trunks = append(p.Trunks, routing.Trunk{Name: fmt.Sprintf("t%d", i), Carrier: "x"})
	}
	for i := range most / tiers {
		r := routing.Rule{Prefixes: []outdial.Prefix{outdial.Prefix(i + 1)}}
		for j := range tiers {
			r.Tiers = append(r.Tiers, routing.Tier{
				Strategy: routing.CostPerContact, Trunks: []routing.Target{{Trunk: p.Trunks[j].Name}},
				Success: routing.Success{AttemptCost: routing.Price(i*tiers + j)},
			})
		}
		p.Rules = append(p.Rules, r)
	}
	tier := func(s routing.Success) routing.Tier {
		return routing.Tier{Strategy: routing.CostPerContact, Trunks: []routing.Target{{Trunk: "t0"}}, Success: s}
	}
	p.Rules = append(p.Rules, routing.Rule{Tiers: []routing.Tier{tier(routing.Success{Alpha: 0.1, Z: 1, Metric: "asr"})}})
	_, err := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry)})
	require.NoError(t, err, "the defaults, written out, are no setting of their own")

	ids := new(outdial.Registry)
	p.Rules = append(p.Rules, routing.Rule{Prefixes: []outdial.Prefix{9999}, Tiers: []routing.Tier{tier(routing.Success{Z: 2})}})
	_, err = routing.Compile(p, routing.CompileConfig{IDs: ids})
	require.EqualError(t, err, "routing: policy: rules[1025].tiers[0].success: the policy has more than 65536 different ones")
	require.Zero(t, ids.Trunks.Len())
}

func TestLint(t *testing.T) {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "x", Deck: "d"}, {Name: "b", Carrier: "x"}, {Name: "c", Deck: "gone"}},
		Decks:  []routing.Deck{{Name: "d"}, {Name: "e"}},
		Rules: []routing.Rule{
			{Prefixes: []outdial.Prefix{1, 44}, Tiers: []routing.Tier{{Trunks: []routing.Target{{Carrier: "x"}}}}},
			via("", "a", "b"),
			{Prefixes: []outdial.Prefix{44, 1}, Tiers: []routing.Tier{{Strategy: routing.LeastCost, Trunks: []routing.Target{{Carrier: "x"}}}}},
			{Prefixes: []outdial.Prefix{44}, Programs: []string{"p"}, Block: true},
			{Prefixes: []outdial.Prefix{44}, Programs: []string{"p", "q"}, Tiers: []routing.Tier{{Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "zz"}}}}},
			{Prefixes: []outdial.Prefix{44}, Programs: []string{"p"}, Block: true},
		},
	}
	var got []string
	for _, f := range routing.Lint(p) {
		got = append(got, f.String())
	}
	require.Equal(t, []string{
		`trunks[2].deck: there is no deck "gone" (unknown)`,
		`rules[0]: its trunks share the carrier: they fail together (one_carrier)`,
		`rules[1]: its trunks share the carrier: they fail together (one_carrier)`,
		`rules[2]: it can never match: wherever it would, rules that are as specific stand before it (shadowed)`,
		`rules[2].tiers[0].trunks[0]: "b" has no deck, so it is never a candidate of a least-cost tier (unrated)`,
		`rules[2]: fewer than two trunks: there is no other way when one fails (one_trunk)`,
		`rules[2]: no deck of its trunks has a rate for +44 (uncovered)`,
		`rules[2]: no deck of its trunks has a rate for +1 (uncovered)`,
		`rules[4].tiers[0].trunks[1]: there is no such trunk, carrier or tag: "zz" (unknown)`,
		`rules[4]: fewer than two trunks: there is no other way when one fails (one_trunk)`,
		`rules[5]: it can never match: wherever it would, rules that are as specific stand before it (shadowed)`,
		`trunks[2]: no rule has the trunk "c" (unused)`,
		`decks[1]: no trunk has the deck "e" (unused)`,
	}, got)
	require.Empty(t, routing.Lint(routing.Policy{}))
}
