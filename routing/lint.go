package routing

import (
	"fmt"
	"slices"

	"github.com/outdial/outdial"
)

// Finding is something in a policy that is hardly meant. Place is where ("rules[3]"), Code is stable, Text is for
// people.
type Finding struct {
	Code  string `json:"code"`
	Place string `json:"place"`
	Text  string `json:"text"`
}

// String returns "place: text (code)".
func (f Finding) String() string { return f.Place + ": " + f.Text + " (" + f.Code + ")" }

// Codes of findings.
const (
	LintOneTrunk = "one_trunk" // the calls of a rule have no second trunk to go to
	LintShadowed = "shadowed"  // a rule can never match, because others come before it wherever it would
	LintUnknown  = "unknown"   // a name stands for nothing (Compile refuses such a policy)
	LintUnused   = "unused"    // a trunk or a deck that no rule can reach
	LintUnrated  = "unrated"   // a trunk in a least-cost tier that has no deck, so it is never a candidate there
)

// Lint looks for what Compile accepts or refuses one by one but an operator wants to know at a glance. It takes any
// policy, and needs no registry. It finds nothing that depends on time or on numbers: a rule may still lack a trunk
// with a rate for some destination.
func Lint(p Policy) []Finding {
	var found []Finding
	note := func(code, place, format string, args ...any) {
		found = append(found, Finding{code, place, fmt.Sprintf(format, args...)})
	}
	names := p.names(newProblems())
	usedTrunks, usedDecks := map[int]bool{}, map[string]bool{}
	for i := range p.Trunks {
		if d := p.Trunks[i].Deck; d != "" {
			if _, ok := names.decks[d]; !ok {
				note(LintUnknown, fmt.Sprintf("trunks[%d].deck", i), "there is no deck %q", d)
			}
			usedDecks[d] = true
		}
	}
	dead := shadowed(p.Rules)
	for i := range p.Rules {
		r, place := &p.Rules[i], fmt.Sprintf("rules[%d]", i)
		if dead[i] {
			note(LintShadowed, place, "it can never match: wherever it would, rules that are as specific stand before it")
		}
		if r.Block {
			continue
		}
		usable := map[int]bool{}
		for j := range r.Tiers {
			for k := range r.Tiers[j].Trunks {
				t, at := &r.Tiers[j].Trunks[k], fmt.Sprintf("%s.tiers[%d].trunks[%d]", place, j, k)
				some := names.trunksOf(t)
				if len(some) == 0 {
					note(LintUnknown, at, "there is no such trunk or carrier: %q", t.Trunk+t.Carrier)
				}
				for _, n := range some {
					usedTrunks[n] = true
					if r.Tiers[j].strategy() == LeastCost && p.Trunks[n].Deck == "" {
						note(LintUnrated, at, "%q has no deck, so it is never a candidate of a least-cost tier", p.Trunks[n].Name)
						continue
					}
					usable[n] = true
				}
			}
		}
		if len(usable) < 2 {
			note(LintOneTrunk, place, "fewer than two trunks: there is no other way when one fails")
		}
	}
	for i := range p.Trunks {
		if !usedTrunks[i] {
			note(LintUnused, fmt.Sprintf("trunks[%d]", i), "no rule has the trunk %q", p.Trunks[i].Name)
		}
	}
	for i := range p.Decks {
		if !usedDecks[p.Decks[i].Name] {
			note(LintUnused, fmt.Sprintf("decks[%d]", i), "no trunk has the deck %q", p.Decks[i].Name)
		}
	}
	return found
}

// shadowed finds the rules that come after others at each of their prefixes, for all whose calls they are.
func shadowed(rules []Rule) []bool {
	dead := make([]bool, len(rules))
	for i := range rules {
		r := &rules[i]
		dead[i] = true
		if combinations(r) > maxWhos {
			return make([]bool, len(rules)) // Compile refuses the policy
		}
	}
	seen := map[string]bool{} // combinations with the same rules need one look
	for _, byWho := range chapters(rules) {
		for _, some := range byWho {
			name := fmt.Sprint(some)
			if seen[name] {
				continue
			}
			seen[name] = true
			taken := map[outdial.Prefix][]string{} // day-parts for which a rule stands before; "" = all
			for _, i := range some {
				for _, prefix := range rules[i].prefixes() {
					before := taken[prefix]
					parts := orNone(rules[i].DayParts)
					for _, part := range parts {
						if !slices.Contains(before, part) && !slices.Contains(before, "") {
							dead[i] = false
						}
					}
					if rules[i].conditions()&^(1<<2) == 0 { // with other conditions it leaves calls over
						taken[prefix] = append(before, parts...)
					}
				}
			}
		}
	}
	return dead
}

// combinations of campaign, program, tenant and mode that a rule names; what is more than maxWhos is maxWhos + 1.
func combinations(r *Rule) int {
	n := 1
	for _, l := range [][]string{r.Campaigns, r.Programs, r.Tenants, r.Modes} {
		n = min(n*max(len(l), 1), maxWhos+1)
	}
	return n
}
