package trunk

import (
	"time"

	"github.com/outdial/outdial"
)

// Status is how one trunk stands. It is a plain value.
type Status struct {
	Trunk outdial.TrunkID
	Name  string
	State State

	InUse    int // channels held
	Peak     int // the most ever held at once
	Channels int // the limit in force; -1 = none
	Headroom int // channels free; 0 while more are held than a lowered limit, MaxChannels − InUse without a limit

	CPS        int    // the limit in force; -1 = none
	LastSecond int    // seizures in the second that ends with the latest one or now; without a limit at most 1024
	Seized     uint64 // seizures ever, less those undone

	Blocked   Blocked
	Reclaimed uint64 // channels that Advance took back as leaks
}

// Blocked counts refusals by reason, ever.
type Blocked struct {
	Channels uint64
	CPS      uint64
	Draining uint64
	Out      uint64
}

// Snapshot returns how every trunk stands, in the order in which they were first configured, those included that
// are no longer configured but still hold channels (their State is Out). Each Status is consistent in itself.
func (s *Set) Snapshot(now time.Time) []Status {
	all := s.table.Load().all
	list := make([]Status, 0, len(all))
	for _, t := range all {
		t.mu.Lock()
		if t.known || t.slots.used > 0 {
			list = append(list, t.status(now))
		}
		t.mu.Unlock()
	}
	return list
}

// Status returns how one trunk stands, and whether it was ever configured. It does not allocate.
func (s *Set) Status(now time.Time, id outdial.TrunkID) (Status, bool) {
	t := s.line(id)
	if t == nil {
		return Status{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status(now), true
}

func (t *line) status(now time.Time) Status {
	st := Status{
		Trunk: t.id, Name: t.name, State: t.state(now),
		InUse: t.slots.used, Peak: t.peak, Channels: t.limits.Channels,
		CPS: t.limits.CPS, LastSecond: t.gate.Count(t.clock(now), second), Seized: t.seized,
		Blocked: t.blocked, Reclaimed: t.reclaimed,
	}
	room := MaxChannels
	if st.Channels >= 0 {
		room = st.Channels
	}
	st.Headroom = max(room-st.InUse, 0)
	if !t.known {
		st.State, st.Headroom = Out, 0
	}
	return st
}
