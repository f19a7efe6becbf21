package cli

import (
	"math"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
	"github.com/outdial/outdial/internal/window"
)

// tier is how near a number is to the callee.
type tier uint8

const (
	tierExchange tier = iota // the first six digits of a North American number
	tierCentre               // rate centre
	tierArea
	tierOverlay // areas that serve the same region, or that the configuration calls adjacent
	tierRegion
	tierCountry
	tierPool
	tierCount

	tierKnown // the number that the callee has seen from this program
	tierCall  // the number of the call's earlier attempt
)

var tierNames = []string{"exchange", "centre", "area", "overlay", "region", "country", "pool", "", "known", "call"}

func (t tier) String() string { return nameIn(tierNames, t) }

// pool is the numbers that one program presents, in queues. Its shape comes from a configuration and never changes;
// the queues' contents do, under the Governor's lock.
//
// A number that is ready stands in the queue of its home, and the home in a rank for each tier that it can be found by; a
// number that will be ready at a known instant stands in the wake-up heap of its class. All are O(1) or O(log n) to enter and
// to leave, and to present a number touches two numbers beside it at most.
type pool struct {
	id          outdial.PoolID
	name        string
	program     *program
	programName string
	purpose     Purpose
	require     []Predicate
	tenant      outdial.TenantID // whose it is; 0 = everybody's
	rules       rules
	sticky      Sticky
	watch       *watch
	budgets     map[string]*budget // by region

	classes   []class
	homes     []home
	ranks     []rank
	places    [tierCount][]int32 // of homes, in the rank of each tier
	buckets   []bucket
	areas     *digits.Table // of callees, to spots
	spots     []spot
	exchanges *digits.Table     // to spans
	spans     []span            // by exchange
	country   map[[2]byte]int32 // to buckets
	whole     int32             // the bucket of all numbers
	slots     []int32           // the numbers, in the order of the configuration
	sorted    []int32           // those that have an exchange, by number
}

// span is the numbers of one exchange in pool.sorted, and the bucket of its rate centre.
type span struct {
	from, n int32
	centre  int32
}

// class is the numbers that the same carriers accept.
type class struct {
	carriers []outdial.CarrierID // sorted; nil = every carrier
	attested []outdial.CarrierID // that are expected to sign with full attestation
	budget   *budget             // of the region; nil = none
	wakeups  heap                // of numbers, by the instant at which each is to be assessed again
	count    [statusCount]int32
}

func (c *class) accepts(carrier outdial.CarrierID) bool {
	return c.carriers == nil || contains(c.carriers, carrier)
}

// open reports whether the region's budget, if there is one, allows a use now.
func (c *class) open(now window.Instant) bool {
	if c.budget == nil {
		return true
	}
	_, ok := c.budget.gate.Peek(now)
	return ok
}

// trust is how much a number of the class is worth on a carrier, in percent, by the attestation that is expected.
func (c *class) trust(carrier outdial.CarrierID) window.Instant {
	if c.attested == nil || contains(c.attested, carrier) {
		return whole
	}
	return 70
}

func contains(sorted []outdial.CarrierID, id outdial.CarrierID) bool {
	_, ok := slices.BinarySearch(sorted, id)
	return ok
}

// home is the numbers that are alike for every tier: of the same class, area, centre, region and country. Those that are
// ready stand in a queue, linked; the one at the head has been ready the longest.
type home struct {
	class      int32
	head, tail int32
	count      [statusCount]int32
	ranks      [tierCount]int32 // that it stands in while a number of it is ready; none where it cannot be found by the tier
}

// rank is the homes of one class in one bucket that have a ready number, by when the number at the head was used last.
type rank struct {
	class int32
	tier  tier
	heads heap
	homes []int32 // all of them
}

// bucket is the ranks of one area, centre, region, country or pool: one for each class.
type bucket []int32

// spot is the buckets that are near to the callees of one area; none where the pool has no such numbers.
type spot struct {
	tiers   [tierCount]int32
	overlay []int32 // buckets of areas
}

func nowhere() spot { return spot{tiers: [tierCount]int32{none, none, none, none, none, none, none}} }

// near returns the buckets to look in for a callee.
func (p *pool) near(call *outdial.Call) spot {
	s := nowhere()
	if i, _, ok := p.areas.Lookup(uint64(call.To)); ok {
		s = p.spots[i]
	}
	if len(p.spans) > 0 {
		if i, _, ok := p.exchanges.Lookup(uint64(call.To)); ok {
			s.tiers[tierExchange], s.tiers[tierCentre] = int32(i), p.spans[i].centre
		}
	}
	if call.Dest.Country != [2]byte{} {
		s.tiers[tierCountry] = none
		if b, ok := p.country[call.Dest.Country]; ok {
			s.tiers[tierCountry] = b
		}
	}
	s.tiers[tierPool] = p.whole
	return s
}

// sample is how many numbers are weighed against each other.
const sample = 4

// better keeps the better of two numbers: the one that was used the longest ago, times its weight and its trust.
type better struct {
	slot  int32
	score window.Instant
	note  note
}

// note is the record of a choice, nil where none is kept, and the candidate that it is about.
type note struct {
	record *outdial.Record
	trunk  outdial.TrunkID
}

func (b *better) try(s *store, slot int32, now, trust window.Instant) {
	n := &s.numbers[slot]
	if b.note.record.On() {
		b.note.considered(n, now, trust)
	}
	idle := window.Instant(math.MaxInt32) * second // never used
	if n.uses.last != window.Never {
		idle = now - n.uses.last + 1
	}
	if score := idle / (whole * whole) * trust * window.Instant(n.weight); b.slot == none || score > b.score {
		b.slot, b.score = slot, score
	}
}

// pick returns the best number of bucket b that the carrier accepts, none if there is none.
func (p *pool) pick(s *store, b int32, carrier outdial.CarrierID, now window.Instant, note note) int32 {
	best := better{slot: none, note: note}
	for _, i := range p.buckets[b] {
		r := &p.ranks[i]
		c := &p.classes[r.class]
		if len(r.heads) == 0 || !c.accepts(carrier) || !c.open(now) {
			continue
		}
		trust := c.trust(carrier)
		slot := p.homes[r.heads[0].id].head
		for range sample {
			best.try(s, slot, now, trust)
			n := &s.numbers[slot]
			if n.weight == whole {
				break // no one behind it has rested longer
			}
			if slot = n.next; slot == none {
				break
			}
		}
		if s.numbers[p.homes[r.heads[0].id].head].weight == whole {
			continue
		}
		for _, e := range r.heads[1:min(sample, len(r.heads))] {
			best.try(s, p.homes[e.id].head, now, trust)
		}
	}
	return best.slot
}

// pickExchange returns the best of some numbers of an exchange, beginning at one that changes.
func (p *pool) pickExchange(s *store, i int32, carrier outdial.CarrierID, now window.Instant, note note) int32 {
	x := &p.spans[i]
	best := better{slot: none, note: note}
	from := int32(0)
	if x.n > 2*sample {
		from = int32(uint64(now) % uint64(x.n))
	}
	for k := range min(x.n, 2*sample) {
		slot := p.sorted[x.from+(from+k)%x.n]
		n := &s.numbers[slot]
		if n.status != StatusReady {
			continue
		}
		if c := &p.classes[p.homes[n.home].class]; c.accepts(carrier) && c.open(now) {
			best.try(s, slot, now, c.trust(carrier))
		}
	}
	return best.slot
}

// enqueue puts a ready number at the end of the queue of its home. One that was not used after all goes back to the front,
// unless another has rested longer.
func (p *pool) enqueue(s *store, slot int32, front bool) {
	n := &s.numbers[slot]
	h := &p.homes[n.home]
	switch {
	case h.head == none:
		n.prev, n.next = none, none
		h.head, h.tail = slot, slot
		for t, r := range h.ranks {
			if r != none {
				p.ranks[r].heads.add(p.places[t], entry{n.uses.last, n.home})
			}
		}
	case front && n.uses.last <= s.numbers[h.head].uses.last:
		n.prev, n.next = none, h.head
		s.numbers[h.head].prev = slot
		h.head = slot
		p.rerank(s, n.home)
	default:
		n.prev, n.next = h.tail, none
		s.numbers[h.tail].next = slot
		h.tail = slot
	}
}

func (p *pool) dequeue(s *store, slot int32) {
	n := &s.numbers[slot]
	h := &p.homes[n.home]
	if n.next != none {
		s.numbers[n.next].prev = n.prev
	} else {
		h.tail = n.prev
	}
	if n.prev != none {
		s.numbers[n.prev].next = n.next
		return
	}
	if h.head = n.next; h.head != none {
		p.rerank(s, n.home)
		return
	}
	for t, r := range h.ranks {
		if r != none {
			p.ranks[r].heads.remove(p.places[t], n.home)
		}
	}
}

// rerank moves a home to where the number at its head belongs.
func (p *pool) rerank(s *store, id int32) {
	h := &p.homes[id]
	last := s.numbers[h.head].uses.last
	for t, r := range h.ranks {
		if r != none {
			p.ranks[r].heads.move(p.places[t], entry{last, id})
		}
	}
}
