package routing

import (
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
)

// CompileConfig is what a policy needs besides its data.
type CompileConfig struct {
	IDs        *outdial.Registry // required: where names get their ids
	Numbering  Numbering         // required if the policy has calling windows: the engine's *outdial.NumberingPlan
	Quality    Quality           // nil = nothing is known of any trunk, so quality tiers stand as written
	Suppressor Suppressor        // nil = no suppression list
}

// Compile checks a policy and makes a Table of it. The error joins everything that is wrong, each with the place in
// the policy that it is about ("rules[3].tiers[0].trunks[1].weight: …"); of each deck no more than the first 100 bad
// rows.
//
// Names get ids only when nothing is wrong. Day-parts must be known to the registry before: the numbering plan defines
// them.
func Compile(p Policy, cfg CompileConfig) (*Table, error) {
	bad := newProblems()
	if cfg.IDs == nil {
		bad.add("CompileConfig.IDs", "required")
	}
	names := p.names(bad)
	if len(p.Rules) == 0 {
		bad.add("rules", "none: every call would be refused")
	}
	for i := range p.Rules {
		checkRule(fmt.Sprintf("rules[%d]", i), &p.Rules[i], names, cfg.IDs, bad)
	}
	checkAdmission(&p.Admission, cfg.Numbering != nil, bad)
	p.Defaults.check(bad)
	rates := compileRates(p.Decks[:min(len(p.Decks), MaxDecks)], bad)
	if bad.any() {
		return nil, fmt.Errorf("routing: policy: %w", bad.err())
	}
	addNames(cfg.IDs, &p)
	t := &Table{
		version: p.Version, ids: cfg.IDs, numbering: cfg.Numbering, quality: cfg.Quality, suppressor: cfg.Suppressor,
		prior: p.Defaults.Quality.filled(), typical: p.Defaults.typical(), rates: rates,
		gate: newGate(cfg.IDs, &p.Admission), shelves: newShelves(cfg.IDs, p.Rules), decks: map[outdial.TrunkID]uint16{},
	}
	for i := range p.Trunks {
		if d, ok := names.decks[p.Trunks[i].Deck]; ok {
			t.decks[cfg.IDs.Trunks.ID(p.Trunks[i].Name)] = uint16(d)
		}
	}
	for i := range p.Rules {
		t.rules = append(t.rules, newRule(cfg.IDs, &p, i, names))
	}
	return t, nil
}

// index is where the things that rules refer to by name stand in the policy.
type index struct {
	trunks   map[string]int
	decks    map[string]int
	carriers map[string][]int // trunks, in their order
}

func (p *Policy) names(bad *problems) index {
	x := index{map[string]int{}, map[string]int{}, map[string][]int{}}
	if len(p.Decks) > MaxDecks {
		bad.add("decks", "%d are more than %d", len(p.Decks), MaxDecks)
	}
	for i := range p.Decks {
		place := fmt.Sprintf("decks[%d].name", i)
		name := p.Decks[i].Name
		switch first, twice := x.decks[name]; {
		case name == "":
			bad.add(place, "required")
		case twice:
			bad.add(place, "%q is already decks[%d]", name, first)
		default:
			x.decks[name] = i
		}
	}
	for i := range p.Trunks {
		t, place := &p.Trunks[i], fmt.Sprintf("trunks[%d]", i)
		switch first, twice := x.trunks[t.Name]; {
		case t.Name == "":
			bad.add(place+".name", "required")
		case twice:
			bad.add(place+".name", "%q is already trunks[%d]", t.Name, first)
		default:
			x.trunks[t.Name] = i
		}
		if t.Carrier != "" {
			x.carriers[t.Carrier] = append(x.carriers[t.Carrier], i)
		}
		if _, ok := x.decks[t.Deck]; !ok && t.Deck != "" {
			bad.add(place+".deck", "there is no deck %q", t.Deck)
		}
	}
	return x
}

// trunksOf returns the trunks that a target stands for.
func (x *index) trunksOf(t *Target) []int {
	if t.Carrier != "" {
		return x.carriers[t.Carrier]
	}
	if i, ok := x.trunks[t.Trunk]; ok {
		return []int{i}
	}
	return nil
}

// addNames issues the ids of all names at once, in the order of the policy.
func addNames(ids *outdial.Registry, p *Policy) {
	var trunks, carriers, pools, campaigns, programs, tenants []string
	for i := range p.Trunks {
		trunks = append(trunks, p.Trunks[i].Name)
		carriers = append(carriers, p.Trunks[i].Carrier)
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		campaigns = append(campaigns, r.Campaigns...)
		programs = append(programs, r.Programs...)
		tenants = append(tenants, r.Tenants...)
		for j := range r.Tiers {
			for _, target := range r.Tiers[j].Trunks {
				pools = append(pools, target.Pool)
			}
		}
	}
	for _, w := range p.Admission.Windows {
		programs = append(programs, w.Programs...)
	}
	ids.Trunks.Add(trunks...)
	ids.Carriers.Add(carriers...)
	ids.Pools.Add(pools...)
	ids.Campaigns.Add(campaigns...)
	ids.Programs.Add(programs...)
	ids.Tenants.Add(tenants...)
}

const (
	defaultTypicalCall = 60
	maxTypicalCall     = 86_400
)

func (d *Defaults) check(bad *problems) {
	checkLCR("defaults.lcr", d.LCR, bad)
	if d.TypicalCall > maxTypicalCall {
		bad.add("defaults.typical_call_seconds", "%d is more than %d", d.TypicalCall, maxTypicalCall)
	}
	q := &d.Quality
	if !(q.Mean >= 0 && q.Mean <= 1) {
		bad.add("defaults.quality.mean", "%v is not between 0 and 1", q.Mean)
	}
	if math.IsNaN(q.Strength) || q.Strength > 1e9 {
		bad.add("defaults.quality.strength", "%v is not a number up to 1e9", q.Strength)
	}
	if math.IsNaN(q.Z) || q.Z > 100 {
		bad.add("defaults.quality.z", "%v is not a number up to 100", q.Z)
	}
}

func (d *Defaults) typical() time.Duration {
	if d.TypicalCall == 0 {
		return defaultTypicalCall * time.Second
	}
	return time.Duration(d.TypicalCall) * time.Second
}

func checkLCR(place string, l LCR, bad *problems) {
	switch l {
	case "", PerCarrierLPM, GlobalLPM:
	default:
		bad.add(place, "%q is neither %q nor %q", l, PerCarrierLPM, GlobalLPM)
	}
}
