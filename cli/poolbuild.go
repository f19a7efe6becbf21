package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// poolBuilder makes the buckets, ranks and homes of one pool.
type poolBuilder struct {
	pool    *pool
	budgets map[string]*budget // by region
	classes map[classKey]int32
	buckets map[bucketKey]int32
	ranks   map[[2]int32]int32 // by bucket and class
	homes   map[homeKey]int32
	nowhere bool                      // some number has no country
	centres map[outdial.Prefix]string // of exchanges

	byCentre map[place]int32          // buckets, by region and name: regions have centres of one name
	places   map[outdial.Prefix]place // of areas
	numbers  []exchanged
}

// exchanged is a number that has an exchange; its place is known when it is installed.
type exchanged struct {
	number outdial.Number
	row    int32 // among the pool's numbers
}

type classKey struct {
	carriers, attested string
	budget             *budget
}

type homeKey struct {
	class int32
	ranks [tierCount]int32
}

type bucketKey struct {
	tier  tier
	area  outdial.Prefix
	where place
}

func newPoolBuilder(cfg *Config, p PoolConfig) *poolBuilder {
	b := &poolBuilder{
		pool: &pool{
			id: cfg.IDs.Pools.ID(p.Name), name: p.Name, programName: p.Program, purpose: p.Purpose, require: slices.Clone(p.Require), tenant: cfg.IDs.Tenants.ID(p.Tenant),
			rules: p.Limits.over(cfg.Limits).rules(), sticky: p.Sticky.over(cfg.Sticky),
			country: map[[2]byte]int32{},
		},
		budgets: map[string]*budget{}, classes: map[classKey]int32{}, buckets: map[bucketKey]int32{},
		ranks: map[[2]int32]int32{}, homes: map[homeKey]int32{}, centres: map[outdial.Prefix]string{}, byCentre: map[place]int32{},
	}
	for _, x := range p.Budgets {
		caps := []Cap{x.Cap}
		b.budgets[x.Region] = &budget{caps: caps, gate: gateOf(caps)}
	}
	b.pool.budgets = b.budgets
	for exchange, centre := range cfg.RateCentres {
		b.centres[exchange] = centre
	}
	b.pool.whole = b.bucket(bucketKey{tier: tierPool})
	return b
}

// home returns the home of a number.
func (b *poolBuilder) home(cfg *Config, n *NumberConfig, r *info) int32 {
	h := homeKey{class: b.class(cfg, n), ranks: nowhere().tiers}
	add := func(t tier, k bucketKey) { h.ranks[t] = b.rank(b.bucket(k), h.class, t) }
	add(tierPool, bucketKey{tier: tierPool})
	if r.area != 0 {
		add(tierArea, bucketKey{tier: tierArea, area: r.area})
	}
	if r.region != "" {
		add(tierRegion, bucketKey{tier: tierRegion, where: place{r.country, r.region}})
	}
	centre := r.centre
	if northAmerican(n.Number) {
		exchange := outdial.Prefix(n.Number / 1e4)
		if centre == "" {
			centre = b.centres[exchange]
		} else {
			b.centres[exchange] = centre
		}
		b.numbers = append(b.numbers, exchanged{n.Number, int32(len(b.numbers))})
	} else {
		b.numbers = append(b.numbers, exchanged{0, int32(len(b.numbers))})
	}
	if centre != "" {
		k := bucketKey{tier: tierCentre, where: place{r.region, centre}}
		add(tierCentre, k)
		b.byCentre[k.where] = b.buckets[k]
	}
	if r.country != "" {
		add(tierCountry, bucketKey{tier: tierCountry, where: place{country: r.country}})
		b.pool.country[countryKey(r.country)] = b.buckets[bucketKey{tier: tierCountry, where: place{country: r.country}}]
	} else {
		b.nowhere = true
	}
	i, ok := b.homes[h]
	if !ok {
		i = int32(len(b.pool.homes))
		b.homes[h] = i
		b.pool.homes = append(b.pool.homes, home{class: h.class, head: none, tail: none, ranks: h.ranks})
		for _, r := range h.ranks {
			if r != none {
				b.pool.ranks[r].homes = append(b.pool.ranks[r].homes, i)
			}
		}
	}
	return i
}

func (b *poolBuilder) class(cfg *Config, n *NumberConfig) int32 {
	attested := slices.Clone(n.Attested)
	if n.Assigned != "" {
		attested = append(attested, n.Assigned)
	}
	k := classKey{budget: b.budgets[n.Region]}
	var carriers, signers []outdial.CarrierID
	k.carriers, carriers = carrierSet(cfg, n.Carriers)
	k.attested, signers = carrierSet(cfg, attested)
	i, ok := b.classes[k]
	if !ok {
		i = int32(len(b.pool.classes))
		b.classes[k] = i
		b.pool.classes = append(b.pool.classes, class{carriers: carriers, attested: signers, budget: k.budget})
	}
	return i
}

// carrierSet returns a set of carriers, nil if it is empty, and a key for it.
func carrierSet(cfg *Config, names []string) (key string, ids []outdial.CarrierID) {
	sorted := slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range sorted {
		ids = append(ids, cfg.IDs.Carriers.ID(name))
	}
	slices.Sort(ids)
	return strings.Join(sorted, "\x00"), ids
}

func (b *poolBuilder) bucket(k bucketKey) int32 {
	i, ok := b.buckets[k]
	if !ok {
		i = int32(len(b.pool.buckets))
		b.buckets[k] = i
		b.pool.buckets = append(b.pool.buckets, nil)
	}
	return i
}

func (b *poolBuilder) rank(bucket, class int32, t tier) int32 {
	k := [2]int32{bucket, class}
	i, ok := b.ranks[k]
	if !ok {
		i = int32(len(b.pool.ranks))
		b.ranks[k] = i
		b.pool.ranks = append(b.pool.ranks, rank{class: class, tier: t})
		b.pool.buckets[bucket] = append(b.pool.buckets[bucket], i)
	}
	return i
}

// merge spares the ranks of a country that all numbers of the pool are of: they are those of the pool.
func (b *poolBuilder) merge() {
	if len(b.pool.country) != 1 || b.nowhere {
		return
	}
	for code := range b.pool.country {
		b.pool.country[code] = b.pool.whole
		b.buckets[bucketKey{tier: tierCountry, where: place{country: string(code[:])}}] = b.pool.whole
	}
	for i := range b.pool.homes {
		b.pool.homes[i].ranks[tierCountry] = none
	}
}

// place makes room for the places of homes in their ranks.
func (b *poolBuilder) place() {
	for t := range b.pool.places {
		if slices.ContainsFunc(b.pool.homes, func(h home) bool { return h.ranks[t] != none }) {
			b.pool.places[t] = make([]int32, len(b.pool.homes))
		}
	}
}

// locate makes the tables that lead from a callee's digits to the buckets near it.
func (b *poolBuilder) locate(places map[outdial.Prefix]place, next map[outdial.Prefix][]outdial.Prefix) {
	b.places = places
	var table digits.Builder
	for area, at := range places {
		s := nowhere()
		found := false
		look := func(t tier, k bucketKey) {
			if i, ok := b.buckets[k]; ok {
				s.tiers[t], found = i, true
			}
		}
		look(tierArea, bucketKey{tier: tierArea, area: area})
		for _, other := range next[area] {
			if i, ok := b.buckets[bucketKey{tier: tierArea, area: other}]; ok {
				s.overlay, found = append(s.overlay, i), true
			}
		}
		if at.region != "" {
			look(tierRegion, bucketKey{tier: tierRegion, where: at})
		}
		if at.country != "" {
			look(tierCountry, bucketKey{tier: tierCountry, where: place{country: at.country}})
		}
		if found {
			_ = table.Add(uint64(area), uint32(len(b.pool.spots))) // keys of a map are unique
			b.pool.spots = append(b.pool.spots, s)
		}
	}
	b.pool.areas = table.Build()
	b.exchanges()
}

// exchanges makes the spans of numbers that share an exchange. pool.sorted holds rows until the numbers have places.
func (b *poolBuilder) exchanges() {
	slices.SortFunc(b.numbers, func(x, y exchanged) int { return cmp.Compare(x.number, y.number) })
	var table digits.Builder
	last := outdial.Prefix(0)
	for _, x := range b.numbers {
		if x.number == 0 {
			continue
		}
		exchange := outdial.Prefix(x.number / 1e4)
		if exchange != last {
			last = exchange
			b.span(&table, exchange, int32(len(b.pool.sorted)))
		}
		b.pool.sorted = append(b.pool.sorted, x.row)
		b.pool.spans[len(b.pool.spans)-1].n++
	}
	for _, x := range b.numbers {
		delete(b.centres, outdial.Prefix(x.number/1e4))
	}
	for exchange := range b.centres { // of callees: no number of ours is there
		b.span(&table, exchange, 0)
	}
	b.pool.exchanges = table.Build()
}

func (b *poolBuilder) span(table *digits.Builder, exchange outdial.Prefix, from int32) {
	s := span{from: from, centre: none}
	if name := b.centres[exchange]; name != "" {
		s.centre = b.centre(b.places[exchange/1e3].region, name)
	}
	_ = table.Add(uint64(exchange), uint32(len(b.pool.spans)))
	b.pool.spans = append(b.pool.spans, s)
}

// centre is the bucket of a rate centre of a region; where it is not known in which region an exchange is, that of the one centre
// that has the name.
func (b *poolBuilder) centre(region, name string) int32 {
	if i, ok := b.byCentre[place{region, name}]; ok {
		return i
	}
	found := none
	for k, i := range b.byCentre {
		if k.region != name || region != "" && k.country != "" {
			continue
		}
		if found != none {
			return none
		}
		found = i
	}
	return found
}
