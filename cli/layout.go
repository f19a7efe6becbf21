package cli

import (
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// layout is a configuration made ready for use: pools with their queues, still empty, and what becomes of each
// number.
type layout struct {
	pools     []*pool
	byID      map[outdial.PoolID]*pool
	first     map[outdial.ProgramID]*pool
	campaigns map[outdial.CampaignID]*pool
	programs  []outdial.ProgramID
	callees   map[outdial.ProgramID]map[[2]byte]*calleeRule
	quotas    map[outdial.TenantID][]Cap
	purposes  map[[2]byte]bool // countries of which a rule is about a purpose
	rows      []row
}

// row is where a number of the configuration belongs.
type row struct {
	number   outdial.Number
	pool     *pool
	home     int32
	state    State
	info     *info
	until    int64  // Unix seconds: when its right ends, or its test is no longer enough; 0 = it may not be presented, noEnd = it stands
	callback uint32 // see number
}

// place is where callees of one area code live, as far as the inventory tells: "" where its numbers disagree.
type place struct{ country, region string }

// areas is what a numbering plan knows of area codes. *outdial.NumberingPlan is one.
type areas interface{ Areas() iter.Seq[outdial.Area] }

// newLayout requires a complete configuration.
func newLayout(cfg *Config) *layout {
	l := &layout{
		byID:      map[outdial.PoolID]*pool{},
		first:     map[outdial.ProgramID]*pool{},
		campaigns: map[outdial.CampaignID]*pool{},
		callees:   map[outdial.ProgramID]map[[2]byte]*calleeRule{},
		quotas:    map[outdial.TenantID][]Cap{},
		purposes:  map[[2]byte]bool{},
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
			l.callees[id] = calleeRules(cfg, p.Purpose)
		}
		l.programs = append(l.programs, id)
	}
	for _, m := range cfg.Campaigns {
		l.campaigns[cfg.IDs.Campaigns.ID(m.Campaign)] = builders[m.Pool].pool
	}
	for _, t := range cfg.Tenants {
		l.quotas[cfg.IDs.Tenants.ID(t.Tenant)] = slices.Clone(t.Quotas)
	}
	for i := range cfg.Rules {
		if r := &cfg.Rules[i]; len(r.Purposes) > 0 {
			l.purposes[[2]byte{r.Country[0], r.Country[1]}] = true
		}
	}
	places := map[outdial.Prefix]place{}
	shared := map[info]*info{}
	for i := range cfg.Numbers {
		n := &cfg.Numbers[i]
		r := newInfo(cfg, n, shared)
		l.rows[i] = row{number: n.Number, state: n.State, info: r, until: r.rightUntil}
		if !n.Callback.IsZero() {
			l.rows[i].callback = uint32(min(max(n.Callback.Unix(), 1), math.MaxUint32))
		}
		if n.State == StateUnset {
			l.rows[i].state = StateActive
		}
		if b := builders[n.Pool]; b != nil {
			l.rows[i].pool, l.rows[i].home = b.pool, b.home(cfg, n, r)
			rules := l.callees[cfg.IDs.Programs.ID(b.pool.programName)]
			for _, country := range cfg.countries(n) {
				if rule := rules[countryKey(country)]; rule != nil {
					l.rows[i].until = min(l.rows[i].until, rule.testedUntil(l.rows[i].callback))
				}
			}
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
	next := neighbours(cfg, places)
	for _, b := range builders {
		b.merge()
		b.place()
		b.locate(places, next)
	}
	return l
}

// neighbours returns the areas that are next to an area: those that serve the same region, then those that are configured.
// It adds the places of areas that the numbering plan knows and the inventory does not.
func neighbours(cfg *Config, places map[outdial.Prefix]place) map[outdial.Prefix][]outdial.Prefix {
	next := map[outdial.Prefix][]outdial.Prefix{}
	if plan, ok := cfg.Numbering.(areas); ok {
		type group struct {
			country [2]byte
			overlay uint16
		}
		groups := map[group][]outdial.Prefix{}
		for a := range plan.Areas() {
			if _, ok := places[a.Prefix]; !ok && a.Country != [2]byte{} {
				places[a.Prefix] = place{string(a.Country[:]), a.Region}
			}
			if a.Overlay != 0 {
				k := group{a.Country, a.Overlay}
				groups[k] = append(groups[k], a.Prefix)
			}
		}
		for _, list := range groups {
			for _, a := range list {
				for _, other := range list {
					if other != a {
						next[a] = append(next[a], other)
					}
				}
			}
		}
	}
	for a, list := range cfg.Adjacent {
		next[a] = append(next[a], list...)
		if _, ok := places[a]; !ok {
			places[a] = place{}
		}
	}
	return next
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

// newInfo returns what is known of a number; numbers that agree share it.
func newInfo(cfg *Config, n *NumberConfig, shared map[info]*info) *info {
	r := info{
		area: n.Area, region: n.Region, centre: n.Centre, typ: n.Type,
		owner: n.Owner, assigned: n.Assigned, evidence: n.Evidence, expires: n.Expires, rightUntil: rightUntil(n),
	}
	r.country = countryOf(cfg, n)
	if cfg.Numbering != nil && r.area == 0 {
		if d := cfg.Numbering.Locate(time.Time{}, n.Number); d.Area.Contains(n.Number) {
			r.area = d.Area
		}
	}
	if r.area == 0 && northAmerican(n.Number) {
		r.area = outdial.Prefix(n.Number / 1e7)
	}
	if have := shared[r]; have != nil {
		return have
	}
	kept := r
	shared[r] = &kept
	return &kept
}

// countryKey is the zero key for no country.
func countryKey(s string) (key [2]byte) {
	copy(key[:], s)
	return key
}

// countryOf is what the number says, or its numbering plan does.
func countryOf(cfg *Config, n *NumberConfig) string {
	if n.Country != "" || cfg.Numbering == nil {
		return n.Country
	}
	return cfg.located(n.Number)
}

func northAmerican(n outdial.Number) bool { return n/1e10 == 1 }

// budget is how much is left for the numbers of one region of a pool. It outlives configurations.
type budget struct {
	caps []Cap
	gate *window.Gate
}
