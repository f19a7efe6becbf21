package routing_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

var (
	names     = []string{"x", "y", "z"}
	modes     = []string{"manual", "predictive", "prerecorded"}
	carriers  = []string{"c0", "c1", "c2"}
	allTrunks = []string{"t0", "t1", "t2", "t3", "t4", "t5"}
)

// some draws a few distinct values.
func some[T comparable](values []T) *rapid.Generator[[]T] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 2, rapid.ID[T])
}

// shortPrefixes nest in each other and hold digits 1 and 2 only, so that short numbers hit them often.
var shortPrefixes = []outdial.Prefix{0, 1, 2, 11, 12, 21, 22, 111, 112, 121, 122, 211, 212, 1111, 1112, 12121, 222222}

func drawPolicy(t *rapid.T) routing.Policy {
	p := routing.Policy{Defaults: routing.Defaults{
		LCR:         rapid.SampledFrom([]routing.LCR{"", routing.PerCarrierLPM, routing.GlobalLPM}).Draw(t, "lcr"),
		TypicalCall: rapid.SampledFrom([]uint32{0, 1, 30, 90}).Draw(t, "typical"),
	}}
	for d := range 3 {
		deck := routing.Deck{Name: fmt.Sprint("d", d)}
		seen := map[string]bool{}
		for range rapid.IntRange(0, 12).Draw(t, "rates") {
			r := routing.Rate{
				Prefix:    rapid.SampledFrom(shortPrefixes).Draw(t, "prefix"),
				PerMinute: routing.Price(rapid.IntRange(0, 5).Draw(t, "rate")),
				Setup:     routing.Price(rapid.IntRange(0, 2).Draw(t, "setup")),
				Increment: rapid.SampledFrom([]routing.Increment{{}, {First: 60, Next: 60}, {First: 30, Next: 6}}).Draw(t, "increment"),
				Effective: routing.Instant(rapid.SampledFrom([]int64{0, 100, 200}).Draw(t, "effective")),
				End:       routing.Instant(rapid.SampledFrom([]int64{0, 250, 300}).Draw(t, "end")),
			}
			if id := fmt.Sprint(r.Prefix, r.Effective); !seen[id] {
				seen[id] = true
				deck.Rates = append(deck.Rates, r)
			}
		}
		p.Decks = append(p.Decks, deck)
	}
	for i, n := range allTrunks {
		p.Trunks = append(p.Trunks, routing.Trunk{
			Name: n, Carrier: carriers[i%3], Deck: rapid.SampledFrom([]string{"", "d0", "d1", "d2"}).Draw(t, "deck"),
		})
	}
	for range rapid.IntRange(1, 8).Draw(t, "rules") {
		r := routing.Rule{
			Prefixes:  some(shortPrefixes).Draw(t, "prefixes"),
			Campaigns: some(names).Draw(t, "campaigns"), Programs: some(names).Draw(t, "programs"),
			Tenants: some(names).Draw(t, "tenants"), Modes: some(modes).Draw(t, "modes"), DayParts: some(names).Draw(t, "parts"),
			Tags: some(names).Draw(t, "tags"), Networks: some(names).Draw(t, "networks"),
			Effective: routing.Instant(rapid.SampledFrom([]int64{0, 0, 0, 100}).Draw(t, "effective")),
			End:       routing.Instant(rapid.SampledFrom([]int64{0, 0, 0, 300}).Draw(t, "end")),
			Block:     rapid.IntRange(0, 9).Draw(t, "block") == 0,
		}
		r.AllTags = len(r.Tags) > 0 && rapid.Bool().Draw(t, "all tags")
		left := rapid.Permutation(allTrunks).Draw(t, "trunks")
		for len(left) > 0 && !r.Block {
			n := rapid.IntRange(1, len(left)).Draw(t, "n")
			g := routing.Tier{Strategy: rapid.SampledFrom([]routing.Strategy{
				"", routing.Priority, routing.Weighted, routing.LeastCost, routing.ByQuality,
			}).Draw(t, "strategy")}
			for i, name := range left[:n] {
				target := routing.Target{Trunk: name}
				if g.Strategy == routing.Weighted {
					target.Weight = uint32(i + 1)
				}
				g.Trunks = append(g.Trunks, target)
			}
			if g.Strategy == routing.LeastCost {
				g.LCR = rapid.SampledFrom([]routing.LCR{"", routing.PerCarrierLPM, routing.GlobalLPM}).Draw(t, "lcr")
			}
			r.Tiers, left = append(r.Tiers, g), left[n:]
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// who is a call in names.
type who struct {
	campaign, program, tenant, mode, part, network string
	tags                                           []string
	to                                             outdial.Number
}

func drawWho(t *rapid.T) who {
	maybe := rapid.SampledFrom([]string{"", "x", "y", "z"})
	return who{
		maybe.Draw(t, "campaign"), maybe.Draw(t, "program"), maybe.Draw(t, "tenant"),
		rapid.SampledFrom(append([]string{"unknown"}, modes...)).Draw(t, "mode"), maybe.Draw(t, "part"), maybe.Draw(t, "network"),
		rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID[string]).Draw(t, "tags"),
		outdial.Number(rapid.SampledFrom([]uint64{1111111, 1112111, 1212111, 2121111, 2222222, 3111111, 121211111111111}).Draw(t, "to")),
	}
}

func (w who) call(ids *outdial.Registry) outdial.Call {
	var tags outdial.Tags
	for _, n := range w.tags {
		tags.Add(ids.Tags.ID(n))
	}
	return outdial.Call{
		Tags: tags,
		To:   w.to, Campaign: ids.Campaigns.ID(w.campaign), Program: ids.Programs.ID(w.program), Tenant: ids.Tenants.ID(w.tenant),
		Mode: outdial.Mode(slices.Index(modes, w.mode) + 1),
		Dest: outdial.Destination{DayPart: ids.DayParts.ID(w.part), Network: ids.Networks.ID(w.network)},
	}
}

// oracle routes by looking at every rule and every row, with strings and stable sorts.
type oracle struct {
	policy  routing.Policy
	quality func(trunk string) outdial.Estimate
}

func hasPrefix(to outdial.Number, p outdial.Prefix) bool {
	return strings.HasPrefix(to.String(), p.String())
}

// rule returns the index of the rule for a call at a time, -1 = none, by comparing all that match.
func (o *oracle) rule(w who, at int64) int {
	best, bestScore := -1, []int(nil)
	for i, r := range o.policy.Rules {
		longest := -1
		for _, p := range r.Prefixes {
			if hasPrefix(w.to, p) {
				longest = max(longest, len(p.String()))
			}
		}
		if len(r.Prefixes) == 0 {
			longest = 0
		}
		matches := longest >= 0
		score := []int{}
		for _, f := range []struct {
			list  []string
			value string
		}{{r.Campaigns, w.campaign}, {r.Programs, w.program}, {r.Tenants, w.tenant}} {
			matches = matches && (len(f.list) == 0 || slices.Contains(f.list, f.value))
			score = append(score, min(len(f.list), 1))
		}
		has := 0
		for _, tag := range r.Tags {
			has += len(slices.DeleteFunc(slices.Clone(w.tags), func(own string) bool { return own != tag }))
		}
		matches = matches && (len(r.Modes) == 0 || slices.Contains(r.Modes, w.mode)) &&
			(len(r.Tags) == 0 || has == len(r.Tags) || !r.AllTags && has > 0) &&
			(len(r.DayParts) == 0 || slices.Contains(r.DayParts, w.part)) &&
			(len(r.Networks) == 0 || slices.Contains(r.Networks, w.network)) &&
			int64(r.Effective) <= at && (r.End == 0 || at < int64(r.End))
		several, dated := 0, 0
		if r.AllTags && len(r.Tags) == 2 {
			several = 1
		}
		if r.Effective != 0 || r.End != 0 {
			dated = 1
		}
		score = append(score, min(len(r.Tags), 1), min(len(r.Modes), 1), longest, several, min(len(r.Networks), 1),
			min(len(r.DayParts), 1), dated)
		if matches && (best < 0 || slices.Compare(score, bestScore) > 0) {
			best, bestScore = i, score
		}
	}
	return best
}

// rate returns the row of a trunk for a number at a time.
func (o *oracle) rate(trunk string, to outdial.Number, at int64) *routing.Rate {
	i := slices.IndexFunc(o.policy.Trunks, func(t routing.Trunk) bool { return t.Name == trunk })
	j := slices.IndexFunc(o.policy.Decks, func(d routing.Deck) bool { return d.Name == o.policy.Trunks[i].Deck })
	if j < 0 {
		return nil
	}
	var best *routing.Rate
	for k := range o.policy.Decks[j].Rates {
		r := &o.policy.Decks[j].Rates[k]
		if !hasPrefix(to, r.Prefix) || int64(r.Effective) > at || r.End != 0 && int64(r.End) <= at {
			continue
		}
		if best == nil || r.Prefix.Len() > best.Prefix.Len() || r.Prefix == best.Prefix && r.Effective > best.Effective {
			best = r
		}
	}
	return best
}

func (o *oracle) route(w who, at int64) (plan []string, err error) {
	i := o.rule(w, at)
	switch {
	case i < 0:
		return nil, routing.ErrNoRule
	case o.policy.Rules[i].Block:
		return nil, routing.ErrBlocked
	}
	typical := time.Duration(o.policy.Defaults.TypicalCall) * time.Second
	if typical == 0 {
		typical = time.Minute
	}
	for n, g := range o.policy.Rules[i].Tiers {
		var in []string
		longest := 0
		for _, target := range g.Trunks {
			if r := o.rate(target.Trunk, w.to, at); r != nil {
				longest = max(longest, r.Prefix.Len())
			}
		}
		global := g.LCR == routing.GlobalLPM || g.LCR == "" && o.policy.Defaults.LCR == routing.GlobalLPM
		for _, target := range g.Trunks {
			r := o.rate(target.Trunk, w.to, at)
			if g.Strategy == routing.LeastCost && (r == nil || global && r.Prefix.Len() < longest) {
				continue
			}
			in = append(in, target.Trunk)
		}
		slices.SortStableFunc(in, func(a, b string) int {
			switch g.Strategy {
			case routing.LeastCost:
				return int(o.rate(a, w.to, at).Cost(typical) - o.rate(b, w.to, at).Cost(typical))
			case routing.ByQuality:
				prior := routing.QualityPrior{Mean: 0.5, Strength: 5, Z: 1}
				if d := prior.Score(o.quality(b)) - prior.Score(o.quality(a)); d != 0 {
					return map[bool]int{true: 1, false: -1}[d > 0]
				}
			}
			return 0
		})
		for _, trunk := range in {
			plan = append(plan, fmt.Sprintf("%d %s", n, trunk))
		}
	}
	if len(plan) == 0 {
		return nil, routing.ErrNoRate
	}
	return plan, nil
}

// TestRouteOracle compares random policies and calls with the oracle, and holds that a table neither changes nor shares
// anything with the policy that it was made from.
func TestRouteOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		before, err := json.Marshal(p)
		require.NoError(t, err)
		ids := new(outdial.Registry)
		ids.DayParts.Add(names...)
		ids.Trunks.Add(allTrunks...)
		quality := asr{}
		for _, name := range allTrunks {
			quality[ids.Trunks.ID(name)] = outdial.Estimate{
				Mean: float64(rapid.IntRange(0, 4).Draw(t, "mean")) / 4, N: float64(rapid.IntRange(0, 100).Draw(t, "n")),
			}
		}
		o := oracle{policy: p, quality: func(trunk string) outdial.Estimate { return quality[ids.Trunks.ID(trunk)] }}
		table, err := routing.Compile(p, routing.CompileConfig{IDs: ids, Quality: quality})
		require.NoError(t, err)
		after, err := json.Marshal(p)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "Compile changes nothing")
		var copied routing.Policy
		require.NoError(t, json.Unmarshal(before, &copied))
		o.policy = copied
		scribble(&p)

		dead := map[string]bool{}
		for _, f := range routing.Lint(copied) {
			dead[f.Place] = dead[f.Place] || f.Code == routing.LintShadowed
		}
		for range 20 {
			w, at := drawWho(t), rapid.Int64Range(1, 400).Draw(t, "at")
			want, wantErr := o.route(w, at)
			call := w.call(ids)
			got, err := table.Route(time.Unix(at, 0), &call, nil)
			require.Equal(t, wantErr, err, "%+v", w)
			var plan []string
			for _, c := range got {
				plan = append(plan, fmt.Sprintf("%d %s", c.Tier, ids.Trunks.Name(c.Trunk)))
			}
			require.Equal(t, want, plan, "%+v at %d", w, at)
			again, _ := table.Route(time.Unix(at, 0), &call, nil)
			require.Equal(t, got, again)
			for _, trunk := range allTrunks {
				want := o.rate(trunk, w.to, at)
				rate, ok := table.Rate(time.Unix(at, 0), ids.Trunks.ID(trunk), w.to)
				require.Equal(t, want != nil, ok)
				if ok {
					expected := *want
					expected.Increment = normal(expected.Increment)
					require.Equal(t, expected, rate, "%s %v at %d", trunk, w.to, at)
				}
			}
			if i := o.rule(w, at); i >= 0 {
				require.False(t, dead[fmt.Sprintf("rules[%d]", i)], "a rule that lint calls shadowed matches %+v", w)
			}
		}
	})
}

// normal writes what 0 stands for.
func normal(i routing.Increment) routing.Increment {
	got, err := routing.ParseIncrement(i.String())
	if err != nil {
		panic(err)
	}
	return got
}

// scribble spoils what slices of a policy hold.
func scribble(p *routing.Policy) {
	for i := range p.Rules {
		clear(p.Rules[i].Prefixes)
		clear(p.Rules[i].DayParts)
		for j := range p.Rules[i].Tiers {
			clear(p.Rules[i].Tiers[j].Trunks)
		}
		clear(p.Rules[i].Tiers)
	}
	for i := range p.Decks {
		clear(p.Decks[i].Rates)
	}
	clear(p.Trunks)
	clear(p.Decks)
	clear(p.Rules)
}

// TestPriceText holds that the text of a price reads back as the same price.
func TestPriceText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := routing.Price(rapid.Int64Range(0, int64(routing.MaxPrice)).Draw(t, "price"))
		back, err := routing.ParsePrice(p.String())
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}

// TestBilled compares increments with adding them up one by one.
func TestBilled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := routing.Increment{
			First: uint16(rapid.IntRange(1, 120).Draw(t, "first")), Next: uint16(rapid.IntRange(1, 120).Draw(t, "next")),
		}
		d := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "d"))
		billed := int64(i.First)
		for time.Duration(billed)*time.Second < d {
			billed += int64(i.Next)
		}
		require.Equal(t, billed, i.Billed(d))
	})
}
