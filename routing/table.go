package routing

import (
	"slices"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// Table is a compiled policy: Compile makes it. It is immutable and safe for concurrent use; the zero value is not
// usable. Admit and Route read no clock, take no lock and allocate nothing, unless the call has a Record.
//
// A Table knows nothing of the past: caps, commitments and budgets of exploration are kept by a Router.
type Table struct {
	sources
	version     string
	ids         *outdial.Registry
	prior       QualityPrior
	typical     time.Duration
	exploration Exploration
	rules       []rule
	shelves     []shelf
	rates       rates
	byState     bool // some rate depends on the jurisdiction
	decks       map[outdial.TrunkID]uint16
	trunks      []trunk
	trunkAt     []uint16 // by TrunkID: index into trunks + 1
	objectives  []objective
	alone       cells // for decisions without a past
	limits      []limit
	commits     []commitment
	orders      []order
	gate        gate
}

// sources are what a table reads of others.
type sources struct {
	numbering  Numbering
	quality    Quality
	measures   Measures
	headroom   Headroom
	bursts     BurstPrices
	health     Health
	risk       Risk
	regions    Regions
	suppressor Suppressor
}

// trunk is what the policy says about a trunk, and the candidate that it would be on its own.
type trunk struct {
	Trunk
	candidate outdial.Candidate
}

// Version returns Policy.Version.
func (t *Table) Version() string { return t.version }

// Rate returns what the trunk's deck says about a number at a time: the row of the longest prefix that is in force. It
// is false when the trunk has no deck, or its deck has no such row. It allocates nothing.
func (t *Table) Rate(now time.Time, trunk outdial.TrunkID, to outdial.Number) (Rate, bool) {
	deck, ok := t.decks[trunk]
	if !ok {
		return Rate{}, false
	}
	h := t.rates.of(now, to, deck)
	if h.row == 0 {
		return Rate{}, false
	}
	return t.rates.rate(&t.rates.rows[h.row-1], leading(to, int(h.digits))), true
}

// Trunk returns what the policy says about a trunk; false for one that it does not name. Its slices are shared: do not
// change them.
func (t *Table) Trunk(id outdial.TrunkID) (Trunk, bool) {
	m := t.metaOf(id)
	return m.Trunk, m.Name != ""
}

// metaOf returns what is known of a trunk, or of none.
func (t *Table) metaOf(id outdial.TrunkID) *trunk {
	if int(id) < len(t.trunkAt) {
		return &t.trunks[t.trunkAt[id]]
	}
	return &t.trunks[0]
}

// Route implements outdial.Router: it appends the candidates of the rule for the call to dst. The errors are ErrNoRule,
// ErrBlocked, ErrNoRate, ErrAvoided, ErrPinned and ErrExposure. It reads Call.ID, To, From, Campaign, Program, Tenant,
// Mode and Dest, and keeps neither call nor dst.
//
// Candidate.Cost is that of a minute of a typical call; Matched is the prefix of the row that says so, and where the
// trunk has no rate, the prefix of the rule.
func (t *Table) Route(now time.Time, call *outdial.Call, dst []outdial.Candidate) ([]outdial.Candidate, error) {
	return t.route(now, call, dst, nil, t.alone)
}

func (t *Table) route(now time.Time, call *outdial.Call, dst []outdial.Candidate, m *memory, lately cells) ([]outdial.Candidate, error) {
	d := decision{matter: matter{
		t: t, m: m, cells: lately, rec: call.Record(), now: now, call: *call, dst: dst, first: len(dst),
	}}
	return d.route()
}

// match finds the most specific rule for the call and the prefix that it was found under.
func (d *decision) match() {
	for i := range d.t.shelves {
		s := &d.t.shelves[i]
		if s.mask&namesTag == 0 {
			d.search(s.find(&d.call, 0))
		} else {
			for _, tag := range d.call.Tags {
				if tag == 0 {
					break
				}
				d.search(s.find(&d.call, tag))
			}
		}
		if d.rule != nil {
			return
		}
	}
}

// search finds the most specific rule in a book. As a rule that is under the longest prefix, which is found without the others.
func (d *decision) search(k *book) {
	if k == nil {
		return
	}
	value, n, ok := k.table.Lookup(uint64(d.call.To))
	if !ok || d.among(k.lists[value], n) {
		return
	}
	var matches [digits.MaxLen + 1]digits.Match
	n = k.table.Matches(uint64(d.call.To), &matches)
	for _, m := range matches[1:n] {
		if d.among(k.lists[m.Value], int(m.Digits)) {
			return
		}
	}
}

// among takes the first of some rules whose conditions hold, found under a prefix of n digits, unless one that is more specific
// was found under another tag of the call.
func (d *decision) among(some []uint32, n int) bool {
	for _, j := range some {
		r := &d.t.rules[j]
		if !d.within(r) {
			continue
		}
		if f := d.rule; f == nil || n > d.matched ||
			n == d.matched && (r.weight > f.weight || r.weight == f.weight && r.index < f.index) {
			d.rule, d.matched, d.prefix = r, n, leading(d.call.To, n)
		}
		return true
	}
	return false
}

// within reports whether the conditions of a rule hold beside whose call it is and where it goes.
func (d *decision) within(r *rule) bool {
	if r.always {
		return true
	}
	at := InstantOf(d.now)
	for _, tag := range r.tags {
		if !d.call.Tags.Has(tag) {
			return false
		}
	}
	return (len(r.parts) == 0 || slices.Contains(r.parts, d.call.Dest.DayPart)) &&
		(len(r.networks) == 0 || slices.Contains(r.networks, d.call.Dest.Network)) && r.span.holds(at) &&
		(r.riskPool == 0 || d.poolRisk(r.riskPool) >= r.riskFrom)
}

// longest returns how many digits a prefix must have for its trunk to count: with global-lpm as many as the longest of
// the tier, of those that no override keeps out.
func (d *decision) longest(g *tier) (n uint8) {
	if !g.global {
		return 0
	}
	for i := range g.targets {
		x := &g.targets[i]
		if x.slot == noSlot || d.found[x.slot].row == 0 {
			continue
		}
		if err, _ := d.keptOut(&x.candidate); err == nil {
			n = max(n, d.found[x.slot].digits)
		}
	}
	return n
}

// perMinute spreads the cost of a typical call over its minutes, rounded up.
func (t *Table) perMinute(cost outdial.Micros) outdial.Micros {
	s := outdial.Micros(t.typical / time.Second)
	if s == 60 {
		return cost
	}
	return cost/s*60 + (cost%s*60+s-1)/s
}
