package kpi

import (
	"sync"
	"sync/atomic"
)

// maxParts is how many lanes there are at most.
const maxParts = 8

// lane guards the parts that have its number. As a rule one core counts in it.
type lane struct {
	_  [128]byte // shares no cache line with what others read
	mu sync.Mutex
	at uint32
	_  [112]byte
}

// seat is in which lane its holder counts. Whoever counts takes one from a pool that hands a core what it gave back last, so
// that, as a rule, a seat stays with its core. Who finds its lane taken goes to one that is free, with its seat.
type seat struct {
	lane atomic.Uint32
	_    [60]byte // in a cache line of its own
}

type lanes struct {
	n    uint32 // parts of a cell
	next atomic.Uint32
	pool sync.Pool // of seats
	list [maxParts]lane
}

func newLanes(n int) *lanes {
	l := &lanes{n: uint32(n)}
	for i := range l.list {
		l.list[i].at = uint32(i)
	}
	l.pool.New = func() any {
		s := new(seat)
		s.lane.Store(l.next.Add(1) % l.n)
		return s
	}
	return l
}

// mine is the seat of whoever asks.
func (l *lanes) mine() *seat {
	s := l.pool.Get().(*seat)
	l.pool.Put(s)
	return s
}

func (l *lanes) lock() {
	for i := range l.list[:l.n] {
		l.list[i].mu.Lock()
	}
}

func (l *lanes) unlock() {
	for i := range l.list[:l.n] {
		l.list[i].mu.Unlock()
	}
}

// in is the lane of who counts f.
func (f *fact) in(m *Meter) uint32 {
	switch {
	case m.lanes.n == 1:
		return 0
	case f.held != nil:
		return f.held.at
	case f.seat == nil:
		f.seat = m.lanes.mine()
	}
	return f.seat.lane.Load()
}

// hold takes the lane's lock, unless f has one, and returns the lane's number.
func (f *fact) hold(m *Meter) uint32 {
	if f.held != nil {
		return f.held.at
	}
	at := f.in(m)
	l := &m.lanes.list[at]
	if !l.mu.TryLock() {
		l = f.move(m, at)
	}
	f.held = l
	return l.at
}

// move takes a seat to a lane that is free, and waits for the one it was in where there is none.
func (f *fact) move(m *Meter, from uint32) *lane {
	for i := range m.lanes.n - 1 {
		l := &m.lanes.list[(from+1+i)%m.lanes.n]
		if l.mu.TryLock() {
			f.seat.lane.Store(l.at)
			return l
		}
	}
	l := &m.lanes.list[from]
	l.mu.Lock()
	return l
}

// release gives the lane's lock back.
func (f *fact) release() {
	if f.held != nil {
		f.held.mu.Unlock()
		f.held = nil
	}
}
