package failover

import (
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// maxTrunk bounds the ids of trunks: those with a greater one have no health, and are always up.
const maxTrunk = 1 << 16

// board is the health of one trunk: of the trunk as a whole, and of each destination group that calls went to.
type board struct {
	id      outdial.TrunkID
	carrier outdial.CarrierID // 0 = not known yet; guarded by mu

	// sick counts what keeps the trunk from being simply up: targets in another state, a hold, pings that fail. While it
	// is 0 a choice need not look further.
	sick    atomic.Int32
	silence atomic.Bool // some target may be in a row of hard evidence
	shown   *shown

	mu        sync.Mutex
	whole     target
	groups    groups
	gate      gate
	held      bool
	heldNoted bool // the hold is counted in sick
	heldFrom  time.Time
	heldTo    time.Time // zero = until released
	launchTo  time.Time // until when its thresholds are those of a launch
	full      uint64    // attempts refused because the trunk was full
	faults    uint64    // attempts that failed for a fault of configuration
	faultAt   time.Time // the last of them
	open      int       // attempts that have not ended
	answered  time.Time // the last answer
	reached   time.Time // the last sign of a callee
	ping      ping
	drilled   time.Time // the last drill
	past      []Incident
}

// shown is what all boards have in common: how many of them are sick, and a number that grows whenever what a choice
// may read has changed on a sick one.
type shown struct {
	sick  atomic.Int64
	epoch atomic.Uint64
}

// standing is what a board says about a candidate at a moment.
type standing struct {
	up      bool // may get its share
	less    bool // up, but gets less than its share, or one call at a time
	due     bool // may be sent a probe
	refuses bool // not even as a last resort: held
	asked   bool // asked to be left alone
	state   State
	share   float64
	until   time.Time // when what is said here changes by time alone; zero = not
	moving  bool      // it changes with every choice
	slow    *target   // which of its targets gets a part of its share; nil = none does
}

// group returns the target of a destination group, nil if nothing is known of it.
func (b *board) group(g outdial.GroupID) *target {
	if g == 0 {
		return nil
	}
	return b.groups.get(g)
}

// targets are the whole and the groups, in the order of these.
func (b *board) targets() iter.Seq[*target] {
	return func(yield func(*target) bool) {
		if yield(&b.whole) {
			b.groups.all()(yield)
		}
	}
}

// at returns how a candidate to group g stands. The caller holds the lock, and calls settle after.
func (b *board) at(now time.Time, g outdial.GroupID, cfg *settings) standing {
	b.expire(now)
	if b.held {
		return standing{refuses: true, state: Held, until: b.heldTo}
	}
	if b.gate.shut(now) {
		return standing{refuses: true, state: Held}
	}
	s := standing{up: true, share: 1}
	sooner := func(t time.Time) {
		if t.After(now) && (s.until.IsZero() || t.Before(s.until)) {
			s.until = t
		}
	}
	sooner(b.gate.until)
	silent, until := b.ping.out(now, cfg)
	if silent {
		s.up, s.share, s.state = false, 0, Out
		sooner(until)
	}
	asks, bars := false, silent // a probe is due, or must not go, by one of its targets
	var slow *target
	for _, t := range [2]*target{&b.whole, b.group(g)} {
		if t == nil {
			continue
		}
		t.wake(now, cfg)
		if t.simple() {
			continue
		}
		if share := t.share(now, cfg); share < s.share {
			s.share, slow = share, t
		}
		switch {
		case t.due(now):
			asks = true
			if !b.answers(now, t, cfg) {
				bars = true
				sooner(b.ping.last.Add(cfg.pingStale))
			}
		case t.probe.out || t.state == Out || t.state == Suspended:
			bars = true
		}
		s.asked = s.asked || t.state == Suspended
		s.less = s.less || t.doubt
		if s.state == Up {
			s.state = t.state
		}
		sooner(t.until)
		if t.probe.out {
			sooner(t.probe.to)
		}
	}
	s.due = asks && !bars
	switch {
	case s.share == 0:
		s.up, s.less = false, false
	case s.less:
		s.share, s.moving = 0, true
	case s.share < 1:
		s.less, s.moving, s.slow = slow.gate+s.share < 1, true, slow
	}
	s.moving = s.moving || s.due
	return s
}

// accrue counts a choice by turns towards the next turn of a target that gets less than its share.
func (b *board) accrue(now time.Time, g outdial.GroupID, cfg *settings) {
	st := b.at(now, g, cfg)
	if st.slow == nil {
		return
	}
	if st.slow.gate += st.share; st.slow.gate >= 1 {
		st.slow.gate--
	}
}

// claim sends a probe to group g if one may go: an attempt of a call that starts at the given time.
func (b *board) claim(now time.Time, g outdial.GroupID, call outdial.CallID, start time.Time, cfg *settings) bool {
	if !b.at(now, g, cfg).due {
		return false
	}
	b.send(now, g, call, start, cfg)
	return true
}

// send notes that a probe has gone.
func (b *board) send(now time.Time, g outdial.GroupID, call outdial.CallID, start time.Time, cfg *settings) {
	for _, t := range [2]*target{&b.whole, b.group(g)} {
		if t != nil && (t.state == Out || t.state == Probing || t.doubt) {
			t.send(now, call, start, cfg)
		}
	}
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
		b.faults, b.faultAt = b.faults+1, now
	}
	if a.Choice.Why == outdial.WhyProbe {
		b.unclaim(g, a.ID.Call, a.Start)
	}
	b.whole.wake(now, cfg)
	b.keepIncident(&b.whole) // or else a new one would take its place
	own, why := b.group(g), ""
	if j.Evidence.good() || j.Evidence.bad() {
		own = b.openGroup(g)
	}
	var of blame
	if own != nil {
		own.wake(now, cfg)
		b.keepIncident(own)
		of = blameOf(own)
		why = own.learn(now, a.Start, j.Evidence, blame{}, cfg)
	}
	b.learnWhole(now, a, j, of, why, cfg)
	if j.Suspend > 0 {
		b.whole.suspend(now, now.Add(j.Suspend), cfg)
	}
	if j.Evidence.good() {
		b.ping.live(now)
	}
}

// learnWhole folds the evidence into the trunk as a whole. Soft failures of one destination group say something of that
// group: only silence, or failures of several, say that the trunk is ill. What has ejected a group is explained by that, and so
// is what fails there afterwards.
func (b *board) learnWhole(now time.Time, a *outdial.Attempt, j Judgement, of blame, groupOut string, cfg *settings) {
	t := &b.whole
	soft := j.Evidence == EvidenceSoft || j.Evidence == EvidenceHard && cfg.hardCount < 0
	if of.out && soft && t.state != Out && t.state != Probing {
		t.failed++
		return
	}
	if t.learn(now, a.Start, j.Evidence, of, cfg) != "" {
		b.ping.good = 0 // what they said before is no news
	}
	if groupOut != "" && groupOut != whyHard && t.state != Out {
		t.test.clear()
		t.weigh(now, cfg)
	}
}

// blame is what the destination group of an attempt had to do with the failures of its trunk before it: those in a row, and
// those of the run. The zero value blames no group.
type blame struct {
	known       bool
	out         bool // the group is out already
	row, failed int
}

func blameOf(own *target) blame {
	return blame{true, own.state == Out || own.state == Probing, own.test.soft, int(own.test.runFailed)}
}

// explain reports whether the failures that say that a trunk is ill are so much those of one destination group, the last of them
// included, that they are no evidence against the others: fewer than two are of others, or fewer than one in four of a run.
func (l *blame) explain(t *test, why string) bool {
	if !l.known {
		return false
	}
	if why == whySoft {
		return t.soft-(l.row+1) < 2
	}
	others := int(t.runFailed) - (l.failed + 1)
	return others < 2 || 4*others < int(t.runFailed)
}

// openGroup returns the target of group g and makes it if there is none. When there are too many, those that stand clean are
// forgotten; nil = there is no room even so, or no group.
func (b *board) openGroup(g outdial.GroupID) *target {
	t := b.group(g)
	if t != nil || g == 0 || g > maxGroup {
		return t
	}
	if b.groups.n >= maxGroups {
		for t := range b.groups.all() {
			if t.clean() {
				b.keepIncident(t)
				b.groups.drop(t)
			}
		}
		if b.groups.n >= maxGroups {
			return nil
		}
	}
	t = &target{id: b.id, group: g, tally: newTally(groupMinutes)}
	t.test.prime(b.whole.test.failed/b.whole.test.calls, groupPrior)
	b.groups.put(t)
	return t
}

// inRow reports whether any target is in a row of hard evidence.
func (b *board) inRow() bool {
	for t := range b.targets() {
		if t.test.hard > 0 {
			return true
		}
	}
	return false
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
func (b *board) advance(now time.Time, cfg *settings) (next time.Time) {
	b.expire(now)
	soonest := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if b.held {
		soonest(b.heldTo)
	}
	soonest(b.gate.until)
	soonest(b.launchTo)
	for t := range b.targets() {
		t.wake(now, cfg)
		if t.state != Up {
			soonest(t.until)
		}
		if t.probe.out {
			soonest(t.probe.to)
		}
	}
	return next
}
