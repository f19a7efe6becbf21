package routing

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// bookings are what decisions took of the budget for exploring and no event has told of yet: many calls may be on their way at
// once, and together they are not to take more than there is. They are no part of the past. What did not start after
// bookedFor is taken to have been given up.
type bookings struct {
	calls, money atomic.Int64
	until        atomic.Int64 // none of them has been given up before, ns

	mu   sync.Mutex
	list []booking
}

type booking struct {
	call  outdial.CallID
	until int64 // ns
	cost  outdial.Micros
}

const (
	bookedFor = time.Minute
	maxBooked = 4096
)

// book takes a call and what a minute of it costs from the budget, unless that is used up.
func (t *Table) book(now time.Time, call outdial.CallID, cost outdial.Micros, m *memory) bool {
	b := &m.booked
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) >= maxBooked || t.exploreRate(now, m) == 0 || t.exploration.Money != 0 && t.moneyLeft(m) < max(cost, 1) {
		return false
	}
	k := booking{call, now.Add(bookedFor).UnixNano(), cost}
	if len(b.list) == 0 || k.until < b.until.Load() {
		b.until.Store(k.until)
	}
	b.list = append(b.list, k)
	b.count(1, cost)
	return true
}

// expire drops what was given up.
func (b *bookings) expire(now time.Time) {
	if b.calls.Load() == 0 || now.UnixNano() < b.until.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	first := int64(math.MaxInt64)
	b.list = slices.DeleteFunc(b.list, func(k booking) bool {
		if k.until <= now.UnixNano() {
			b.count(-1, -k.cost)
			return true
		}
		first = min(first, k.until)
		return false
	})
	b.until.Store(first)
}

// release gives back what a call booked: an event has told of it.
func (b *bookings) release(call outdial.CallID) {
	if b.calls.Load() == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.list {
		if b.list[i].call == call {
			b.count(-1, -b.list[i].cost)
			b.list = slices.Delete(b.list, i, i+1)
			return
		}
	}
}

// count tells those who read without the lock what the list comes to.
func (b *bookings) count(calls int64, money outdial.Micros) {
	b.calls.Add(calls)
	b.money.Add(int64(money))
}

// exploreRate is the share of calls that may explore, 0 where the budget's is used up.
func (t *Table) exploreRate(now time.Time, m *memory) float64 {
	rate := t.exploration.Share
	calls, used := m.calls.sum.Load(), m.explored.sum.Load()+m.booked.calls.Load()
	if float64(used+1) > rate*float64(calls+1) || now.Unix()/hour != m.newest.Load() {
		return 0 // or no event of this hour has shown yet what left the span
	}
	return rate
}

// moneyLeft is what of the budget's money is left.
func (t *Table) moneyLeft(m *memory) outdial.Micros {
	return max(outdial.Micros(t.exploration.Money), 0) - outdial.Micros(m.money.sum.Load()+m.booked.money.Load())
}
