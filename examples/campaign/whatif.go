package main

import (
	"fmt"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/routing"
)

// attemptCost is what an attempt costs beside its carrier, for the policy by cost per contact: an agent's wait.
const attemptCost routing.Price = 4000

// otherPolicy is what the same calls are judged by when all is over: cost per contact instead of the shares that the campaign ran with.
func otherPolicy(carriers []carrierFacts, ids *outdial.Registry, meter *kpi.Meter) (*routing.WhatIf, error) {
	p := routing.Policy{Version: "by cost per contact", Rules: []routing.Rule{{Name: "everything", Tiers: []routing.Tier{{}}}}}
	tier := &p.Rules[0].Tiers[0]
	for _, c := range carriers {
		p.Trunks = append(p.Trunks, routing.Trunk{Name: c.Name, Carrier: c.Name, Deck: c.Name})
		p.Decks = append(p.Decks, routing.Deck{Name: c.Name, Rates: []routing.Rate{
			{PerMinute: routing.Price(c.Price), Increment: routing.Increment{First: 6, Next: 6}},
		}})
		tier.Trunks = append(tier.Trunks, routing.Target{Trunk: c.Name})
	}
	tier.Strategy = routing.CostPerContact
	tier.Success = routing.Success{AttemptCost: attemptCost, Z: 0.3}  // a short campaign: what is likely counts, not what is sure
	p.Defaults.Quality = routing.QualityPrior{Mean: 0.2, Strength: 2} // about a fifth of such calls are answered
	table, err := routing.Compile(p, routing.CompileConfig{IDs: ids, Quality: meter, Measures: meter})
	if err != nil {
		return nil, err
	}
	return routing.NewWhatIf(table)
}

// tellPolicy says what a policy would have done with the same calls.
func tellPolicy(p *routing.WhatIfPolicy, ids *outdial.Registry) []string {
	lines := []string{
		fmt.Sprintf("%s: %d of %d calls would have gone to another trunk first;", p.Version, p.Moved, p.Calls),
		fmt.Sprintf("what was answered would have cost %s there", routing.Price(p.Cost)),
	}
	firsts := map[outdial.TrunkID]int64{}
	for move, n := range p.Moves {
		firsts[move[1]] += n
	}
	for id, name := range ids.Trunks.All() {
		if firsts[id] > 0 {
			lines = append(lines, fmt.Sprintf("  %d of them to %s", firsts[id], name))
		}
	}
	return lines
}
