package kpi

import (
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// Meter counts what happened to attempts, by key, in a sliding window. Give it to an engine as an observer, or feed
// it events from anywhere: each leg of a hunt is counted on its own trunk and carrier.
//
// It knows no clock but the times in the events and those that its readers pass in. An event counts in the bucket of
// its own time, also when it comes late or from a journal; when its bucket has left the window, it is dropped and
// counted (Stats). What expires is left out when it is read; nothing sweeps.
//
// All methods are safe for concurrent use. Create a Meter with New.
type Meter struct {
	cfg   Config
	width int64 // of a bucket, ns
	views []viewState
	calls *calls

	levels [len(estimateViews)]bool // which levels of an estimate are kept
	total  *state                   // the coarsest of them; nil = not kept

	cells atomic.Pointer[index]
	codes atomic.Pointer[codeTable]
	told  atomic.Int64 // the epoch that a reader asked for last

	mu        sync.Mutex // guards adding to cells and codes
	reclaimed int64      // epoch in which expired cells made room last

	late, folded atomic.Uint64
}

var _ outdial.Observer = (*Meter)(nil)

// viewState is a view with its bit mask and the cell for what finds no room; the one cell of Total is that cell.
type viewState struct {
	view  View
	mask  ids
	other *state
}

// New returns a Meter; the error names every bad field of cfg.
func New(cfg Config) (*Meter, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Meter{
		cfg: cfg, width: int64(cfg.Window) / int64(cfg.Buckets), calls: newCalls(cfg.RecentCalls),
		reclaimed: noEpoch,
	}
	m.told.Store(noEpoch)
	m.cells.Store(newIndex(cfg.MaxCells))
	m.codes.Store(newCodeTable())
	for _, v := range cfg.Views {
		m.views = append(m.views, viewState{
			view: v, mask: v.mask(), other: newState(Key{View: v, Other: v != Total}.packed(), cfg.Buckets),
		})
	}
	m.setLevels()
	return m, nil
}

// Cell returns what is known about one key in the window that ends at now, and false where there is nothing.
func (m *Meter) Cell(now time.Time, key Key) (Cell, bool) {
	p := key.packed()
	s := m.lookup(&p)
	if s == nil {
		return Cell{}, false
	}
	return m.collect(m.tell(now), s)
}

// Snapshot iterates over all cells with something in the window that ends at now, in the order of Config.Views, then
// by the values of the dimensions, ascending, Key.Other last. Each cell is consistent in itself; while events come
// in, two cells may differ by them.
func (m *Meter) Snapshot(now time.Time) iter.Seq[Cell] {
	return func(yield func(Cell) bool) {
		epoch := m.tell(now)
		for _, s := range m.sorted() {
			if c, ok := m.collect(epoch, s); ok && !yield(c) {
				return
			}
		}
	}
}

// Stats is what a Meter says about itself.
type Stats struct {
	Cells  int    // cells in use, without those that take what finds no room
	Late   uint64 // events that came too late for all or part of what they tell, since the start
	Folded uint64 // counts that went to a Key.Other cell for want of room, since the start: one per event and view
}

// Stats returns the meter's own figures.
func (m *Meter) Stats() Stats {
	m.mu.Lock()
	n := m.cells.Load().n
	m.mu.Unlock()
	return Stats{Cells: n, Late: m.late.Load(), Folded: m.folded.Load()}
}

// epoch numbers the bucket of t.
func (m *Meter) epoch(t time.Time) int64 {
	ns := t.UnixNano()
	e := ns / m.width
	if ns < e*m.width {
		e--
	}
	return e
}

func (m *Meter) moment(epoch int64) moment {
	return moment{epoch: epoch, place: int(uint64(epoch) % uint64(m.cfg.Buckets))}
}

// tell notes the epoch of a reader's clock.
func (m *Meter) tell(now time.Time) int64 {
	e := m.epoch(now)
	if m.told.Load() != e {
		m.told.Store(e)
	}
	return e
}

// lookup returns the cell of a key, or nil.
func (m *Meter) lookup(key *packed) *state {
	if key.view() != Total && key.tag&otherCell == 0 {
		return m.cells.Load().find(key)
	}
	for i := range m.views {
		if m.views[i].other.key.equal(key) {
			return m.views[i].other
		}
	}
	return nil
}

func (m *Meter) collect(epoch int64, s *state) (Cell, bool) {
	c := Cell{Key: s.key.key()}
	return c, s.collect(epoch, &c, &m.codes)
}

// sorted lists the cells in the order of Snapshot.
func (m *Meter) sorted() []*state {
	var all []*state
	rank := map[View]int{}
	for i, v := range m.views {
		rank[v.view] = i
		all = append(all, v.other)
	}
	x := m.cells.Load()
	for i := range x.slots {
		if s := x.slots[i].Load(); s != nil {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *state) int {
		if av, bv := a.key.view(), b.key.view(); av != bv {
			return rank[av] - rank[bv]
		}
		return a.key.key().compare(b.key.key())
	})
	return all
}

// cell returns the cell that counts for key in v: made if there is room for it, else the view's Other.
func (m *Meter) cell(v *viewState, key *packed, now int64) *state {
	if v.view == Total {
		return v.other
	}
	if s := m.cells.Load().find(key); s != nil {
		return s
	}
	if s := m.newCell(key, now); s != nil {
		return s
	}
	m.folded.Add(1)
	return v.other
}

// newCell makes the cell of key, after making room if there is none; nil = no room.
func (m *Meter) newCell(key *packed, now int64) *state {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.cells.Load()
	if s := x.find(key); s != nil {
		return s
	}
	if x.n >= m.cfg.MaxCells {
		if x = m.reclaim(x, now); x.n >= m.cfg.MaxCells {
			return nil
		}
	}
	s := newState(*key, m.cfg.Buckets)
	x.add(s)
	return s
}

// reclaim drops the cells with nothing left in the window, at most once per epoch, and returns the index in force.
// The reader's clock rules, if there is one: an event from a clock that runs ahead must not empty the meter.
func (m *Meter) reclaim(x *index, now int64) *index {
	if told := m.told.Load(); told != noEpoch {
		now = told
	}
	if m.reclaimed == now || m.cfg.MaxCells == 0 {
		return x
	}
	m.reclaimed = now
	next := newIndex(m.cfg.MaxCells)
	for i := range x.slots {
		s := x.slots[i].Load()
		if s == nil {
			continue
		}
		s.mu.Lock()
		s.gone = s.expired(now)
		keep := !s.gone
		s.mu.Unlock()
		if keep {
			next.add(s)
		}
	}
	m.cells.Store(next)
	return next
}
