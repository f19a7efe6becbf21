package routing_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// TestWhatIfAgreesWithRouters: over random policies, what a WhatIf says of two of them is what a Router with each would have put
// first, and what that would have cost: whatever their decks have in common, whatever stands in the way of the best trunk.
func TestWhatIfAgreesWithRouters(t *testing.T) {
	moved, refused := int64(0), int64(0)
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		ids := new(outdial.Registry)
		w := newWorld()
		cfg := w.config()
		cfg.IDs = ids
		p := randomContest(rnd)
		one := compile(t, p, cfg)
		if rnd.IntN(2) == 0 {
			p.Rules = randomContest(rnd).Rules
		}
		if rnd.IntN(2) == 0 {
			p.Decks = randomContest(rnd).Decks
		}
		other := compile(t, p, cfg)
		for i := range 8 {
			w.asr[outdial.TrunkID(i+1)] = estimate(rnd.Float64(), 1000)
		}
		routers := [2]*routing.Router{routing.NewRouter(one.Table), routing.NewRouter(other.Table)}
		whatIf, err := routing.NewWhatIf(one.Table, other.Table)
		require.NoError(t, err)
		var want [2]routing.WhatIfPolicy
		for i := range 100 {
			at := monday.Add(time.Duration(i) * 10 * time.Second) // what was read for a call is not fresh for the next one
			call := outdial.Call{ID: outdial.CallID(i + 1), To: outdial.Number(12120000000 + rnd.Uint64N(4)*1e6)}
			made := outdial.Candidate{Trunk: outdial.TrunkID(1 + rnd.IntN(8))}
			talk := time.Duration(rnd.IntN(2)) * time.Duration(1+rnd.IntN(200)) * time.Second
			for j, r := range routers {
				k := &want[j]
				k.Calls++
				plan, err := r.Route(at, &call, nil)
				switch {
				case err != nil:
					k.Refused++
					continue
				case plan[0].Trunk != made.Trunk:
					k.Moved++
				}
				if talk == 0 {
					continue
				}
				k.Answered++
				if rate, ok := r.Table().Rate(at, plan[0].Trunk, call.To); ok {
					k.Cost += rate.Cost(talk)
				} else {
					k.Unrated++
				}
			}
			ev := started(i+1, made, at, "US")
			ev.Attempt.Call.To = call.To
			end := ended(ev, talk)
			for _, observe := range []func(*outdial.Event){whatIf.Observe, routers[0].Observe, routers[1].Observe} {
				observe(ev)
				observe(end)
			}
		}
		for j, got := range whatIf.Policies() {
			require.Equal(t, want[j], routing.WhatIfPolicy{
				Calls: got.Calls, Moved: got.Moved, Refused: got.Refused, Answered: got.Answered, Cost: got.Cost, Unrated: got.Unrated,
			}, "seed %d, policy %d", seed, j)
			moved, refused = moved+got.Moved, refused+got.Refused
		}
	}
	require.Positive(t, refused)
	require.Greater(t, moved, int64(5000))
}

// randomContest is a policy over eight trunks in one to three tiers, each with a strategy, some with overrides and caps. It explores
// nothing.
func randomContest(rnd *rand.Rand) routing.Policy {
	p := routing.Policy{Rules: []routing.Rule{{Name: "all"}}}
	p.Exploration.Share = -1
	tiers := make([]routing.Tier, 1+rnd.IntN(3))
	for i := range tiers {
		tiers[i].Strategy = []routing.Strategy{
			routing.Priority, routing.LeastCost, routing.ByQuality, routing.CostPerContact,
		}[rnd.IntN(4)]
		tiers[i].PreferDirect, tiers[i].Diverse = rnd.IntN(3) == 0, rnd.IntN(3) == 0
		if tiers[i].Strategy == routing.CostPerContact {
			tiers[i].Success.AttemptCost = routing.Price(rnd.IntN(3) * 2000)
		}
	}
	for i := range 8 {
		name := string(rune('a' + i))
		deck := routing.Deck{Name: name}
		for _, prefix := range []outdial.Prefix{1, 12120, 12121, 12122} {
			if rnd.IntN(4) > 0 {
				deck.Rates = append(deck.Rates, routing.Rate{Prefix: prefix, PerMinute: routing.Price(1000 * (1 + rnd.IntN(9)))})
			}
		}
		p.Decks = append(p.Decks, deck)
		p.Trunks = append(p.Trunks, routing.Trunk{
			Name: name, Carrier: fmt.Sprint("carrier ", i/2), Deck: name,
			Interconnect: []routing.Interconnect{"", routing.Direct, routing.Transit}[rnd.IntN(3)],
		})
		tier := &tiers[rnd.IntN(len(tiers))]
		tier.Trunks = append(tier.Trunks, routing.Target{Trunk: name})
	}
	for _, tier := range tiers {
		if len(tier.Trunks) > 0 {
			p.Rules[0].Tiers = append(p.Rules[0].Tiers, tier)
		}
	}
	for range rnd.IntN(3) {
		action := []routing.OverrideAction{routing.Avoid, routing.Penalise, routing.Prefer, routing.Pin, routing.Force}[rnd.IntN(5)]
		p.Overrides = append(p.Overrides, routing.Override{
			Action: action, Trunk: p.Trunks[rnd.IntN(8)].Name, Actor: "test", Reason: "test",
			Prefixes: []outdial.Prefix{12120}, Expires: routing.InstantOf(monday.Add(time.Hour)),
		})
	}
	if rnd.IntN(4) == 0 {
		p.Rules = append(p.Rules, routing.Rule{Prefixes: []outdial.Prefix{12123}, Block: true})
	}
	if rnd.IntN(2) == 0 {
		p.Caps = []routing.Cap{{Share: .2, Least: 10}}
	}
	return p
}
