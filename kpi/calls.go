package kpi

import (
	"sync"

	"github.com/outdial/outdial"
)

// calls remembers the calls of the last minutes, so that a call is counted once however many bids it makes, and its
// answer where its first bid was: small sets, in each of which the newest call displaces the oldest. A call that was
// displaced and bids again is counted again. Calls that begin one after the other stand beside each other, so that what is
// at work lies close together.
type calls struct {
	sets []callSet
}

const (
	callWays = 7 // so that a set fills two cache lines
	callRun  = 4 // calls in a row that share a set
)

type callSet struct {
	mu   sync.Mutex
	bid  uint8 // bit i: the call in place i has made a bid
	won  uint8 // bit i: it was answered
	ids  [callWays]outdial.CallID
	tick [callWays]int64 // of the call's first bid
}

func newCalls(n int) *calls { return &calls{sets: make([]callSet, (n+callRun-1)/callRun)} }

// bid notes a bid of a call, made in tick at, and reports whether it is the call's first. Without an id every bid is.
func (c *calls) bid(id outdial.CallID, at int64) (tick int64, first bool) {
	if id == 0 {
		return at, true
	}
	s := c.set(id)
	s.mu.Lock()
	i := s.place(id, at)
	first = s.bid&(1<<i) == 0
	s.bid |= 1 << i
	tick = s.tick[i]
	s.mu.Unlock()
	return tick, first
}

// answer notes an answer of a call and reports whether it is the call's first, with the tick of the first bid.
// at is the tick of the answered attempt, for a call that is not known.
func (c *calls) answer(id outdial.CallID, at int64) (tick int64, first bool) {
	if id == 0 {
		return at, true
	}
	s := c.set(id)
	s.mu.Lock()
	i := s.place(id, at)
	first = s.won&(1<<i) == 0
	s.won |= 1 << i
	tick = s.tick[i]
	s.mu.Unlock()
	return tick, first
}

func (c *calls) set(id outdial.CallID) *callSet {
	return &c.sets[inRow(id)/callRun%uint64(len(c.sets))]
}

// inRow numbers calls so that those of one engine that begin one after the other have numbers that do: its ids count
// above the twelve bits of the node.
func inRow(id outdial.CallID) uint64 {
	const nodeBits = 12
	node := uint64(id) & (1<<nodeBits - 1)
	return uint64(id)>>nodeBits + node*0x9e3779b97f4a7c15>>16
}

// place returns where id is. A new one takes place 0, with tick at, and moves the others on.
func (s *callSet) place(id outdial.CallID, at int64) int {
	for i, have := range s.ids {
		if have == id {
			return i
		}
	}
	copy(s.ids[1:], s.ids[:])
	copy(s.tick[1:], s.tick[:])
	s.ids[0], s.tick[0] = id, at
	s.bid <<= 1
	s.won <<= 1
	return 0
}
