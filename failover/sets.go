package failover

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// sets are places in a plan, by what may be done with them.
type sets struct {
	up     uint64 // may get their share
	less   uint64 // up, but not their turn: they ramp, or may have fallen silent. Taken when none is up
	due    uint64 // may be sent a probe
	slow   uint64 // get a part of their share
	warm   uint64 // may be kept warm, whatever their share: they are up, or ramp, or their figures are poor
	resort uint64 // may be tried when none is up: those that asked to be left alone only if there are no others
}

// view is what the health of a plan's candidates was found to be, for as long as it stands.
type view struct {
	epoch    uint64
	group    outdial.GroupID
	eligible uint64
	until    time.Time // zero = until the epoch changes
	sets     sets
}

// viewCache keeps the view of a plan while something is ill: one that comes again and again at the same epoch.
type viewCache struct {
	now  atomic.Pointer[view]
	mu   sync.Mutex
	want view
	hits int
}

// get returns the view that is kept if it is of that and stands; nil = it is not.
func (c *viewCache) get(now time.Time, epoch uint64, group outdial.GroupID, eligible uint64) *view {
	v := c.now.Load()
	if v == nil || v.epoch != epoch || v.group != group || v.eligible != eligible || !v.until.IsZero() && !now.Before(v.until) {
		return nil
	}
	return v
}

// viewHits is how often the same view must be worked out in a row before it is kept.
const viewHits = 4

// sets looks at the health of the eligible candidates. l may be nil.
func (s *Selector) sets(now time.Time, call *outdial.Call, plan []outdial.Candidate, l *layout, eligible uint64) sets {
	recording := call.Record().On()
	if s.boards.shown.sick.Load() == 0 && !recording {
		return sets{up: eligible, warm: eligible}
	}
	epoch := s.boards.shown.epoch.Load()
	if l != nil && !recording {
		if v := l.view.get(now, epoch, call.Dest.Group, eligible); v != nil {
			return v.sets
		}
	}
	v := view{epoch: epoch, group: call.Dest.Group, eligible: eligible}
	stands := s.look(now, call, plan, eligible, &v)
	if l != nil && stands && !recording {
		l.view.offer(&v)
	}
	return v.sets
}

// look works the sets out, and reports whether they stand until v.until or the next event.
func (s *Selector) look(now time.Time, call *outdial.Call, plan []outdial.Candidate, eligible uint64, v *view) (stands bool) {
	stands = true
	var asked uint64
	recording := call.Record().On()
	for rest := eligible; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		st := standing{up: true, share: 1}
		if b := s.boards.get(plan[i].Trunk); b != nil && (recording || b.sick.Load() > 0) {
			b.mu.Lock()
			st = b.at(now, call.Dest.Group, &s.cfg)
			b.settleTime(call.Dest.Group)
			b.mu.Unlock()
		}
		if recording {
			call.Record().Text(outdial.StageFailover, plan[i].Trunk, "state", st.state.String())
		}
		stands = stands && !st.moving
		if !st.until.IsZero() && (v.until.IsZero() || st.until.Before(v.until)) {
			v.until = st.until
		}
		switch {
		case st.up && st.less:
			v.sets.less |= 1 << i
		case st.up:
			v.sets.up |= 1 << i
		case st.refuses:
		case st.asked:
			asked |= 1 << i
		default:
			v.sets.resort |= 1 << i
		}
		if st.due {
			v.sets.due |= 1 << i
		}
		if st.slow != nil {
			v.sets.slow |= 1 << i
		}
		if st.share > 0 {
			v.sets.warm |= 1 << i
		}
	}
	if v.sets.resort == 0 {
		v.sets.resort = asked
	}
	return stands
}

// accrue counts a choice by turns for those that get a part of their share. A call that goes elsewhere out of turn does not count:
// it would take the turn that they have saved up for.
func (s *Selector) accrue(now time.Time, call *outdial.Call, plan []outdial.Candidate, slow uint64) {
	for ; slow != 0; slow &= slow - 1 {
		if b := s.boards.get(plan[bits.TrailingZeros64(slow)].Trunk); b != nil {
			b.mu.Lock()
			b.accrue(now, call.Dest.Group, &s.cfg)
			b.settleTime(call.Dest.Group)
			b.mu.Unlock()
		}
	}
}

// offer keeps a view that has come a few times in a row.
func (c *viewCache) offer(v *view) {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	if *v != c.want {
		c.want, c.hits = *v, 0
	}
	if c.hits++; c.hits == viewHits {
		kept := *v
		c.now.Store(&kept)
	}
}

// released returns when the first of the candidates, all of which are held, is released; zero = not known.
func (s *Selector) released(plan []outdial.Candidate, eligible uint64) (first time.Time) {
	for rest := eligible; rest != 0; rest &= rest - 1 {
		if b := s.boards.get(plan[bits.TrailingZeros64(rest)].Trunk); b != nil {
			b.mu.Lock()
			if b.held && !b.heldTo.IsZero() && (first.IsZero() || b.heldTo.Before(first)) {
				first = b.heldTo
			}
			b.mu.Unlock()
		}
	}
	return first
}
