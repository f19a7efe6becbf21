package routing

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// CompileConfig is what a policy needs besides its data.
type CompileConfig struct {
	IDs        *outdial.Registry // required: where names get their ids
	Numbering  Numbering         // required if the policy has calling windows: the engine's *outdial.NumberingPlan
	Quality    Quality           // nil = nothing is known of any trunk, so quality tiers stand as written
	Suppressor Suppressor        // nil = no suppression list

	Measures    Measures    // required for floors, contacts and surcharges: a kpi.Meter
	Headroom    Headroom    // nil = every trunk has room; else one without stands last in a tier with a fixed order
	BurstPrices BurstPrices // nil = no trunk has any
	Health      Health      // nil = every trunk is well; else one that is out stands last in a tier with a fixed order
	Risk        Risk        // nil = no pool is under suspicion
	Regions     Regions     // for prices by jurisdiction; nil = Numbering, if that knows regions, else all are indeterminate
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
	names.hasMeasures, names.hasRisk = cfg.Measures != nil, cfg.Risk != nil
	if len(p.Rules) == 0 {
		bad.add("rules", "none: every call would be refused")
	}
	for i := range p.Rules {
		checkRule(fmt.Sprintf("rules[%d]", i), &p.Rules[i], names, cfg.IDs, bad)
	}
	checkAdmission(&p.Admission, cfg.Numbering != nil, bad)
	p.Defaults.check(bad)
	p.checkLimits(&names, bad)
	for i := range p.Overrides {
		checkOverride(fmt.Sprintf("overrides[%d]", i), &p.Overrides[i], &names, bad)
	}
	if len(p.Trunks) > maxTrunks {
		bad.add("trunks", "%d are more than %d", len(p.Trunks), maxTrunks)
	}
	objectives := compileObjectives(p.Rules, bad)
	rates := compileRates(p.Decks[:min(len(p.Decks), MaxDecks)], bad)
	if bad.any() {
		return nil, fmt.Errorf("routing: policy: %w", bad.err())
	}
	addNames(cfg.IDs, &p)
	t := &Table{
		sources: cfg.sources(), version: p.Version, ids: cfg.IDs, prior: p.Defaults.Quality.filled(),
		typical: p.Defaults.typical(), exploration: p.Exploration.filled(), objectives: objectives.list, rates: rates,
		byState: rates.byState(),
		gate:    newGate(cfg.IDs, &p.Admission), shelves: newShelves(cfg.IDs, p.Rules), decks: map[outdial.TrunkID]uint16{},
	}
	for i := range t.rates.terms {
		k := &t.rates.terms[i]
		k.typical = uint32(k.increment.Billed(t.typical))
	}
	t.compileTrunks(&p)
	for i := range p.Trunks {
		if d, ok := names.decks[p.Trunks[i].Deck]; ok {
			t.decks[cfg.IDs.Trunks.ID(p.Trunks[i].Name)] = uint16(d)
		}
	}
	for i := range p.Rules {
		r := newRule(cfg.IDs, &p, i, names)
		for n := range r.tiers {
			if r.tiers[n].strategy == CostPerContact {
				r.tiers[n].objective = objectives.at[p.Rules[i].Tiers[n].Success.objective()]
			}
		}
		t.rules = append(t.rules, r)
	}
	t.alone = t.newCells()
	t.compileLimits(&p, &names)
	for _, o := range p.Overrides {
		t.orders = append(t.orders, compileOrder(cfg.IDs, o))
	}
	return t, nil
}

// sources are what the configuration names, with what stands in for what it does not.
func (c *CompileConfig) sources() sources {
	s := sources{
		c.Numbering, c.Quality, c.Measures, c.Headroom, c.BurstPrices, c.Health, c.Risk, c.Regions, c.Suppressor,
	}
	if s.regions == nil {
		s.regions, _ = c.Numbering.(Regions)
	}
	if s.regions == nil {
		s.regions = noRegions{}
	}
	return s
}

// noRegions knows no region, but that numbers of calling code 1 may lie in the United States.
type noRegions struct{}

func (noRegions) Region(n outdial.Number) (country, region string) {
	if outdial.Prefix(1).Contains(n) || n == 0 {
		return "US", ""
	}
	return "", ""
}

// compileTrunks keeps what the policy says of each trunk, to be found by its id; the first is none.
func (t *Table) compileTrunks(p *Policy) {
	t.trunks = make([]trunk, 1, len(p.Trunks)+1)
	for i := range p.Trunks {
		m := trunk{Trunk: p.Trunks[i]}
		m.Tags, m.Surcharges = slices.Clone(m.Tags), slices.Clone(m.Surcharges)
		m.candidate = outdial.Candidate{Trunk: t.ids.Trunks.ID(m.Name), Carrier: t.ids.Carriers.ID(m.Carrier)}
		for int(m.candidate.Trunk) >= len(t.trunkAt) {
			t.trunkAt = append(t.trunkAt, 0)
		}
		t.trunkAt[m.candidate.Trunk] = uint16(len(t.trunks))
		t.trunks = append(t.trunks, m)
	}
}

// index is where the things that rules refer to by name stand in the policy.
type index struct {
	trunks   map[string]int
	decks    map[string]int
	carriers map[string][]int // trunks, in their order
	tags     map[string][]int
	hops     map[string][]int

	hasMeasures, hasRisk bool // CompileConfig names them
}

func (p *Policy) names(bad *problems) index {
	x := index{
		trunks: map[string]int{}, decks: map[string]int{}, carriers: map[string][]int{}, tags: map[string][]int{},
		hops: map[string][]int{},
	}
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
		if t.Hop != "" {
			x.hops[t.Hop] = append(x.hops[t.Hop], i)
		}
		for j, tag := range t.Tags {
			if tag == "" || slices.Contains(t.Tags[:j], tag) {
				bad.add(fmt.Sprintf("%s.tags[%d]", place, j), "%q is empty or given twice", tag)
				continue
			}
			x.tags[tag] = append(x.tags[tag], i)
		}
		switch t.Interconnect {
		case "", Direct, Transit:
		default:
			bad.add(place+".interconnect", "%q is neither %q nor %q", t.Interconnect, Direct, Transit)
		}
		for j, s := range t.Surcharges {
			if !(s.Above >= 0 && s.Above < 1) || s.Fee <= 0 || s.Fee > MaxPrice {
				bad.add(fmt.Sprintf("%s.surcharges[%d]", place, j), "want a share from 0 to below 1 and a fee")
			}
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
	if t.Tag != "" {
		return x.tags[t.Tag]
	}
	if i, ok := x.trunks[t.Trunk]; ok {
		return []int{i}
	}
	return nil
}

// addNames issues the ids of all names at once, in the order of the policy.
func addNames(ids *outdial.Registry, p *Policy) {
	var trunks, carriers, pools, campaigns, programs, tenants, tags, networks []string
	for i := range p.Trunks {
		trunks = append(trunks, p.Trunks[i].Name)
		carriers = append(carriers, p.Trunks[i].Carrier)
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		campaigns = append(campaigns, r.Campaigns...)
		programs = append(programs, r.Programs...)
		tenants = append(tenants, r.Tenants...)
		tags = append(tags, r.Tags...)
		networks = append(networks, r.Networks...)
		pools = append(pools, r.Risk.Pool)
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
	ids.Tags.Add(tags...)
	ids.Networks.Add(networks...)
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
