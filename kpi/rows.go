package kpi

import "github.com/outdial/outdial"

// rows gives calls a row each, a cache line, in turn. Calls that begin one after the other, which different cores have as a rule, are
// in different pages, in each of which the rows are taken in order: a core that reads one line begins to read its neighbours too,
// and would take them from another core that writes them.
type rows struct {
	by    divisor
	whole uint64 // rows in whole groups of pages
}

const (
	pages     = 8
	rowsAPage = 64
)

func newRows(n int) rows {
	return rows{by: divisorOf(int64(n)), whole: uint64(n - n%(pages*rowsAPage))}
}

// of is the row of a call, and how many rounds through all of them its number is away from zero.
func (r *rows) of(id outdial.CallID) (round, row uint64) {
	round, row = r.by.split(inOrder(id))
	if row < r.whole {
		const group = pages * rowsAPage
		row = row - row%group + row%pages*rowsAPage + row%group/pages
	}
	return round, row
}

// inOrder numbers calls so that those of one engine that begin one after the other have numbers that do: its ids count
// above the twelve bits of the node.
func inOrder(id outdial.CallID) uint64 {
	const nodeBits = 12
	node := uint64(id) & (1<<nodeBits - 1)
	return uint64(id)>>nodeBits + node*0x9e3779b97f4a7c15>>16
}
