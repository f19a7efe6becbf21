package routing

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/outdial/outdial"
)

// rule is a compiled Rule.
type rule struct {
	name     string
	index    uint32 // in the policy
	weight   uint8  // of its conditions
	block    bool
	always   bool            // none of the conditions that follow
	tags     []outdial.TagID // all of them; nil = its book says enough
	parts    []outdial.DayPartID
	networks []outdial.NetworkID
	span     span
	riskPool outdial.PoolID
	riskFrom float64
	tiers    []tier
	slots    []uint8 // by deck: its place in hits, or noSlot; nil = no deck is needed
	decks    int     // how many decks have a place
}

type tier struct {
	strategy     Strategy
	global       bool // global-lpm
	preferDirect bool
	diverse      bool
	objective    uint16 // of a cost-per-contact tier: index into Table.objectives
	targets      []target
}

// target is a candidate but for what depends on the call.
type target struct {
	candidate outdial.Candidate
	slot      uint8 // of its deck, or noSlot
}

// slotOf returns the place of a deck in hits, or noSlot.
func (r *rule) slotOf(deck uint16) uint8 {
	if r.slots == nil {
		return noSlot
	}
	return r.slots[deck]
}

// checkRule reports what does not fit.
func checkRule(place string, r *Rule, names index, ids *outdial.Registry, bad *problems) {
	seen := make(map[outdial.Prefix]int, len(r.Prefixes))
	few := bad.limited()
	for i, p := range r.Prefixes {
		first, twice := seen[p]
		switch {
		case p >= tooLong:
			few.add(fmt.Sprintf("%s.prefixes[%d]", place, i), "more than 15 digits")
		case twice:
			few.add(fmt.Sprintf("%s.prefixes[%d]", place, i), "%s is already prefixes[%d]", shown(p), first)
		default:
			seen[p] = i
		}
	}
	for _, l := range []struct {
		name  string
		names []string
	}{
		{"campaigns", r.Campaigns},
		{"programs", r.Programs},
		{"tenants", r.Tenants},
		{"modes", r.Modes},
		{"tags", r.Tags},
		{"day_parts", r.DayParts},
		{"networks", r.Networks},
	} {
		given := make(map[string]bool, len(l.names))
		for i, n := range l.names {
			at := fmt.Sprintf("%s.%s[%d]", place, l.name, i)
			_, isMode := parseMode(n)
			switch {
			case n == "":
				bad.add(at, "empty name")
			case given[n]:
				bad.add(at, "%q is given twice", n)
			case l.name == "tags":
				checkTag(at, n, bad)
			case l.name == "modes" && !isMode:
				bad.add(at, `%q is not "manual", "predictive" or "prerecorded"`, n)
			case l.name == "day_parts" && ids != nil:
				if _, ok := ids.DayParts.Lookup(n); !ok {
					bad.add(at, "the numbering plan has no day-part %q", n)
				}
			}
			given[n] = true
		}
	}
	if combinations(r) > maxWhos {
		bad.add(place, "names more than %d combinations of campaign, program, tenant, tag and mode", maxWhos)
	}
	if r.AllTags && (len(r.Tags) == 0 || len(r.Tags) > outdial.MaxTags) {
		bad.add(place+".all_tags", "%d tags: want 1 to %d", len(r.Tags), outdial.MaxTags)
	}
	if r.End != 0 && r.End <= r.Effective {
		bad.add(place+".end", "not after effective")
	}
	if k := r.Risk; k != (PoolRisk{}) {
		switch {
		case k.Pool == "":
			bad.add(place+".risk.pool", "required")
		case !(k.AtLeast > 0 && k.AtLeast <= 1):
			bad.add(place+".risk.at_least", "%v is not between 0 and 1", k.AtLeast)
		case !names.hasRisk:
			bad.add(place+".risk", "needs CompileConfig.Risk, which knows the pools")
		}
	}
	checkTiers(place, r, names, bad)
}

// checkTag reports a character that would part the tag in a list of tags.
func checkTag(place, tag string, bad *problems) {
	if strings.ContainsFunc(tag, func(c rune) bool { return strings.ContainsRune(",;", c) || unicode.IsSpace(c) || unicode.IsControl(c) }) {
		bad.add(place, "%q: a tag has no spaces, commas and semicolons", tag)
	}
}

func checkTiers(place string, r *Rule, names index, bad *problems) {
	switch {
	case r.Block && len(r.Tiers) > 0:
		bad.add(place+".tiers", "a rule that blocks has none")
	case !r.Block && len(r.Tiers) == 0:
		bad.add(place+".tiers", "required; to refuse the calls, set block")
	}
	total := 0
	trunks := map[int]string{}
	for i := range r.Tiers {
		t, at := &r.Tiers[i], fmt.Sprintf("%s.tiers[%d]", place, i)
		strategy := t.strategy()
		switch strategy {
		case Priority, Weighted, LeastCost, ByQuality:
			if t.Success != (Success{}) {
				bad.add(at+".success", "the strategy of the tier is %q", strategy)
			}
		case CostPerContact:
			t.Success.check(at+".success", names.hasMeasures, bad)
		default:
			bad.add(at+".strategy", "%q is not %q, %q, %q, %q or %q", t.Strategy,
				Priority, Weighted, LeastCost, ByQuality, CostPerContact)
		}
		if strategy == Weighted && (t.PreferDirect || t.Diverse) {
			bad.add(at, "prefer_direct and diverse need a tier with a fixed order, not weights")
		}
		checkLCR(at+".lcr", t.LCR, bad)
		if t.LCR != "" && strategy != LeastCost {
			bad.add(at+".lcr", "the strategy of the tier is %q", strategy)
		}
		if len(t.Trunks) == 0 {
			bad.add(at+".trunks", "required")
		}
		for j := range t.Trunks {
			total += checkTarget(fmt.Sprintf("%s.trunks[%d]", at, j), &t.Trunks[j], strategy, names, trunks, bad)
		}
	}
	if total > outdial.MaxCandidates {
		bad.add(place+".tiers", "%d trunks are more than a call can have: %d", total, outdial.MaxCandidates)
	}
}

// checkTarget reports what does not fit and returns how many trunks the target stands for. seen has the place of each
// trunk of the rule so far.
func checkTarget(place string, t *Target, strategy Strategy, names index, seen map[int]string, bad *problems) int {
	some := names.trunksOf(t)
	switch {
	case btoi(t.Trunk != "")+btoi(t.Carrier != "")+btoi(t.Tag != "") != 1:
		bad.add(place, "want a trunk, a carrier or a tag")
	case t.Tag != "" && len(some) == 0:
		bad.add(place+".tag", "no trunk has the tag %q", t.Tag)
	case t.Carrier != "" && len(some) == 0:
		bad.add(place+".carrier", "no trunk has the carrier %q", t.Carrier)
	case len(some) == 0:
		bad.add(place+".trunk", "there is no trunk %q", t.Trunk)
	}
	switch {
	case strategy == Weighted && (t.Weight == 0 || t.Weight > MaxWeight):
		bad.add(place+".weight", "%d is not between 1 and %d", t.Weight, MaxWeight)
	case strategy != Weighted && t.Weight != 0:
		bad.add(place+".weight", "the strategy of the tier is %q", strategy)
	}
	for _, i := range some {
		if first, twice := seen[i]; twice {
			bad.add(place, "its trunk is already in %s", first)
			break
		}
		seen[i] = place
	}
	return len(some)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// strategy fills in what "" stands for.
func (t *Tier) strategy() Strategy {
	if t.Strategy != "" {
		return t.Strategy
	}
	for i := range t.Trunks {
		if t.Trunks[i].Weight > 0 {
			return Weighted
		}
	}
	return Priority
}

// newRule compiles rule i of a policy that was checked.
func newRule(ids *outdial.Registry, p *Policy, i int, names index) rule {
	from := &p.Rules[i]
	r := rule{name: from.Name, index: uint32(i), weight: uint8(from.conditions()), block: from.Block}
	if r.name == "" {
		r.name = fmt.Sprintf("rules[%d]", i)
	}
	for _, d := range from.DayParts {
		r.parts = append(r.parts, ids.DayParts.ID(d))
	}
	for _, n := range from.Networks {
		r.networks = append(r.networks, ids.Networks.ID(n))
	}
	if from.AllTags && len(from.Tags) > 1 {
		for _, n := range from.Tags {
			r.tags = append(r.tags, ids.Tags.ID(n))
		}
	}
	r.span = span{from.Effective, from.End}
	r.riskPool, r.riskFrom = ids.Pools.ID(from.Risk.Pool), from.Risk.AtLeast
	r.always = r.weight == 0
	slots := make([]uint8, len(p.Decks))
	for j := range slots {
		slots[j] = noSlot
	}
	for n := range from.Tiers {
		ft := &from.Tiers[n]
		lcr := ft.LCR
		if lcr == "" {
			lcr = p.Defaults.LCR
		}
		to := tier{
			strategy: ft.strategy(), global: lcr == GlobalLPM, preferDirect: ft.PreferDirect, diverse: ft.Diverse,
		}
		for j := range ft.Trunks {
			ftt := &ft.Trunks[j]
			for _, k := range names.trunksOf(ftt) {
				trunk := &p.Trunks[k]
				g := target{slot: noSlot, candidate: outdial.Candidate{
					Trunk: ids.Trunks.ID(trunk.Name), Carrier: ids.Carriers.ID(trunk.Carrier), Pool: ids.Pools.ID(ftt.Pool),
					Tier: uint8(n), Weight: ftt.Weight,
				}}
				if d, ok := names.decks[trunk.Deck]; ok {
					if slots[d] == noSlot {
						slots[d] = uint8(r.decks)
						r.decks++
					}
					g.slot = slots[d]
				}
				to.targets = append(to.targets, g)
			}
		}
		r.tiers = append(r.tiers, to)
	}
	if r.decks > 0 {
		r.slots = slots
	}
	return r
}
