package kpi

import "slices"

// A cell over which cores meet, all traffic's for instance, is given a part for each of them, and counts no more itself: cores
// that look it up only read it. Parts merge exactly, so a reader sees one cell. Cores meet when one has to wait for another one,
// or when they take turns, which moves the cell from one cache to the other each time. It takes that they met often within one
// slice of time, in a cell that keeps rings: a host with less traffic never comes to it, and pays nothing.
//
// All parts of one lane, of whatever cell, are guarded by the lane's lock: whoever counts takes one lock for all of them. It is
// taken before the lock of any cell, and after Meter.mu.
const (
	crowd    = 225 // how much cores have to meet before a cell is given parts:
	waited   = 15  // as much counts a wait,
	turned   = 1   // and as much another core
	sampling = 15  // at one count of so many; an odd number, so that it meets both of two that count in turn
)

// parts are those of a cell, by lane. They leave the index with it.
type parts []padded

// padded keeps the parts of different cores in different cache lines.
type padded struct {
	state
	_ [64]byte
}

// meeting is how much cores met over a cell in its latest tick. It is guarded by the cell's lock.
type meeting struct {
	met    uint8 // at most crowd
	last   uint8 // lane of the last sample
	counts uint8 // to the next sample
	metAt  uint16
}

// of is the part that counts f, with its lane's lock held.
func (ps *parts) of(m *Meter, f *fact) *state { return &(*ps)[f.hold(m)].state }

// sample looks whether it is another core that counts. The cell is locked.
func (s *state) sample(m *Meter, f *fact) {
	s.counts = sampling
	if at := uint8(f.in(m)); at != s.last {
		s.last = at
		s.crowded(m, turned)
	}
}

// crowded notes that cores met, and gives the cell parts when they did often enough. The cell is locked.
func (s *state) crowded(m *Meter, much uint8) {
	if at := uint16(s.newest); s.metAt != at {
		s.met, s.metAt = 0, at
	}
	s.met = min(s.met+much, crowd)
	if s.met == crowd && s.rings != nil && !s.gone && m.lanes.n > 1 && s.parts.Load() == nil {
		s.divide(m)
	}
}

// divide gives the cell parts. It is locked.
func (s *state) divide(m *Meter) {
	ps := make(parts, m.lanes.n)
	for i := range ps {
		p := &ps[i]
		p.key, p.newest, p.rings, p.feeds, p.fed = s.key, s.newest, newRings(m.spans), slices.Clone(s.feeds), s.fed
	}
	s.parts.Store(&ps)
	if l := s.live.Load(); l != nil {
		l.renew()
	}
}

// lock locks the cell, and its parts with all lanes; while it is locked it is not given any.
func (s *state) lock(m *Meter) {
	if s.parts.Load() == nil {
		s.mu.Lock()
		if s.parts.Load() == nil {
			return
		}
		s.mu.Unlock()
	}
	m.lanes.lock()
	s.mu.Lock()
}

func (s *state) unlock(m *Meter) {
	divided := s.parts.Load() != nil
	s.mu.Unlock()
	if divided {
		m.lanes.unlock()
	}
}

// each goes over the cell and its parts.
func (s *state) each(yield func(*state) bool) {
	if !yield(s) {
		return
	}
	if ps := s.parts.Load(); ps != nil {
		for i := range *ps {
			if !yield(&(*ps)[i].state) {
				return
			}
		}
	}
}
