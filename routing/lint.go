package routing

import (
	"fmt"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
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

	LintOneCarrier = "one_carrier" // the trunks of a rule share their carrier, or their hop, and so its fate
	LintUncovered  = "uncovered"   // a prefix of a rule for which no deck of its least-cost tiers has a rate
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
	covers := map[string][]uint64{} // by deck: the prefixes of its rates, by digits.Key
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
					note(LintUnknown, at, "there is no such trunk, carrier or tag: %q", t.Trunk+t.Carrier+t.Tag)
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
		} else if what := shared(&p, usable); what != "" {
			note(LintOneCarrier, place, "its trunks share the %s: they fail together", what)
		}
		for _, prefix := range uncovered(&p, r, &names, covers) {
			note(LintUncovered, place, "no deck of its trunks has a rate for %s", shown(prefix))
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

// shared says what some trunks have in common that can fail: a carrier or a hop; "" = nothing that is known.
func shared(p *Policy, some map[int]bool) string {
	carriers, hops := map[string]bool{}, map[string]bool{}
	for i := range some {
		carriers[p.Trunks[i].Carrier], hops[p.Trunks[i].Hop] = true, true
	}
	switch {
	case len(carriers) == 1 && !carriers[""]:
		return "carrier"
	case len(hops) == 1 && !hops[""]:
		return "hop"
	}
	return ""
}

// maxUncovered is how many prefixes of one rule are named.
const maxUncovered = 10

// uncovered returns prefixes of a rule, all of whose tiers are least-cost, that no deck has a rate for, or for part of.
func uncovered(p *Policy, r *Rule, names *index, covers map[string][]uint64) (found []outdial.Prefix) {
	decks := map[string]bool{}
	for i := range r.Tiers {
		if r.Tiers[i].strategy() != LeastCost {
			return nil
		}
		for j := range r.Tiers[i].Trunks {
			for _, k := range names.trunksOf(&r.Tiers[i].Trunks[j]) {
				if d, ok := names.decks[p.Trunks[k].Deck]; ok {
					decks[p.Decks[d].Name] = true
				}
			}
		}
	}
	for _, prefix := range r.prefixes() {
		covered := prefix >= tooLong
		for name := range decks {
			if covers[name] == nil {
				covers[name] = deckKeys(&p.Decks[names.decks[name]])
			}
			covered = covered || hasRate(covers[name], prefix)
		}
		if !covered && len(found) < maxUncovered {
			found = append(found, prefix)
		}
	}
	return found
}

func deckKeys(d *Deck) []uint64 {
	keys := make([]uint64, 0, len(d.Rates)+1)
	for i := range d.Rates {
		if d.Rates[i].Prefix < tooLong {
			keys = append(keys, digits.Key(uint64(d.Rates[i].Prefix)))
		}
	}
	slices.Sort(keys)
	return keys
}

// hasRate reports whether a prefix, one that it begins with, or one that begins with it is among the sorted keys.
func hasRate(keys []uint64, prefix outdial.Prefix) bool {
	for q := uint64(prefix); ; q /= 10 {
		if _, ok := slices.BinarySearch(keys, digits.Key(q)); ok {
			return true
		}
		if q == 0 {
			break
		}
	}
	if prefix == 0 {
		return len(keys) > 0
	}
	i, _ := slices.BinarySearch(keys, digits.Key(uint64(prefix)))
	free := uint(64 - 4*prefix.Len())
	return i < len(keys) && keys[i]>>free == digits.Key(uint64(prefix))>>free
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

// combinations of campaign, program, tenant, tag and mode that a rule names; what is more than maxWhos is maxWhos + 1.
func combinations(r *Rule) int {
	n := 1
	for _, l := range [][]string{r.Campaigns, r.Programs, r.Tenants, r.filedUnder(), r.Modes} {
		n = min(n*max(len(l), 1), maxWhos+1)
	}
	return n
}
