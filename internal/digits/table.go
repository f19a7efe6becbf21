package digits

import (
	"slices"
	"unsafe"
)

// Table maps prefixes to values and finds the longest prefix of a number.
// It is immutable, so any number of goroutines may read it without a lock.
// The zero value is an empty table; a [Builder] makes others.
//
// It is a trie with one level a digit, compressed by bitmaps.
// TestTableOracle, TestTableRapid and FuzzTable compare it with a plain map that
// is probed at every length.
type Table struct {
	nodes     []node
	values    []uint32
	rootValue uint32
	hasRoot   bool

	leaps      []leap // by the first digits; nil = the table is too small for it
	leapDigits int
}

// Match is one prefix that a number begins with.
type Match struct {
	Value  uint32
	Digits uint8 // length of the prefix
}

// Lookup returns the value of the longest prefix that number begins with, and
// the length of that prefix in digits. It returns 0, 0, false when there is none.
// Digits after the fifteenth are ignored. It does not allocate.
func (t *Table) Lookup(number uint64) (value uint32, matched int, ok bool) {
	value, ok = t.rootValue, t.hasRoot
	if len(t.nodes) == 0 {
		return value, 0, ok
	}
	found, rest, depth := ^uint32(0), nibbles(clip(number)), 1
	n := &t.nodes[0]
	if t.leaps != nil && number >= 10_000 {
		l := t.leaps[leapIndex(rest, t.leapDigits)]
		found, matched = l.value, int(l.node>>leapShift)
		at := l.node & (1<<leapShift - 1)
		if n, rest, depth = &t.nodes[at], rest<<(4*t.leapDigits&63), t.leapDigits+1; at == 0 {
			rest = end << 60
		}
	}
	// The end nibble stops the loop: no node has its bit.
	for ; ; depth++ {
		bit := uint32(1) << (rest >> 60)
		rest <<= 4
		if n.bits&bit != 0 {
			found, matched = n.valueAt(bit), depth
		}
		if n.bits>>childShift&bit == 0 {
			break
		}
		n = &t.nodes[n.childAt(bit)]
	}
	if matched > 0 {
		return t.values[found], matched, true
	}
	return value, 0, ok
}

// Matches writes every prefix that number begins with to dst, the longest first,
// and returns how many there are. Digits after the fifteenth are ignored. It does
// not allocate, and it does not touch the rest of dst.
func (t *Table) Matches(number uint64, dst *[MaxLen + 1]Match) int {
	count := 0
	if t.hasRoot {
		dst[0] = Match{Value: t.rootValue}
		count = 1
	}
	if len(t.nodes) == 0 {
		return count
	}
	n := &t.nodes[0]
	for rest, depth := nibbles(clip(number)), uint8(1); ; depth++ {
		bit := uint32(1) << (rest >> 60)
		rest <<= 4
		if n.bits&bit != 0 {
			dst[count&MaxLen] = Match{Value: t.values[n.valueAt(bit)], Digits: depth}
			count++
		}
		if n.bits>>childShift&bit == 0 {
			break
		}
		n = &t.nodes[n.childAt(bit)]
	}
	slices.Reverse(dst[:count])
	return count
}

// Len returns the number of prefixes.
func (t *Table) Len() int {
	if t.hasRoot {
		return len(t.values) + 1
	}
	return len(t.values)
}

// Bytes returns the memory that the table holds, in bytes.
func (t *Table) Bytes() int {
	return int(unsafe.Sizeof(*t)) +
		cap(t.nodes)*int(unsafe.Sizeof(node{})) +
		cap(t.values)*int(unsafe.Sizeof(uint32(0))) +
		cap(t.leaps)*int(unsafe.Sizeof(leap{}))
}

// clip cuts number to its first MaxLen digits.
func clip(number uint64) uint64 {
	for number >= pow10[MaxLen] {
		number /= 10
	}
	return number
}
