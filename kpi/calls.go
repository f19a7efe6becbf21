package kpi

import (
	"sync/atomic"

	"github.com/outdial/outdial"
)

// calls remembers the calls of the last minutes, so that a call is counted once however many bids it makes, and its
// answer where its first bid was: small sets of a cache line each, in which the newest call displaces the oldest. A call that
// was displaced and bids again is counted again.
//
// A call is one word: 30 bits of its number within the set, whether it has made a bid and was answered, and the lower half of
// the tick of its first bid. The calls of one engine are told apart for 2^30 rounds through the sets; one of another engine is
// taken for one of them once in 2^30.
type calls struct {
	sets []callSet
	rows rows // over the sets
}

const callWays = 8

type callSet [callWays]atomic.Uint64

const (
	callWon      = 1 << 32
	callBid      = 1 << 33
	callNumberAt = 34
)

func newCalls(n int) *calls {
	sets := (n + callWays - 1) / callWays
	return &calls{sets: make([]callSet, sets), rows: newRows(sets)}
}

// bid notes a bid of a call, made in tick at, and reports whether it is the call's first. Without an id every bid is.
func (c *calls) bid(id outdial.CallID, at int64) (tick int64, first bool) {
	return c.note(id, at, callBid)
}

// answer notes an answer of a call and reports whether it is the call's first, with the tick of the first bid.
// at is the tick of the answered attempt, for a call that is not known.
func (c *calls) answer(id outdial.CallID, at int64) (tick int64, first bool) {
	return c.note(id, at, callWon)
}

func (c *calls) note(id outdial.CallID, at int64, flag uint64) (tick int64, first bool) {
	if id == 0 {
		return at, true
	}
	round, row := c.rows.of(id)
	set := &c.sets[row]
	number := round << callNumberAt
	for {
		w, place := set.find(number)
		if place == nil {
			if old, place := set.oldest(at); place.CompareAndSwap(old, number|flag|uint64(uint32(at))) {
				return at, true
			}
			continue
		}
		if w&flag != 0 {
			return near(w, at), false
		}
		if place.CompareAndSwap(w, w|flag) {
			return near(w, at), true
		}
	}
}

// find returns the word with a number and its place; nil where there is none.
func (s *callSet) find(number uint64) (uint64, *atomic.Uint64) {
	for i := range s {
		if w := s[i].Load(); (w^number)>>callNumberAt == 0 && w != 0 {
			return w, &s[i]
		}
	}
	return 0, nil
}

// oldest returns the word that has to give way to a new call.
func (s *callSet) oldest(at int64) (uint64, *atomic.Uint64) {
	least, place := s[0].Load(), &s[0]
	for i := 1; i < len(s) && least != 0; i++ {
		if w := s[i].Load(); older(w, least, at) {
			least, place = w, &s[i]
		}
	}
	return least, place
}

// older reports whether a has to give way to a new call before b: what is free first, then by the first bid, then by number.
func older(a, b uint64, at int64) bool {
	if x, y := near(a, at), near(b, at); x != y && a != 0 {
		return x < y
	}
	return a < b
}

// near is the tick of a call's first bid: the one with these lower bits that is nearest to another tick.
func near(word uint64, at int64) int64 { return at + int64(int32(uint32(word)-uint32(at))) }

// keep lists the words that are in use, each with its set.
func (c *calls) keep() (list []keptCall) {
	for i := range c.sets {
		for j := range c.sets[i] {
			if w := c.sets[i][j].Load(); w != 0 {
				list = append(list, keptCall{Set: uint32(i), Word: w})
			}
		}
	}
	return list
}

// restore takes them back into as many sets; into another number of sets it takes none.
func (c *calls) restore(sets int, list []keptCall) {
	if sets != len(c.sets) {
		return
	}
	for i, k := range list {
		if int(k.Set) >= sets {
			continue
		}
		place := 0
		for place < i && place < callWays && list[i-place-1].Set == k.Set {
			place++
		}
		if place < callWays {
			c.sets[k.Set][place].Store(k.Word)
		}
	}
}
