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

	leaps leaps
}

// Match is one prefix that a number begins with.
type Match struct {
	Value  uint32
	Digits uint8 // length of the prefix
}

// Equal reports whether two tables map the same prefixes to the same values.
func (t *Table) Equal(other *Table) bool {
	return t.rootValue == other.rootValue && t.hasRoot == other.hasRoot && slices.Equal(t.values, other.values) &&
		slices.Equal(t.nodes, other.nodes)
}

// Lookup returns the value of the longest prefix that number begins with, and
// the length of that prefix in digits. It returns 0, 0, false when there is none.
// Digits after the fifteenth are ignored. It does not allocate.
func (t *Table) Lookup(number uint64) (value uint32, matched int, ok bool) {
	value, ok = t.rootValue, t.hasRoot
	if len(t.nodes) == 0 {
		return value, 0, ok
	}
	digits := nibbles(clip(number))
	if t.leaps.blocks != nil && number >= leapFrom {
		if n := t.leaps.find(t.nodes, digits); n != nil {
			if at, depth := t.walk(n, digits<<(4*leapDigits), leapDigits+1); depth > 0 {
				return t.values[at], depth, true
			}
		}
	}
	if at, depth := t.walk(&t.nodes[0], digits, 1); depth > 0 {
		return t.values[at], depth, true
	}
	return value, 0, ok
}

// walk follows the rest of a number's digits from a node at a depth, and returns the index of the last value that it met, and
// how many digits that matched; 0 = none.
func (t *Table) walk(n *node, rest uint64, depth int) (at uint32, matched int) {
	// The end nibble stops the loop: no node has its bit.
	for ; ; depth++ {
		bit := uint32(1) << (rest >> 60)
		rest <<= 4
		if n.bits&bit != 0 {
			at, matched = n.valueAt(bit), depth
		}
		if n.bits>>childShift&bit == 0 {
			return at, matched
		}
		n = &t.nodes[n.childAt(bit)]
	}
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
		cap(t.leaps.blocks)*int(unsafe.Sizeof(leapBlock{}))
}

// clip cuts number to its first MaxLen digits.
func clip(number uint64) uint64 {
	for number >= pow10[MaxLen] {
		number /= 10
	}
	return number
}
