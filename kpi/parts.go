package kpi

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A cell over which cores meet, all traffic's for instance, is given a part for each of them, and counts no more itself: cores
// that look it up only read it. Parts merge exactly, so a reader sees one cell. It takes that somebody had to wait several
// times within one slice of time, in a cell that keeps rings, which takes some thousand events a second: a host with less
// traffic never comes to it, and pays nothing.
const (
	crowd    = 16 // how often somebody has to wait before a cell is given parts
	maxParts = 8
)

// parts are those of a cell, by lane. They leave the index with it.
type parts []padded

// padded keeps the parts of different cores in different cache lines.
type padded struct {
	state
	_ [64]byte
}

// lane is which part its holder counts in. Whoever counts takes one from a pool that hands a core what it gave back last, so
// that, as a rule, a lane stays with its core; and a lane that met another one in a part goes on to the next.
type lane struct {
	part atomic.Uint32
	_    [64]byte // in a cache line of its own
}

type lanes struct {
	n    uint32 // parts of a cell
	next atomic.Uint32
	pool sync.Pool
}

func newLanes(n int) *lanes {
	l := &lanes{n: uint32(n)}
	l.pool.New = func() any {
		at := new(lane)
		at.part.Store(l.next.Add(1) % l.n)
		return at
	}
	return l
}

// mine is the lane of whoever asks.
func (l *lanes) mine() *lane {
	at := l.pool.Get().(*lane)
	l.pool.Put(at)
	return at
}

// of is the part that counts f.
func (ps *parts) of(m *Meter, f *fact) *state { return &(*ps)[f.in(m)].state }

// in is the lane of who counts f.
func (f *fact) in(m *Meter) uint32 {
	if m.lanes.n == 1 {
		return 0
	}
	if f.lane == nil {
		f.lane = m.lanes.mine()
	}
	return f.lane.part.Load()
}

// crowded notes that somebody had to wait: in a part, who waited goes to another one the next time; a cell is given parts when
// it has come often enough. The cell is locked.
func (s *state) crowded(m *Meter, f *fact) {
	if s.part {
		f.lane.part.Store((f.lane.part.Load() + 1) % m.lanes.n)
		return
	}
	if at := uint32(f.now); s.metAt != at {
		s.met, s.metAt = 0, at
	}
	s.met = min(s.met+1, crowd)
	if s.met == crowd && s.rings != nil && !s.gone && m.lanes.n > 1 && s.parts.Load() == nil {
		s.divide(m)
	}
}

// divide gives the cell parts. It is locked.
func (s *state) divide(m *Meter) {
	ps := make(parts, m.lanes.n)
	for i := range ps {
		p := &ps[i]
		p.key, p.part, p.newest, p.rings, p.feeds = s.key, true, s.newest, newRings(m.spans), slices.Clone(s.feeds)
	}
	s.parts.Store(&ps)
}

// each goes over the cell and its parts, with all of them locked.
func (s *state) each(yield func(*state) bool) {
	s.lock()
	defer s.unlock()
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

// lock locks the cell and its parts; while it is locked it is not given any.
func (s *state) lock() {
	s.mu.Lock()
	if ps := s.parts.Load(); ps != nil {
		for i := range *ps {
			(*ps)[i].mu.Lock()
		}
	}
}

func (s *state) unlock() {
	if ps := s.parts.Load(); ps != nil {
		for i := range *ps {
			(*ps)[i].mu.Unlock()
		}
	}
	s.mu.Unlock()
}

// whole returns the cell and its parts.
func (s *state) whole() []*state {
	all := []*state{s}
	if ps := s.parts.Load(); ps != nil {
		for i := range *ps {
			all = append(all, &(*ps)[i].state)
		}
	}
	return all
}
