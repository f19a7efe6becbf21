package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// layout is a configuration made ready for use: pools with their queues, still empty, and what becomes of each
// number.
type layout struct {
	pools     []*pool
	byID      map[outdial.PoolID]*pool
	first     map[outdial.ProgramID]*pool
	campaigns map[outdial.CampaignID]*pool
	programs  []outdial.ProgramID
	rows      []row
}

// row is where a number of the configuration belongs.
type row struct {
	number     outdial.Number
	pool       *pool
	home       int32
	state      State
	rightUntil int64
	info       *info
}

// place is where callees of one area code live, as far as the inventory tells: "" where its numbers disagree.
type place struct{ country, region string }

// newLayout requires a complete configuration.
func newLayout(cfg *Config) *layout {
	l := &layout{
		byID:      map[outdial.PoolID]*pool{},
		first:     map[outdial.ProgramID]*pool{},
		campaigns: map[outdial.CampaignID]*pool{},
		rows:      make([]row, len(cfg.Numbers)),
	}
	builders := map[string]*poolBuilder{}
	for _, p := range cfg.Pools {
		b := newPoolBuilder(cfg, p)
		builders[p.Name] = b
		l.pools = append(l.pools, b.pool)
		l.byID[b.pool.id] = b.pool
		id := cfg.IDs.Programs.ID(p.Program)
		if l.first[id] == nil {
			l.first[id] = b.pool
		}
		l.programs = append(l.programs, id)
	}
	for _, m := range cfg.Campaigns {
		l.campaigns[cfg.IDs.Campaigns.ID(m.Campaign)] = builders[m.Pool].pool
	}
	places := map[outdial.Prefix]place{}
	for i := range cfg.Numbers {
		n := &cfg.Numbers[i]
		r := newInfo(cfg, n)
		l.rows[i] = row{number: n.Number, state: n.State, rightUntil: rightUntil(n), info: r}
		if n.State == StateUnset {
			l.rows[i].state = StateActive
		}
		if b := builders[n.Pool]; b != nil {
			l.rows[i].pool, l.rows[i].home = b.pool, b.home(cfg, n, r)
		}
		if r.area == 0 {
			continue
		}
		at, ok := places[r.area]
		if !ok {
			at = place{r.country, r.region}
		}
		if at.country != r.country {
			at.country = ""
		}
		if at.region != r.region {
			at.region = ""
		}
		places[r.area] = at
	}
	for _, b := range builders {
		b.merge()
		b.locate(places)
	}
	return l
}

func rightUntil(n *NumberConfig) int64 {
	switch {
	case strings.TrimSpace(n.Evidence) == "":
		return 0
	case n.Expires.IsZero():
		return noEnd
	}
	return max(n.Expires.Unix(), 0)
}

func newInfo(cfg *Config, n *NumberConfig) *info {
	r := &info{
		country: n.Country, area: n.Area, region: n.Region, typ: n.Type,
		owner: n.Owner, assigned: n.Assigned, evidence: n.Evidence, expires: n.Expires,
	}
	if cfg.Numbering != nil && (r.country == "" || r.area == 0) {
		d := cfg.Numbering.Locate(time.Time{}, n.Number)
		if r.country == "" && d.Country != [2]byte{} {
			r.country = string(d.Country[:])
		}
		if r.area == 0 && d.Area.Contains(n.Number) {
			r.area = d.Area
		}
	}
	if digits := n.Number.AppendDigits(nil); r.area == 0 && len(digits) == 11 && digits[0] == '1' {
		r.area = outdial.Prefix(n.Number / 1e7)
	}
	return r
}

// poolBuilder makes the buckets, queues and homes of one pool.
type poolBuilder struct {
	pool    *pool
	classes map[string]int32
	buckets map[bucketKey]int32
	queues  map[[2]int32]int32 // by bucket and class
	homes   map[home]int32
	nowhere bool // some number has no country
}

type bucketKey struct {
	tier  tier
	area  outdial.Prefix
	where place
}

func newPoolBuilder(cfg *Config, p PoolConfig) *poolBuilder {
	b := &poolBuilder{
		pool: &pool{
			id: cfg.IDs.Pools.ID(p.Name), name: p.Name, programName: p.Program,
			rules: p.Limits.over(cfg.Limits).rules(), sticky: p.Sticky.over(cfg.Sticky),
			country: map[[2]byte]int32{},
		},
		classes: map[string]int32{}, buckets: map[bucketKey]int32{},
		queues: map[[2]int32]int32{}, homes: map[home]int32{},
	}
	b.pool.whole = b.bucket(bucketKey{tier: tierPool})
	return b
}

// home returns the home of a number.
func (b *poolBuilder) home(cfg *Config, n *NumberConfig, r *info) int32 {
	h := home{class: b.class(cfg, n.Carriers), queues: [tierCount]int32{none, none, none, none}}
	h.queues[tierPool] = b.queue(b.pool.whole, h.class)
	if r.area != 0 {
		h.queues[tierArea] = b.queue(b.bucket(bucketKey{tier: tierArea, area: r.area}), h.class)
	}
	if r.region != "" {
		h.queues[tierRegion] = b.queue(b.bucket(bucketKey{tier: tierRegion, where: place{r.country, r.region}}), h.class)
	}
	if r.country != "" {
		i := b.bucket(bucketKey{tier: tierCountry, where: place{country: r.country}})
		b.pool.country[[2]byte{r.country[0], r.country[1]}] = i
		h.queues[tierCountry] = b.queue(i, h.class)
	} else {
		b.nowhere = true
	}
	i, ok := b.homes[h]
	if !ok {
		i = int32(len(b.pool.homes))
		b.homes[h] = i
		b.pool.homes = append(b.pool.homes, h)
	}
	return i
}

func (b *poolBuilder) class(cfg *Config, carriers []string) int32 {
	sorted := slices.Sorted(slices.Values(carriers))
	key := strings.Join(sorted, "\x00")
	i, ok := b.classes[key]
	if !ok {
		var ids []outdial.CarrierID
		for _, name := range slices.Compact(sorted) {
			ids = append(ids, cfg.IDs.Carriers.ID(name))
		}
		slices.Sort(ids)
		i = int32(len(b.pool.classes))
		b.classes[key] = i
		b.pool.classes = append(b.pool.classes, class{carriers: ids})
	}
	return i
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

func (b *poolBuilder) queue(bucket, class int32) int32 {
	k := [2]int32{bucket, class}
	i, ok := b.queues[k]
	if !ok {
		i = int32(len(b.pool.queues))
		b.queues[k] = i
		b.pool.queues = append(b.pool.queues, queue{class: class, head: none, tail: none})
		b.pool.buckets[bucket] = append(b.pool.buckets[bucket], i)
	}
	return i
}

// merge spares the queues of a country that all numbers of the pool are of: they are those of the pool.
func (b *poolBuilder) merge() {
	if len(b.pool.country) != 1 || b.nowhere {
		return
	}
	for code := range b.pool.country {
		b.pool.country[code] = b.pool.whole
		b.buckets[bucketKey{tier: tierCountry, where: place{country: string(code[:])}}] = b.pool.whole
	}
	for i := range b.pool.homes {
		b.pool.homes[i].queues[tierCountry] = none
	}
}

// locate makes the table that leads from a callee's digits to the buckets near it.
func (b *poolBuilder) locate(places map[outdial.Prefix]place) {
	var table digits.Builder
	for area, at := range places {
		s := spot{none, none, none, none}
		found := false
		look := func(t tier, k bucketKey) {
			if i, ok := b.buckets[k]; ok {
				s[t], found = i, true
			}
		}
		look(tierArea, bucketKey{tier: tierArea, area: area})
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
}
