package routing

import (
	"math"
	"slices"

	"github.com/outdial/outdial"
)

// arrange puts direct trunks first and makes the second one differ from the first, in a tier with a fixed order.
func (d *decision) arrange(g *tier, first int) {
	cs, class, costs := d.dst[first:], d.class[first-d.first:], d.costs[first-d.first:]
	if g.preferDirect {
		for i := range cs {
			d.keys[i] = float64(btoi(d.t.metaOf(cs[i].Trunk).Interconnect != Direct))
		}
		d.sort(first)
	}
	if !g.diverse || len(cs) < 3 || cs[0].Explore {
		return
	}
	a := d.t.metaOf(cs[0].Trunk)
	for j := 1; j < len(cs); j++ {
		if b := d.t.metaOf(cs[j].Trunk); b.Carrier != a.Carrier && (b.Hop != a.Hop || b.Hop == "") && class[j] == class[0] {
			for ; j > 1; j-- {
				cs[j], cs[j-1] = cs[j-1], cs[j]
				class[j], class[j-1] = class[j-1], class[j]
				costs[j], costs[j-1] = costs[j-1], costs[j]
			}
			return
		}
	}
}

// settle puts the classes in their order, and gives what is preferred, penalised or over a cap a tier of its own. What is tried
// later stays in its tier: failover still looks after it.
func (d *decision) settle() {
	cs := d.dst[d.first:]
	moved, special := false, false
	for i := range cs {
		c := d.class[i]
		moved = moved || c&classLater != 0
		special = special || c&^classLater == classPreferred || c >= classPenalised
	}
	if !moved && !special {
		return
	}
	for i := range cs {
		d.keys[i] = float64(d.class[i])
	}
	d.sort(d.first)
	tier, last := -1, uint16(math.MaxUint16)
	for i := range cs {
		if c := d.class[i] &^ classLater; c != last {
			tier, last = tier+1, c
		}
		if special {
			cs[i].Tier = uint8(tier)
		}
	}
}

// force leaves nothing but what the override names, and adds it if the rule does not. It comes first then whatever the draws said.
func (d *decision) force() {
	k := d.forced
	if d.rec.On() {
		for i := range d.dst[d.first:] {
			if c := &d.dst[d.first+i]; !k.means(c) {
				d.rec.LeaveOut(*c, forcedCode, k.String())
			}
		}
	}
	kept := slices.DeleteFunc(d.dst[d.first:], func(c outdial.Candidate) bool { return !k.means(&c) })
	d.dst = d.dst[:d.first+len(kept)]
	clear(d.class[:])
	if len(kept) > 0 {
		return
	}
	if d.t.byState && d.rule.decks == 0 {
		d.where = d.jurisdiction()
	}
	for i := range d.t.trunks {
		c := d.t.trunks[i].candidate
		if k.means(&c) && !d.avoided(&c) && len(d.dst)-d.first < outdial.MaxCandidates {
			d.price(&c, d.rateOf(c.Trunk))
			d.dst = append(d.dst, c)
		}
	}
}

// rateOf finds the row of a trunk that the rule may not name.
func (d *decision) rateOf(trunk outdial.TrunkID) hit {
	deck, ok := d.t.decks[trunk]
	if !ok {
		return hit{}
	}
	if slot := d.rule.slotOf(deck); slot != noSlot {
		return d.found[slot]
	}
	return d.t.rates.of(d.now, d.call.To, deck)
}

// rank sorts the candidates of a tier by ascending keys, equal ones as they are. Where nobody asks for more than who comes first, and
// the keys alone decide that, the others stand anyhow.
func (d *decision) rank(g *tier, first int) {
	if !d.brief || g.preferDirect || d.forced != nil {
		d.sort(first)
		return
	}
	cs, from := d.dst[first:], first-d.first
	class, costs, keys := d.class[from:], d.costs[from:], d.keys[:len(cs)]
	least := 0
	for i, k := range keys {
		if class[i] != class[0] {
			d.sort(first)
			return
		}
		if k < keys[least] {
			least = i
		}
	}
	if least > 0 {
		cs[0], cs[least] = cs[least], cs[0]
		costs[0], costs[least] = costs[least], costs[0]
	}
}

// sort sorts the candidates from first on, and what is known of each, by ascending keys, equal ones as they are. It is an
// insertion sort, because there are at most MaxCandidates and as a rule fewer than ten; they themselves are moved once.
func (d *decision) sort(first int) {
	cs, from := d.dst[first:], first-d.first
	class, costs, keys := d.class[from:], d.costs[from:], d.keys[:len(cs)]
	var places [outdial.MaxCandidates]uint8 // where what comes to a place is
	moved := false
	for i, k := range keys {
		j := i
		for ; j > 0 && keys[j-1] > k; j-- {
			keys[j], places[j%len(places)] = keys[j-1], places[(j-1)%len(places)]
		}
		keys[j], places[j%len(places)] = k, uint8(i)
		moved = moved || j != i
	}
	if !moved {
		return
	}
	for i := range cs {
		c, l, m, to := cs[i], class[i], costs[i], i
		for next := int(places[to]); next != i; to, next = next, int(places[next]) {
			cs[to], class[to], costs[to] = cs[next], class[next], costs[next]
			places[to] = uint8(to)
		}
		cs[to], class[to], costs[to] = c, l, m
		places[to] = uint8(to)
	}
}
