package failover

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

const (
	maxTrunk  = 1 << 16 // trunks with a greater id have no health: they are always up
	maxGroups = 4096    // destination groups kept per trunk
)

// board is the health of one trunk: of the trunk as a whole, and of each destination group that calls went to.
type board struct {
	id outdial.TrunkID

	// sick counts what keeps the trunk from being simply up: targets in another state, and a hold. While it is 0 a
	// choice need not look further.
	sick  atomic.Int32
	total *atomic.Int64 // the sum of sick over all boards

	mu        sync.Mutex
	whole     target
	groups    map[outdial.GroupID]*target
	held      bool
	heldNoted bool // the hold is counted in sick
	heldFrom  time.Time
	heldTo    time.Time // zero = until released
	full      uint64    // attempts refused because the trunk was full
	faults    uint64    // attempts that failed for a fault of configuration
}

// standing is what a board says about a candidate at a moment.
type standing struct {
	up      bool // may get its share
	due     bool // may be sent a probe
	refuses bool // not even as a last resort: held
	asked   bool // asked to be left alone
	state   State
}

// group returns the target of a destination group, nil if nothing is known of it.
func (b *board) group(g outdial.GroupID) *target {
	if g == 0 {
		return nil
	}
	return b.groups[g]
}

// at returns how a candidate to group g stands. The caller holds the lock, and calls settle after.
func (b *board) at(now time.Time, g outdial.GroupID) standing {
	b.expire(now)
	if b.held {
		return standing{refuses: true, state: Held}
	}
	s := standing{up: true}
	due := true
	for _, t := range [2]*target{&b.whole, b.group(g)} {
		if t == nil {
			continue
		}
		t.wake(now)
		if t.state == Up {
			continue
		}
		s.up = false
		due = due && t.due(now)
		s.asked = s.asked || t.state == Suspended
		if s.state == Up {
			s.state = t.state
		}
	}
	s.due = due && !s.up
	return s
}

// claim sends a probe to group g if one may go: an attempt of a call that starts at the given time.
func (b *board) claim(now time.Time, g outdial.GroupID, call outdial.CallID, start time.Time, cfg *settings) bool {
	if !b.at(now, g).due {
		return false
	}
	for _, t := range [2]*target{&b.whole, b.group(g)} {
		if t != nil && t.state != Up {
			t.claim(now, call, start, cfg)
		}
	}
	return true
}

// unclaim takes a probe back whose outcome is known, or that did not leave.
func (b *board) unclaim(g outdial.GroupID, call outdial.CallID, start time.Time) {
	b.whole.unclaim(call, start)
	if t := b.group(g); t != nil {
		t.unclaim(call, start)
	}
}

// learn folds what became of an attempt.
func (b *board) learn(now time.Time, a *outdial.Attempt, j Judgement, cfg *settings) {
	g := a.Call.Dest.Group
	switch j.Evidence {
	case EvidenceFull:
		b.full++
	case EvidenceConfigFault:
		b.faults++
	}
	if a.Choice.Why == outdial.WhyProbe {
		b.unclaim(g, a.ID.Call, a.Start)
	}
	b.whole.learn(now, a.Start, j.Evidence, cfg)
	if j.Suspend > 0 {
		b.whole.suspend(now, now.Add(j.Suspend))
	}
	if t := b.open(g, j.Evidence); t != nil {
		t.learn(now, a.Start, j.Evidence, cfg)
	}
}

// open returns the target of group g and makes it if there is evidence to keep. When there are too many, those that
// stand clean are forgotten; nil = there is no room even so, or no group.
func (b *board) open(g outdial.GroupID, e Evidence) *target {
	t := b.group(g)
	if t != nil || g == 0 || !e.good() && !e.bad() {
		return t
	}
	if len(b.groups) >= maxGroups {
		for id, t := range b.groups {
			if t.clean() {
				delete(b.groups, id)
			}
		}
		if len(b.groups) >= maxGroups {
			return nil
		}
	}
	if b.groups == nil {
		b.groups = make(map[outdial.GroupID]*target)
	}
	t = &target{salt: uint64(b.id)<<32 | uint64(g)}
	b.groups[g] = t
	return t
}

// hold keeps the trunk out of the choice until the given time; zero = until release.
func (b *board) hold(now, until time.Time) {
	b.expire(now) // or else it would depend on whether anybody looked in between
	if !b.held {
		b.heldFrom = now
	}
	b.held, b.heldTo = true, until
}

// expire ends a hold whose time is over.
func (b *board) expire(now time.Time) {
	if b.held && !b.heldTo.IsZero() && !now.Before(b.heldTo) {
		b.held = false
	}
}

// advance ends what time alone ends and returns when there is something to do next; zero = nothing.
func (b *board) advance(now time.Time) (next time.Time) {
	b.expire(now)
	soonest := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if b.held {
		soonest(b.heldTo)
	}
	each := func(t *target) {
		t.wake(now)
		if t.state != Up {
			soonest(t.until)
		}
		if t.state != Up && t.probe.out {
			soonest(t.probe.to)
		}
	}
	each(&b.whole)
	for _, t := range b.groups {
		each(t)
	}
	return next
}

// settle brings sick up to date after targets of the trunk, of group g, or the hold may have changed.
func (b *board) settle(g outdial.GroupID) {
	b.note(b.held, &b.heldNoted)
	b.note(b.whole.state != Up, &b.whole.noted)
	if t := b.group(g); t != nil {
		b.note(t.state != Up, &t.noted)
	}
}

// settleAll is settle for all groups.
func (b *board) settleAll() {
	b.settle(0)
	for _, t := range b.groups {
		b.note(t.state != Up, &t.noted)
	}
}

func (b *board) note(sick bool, noted *bool) {
	if sick == *noted {
		return
	}
	*noted = sick
	if sick {
		b.sick.Add(1)
		b.total.Add(1)
		return
	}
	b.sick.Add(-1)
	b.total.Add(-1)
}
