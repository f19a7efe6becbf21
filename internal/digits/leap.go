package digits

import "math/bits"

// leaps lead straight to the node of the first six digits of a number, for all numbers that have one: six dependent loads
// less. Nodes of one level lie side by side in the order of their digits, so a bit for each of the million possibilities,
// and a count of the bits before each block of them, are enough to find it.
type leaps struct {
	blocks []leapBlock // nil = the table is too small to be worth it
	first  uint32      // index of the first node of the level
}

type leapBlock struct {
	bits uint64
	rank uint32 // how many bits are set in the blocks before
}

const (
	leapDigits = 6
	leapFrom   = 1e6 // the least number with a digit more
	leapBlocks = 1e6 / 64
	// leapLeast is the number of prefixes from which on a table has leaps, which take 250 KB: a byte and a quarter a prefix
	// at most.
	leapLeast = 200_000
)

// leapIndex turns the first six nibbles into the number that they show.
func leapIndex(rest uint64) uint64 {
	pairs := rest >> 40
	pairs -= (pairs >> 4 & 0x0f0f0f) * 6 // two digits a byte
	return pairs>>16*10_000 + pairs>>8&0xff*100 + pairs&0xff
}

// find returns the node of the first six digits, or nil.
func (l *leaps) find(nodes []node, rest uint64) *node {
	i := leapIndex(rest)
	b := &l.blocks[i>>6]
	bit := uint64(1) << (i & 63)
	if b.bits&bit == 0 {
		return nil
	}
	return &nodes[l.first+b.rank+uint32(bits.OnesCount64(b.bits&(bit-1)))]
}

// build marks the nodes of the level, whose spans come in their order.
func (l *leaps) build(first int, level []span, entries []entry) {
	l.first, l.blocks = uint32(first), make([]leapBlock, leapBlocks)
	for _, s := range level {
		i := leapIndex(entries[s.from].key)
		l.blocks[i>>6].bits |= 1 << (i & 63)
	}
	rank := uint32(0)
	for i := range l.blocks {
		l.blocks[i].rank = rank
		rank += uint32(bits.OnesCount64(l.blocks[i].bits))
	}
}
