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
}

// table is immutable.
type table struct {
	byID []*line // by TrunkID; nil = never configured
	all  []*line // by index, as in leases
}

var (
	_ outdial.Trunks         = (*Set)(nil)
	_ outdial.Advancer       = (*Set)(nil)
	_ outdial.ControlChecker = (*Set)(nil)
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
	force := make(map[outdial.TrunkID]*terms, len(cfg.Trunks))
	for _, l := range cfg.Trunks {
		now, bad := termsOf(l)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("trunk: %q: %w", l.Name, bad))
			continue
		}
		force[cfg.IDs.Trunks.ID(l.Name)] = now
	}
	if err != nil {
		return err
	}
	old := s.table.Load()
	next := &table{byID: append([]*line(nil), old.byID...), all: old.all[:len(old.all):len(old.all)]}
	for _, l := range cfg.Trunks {
		id := cfg.IDs.Trunks.ID(l.Name)
		for int(id) >= len(next.byID) {
			next.byID = append(next.byID, nil)
		}
		if next.byID[id] == nil {
			t := &line{id: id, name: l.Name, index: uint16(len(next.all))}
			next.byID[id] = t
			next.all = append(next.all, t)
		}
	}
	if len(next.all) > MaxTrunks {
		return fmt.Errorf("trunk: Trunks: %d with those configured before are more than %d", len(next.all), MaxTrunks)
	}
	s.ids = cfg.IDs
	for _, t := range next.all {
		t.mu.Lock()
		t.update(force[t.id])
		t.mu.Unlock()
	}
	s.table.Store(next)
	return nil
}

// Acquire takes a channel on c.Trunk. It refuses with ErrChannels, ErrDraining, ErrOut or ErrUnknownTrunk; when
// asking again may help is not known. For a rehearsal nothing is taken or counted, and the lease is 0. call is read for
// that and its Record only, and may be nil.
func (s *Set) Acquire(now time.Time, call *outdial.Call, c *outdial.Candidate) (l outdial.Lease, again time.Time, err error) {
	t := s.line(c.Trunk)
	if t == nil {
		return 0, time.Time{}, ErrUnknownTrunk
	}
	t.mu.Lock()
	used, limit := t.slots.used, t.limits.Channels
	if call != nil && call.Rehearsal() {
		if refused := t.room(now); refused != nil {
			err = refused
		} else {
			used++
		}
	} else {
		l, err = t.acquire(now)
		used = t.slots.used
	}
	t.mu.Unlock()
	if call != nil && call.Record().On() {
		call.Record().Num(outdial.StageTrunk, c.Trunk, "in_use", float64(used))
		call.Record().Num(outdial.StageTrunk, c.Trunk, "channels", float64(limit))
	}
	return l, time.Time{}, err
}

// Seize counts one call against the calls per second of the trunk that l is held on. It returns when the INVITE may
// leave (zero = at once), or ErrCPS and when asking again may help; then the channel stays held. A second Seize with
// the same lease counts nothing and returns the same. Without a lease (0) the call is counted on c.Trunk, for hosts
// that count channels themselves, and cannot be undone. For a rehearsal nothing is counted. call is read for that and its
// Record only, and may be nil.
func (s *Set) Seize(now time.Time, call *outdial.Call, c *outdial.Candidate, l outdial.Lease) (time.Time, error) {
	t := s.line(c.Trunk)
	if l != 0 {
		t = s.holder(l)
	}
	if t == nil {
		return time.Time{}, ErrUnknownTrunk
	}
	t.mu.Lock()
	var p *slot
	switch {
	case l != 0:
		if p = t.slots.get(l); p == nil {
			t.mu.Unlock()
			return time.Time{}, ErrStaleLease
		}
	case !t.known:
		t.mu.Unlock()
		return time.Time{}, ErrUnknownTrunk
	}
	var at time.Time
	var err error
	if call != nil && call.Rehearsal() {
		at, err = t.rehearse(now)
	} else {
		at, err = t.seize(now, p)
	}
	if call != nil && call.Record().On() {
		call.Record().Num(outdial.StageTrunk, t.id, "last_second", float64(t.gate.Count(t.latest, second)))
		call.Record().Num(outdial.StageTrunk, t.id, "cps", float64(t.limits.CPS))
	}
	t.mu.Unlock()
	return at, err
}

// Release gives the channel back. A lease that was given back before, or reclaimed, or is 0, does nothing.
func (s *Set) Release(_ time.Time, l outdial.Lease) { s.free(l, false) }

// Undo gives the channel back, and the seizure if there was one, as if neither had been taken. A lease that was
// given back before, or reclaimed, or is 0, does nothing.
func (s *Set) Undo(_ time.Time, l outdial.Lease) { s.free(l, true) }

func (s *Set) free(l outdial.Lease, undo bool) {
	t := s.holder(l)
	if t == nil {
		return
	}
	t.mu.Lock()
	if p := t.slots.get(l); p != nil {
		if undo {
			t.undo(p)
		}
		t.slots.drop(int32(slotOf(l)))
	}
	t.mu.Unlock()
}

// Advance takes back channels that were held longer than MaxCall, and returns when the next may be due; zero =
// nothing is held that could be. It implements outdial.Advancer.
func (s *Set) Advance(now time.Time) (next time.Time) {
	for _, t := range s.table.Load().all {
		t.mu.Lock()
		due := t.advance(now)
		t.mu.Unlock()
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
