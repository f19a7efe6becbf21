package kpi

import "github.com/outdial/outdial"

// rows gives calls a row each, in turn. Calls that begin one after the other, which different cores have as a rule, are some rows
// apart: a core that reads one cache line begins to read its neighbours too, and would take them from a core that writes them.
type rows struct {
	by     divisor
	stride uint64
}

func newRows(n int) rows {
	stride := 5
	for gcd(stride, n) != 1 { // else some rows would never have their turn
		stride += 2
	}
	return rows{by: divisorOf(int64(n)), stride: uint64(stride)}
}

// of is the row of a call, and how many rounds through all of them its number is away from zero.
func (r *rows) of(id outdial.CallID) (round, row uint64) { return r.by.split(inOrder(id) * r.stride) }

// inOrder numbers calls so that those of one engine that begin one after the other have numbers that do: its ids count
// above the twelve bits of the node.
func inOrder(id outdial.CallID) uint64 {
	const nodeBits = 12
	node := uint64(id) & (1<<nodeBits - 1)
	return uint64(id)>>nodeBits + node*0x9e3779b97f4a7c15>>16
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
