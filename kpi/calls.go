package kpi

import (
	"math/bits"
	"sync"

	"github.com/outdial/outdial"
)

// calls remembers the calls of the last minutes, so that a call is counted once however many bids it makes: small
// sets, in each of which the newest call displaces the oldest. A call that was displaced and bids again is counted
// again.
type calls struct {
	sets []callSet
}

const callWays = 6 // so that a set fills one cache line

type callSet struct {
	mu       sync.Mutex
	answered uint64 // bit i: the call in place i was answered
	ids      [callWays]outdial.CallID
}

func newCalls(n int) *calls { return &calls{sets: make([]callSet, (n+callWays-1)/callWays)} }

// bid notes a bid of a call and reports whether it is the call's first. A call without an id is always the first.
func (c *calls) bid(id outdial.CallID) bool {
	if id == 0 {
		return true
	}
	s := c.set(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.place(id)
	return !known
}

// answer notes an answer of a call and reports whether it is the call's first.
func (c *calls) answer(id outdial.CallID) bool {
	if id == 0 {
		return true
	}
	s := c.set(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := s.place(id)
	bit := uint64(1) << i
	first := s.answered&bit == 0
	s.answered |= bit
	return first
}

func (c *calls) set(id outdial.CallID) *callSet {
	h := uint64(id) * 0x9e3779b97f4a7c15
	i, _ := bits.Mul64(h^h>>29, uint64(len(c.sets)))
	return &c.sets[i]
}

// place returns where id is, and whether it was there already. A new one takes place 0 and moves the others on.
func (s *callSet) place(id outdial.CallID) (int, bool) {
	for i, have := range s.ids {
		if have == id {
			return i, true
		}
	}
	copy(s.ids[1:], s.ids[:callWays-1])
	s.ids[0] = id
	s.answered = s.answered << 1 & (1<<callWays - 1)
	return 0, false
}
