package failover

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// warm deals out the keep-warm share of each destination group to the standbys of its calls, one after the other. The
// zero value is ready to use. Groups from maxWarm on have no standbys kept warm.
type warm struct {
	table atomic.Pointer[[]*warmth]
	mu    sync.Mutex // serialises writers of table
}

const maxWarm = 1 << 16

// warmth is where a destination group stands.
type warmth struct {
	turns spreader
	next  atomic.Uint32 // whose turn it is among the standbys
}

func (w *warm) of(g outdial.GroupID) *warmth {
	if t := w.table.Load(); t != nil && int(g) < len(*t) && (*t)[g] != nil {
		return (*t)[g]
	}
	if g >= maxWarm {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var next []*warmth
	if t := w.table.Load(); t != nil {
		if int(g) < len(*t) && (*t)[g] != nil {
			return (*t)[g]
		}
		next = append(next, *t...)
	}
	for len(next) <= int(g) {
		next = append(next, nil)
	}
	next[g] = new(warmth)
	w.table.Store(&next)
	return next[g]
}

// turn reports whether this call is one of the keep-warm share.
func (w *warm) turn(call *outdial.Call, share float64) bool {
	x := w.of(call.Dest.Group)
	return x != nil && x.turns.turn(share, !call.Rehearsal())
}

// pick returns the standby whose turn it is, after turn has said that it is one's.
func (w *warm) pick(call *outdial.Call, standbys uint64) int {
	x := w.of(call.Dest.Group)
	k := x.next.Load()
	if !call.Rehearsal() {
		k = x.next.Add(1) - 1
	}
	for range int(k) % bits.OnesCount64(standbys) {
		standbys &= standbys - 1
	}
	return bits.TrailingZeros64(standbys)
}

// give takes a turn back that was not used.
func (w *warm) give(g outdial.GroupID) {
	if x := w.of(g); x != nil {
		x.turns.give()
	}
}
