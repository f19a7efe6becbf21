package routing_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

var monday = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC) // 10:00 in New York, 07:00 in Los Angeles

// plan is built once: it loads every time zone.
var plan = sync.OnceValue(func() *outdial.NumberingPlan {
	p, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: new(outdial.Registry)})
	if err != nil {
		panic(err)
	}
	return p
})

// compiled is a table and the registry of its names.
type compiled struct {
	*routing.Table
	ids *outdial.Registry
}

func compile(t testing.TB, p routing.Policy, cfg routing.CompileConfig) compiled {
	t.Helper()
	if cfg.IDs == nil {
		cfg.IDs = new(outdial.Registry)
	}
	table, err := routing.Compile(p, cfg)
	require.NoError(t, err)
	return compiled{table, cfg.IDs}
}

// trunks are the names of the trunks of candidates.
func (c compiled) trunks(cs []outdial.Candidate) []string {
	names := []string{}
	for i := range cs {
		names = append(names, c.ids.Trunks.Name(cs[i].Trunk))
	}
	return names
}

// route returns the names of the trunks that a call is given.
func (c compiled) route(t testing.TB, now time.Time, call outdial.Call) []string {
	t.Helper()
	cs, err := c.Route(now, &call, nil)
	require.NoError(t, err)
	return c.trunks(cs)
}

// via is a rule with one priority tier.
func via(name string, trunks ...string) routing.Rule {
	r := routing.Rule{Name: name, Tiers: []routing.Tier{{}}}
	for _, t := range trunks {
		r.Tiers[0].Trunks = append(r.Tiers[0].Trunks, routing.Target{Trunk: t})
	}
	return r
}

func trunks(names ...string) (ts []routing.Trunk) {
	for _, n := range names {
		ts = append(ts, routing.Trunk{Name: n})
	}
	return ts
}

// prefixes returns n distinct prefixes, shaped like a North American deck with an A-Z part: exchanges (1 NPA NXX), blocks below
// most of them, and nested prefixes of other countries.
func prefixes(n int, seed uint64) []outdial.Prefix {
	r := rand.New(rand.NewPCG(seed, 0))
	seen := make(map[uint64]bool, n)
	all := make([]outdial.Prefix, 0, n)
	add := func(p uint64) {
		if !seen[p] && len(all) < n {
			seen[p] = true
			all = append(all, outdial.Prefix(p))
		}
	}
	for len(all) < n/50 {
		p := 20 + r.Uint64N(80)
		add(p)
		for range 1 + r.IntN(7) {
			p = p*10 + r.Uint64N(10)
			add(p)
		}
	}
	for len(all) < n {
		exchange := (1000+200+r.Uint64N(360)*2)*1000 + 200 + r.Uint64N(800)
		add(exchange)
		for block := range uint64(10) {
			if r.IntN(2) == 0 {
				add(exchange*10 + block)
			}
		}
	}
	return all
}

// numbers returns n numbers that begin with one of the prefixes.
func numbers(ps []outdial.Prefix, n int, seed uint64) []outdial.Number {
	r := rand.New(rand.NewPCG(seed, 1))
	all := make([]outdial.Number, n)
	for i := range all {
		p := uint64(ps[r.IntN(len(ps))])
		for p < 1e10 {
			p = p*10 + r.Uint64N(10)
		}
		all[i] = outdial.Number(p)
	}
	return all
}

// market is a policy with one least-cost rule over 8 carriers whose decks share rows prefixes: each quotes 9 in 10 of them.
func market(rows int, strategy routing.Strategy) (routing.Policy, []outdial.Prefix) {
	ps := prefixes(rows, 11)
	r := rand.New(rand.NewPCG(12, 0))
	p := routing.Policy{Version: "market"}
	rule := routing.Rule{Name: "all", Tiers: []routing.Tier{{Strategy: strategy}}}
	for i := range 8 {
		name := fmt.Sprintf("carrier-%d", i)
		deck := routing.Deck{Name: name, Rates: []routing.Rate{{Prefix: 1, PerMinute: 9000}}}
		for _, prefix := range ps {
			if r.IntN(10) > 0 && prefix != 1 {
				deck.Rates = append(deck.Rates, routing.Rate{
					Prefix: prefix, PerMinute: routing.Price(1000 + r.IntN(8000)), Increment: routing.Increment{First: 6, Next: 6},
				})
			}
		}
		p.Decks = append(p.Decks, deck)
		p.Trunks = append(p.Trunks, routing.Trunk{Name: name, Carrier: name, Deck: name})
		target := routing.Target{Trunk: name}
		if strategy == routing.Weighted {
			target.Weight = uint32(i + 1)
		}
		rule.Tiers[0].Trunks = append(rule.Tiers[0].Trunks, target)
	}
	p.Rules = []routing.Rule{rule}
	return p, ps
}

// asr is a Quality by trunk.
type asr map[outdial.TrunkID]outdial.Estimate

func (a asr) Estimate(_ time.Time, c *outdial.Candidate, _ outdial.GroupID) outdial.Estimate {
	return a[c.Trunk]
}
