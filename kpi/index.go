package kpi

import (
	"math/bits"
	"sync/atomic"
)

// index finds cells by key without a lock: open addressing over a table that is never resized and from which nothing
// is removed. Adding is for one writer at a time. To drop cells, a new index is built and swapped in.
type index struct {
	slots []atomic.Pointer[state] // a power of two, at least twice the number of cells
	n     int                     // cells in it; the writer's
}

func newIndex(cells int) *index {
	return &index{slots: make([]atomic.Pointer[state], 1<<bits.Len(uint(2*max(cells, 1)-1)))}
}

// find takes a pointer, and so does hash: copying a key that has just been put together stalls on its words.
func (x *index) find(key *packed) *state {
	mask := uint64(len(x.slots) - 1)
	for i := hash(key); ; i++ {
		s := x.slots[i&mask].Load()
		if s == nil || s.key.equal(key) {
			return s
		}
	}
}

// add puts s in. There must be room.
func (x *index) add(s *state) {
	mask := uint64(len(x.slots) - 1)
	i := hash(&s.key)
	for x.slots[i&mask].Load() != nil {
		i++
	}
	x.slots[i&mask].Store(s)
	x.n++
}

// hash mixes a key. Keys come from the host's own configuration, not from an attacker.
func hash(k *packed) uint64 {
	h1, l1 := bits.Mul64(k.ids[0]^0x9e3779b97f4a7c15, k.ids[1]^0xd1342543de82ef95)
	h2, l2 := bits.Mul64(k.ids[2]^0xa0761d6478bd642f, k.ids[3]^0xe7037ed1a0b428db)
	h4, l4 := bits.Mul64(k.ids[4]^0x589965cc75374cc3, k.ids[5]^0x1d8e4e27c47d124f)
	h3, l3 := bits.Mul64(h1^l2^l4^0x8ebc6af09c88c6e3, h2^l1^h4^0x589965cc75374cc3)
	return h3 ^ l3
}
