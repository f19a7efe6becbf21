package trunk

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// Set is the capacity of all trunks of one process. It must be made by New. All methods are safe for concurrent
// use; a Set has one small lock per trunk and none above them, and Acquire, Seize, Release and Undo allocate nothing
// once as many channels were in use as ever are.
type Set struct {
	table atomic.Pointer[table]
	mu    sync.Mutex // serialises Update
	ids   *outdial.Registry

	resumed atomic.Uint64 // of the newest event in what Restore has read
}

// table is immutable.
type table struct {
	byID []*line // by TrunkID; nil = never configured
	all  []*line // by index, as in leases

	shortages Shortages
	ledger    Ledger
	node      string
}

var (
	_ outdial.Trunks         = (*Set)(nil)
	_ outdial.Advancer       = (*Set)(nil)
	_ outdial.ControlChecker = (*Set)(nil)
	_ outdial.Queuer         = (*Set)(nil)
	_ outdial.Resumer        = (*Set)(nil)
)

// New returns a Set with nothing in use. The error names every bad field.
func New(cfg Config) (*Set, error) {
	s := &Set{}
	s.table.Store(&table{})
	if err := s.Update(cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// Update puts cfg in force at once. A trunk keeps what it has in use and what it counted, by its id; one that cfg
// leaves out takes no more calls and gives its channels back as its calls end. No call is dropped. An error names
// every bad field and leaves the old configuration in force. The registry must be the one that the Set was made with.
func (s *Set) Update(cfg Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := cfg.validate()
	if s.ids != nil && cfg.IDs != nil && cfg.IDs != s.ids {
		err = errors.Join(err, errors.New("trunk: IDs: another registry than before"))
	}
	if err != nil {
		return err
	}
	old := s.table.Load()
	next := &table{
		byID: append([]*line(nil), old.byID...), all: old.all[:len(old.all):len(old.all)], shortages: cfg.Shortages,
		ledger: cfg.Ledger, node: cfg.Node,
	}
	for _, l := range cfg.Trunks {
		id := cfg.IDs.Trunks.ID(l.Name)
		for int(id) >= len(next.byID) {
			next.byID = append(next.byID, nil)
		}
		if next.byID[id] == nil {
			t := &line{id: id, name: l.Name, index: uint16(len(next.all)), shares: []share{{}}}
			next.byID[id] = t
			next.all = append(next.all, t)
		}
	}
	if len(next.all) > MaxTrunks {
		return fmt.Errorf("trunk: Trunks: %d with those configured before are more than %d", len(next.all), MaxTrunks)
	}
	s.ids = cfg.IDs
	configured := make(map[outdial.TrunkID]Limits, len(cfg.Trunks))
	for _, l := range cfg.Trunks {
		configured[cfg.IDs.Trunks.ID(l.Name)] = l
	}
	for _, t := range next.all { // all of them at once: all change, or none does
		t.lock()
		defer t.unlock()
	}
	for i, l := range cfg.Trunks {
		if !next.byID[cfg.IDs.Trunks.ID(l.Name)].hasRoom(&l) {
			return fmt.Errorf("trunk: Trunks[%d] %q: Floors: calls of too many former ones are up", i, l.Name)
		}
	}
	for _, t := range next.all {
		if l, ok := configured[t.id]; ok {
			t.update(l.withDefaults(), cfg.IDs)
		} else {
			t.remove()
		}
	}
	s.table.Store(next)
	return nil
}

// Acquire takes a channel on c.Trunk, in one decision about its state, its ceilings, the floors of others, the reservation
// for higher priorities, the tenant's quota and those who wait. It refuses with one of the Err values of this package.
// With a Queue, a refusal may come with a time: the call keeps its place until then, and is to ask again. For a rehearsal
// nothing is taken or counted, and the lease is 0. call says who asks; nil asks as a bulk call of nobody, and does not wait.
func (s *Set) Acquire(now time.Time, call *outdial.Call, c *outdial.Candidate) (l outdial.Lease, again time.Time, err error) {
	t := s.line(c.Trunk)
	if t == nil {
		return 0, time.Time{}, ErrUnknownTrunk
	}
	if call != nil && (call.Rehearsal() || call.Record().On()) {
		return t.explain(now, call)
	}
	// Most calls end here: there is room for anybody, and nothing that needs the lock or a look at the clock.
	if l, recount := t.slots.takeCalmly(t.shareOf(call), t.index); l != 0 {
		if recount {
			t.recountOne(l)
		}
		return l, time.Time{}, nil
	}
	return t.acquire(now, call)
}

// explain is acquire with what was read, or for a rehearsal.
func (t *line) explain(now time.Time, call *outdial.Call) (l outdial.Lease, again time.Time, err error) {
	t.lock()
	defer t.unlock()
	var used int
	if call.Rehearsal() {
		used = t.slots.used()
		if refused := t.rehearse(now, call); refused != nil {
			err = refused
		} else {
			used++
		}
	} else {
		l, again, err = t.acquireGuarded(now, call)
		used = t.slots.used()
	}
	r := call.Record()
	r.Num(outdial.StageTrunk, t.id, "in_use", float64(used))
	r.Num(outdial.StageTrunk, t.id, "channels", float64(shown(t.base)))
	if t.spare > 0 {
		r.Num(outdial.StageTrunk, t.id, "guaranteed", float64(t.spare))
	}
	if n := t.queue.Now; n > 0 {
		r.Num(outdial.StageTrunk, t.id, "waiting", float64(n))
	}
	return l, again, err
}

// rehearse is acquire without taking, counting or moving anything on.
func (t *line) rehearse(now time.Time, call *outdial.Call) *outdial.Refusal {
	if !t.known {
		return ErrUnknownTrunk
	}
	t.dry = true
	burst, gap, order, channels, rate := t.burst, t.pace.gap, t.order, t.channels, t.rate
	t.refresh(now)
	w := t.want(call)
	refused := t.admit(t.instant(now), &w)
	if t.order != order || t.channels != channels || t.rate != rate { // one ends by then, and has not yet
		t.order, t.channels, t.rate = order, channels, rate
		t.relimit(t.latest)
		t.pace.gap = gap
	}
	t.dry, t.burst = false, burst
	return refused
}

// Seize counts one call against the calls per second of the trunk that l is held on. It returns when the INVITE may
// leave (zero = at once), or a refusal (ErrCPS, ErrLearned, ErrQuota) and when asking again may help; then the channel
// stays held. A second Seize with the same lease counts nothing and returns the same. Without a lease (0) the call is
// counted on c.Trunk, for hosts that count channels themselves, and cannot be undone. For a rehearsal nothing is counted.
// call may be nil.
func (s *Set) Seize(now time.Time, call *outdial.Call, c *outdial.Candidate, l outdial.Lease) (time.Time, error) {
	t := s.line(c.Trunk)
	if l != 0 {
		t = s.holder(l)
	}
	if t == nil {
		return time.Time{}, ErrUnknownTrunk
	}
	t.mu.Lock()
	at, refused := t.seizeFor(now, call, l)
	if call != nil && call.Record().On() {
		call.Record().Num(outdial.StageTrunk, t.id, "last_second", float64(t.pace.counted(t.latest, second)))
		call.Record().Num(outdial.StageTrunk, t.id, "cps", float64(t.cps))
	}
	t.unlock()
	if refused != nil {
		return at, refused
	}
	return at, nil
}

// seizeFor is seize for the holder of a lease; 0 = for anyone.
func (t *line) seizeFor(now time.Time, call *outdial.Call, l outdial.Lease) (time.Time, *outdial.Refusal) {
	var p *slot
	if l != 0 {
		if p = t.slots.get(l); p == nil {
			return time.Time{}, ErrStaleLease
		}
	} else if !t.known {
		return time.Time{}, ErrUnknownTrunk
	}
	if call != nil && call.Rehearsal() {
		return t.rehearseSeize(now, call)
	}
	return t.seize(now, p, call)
}

// rehearseSeize is seize without counting anything.
func (t *line) rehearseSeize(now time.Time, call *outdial.Call) (time.Time, *outdial.Refusal) {
	at := t.instant(now)
	t.dry = true
	leave, again, _, why := t.turn(at, call)
	t.dry = false
	if why != nil {
		return after(now, again-at), why
	}
	return after(now, leave-at), nil
}

// Leave implements outdial.Queuer: the call gives up its place in the trunk's queue, if it has one.
func (s *Set) Leave(_ time.Time, call *outdial.Call, c *outdial.Candidate) {
	if t := s.line(c.Trunk); t != nil && call != nil {
		t.mu.Lock()
		t.queue.leave(call, &t.queue.Left)
		t.mu.Unlock()
	}
}

// Release gives the channel back. A lease that was given back before, or reclaimed, or is 0, does nothing.
func (s *Set) Release(now time.Time, l outdial.Lease) {
	if t := s.holder(l); t != nil {
		if how := t.slots.giveCalmly(l); how != done {
			t.release(now, l, how)
		}
	}
}

// Undo gives the channel back, and the seizure if there was one, as if neither had been taken. A lease that was
// given back before, or reclaimed, or is 0, does nothing.
func (s *Set) Undo(now time.Time, l outdial.Lease) {
	if t := s.holder(l); t != nil {
		t.lock()
		t.giveBack(now, l, true)
		t.unlock()
	}
}

// Advance takes back channels that were held longer than MaxCall, ends orders whose time is over, and samples how hard
// the trunks are pressed. It returns when to call it again; zero = nothing is to come. It implements outdial.Advancer.
// A channel whose call was seized is taken back after MaxCall exactly, another one up to a sixteenth later.
func (s *Set) Advance(now time.Time) (next time.Time) {
	for _, t := range s.table.Load().all {
		t.lock()
		due := t.advance(now)
		t.unlock()
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

// line returns the trunk of an id, or nil.
func (s *Set) line(id outdial.TrunkID) *line {
	if t := s.table.Load(); int(id) < len(t.byID) {
		return t.byID[id]
	}
	return nil
}

// holder returns the trunk that l was issued for, or nil.
func (s *Set) holder(l outdial.Lease) *line {
	t := s.table.Load()
	if i := trunkOf(l); l != 0 && i < len(t.all) {
		return t.all[i]
	}
	return nil
}
