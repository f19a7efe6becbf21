package cli

import (
	"unsafe"

	"github.com/outdial/outdial/internal/prefetch"
)

// What a call for a callee that is not known needs lies in places far from each other: the callee's line in the index, the number that is
// next, the one after it, and the ring of its uses. Waited for one after the other they are most of the time that Reserve takes; here
// they are begun together. Nothing but time depends on it.

// readAhead begins to read the line of a key.
func (x *calleeIndex) readAhead(key calleeKey) {
	if p := x.part(key); len(p.blocks) > 0 {
		prefetch.Line(unsafe.Pointer(p.at(p.home(tagOf(key)))))
	}
}

// readAhead begins to read what presenting the number at the head of the nearest bucket touches.
func (p *pool) readAhead(s *store, near *spot) {
	for t, b := range near.tiers {
		if b == none || tier(t) == tierExchange || len(p.buckets[b]) == 0 { // an exchange has a span, not a bucket
			continue
		}
		r := &p.ranks[p.buckets[b][0]]
		if len(r.heads) == 0 {
			continue
		}
		n := &s.numbers[p.homes[r.heads[0].id].head]
		prefetch.Line(unsafe.Pointer(&n.number))
		prefetch.Line(unsafe.Pointer(&n.uses.ring[n.uses.next]))
		if n.next != none {
			prefetch.Line(unsafe.Pointer(&s.numbers[n.next]))
			prefetch.Line(unsafe.Pointer(&s.numbers[n.next].number))
		}
		return
	}
}
