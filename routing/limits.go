package routing

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Cap is the most that part of a market may be sent to: "no carrier above 60 % of the calls to the US". It holds over the
// attempts of the last 24 hours. What is over its cap is tried after all else.
type Cap struct {
	Carrier string `json:"carrier,omitempty" yaml:"carrier,omitempty"` // this carrier
	Hop     string `json:"hop,omitempty"     yaml:"hop,omitempty"`     // or the trunks with this hop; neither = each carrier

	Countries []string `json:"countries,omitempty" yaml:"countries,omitempty"` // ISO 3166-1 alpha-2, each a market; none = the world is one
	Share     float64  `json:"share"               yaml:"share"`               // in (0, 1)

	// Least is how many attempts a market must have seen before shares mean anything. 0 = 100.
	Least int `json:"least,omitempty" yaml:"least,omitempty"`
}

// Commit is a volume that is paid for whether it is used or not. While a carrier's or a trunk's minutes of this month
// (UTC, answered time) are behind the month, its calls count as costing nothing.
type Commit struct {
	Carrier string `json:"carrier,omitempty" yaml:"carrier,omitempty"` // either this
	Trunk   string `json:"trunk,omitempty"   yaml:"trunk,omitempty"`   // or this
	Minutes int64  `json:"minutes"           yaml:"minutes"`           // per calendar month
}

const defaultLeast = 100

func (p *Policy) checkLimits(names *index, bad *problems) {
	for i := range p.Caps {
		c, place := &p.Caps[i], fmt.Sprintf("caps[%d]", i)
		if c.Carrier != "" && c.Hop != "" {
			bad.add(place, "want a carrier or a hop, not both")
		}
		if c.Carrier != "" && len(names.carriers[c.Carrier]) == 0 {
			bad.add(place+".carrier", "no trunk has the carrier %q", c.Carrier)
		}
		if c.Hop != "" && len(names.hops[c.Hop]) == 0 {
			bad.add(place+".hop", "no trunk has the hop %q", c.Hop)
		}
		if !(c.Share > 0 && c.Share < 1) {
			bad.add(place+".share", "%v is not between 0 and 1", c.Share)
		}
		if c.Least < 0 {
			bad.add(place+".least", "%d is negative", c.Least)
		}
		checkCountries(place, c.Countries, bad)
	}
	for i := range p.Commits {
		c, place := &p.Commits[i], fmt.Sprintf("commits[%d]", i)
		_, known := names.trunks[c.Trunk]
		switch {
		case (c.Carrier == "") == (c.Trunk == ""):
			bad.add(place, "want either a carrier or a trunk")
		case c.Carrier != "" && len(names.carriers[c.Carrier]) == 0:
			bad.add(place+".carrier", "no trunk has the carrier %q", c.Carrier)
		case c.Trunk != "" && !known:
			bad.add(place+".trunk", "there is no trunk %q", c.Trunk)
		}
		if c.Minutes <= 0 || c.Minutes > math.MaxInt64/60 {
			bad.add(place+".minutes", "%d is not a number of minutes", c.Minutes)
		}
	}
	e := &p.Exploration
	if math.IsNaN(e.Share) || e.Share > 0.5 {
		bad.add("exploration.share", "%v is not a number up to 0.5", e.Share)
	}
}

// checkCountries reports what is no ISO 3166-1 alpha-2 code: one in small letters would be no callee's.
func checkCountries(place string, countries []string, bad *problems) {
	capital := func(c byte) bool { return c >= 'A' && c <= 'Z' }
	for i, c := range countries {
		if len(c) != 2 || !capital(c[0]) || !capital(c[1]) {
			bad.add(fmt.Sprintf("%s.countries[%d]", place, i), "%.10q is not a country code of two capital letters", c)
		}
	}
}

// limit is a compiled Cap: the trunks of each group share it.
type limit struct {
	groups    [][]outdial.TrunkID // of one carrier or hop each
	countries [][2]byte
	share     float64
	least     int64
}

// commitment is a compiled Commit.
type commitment struct {
	trunks  []outdial.TrunkID
	seconds int64
}

func (t *Table) compileLimits(p *Policy, names *index) {
	ids := func(some []int) (ts []outdial.TrunkID) {
		for _, i := range some {
			ts = append(ts, t.ids.Trunks.ID(p.Trunks[i].Name))
		}
		return ts
	}
	for i := range p.Caps {
		c := &p.Caps[i]
		l := limit{share: c.Share, least: int64(c.Least)}
		if l.least == 0 {
			l.least = defaultLeast
		}
		switch {
		case c.Carrier != "":
			l.groups = [][]outdial.TrunkID{ids(names.carriers[c.Carrier])}
		case c.Hop != "":
			l.groups = [][]outdial.TrunkID{ids(names.hops[c.Hop])}
		default:
			for _, carrier := range slices.Sorted(maps.Keys(names.carriers)) {
				l.groups = append(l.groups, ids(names.carriers[carrier]))
			}
		}
		for _, country := range c.Countries {
			l.countries = append(l.countries, [2]byte{country[0], country[1]})
		}
		t.limits = append(t.limits, l)
	}
	for i := range p.Commits {
		c := &p.Commits[i]
		k := commitment{seconds: c.Minutes * 60}
		if c.Trunk != "" {
			k.trunks = ids([]int{names.trunks[c.Trunk]})
		} else {
			k.trunks = ids(names.carriers[c.Carrier])
		}
		t.commits = append(t.commits, k)
	}
}

// capped reports whether one more attempt on a trunk would bring it over a cap.
func (t *Table) capped(m *memory, country [2]byte, trunk outdial.TrunkID) bool {
	if m == nil {
		return false
	}
	for i := range t.limits {
		l := &t.limits[i]
		market := country
		if len(l.countries) == 0 {
			market = [2]byte{}
		} else if !slices.Contains(l.countries, country) {
			continue
		}
		all := m.attempts(market, 0)
		if all < l.least {
			continue
		}
		for _, g := range l.groups {
			if !slices.Contains(g, trunk) {
				continue
			}
			var own int64
			for _, other := range g {
				own += m.attempts(market, other)
			}
			if float64(own+1) > l.share*float64(all+1) {
				return true
			}
		}
	}
	return false
}

// committed reports whether the trunk's minutes are paid for already and behind the month.
func (t *Table) committed(now time.Time, m *memory, trunk outdial.TrunkID) bool {
	if m == nil {
		return false
	}
	for i := range t.commits {
		k := &t.commits[i]
		if !slices.Contains(k.trunks, trunk) {
			continue
		}
		u := now.UTC()
		first := time.Date(u.Year(), u.Month(), 1, 0, 0, 0, 0, time.UTC)
		gone := float64(u.Sub(first)) / float64(first.AddDate(0, 1, 0).Sub(first))
		var used int64
		for _, other := range k.trunks {
			used += m.talked(first, other)
		}
		if float64(used) < gone*float64(k.seconds) {
			return true
		}
	}
	return false
}
