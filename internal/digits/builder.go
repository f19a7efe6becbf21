package digits

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// Builder collects prefixes for a [Table]. The zero value is ready to use.
// It is not safe for concurrent use.
type Builder struct {
	entries []entry             // in the order of Key, while they come so
	seen    map[uint64]struct{} // by Key, once they did not; nil until then
}

// Add gives prefix a value. It returns an error that names the prefix when
// the prefix has more than [MaxLen] digits or already has a value; the value
// that it had stays. Prefixes may come in any order; in the order of [Key] they
// cost least.
func (b *Builder) Add(prefix uint64, value uint32) error {
	if prefix >= pow10[MaxLen] {
		return fmt.Errorf("digits: prefix %d has more than %d digits", prefix, MaxLen)
	}
	k := Key(prefix)
	if b.seen == nil && len(b.entries) > 0 && k < b.entries[len(b.entries)-1].key {
		b.seen = make(map[uint64]struct{}, 2*len(b.entries))
		for i := range b.entries {
			b.seen[b.entries[i].key] = struct{}{}
		}
	}
	twice := false
	if b.seen != nil {
		_, twice = b.seen[k]
		b.seen[k] = struct{}{}
	} else {
		twice = len(b.entries) > 0 && k == b.entries[len(b.entries)-1].key
	}
	if twice {
		return fmt.Errorf("digits: prefix %s is given twice", name(prefix))
	}
	b.entries = append(b.entries, entry{k, value})
	return nil
}

// Grow makes room for n more prefixes.
func (b *Builder) Grow(n int) { b.entries = slices.Grow(b.entries, n) }

// Len returns the number of prefixes added.
func (b *Builder) Len() int { return len(b.entries) }

// Build returns a table of what was added so far. The table shares nothing
// with the Builder, which can be added to and built again.
func (b *Builder) Build() *Table {
	entries := b.entries
	if b.seen != nil {
		slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	}
	t := &Table{values: make([]uint32, 0, len(entries))}
	if len(entries) > 0 && entries[0].key == 0 {
		t.rootValue, t.hasRoot = entries[0].value, true
		entries = entries[1:]
	}
	// Level by level: each span holds the entries below one node, and the
	// nodes of the next level are appended in the order of their digits, so that
	// the children of a node are neighbours.
	t.nodes = append(t.nodes, node{})
	level := []span{{0, len(entries)}}
	for depth, first := 0, 0; len(level) > 0; depth++ {
		if depth == leapDigits && len(entries) >= leapLeast {
			t.leaps.build(first, level, entries)
		}
		var next []span
		for i, s := range level {
			n := node{child: uint32(first + len(level) + len(next)), value: uint32(len(t.values))}
			for j := s.from; j < s.to; j++ {
				e := entries[j]
				bit := uint32(1) << (e.key >> (60 - 4*depth) & 0xf)
				if int(e.key&0xf) == depth+1 {
					n.bits |= bit
					t.values = append(t.values, e.value)
					continue
				}
				if n.bits&(bit<<childShift) == 0 {
					n.bits |= bit << childShift
					next = append(next, span{j, j})
				}
				next[len(next)-1].to = j + 1
			}
			t.nodes[first+i] = n
		}
		first += len(level)
		t.nodes = append(t.nodes, make([]node, len(next))...)
		level = next
	}
	exact := make([]node, len(t.nodes))
	copy(exact, t.nodes)
	t.nodes = exact
	return t
}

type entry struct {
	key   uint64
	value uint32
}

// span is a run of sorted entries.
type span struct{ from, to int }

// Key orders prefixes so that each stands right before those that begin with it: the
// digits from the top, then the length in the lowest nibble. It is the order of their texts.
func Key(prefix uint64) uint64 {
	l := Len(prefix)
	return nibbles(prefix)&^(end<<(60-4*l)) | uint64(l)
}

// name shows a prefix as a reader knows it.
func name(prefix uint64) string {
	if prefix == 0 {
		return "(empty)"
	}
	return fmt.Sprint(prefix)
}

// node is 12 bytes. A digit below it can lead to a value, to a further node, or to
// both. Values and children of a node lie side by side, in the order of the
// digits, so a position is a base plus a count of bits. A prefix at which nothing longer
// hangs therefore costs 4 bytes.
type node struct {
	bits  uint32 // bit d: digit d has a value; bit childShift+d: digit d has a node
	child uint32 // index of the first child node
	value uint32 // index of the first value
}

const childShift = 16

// valueAt returns the index of the value at digit bit.
func (n *node) valueAt(bit uint32) uint32 {
	return n.value + uint32(bits.OnesCount32(n.bits&(bit-1)))
}

// childAt returns the index of the node at digit bit.
func (n *node) childAt(bit uint32) uint32 {
	return n.child + uint32(bits.OnesCount32(n.bits>>childShift&(bit-1)))
}
