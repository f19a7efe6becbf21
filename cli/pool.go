package cli

import (
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
	"github.com/outdial/outdial/internal/window"
)

// tier is how near a number is to the callee.
type tier uint8

const (
	tierArea tier = iota
	tierRegion
	tierCountry
	tierPool
	tierCount

	tierKnown // the number that the callee has seen from this program
	tierCall  // the number of the call's earlier attempt
)

var tierNames = []string{"area", "region", "country", "pool", "", "known", "call"}

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
	rules       rules
	sticky      Sticky

	classes []class
	homes   []home
	queues  []queue
	buckets []bucket
	areas   *digits.Table // of callees, to spots
	spots   []spot
	country map[[2]byte]int32 // to buckets
	whole   int32             // the bucket of all numbers
	slots   []int32           // the numbers, in the order of the configuration
}

// class is the numbers that the same carriers accept.
type class struct {
	carriers []outdial.CarrierID // sorted; nil = every carrier
	wakeups  []wakeup            // heap, the earliest first
	count    [statusCount]int32
}

func (c *class) accepts(carrier outdial.CarrierID) bool {
	if c.carriers == nil {
		return true
	}
	_, ok := slices.BinarySearch(c.carriers, carrier)
	return ok
}

// home is what numbers of the same class, area, region and country share: the queues that they stand in.
type home struct {
	class  int32
	queues [tierCount]int32 // none where the number cannot be found by the tier
}

// queue is the ready numbers of one class in one bucket, linked; the one at the head has been ready the longest.
type queue struct {
	class      int32
	head, tail int32
}

// bucket is the queues of one area, region, country or pool: one for each class.
type bucket []int32

// spot is the buckets that are near to the callees of one area; none where the pool has no such numbers.
type spot [tierCount]int32

// wakeup is the instant at which a number is to be assessed again.
type wakeup struct {
	at   window.Instant
	slot int32
}

// near returns the buckets to look in for a callee.
func (p *pool) near(call *outdial.Call) spot {
	s := spot{none, none, none, none}
	if i, _, ok := p.areas.Lookup(uint64(call.To)); ok {
		s = p.spots[i]
	}
	if call.Dest.Country != [2]byte{} {
		s[tierCountry] = none
		if b, ok := p.country[call.Dest.Country]; ok {
			s[tierCountry] = b
		}
	}
	s[tierPool] = p.whole
	return s
}

// head returns the number of bucket b that the carrier accepts and that was used the longest ago, none if there is none.
func (p *pool) head(numbers []number, b int32, carrier outdial.CarrierID) int32 {
	best := none
	for _, qi := range p.buckets[b] {
		q := &p.queues[qi]
		if q.head == none || !p.classes[q.class].accepts(carrier) {
			continue
		}
		if best == none || numbers[q.head].gate.Last() < numbers[best].gate.Last() {
			best = q.head
		}
	}
	return best
}

// enqueue puts a ready number at the end of its queues. One that was not used after all goes back to the front of those
// in which no other has rested longer.
func (p *pool) enqueue(numbers []number, slot int32, front bool) {
	n := &numbers[slot]
	for t, qi := range p.homes[n.home].queues {
		if qi == none {
			continue
		}
		q := &p.queues[qi]
		l := &n.links[t]
		switch {
		case q.head == none:
			*l = link{none, none}
			q.head, q.tail = slot, slot
		case front && n.gate.Last() <= numbers[q.head].gate.Last():
			*l = link{none, q.head}
			numbers[q.head].links[t].prev = slot
			q.head = slot
		default:
			*l = link{q.tail, none}
			numbers[q.tail].links[t].next = slot
			q.tail = slot
		}
	}
}

func (p *pool) dequeue(numbers []number, slot int32) {
	n := &numbers[slot]
	for t, qi := range p.homes[n.home].queues {
		if qi == none {
			continue
		}
		q := &p.queues[qi]
		l := n.links[t]
		if l.prev != none {
			numbers[l.prev].links[t].next = l.next
		} else {
			q.head = l.next
		}
		if l.next != none {
			numbers[l.next].links[t].prev = l.prev
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
