package cli

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// lease is a use that is held: what Release and Undo need to know.
type lease struct {
	attempt    outdial.AttemptID // whose Started event was observed; zero = none was
	generation uint32
	held       bool
	counted    bool // it stamped the callee
	slot       int32
	next       int32 // free list
	stamp      window.Instant
	program    *program
	key        calleeKey
	call       uint16
	former     uint16           // the callee's newest call before, with its flags
	called     uint32           // the callee's stamp
	knew       int32            // the number that the callee knew before
	budgeted   bool             // it spent of its region's budget
	tenant     outdial.TenantID // whose quota it took of; 0 = none
	spent      window.Instant   // the stamp in the budget
	taken      window.Instant   // the stamp in the quota
	shared     time.Time        // of the Ledger; zero = none
}

// told is the uses that were counted because an event told of them, and that may yet be taken back, by their attempt.
// It holds no more than maxTold, against attempts whose end is never told: the use of a further one stays counted.
type told map[outdial.AttemptID]lease

const maxTold = 1 << 16

// leases hands out leases by slot and generation: giving one back twice, or a stale one, finds nothing.
type leases struct {
	list []lease
	free int32
}

func (l *leases) take(v lease) outdial.Lease {
	i := l.free
	if i != none {
		l.free = l.list[i].next
		v.generation = l.list[i].generation
	} else {
		i = int32(len(l.list))
		l.list = append(l.list, lease{})
	}
	v.generation++
	v.held = true
	l.list[i] = v
	return outdial.Lease(uint64(v.generation)<<32 | uint64(i+1))
}

func (l *leases) giveBack(id outdial.Lease) (lease, bool) {
	i := int64(id&0xffff_ffff) - 1
	if i < 0 || i >= int64(len(l.list)) {
		return lease{}, false
	}
	e := &l.list[i]
	if !e.held || e.generation != uint32(id>>32) {
		return lease{}, false
	}
	v := *e
	*e = lease{generation: e.generation, slot: e.slot, next: l.free}
	l.free = int32(i)
	return v, true
}

// slot returns the number of a lease, also of one that was given back and whose place nobody has taken since; else none.
func (l *leases) slot(id outdial.Lease) int32 {
	i := int64(id&0xffff_ffff) - 1
	if i < 0 || i >= int64(len(l.list)) || l.list[i].generation != uint32(id>>32) {
		return none
	}
	return l.list[i].slot
}

// get returns a lease that is held, or nil.
func (l *leases) get(id outdial.Lease) *lease {
	i := int64(id&0xffff_ffff) - 1
	if i < 0 || i >= int64(len(l.list)) || !l.list[i].held || l.list[i].generation != uint32(id>>32) {
		return nil
	}
	return &l.list[i]
}
