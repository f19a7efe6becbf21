package kpi

import (
	"math/bits"
	"sync"

	"github.com/outdial/outdial"
)

// calls remembers the calls of the last minutes, so that a call is counted once however many bids it makes, and its
// answer where its first bid was: small sets, in each of which the newest call displaces the oldest. A call that was
// displaced and bids again is counted again.
type calls struct {
	sets []callSet
}

const callWays = 7 // so that a set fills two cache lines

type callSet struct {
	mu    sync.Mutex
	bid   uint8 // bit i: the call in place i has made a bid
	won   uint8 // bit i: it was answered
	ids   [callWays]outdial.CallID
	epoch [callWays]int64 // of the call's first bid
}

func newCalls(n int) *calls { return &calls{sets: make([]callSet, (n+callWays-1)/callWays)} }

// bid notes a bid of a call, made in epoch at, and reports whether it is the call's first. Without an id every bid is.
func (c *calls) bid(id outdial.CallID, at int64) (epoch int64, first bool) {
	if id == 0 {
		return at, true
	}
	s := c.set(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.place(id, at)
	first = s.bid&(1<<i) == 0
	s.bid |= 1 << i
	return s.epoch[i], first
}

// answer notes an answer of a call and reports whether it is the call's first, with the epoch of the first bid.
// at is the epoch of the answered attempt, for a call that is not known.
func (c *calls) answer(id outdial.CallID, at int64) (epoch int64, first bool) {
	if id == 0 {
		return at, true
	}
	s := c.set(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.place(id, at)
	first = s.won&(1<<i) == 0
	s.won |= 1 << i
	return s.epoch[i], first
}

func (c *calls) set(id outdial.CallID) *callSet {
	h := uint64(id) * 0x9e3779b97f4a7c15
	i, _ := bits.Mul64(h^h>>29, uint64(len(c.sets)))
	return &c.sets[i]
}

// place returns where id is. A new one takes place 0, with epoch at, and moves the others on.
func (s *callSet) place(id outdial.CallID, at int64) int {
	for i, have := range s.ids {
		if have == id {
			return i
		}
	}
	copy(s.ids[1:], s.ids[:])
	copy(s.epoch[1:], s.epoch[:])
	s.ids[0], s.epoch[0] = id, at
	s.bid <<= 1
	s.won <<= 1
	return 0
}
