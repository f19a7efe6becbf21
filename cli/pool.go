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
// A number that is ready stands in one queue for each tier that it can be found by; a number that will be ready at a
// known instant stands in the wake-up heap of its class. Both are O(1) or O(log n) to enter and to leave.
type pool struct {
	id          outdial.PoolID
	name        string
	program     *program
	programName string
	tenant      outdial.TenantID // whose it is; 0 = everybody's
	rules       rules
	sticky      Sticky
	watch       *watch
	budgets     map[string]*budget // by region

	classes   []class
	homes     []home
	queues    []queue
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
	wakeups  []wakeup            // heap, the earliest first
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

// home is what numbers of the same class, area, region and country share: the queues that they stand in.
type home struct {
	class  int32
	queues [tierCount]int32 // none where the number cannot be found by the tier
	orders [tierCount]uint8 // which of a number's links is that of the tier
	links  int32            // of each number
}

func (h *home) order(t tier) int32 { return int32(h.orders[t]) }

// queue is the ready numbers of one class in one bucket, linked; the one at the head has been ready the longest.
type queue struct {
	class      int32
	tier       tier
	head, tail int32
}

// bucket is the queues of one area, region, country or pool: one for each class.
type bucket []int32

// spot is the buckets that are near to the callees of one area; none where the pool has no such numbers.
type spot struct {
	tiers   [tierCount]int32
	overlay []int32 // buckets of areas
}

func nowhere() spot { return spot{tiers: [tierCount]int32{none, none, none, none, none, none, none}} }

// wakeup is the instant at which a number is to be assessed again.
type wakeup struct {
	at   window.Instant
	slot int32
}

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
}

func (b *better) try(s *store, slot int32, now, trust window.Instant) {
	n := &s.numbers[slot]
	idle := window.Instant(math.MaxInt32) * second // never used
	if n.uses.last != window.Never {
		idle = now - n.uses.last + 1
	}
	if score := idle / (whole * whole) * trust * window.Instant(n.weight); b.slot == none || score > b.score {
		b.slot, b.score = slot, score
	}
}

// pick returns the best number of bucket b that the carrier accepts, none if there is none.
func (p *pool) pick(s *store, b int32, carrier outdial.CarrierID, now window.Instant) int32 {
	best := better{slot: none}
	for _, qi := range p.buckets[b] {
		q := &p.queues[qi]
		c := &p.classes[q.class]
		if q.head == none || !c.accepts(carrier) || !c.open(now) {
			continue
		}
		trust := c.trust(carrier)
		slot := q.head
		for range sample {
			best.try(s, slot, now, trust)
			if s.numbers[slot].weight == whole {
				break // no one behind it has rested longer
			}
			if slot = s.links[s.numbers[slot].link+p.homes[s.numbers[slot].home].order(q.tier)].next; slot == none {
				break
			}
		}
	}
	return best.slot
}

// pickExchange returns the best of some numbers of an exchange, beginning at one that changes.
func (p *pool) pickExchange(s *store, i int32, carrier outdial.CarrierID, now window.Instant) int32 {
	x := &p.spans[i]
	best := better{slot: none}
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

// enqueue puts a ready number at the end of its queues. One that was not used after all goes back to the front of those
// in which no other has rested longer.
func (p *pool) enqueue(s *store, slot int32, front bool) {
	n := &s.numbers[slot]
	at := n.link
	for _, qi := range p.homes[n.home].queues {
		if qi == none {
			continue
		}
		q := &p.queues[qi]
		l := &s.links[at]
		at++
		switch {
		case q.head == none:
			*l = link{none, none}
			q.head, q.tail = slot, slot
		case front && n.uses.last <= s.numbers[q.head].uses.last:
			*l = link{none, q.head}
			p.linkOf(s, q.head, q.tier).prev = slot
			q.head = slot
		default:
			*l = link{q.tail, none}
			p.linkOf(s, q.tail, q.tier).next = slot
			q.tail = slot
		}
	}
}

func (p *pool) linkOf(s *store, slot int32, t tier) *link {
	n := &s.numbers[slot]
	return &s.links[n.link+p.homes[n.home].order(t)]
}

func (p *pool) dequeue(s *store, slot int32) {
	n := &s.numbers[slot]
	at := n.link
	for _, qi := range p.homes[n.home].queues {
		if qi == none {
			continue
		}
		q := &p.queues[qi]
		l := s.links[at]
		at++
		if l.prev != none {
			p.linkOf(s, l.prev, q.tier).next = l.next
		} else {
			q.head = l.next
		}
		if l.next != none {
			p.linkOf(s, l.next, q.tier).prev = l.prev
		} else {
			q.tail = l.prev
		}
	}
}

// plan enters a wake-up for a number that has none.
func (c *class) plan(numbers []number, slot int32, at window.Instant) {
	c.wakeups = append(c.wakeups, wakeup{})
	c.up(numbers, len(c.wakeups)-1, wakeup{at, slot})
}

// cancel removes a number's wake-up.
func (c *class) cancel(numbers []number, slot int32) {
	i := int(numbers[slot].wakeup)
	numbers[slot].wakeup = none
	last := len(c.wakeups) - 1
	w := c.wakeups[last]
	c.wakeups = c.wakeups[:last]
	switch {
	case i == last:
	case i > 0 && w.at < c.wakeups[(i-1)/2].at:
		c.up(numbers, i, w)
	default:
		c.down(numbers, i, w)
	}
}

func (c *class) up(numbers []number, i int, w wakeup) {
	for i > 0 {
		parent := (i - 1) / 2
		if c.wakeups[parent].at <= w.at {
			break
		}
		c.set(numbers, i, c.wakeups[parent])
		i = parent
	}
	c.set(numbers, i, w)
}

func (c *class) down(numbers []number, i int, w wakeup) {
	for {
		child := 2*i + 1
		if child >= len(c.wakeups) {
			break
		}
		if child+1 < len(c.wakeups) && c.wakeups[child+1].at < c.wakeups[child].at {
			child++
		}
		if w.at <= c.wakeups[child].at {
			break
		}
		c.set(numbers, i, c.wakeups[child])
		i = child
	}
	c.set(numbers, i, w)
}

func (c *class) set(numbers []number, i int, w wakeup) {
	c.wakeups[i] = w
	numbers[w.slot].wakeup = int32(i)
}
