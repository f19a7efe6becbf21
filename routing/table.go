package routing

import (
	"cmp"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// Table is a compiled policy: Compile makes it. It is immutable and safe for concurrent use; the zero value is not
// usable. Admit and Route read no clock, take no lock and allocate nothing, unless the call has a Record.
type Table struct {
	version    string
	ids        *outdial.Registry
	numbering  Numbering
	quality    Quality
	suppressor Suppressor
	prior      QualityPrior
	typical    time.Duration
	rules      []rule
	shelves    []shelf
	rates      rates
	decks      map[outdial.TrunkID]uint16
	gate       gate
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
	w, n, ok := t.rates.of(now, to, deck)
	if !ok {
		return Rate{}, false
	}
	return t.rates.rate(w, leading(to, n)), true
}

// Route implements outdial.Router: it appends the candidates of the rule for the call to dst. The errors are
// ErrNoRule, ErrBlocked and ErrNoRate. It reads Call.To, Campaign, Program, Tenant, Mode and Dest, and keeps neither
// call nor dst.
//
// Candidate.Cost is that of a minute of a typical call; Matched is the prefix of the row that says so, and where the
// trunk has no rate, the prefix of the rule.
func (t *Table) Route(now time.Time, call *outdial.Call, dst []outdial.Candidate) ([]outdial.Candidate, error) {
	r, prefix := t.match(call)
	t.recordRule(call, r, prefix)
	switch {
	case r == nil:
		return dst, ErrNoRule
	case r.block:
		return dst, ErrBlocked
	}
	var found hits
	if r.decks > 0 {
		t.rates.find(now, call.To, r.slots, r.decks, &found)
	}
	before := len(dst)
	for i := range r.tiers {
		dst = t.appendTier(now, call, &r.tiers[i], prefix, &found, dst)
	}
	if len(dst) == before {
		return dst, ErrNoRate
	}
	t.recordOrder(call, dst[before:])
	return dst, nil
}

// match returns the most specific rule for a call and the prefix that it was found under, or nil.
func (t *Table) match(call *outdial.Call) (*rule, outdial.Prefix) {
	var matches [digits.MaxLen + 1]digits.Match
	for i := range t.shelves {
		s := &t.shelves[i]
		k := s.books[s.key(call)]
		if k == nil {
			continue
		}
		n := k.table.Matches(uint64(call.To), &matches)
		for _, m := range matches[:n] {
			for _, j := range k.lists[m.Value] {
				if r := &t.rules[j]; r.within(call.Dest.DayPart) {
					return r, leading(call.To, int(m.Digits))
				}
			}
		}
	}
	return nil, 0
}

// appendTier appends the candidates of a tier in their order.
func (t *Table) appendTier(
	now time.Time, call *outdial.Call, g *tier, prefix outdial.Prefix, found *hits, dst []outdial.Candidate,
) []outdial.Candidate {
	var costs [outdial.MaxCandidates]outdial.Micros // of a typical call, by place in the tier
	first := len(dst)
	longest := g.longest(found)
	for i := range g.targets {
		x := &g.targets[i]
		var h hit
		if x.slot != noSlot {
			h = found[x.slot]
		}
		if g.strategy == LeastCost && (h.row == 0 || h.digits < longest) {
			t.recordLeftOut(call, x, h)
			continue
		}
		dst = append(dst, x.candidate)
		c := &dst[len(dst)-1]
		c.Matched = prefix
		if h.row != 0 {
			w := &t.rates.terms[t.rates.rows[h.row-1].terms]
			cost := w.cost(Interstate, t.typical, 0)
			c.Cost, c.Matched = t.perMinute(cost), leading(call.To, int(h.digits))
			costs[len(dst)-1-first] = cost
			t.recordRate(call, c, w, cost)
		}
	}
	switch g.strategy {
	case LeastCost:
		sortBy(dst[first:], costs[:])
	case ByQuality:
		t.sortByQuality(now, call, dst[first:])
	}
	return dst
}

// longest returns how many digits a prefix must have for its trunk to count: with global-lpm as many as the longest of
// the tier.
func (g *tier) longest(found *hits) (n uint8) {
	if !g.global {
		return 0
	}
	for i := range g.targets {
		if s := g.targets[i].slot; s != noSlot && found[s].row != 0 {
			n = max(n, found[s].digits)
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

// sortBy sorts candidates by ascending keys, equal ones as they are. It is an insertion sort, because there are at
// most MaxCandidates and as a rule fewer than ten.
func sortBy[K cmp.Ordered](cs []outdial.Candidate, keys []K) {
	for i := 1; i < len(cs); i++ {
		c, k := cs[i], keys[i]
		j := i
		for ; j > 0 && keys[j-1] > k; j-- {
			cs[j], keys[j] = cs[j-1], keys[j-1]
		}
		cs[j], keys[j] = c, k
	}
}
