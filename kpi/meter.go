package kpi

import (
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// Meter counts what happened to attempts, by key, in sliding windows. Give it to an engine as an observer, or feed
// it events from anywhere: each leg of a hunt is counted on its own trunk and carrier.
//
// It knows no clock but the times in the events and those that its readers pass in. An event counts in the bucket of
// its own time, also when it comes late or from a journal; when its bucket has left the longest window, it is dropped and
// counted (Stats). What expires is left out when it is read; nothing sweeps.
//
// A view whose dimensions are all in another view is a roll-up: it costs nothing to keep up, because it is read as the sum
// of the other one's cells.
//
// All methods are safe for concurrent use. Create a Meter with New.
type Meter struct {
	cfg        Config
	spans      []spanAt // the first is Config.Window
	longest    int      // the span that looks back farthest
	tick       time.Duration
	perTick    divisor
	horizon    int64 // the longest span, in ticks
	views      []viewState
	dimensions View // that any view has
	diaryMost  int

	levels  [len(estimateViews)]*viewState // the levels of an estimate that are kept
	weights []weight                       // of a slice in an estimate, by age

	calls     *calls
	kinds     kindTable
	codes     atomic.Pointer[codeTable]
	regions   regions
	countries atomic.Pointer[countries]
	labels    labels
	tariffs   tariffs
	answers   *answers
	archive   *archive

	cells atomic.Pointer[index]
	told  atomic.Int64 // the tick that a reader asked for last
	lanes *lanes

	ladders    ladders
	generation atomic.Uint32 // of the ladders

	mu        sync.Mutex // guards adding to cells, codes and countries
	reclaimed int64      // epoch in which expired cells made room last

	late, folded atomic.Uint64
	resumed      atomic.Uint64 // sequence of the snapshot that was restored
}

var _ outdial.Observer = (*Meter)(nil)

// viewState is a view with its bit mask and the cell for what finds no room; the one cell of Total is that cell.
type viewState struct {
	view    View
	mask    ids
	other   *state
	rollups []*viewState // of a base view: the views that are read as sums of its cells
	derived bool         // it is such a view
}

// New returns a Meter; the error names every bad field of cfg.
func New(cfg Config) (*Meter, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Meter{cfg: cfg, calls: newCalls(cfg.RecentCalls), answers: newAnswers(cfg.RecentAnswers), reclaimed: noTick, diaryMost: diaryMost}
	if m.spans, m.tick, err = setSpans(&cfg); err != nil {
		return nil, err
	}
	for i := range m.spans {
		if n := m.spans[i].ticks * int64(m.spans[i].Buckets); n > m.horizon {
			m.longest, m.horizon = i, n
		}
	}
	m.perTick = divisorOf(int64(m.tick))
	m.told.Store(noTick)
	m.lanes = newLanes(min(runtime.GOMAXPROCS(0), maxParts))
	m.ladders = newLadders(cfg.MaxCells)
	m.cells.Store(newIndex(cfg.MaxCells))
	m.codes.Store(newCodeTable())
	m.countries.Store(new(countries))
	m.regions = newRegions(&cfg)
	m.tariffs = newTariffs(cfg.Tariffs)
	if m.archive = newArchive(&cfg.Archive, m.tick); m.archive != nil && time.Hour%m.tick != 0 {
		return nil, fmt.Errorf("kpi: Archive: an hour is no multiple of the shortest slice, %v", m.tick)
	}
	m.setViews()
	m.setLevels()
	return m, nil
}

// setViews works out which views are kept and which are summed up from others: from the smallest that has all their
// dimensions and is not summed up itself.
func (m *Meter) setViews() {
	for _, v := range m.cfg.Archive.Views {
		m.dimensions |= v
	}
	for _, v := range m.cfg.Views {
		m.dimensions |= v
		m.views = append(m.views, viewState{view: v, mask: v.mask(), other: newState(Key{View: v, Other: v != Total}.packed())})
	}
	for i := range m.views {
		v := &m.views[i]
		var base *viewState
		for k := range m.views {
			b := &m.views[k]
			isBase := !slices.ContainsFunc(m.cfg.Views, func(o View) bool { return o.contains(b.view) })
			if isBase && b.view.contains(v.view) && (base == nil || b.view.size() < base.view.size()) {
				base = b
			}
		}
		if base != nil {
			v.derived = true
			base.rollups = append(base.rollups, v)
		}
	}
}

// Cell returns what is known about one key in the window that ends at now, and false where there is nothing.
func (m *Meter) Cell(now time.Time, key Key) (Cell, bool) { return m.window(0).Cell(now, key) }

// Snapshot iterates over all cells with something in the window that ends at now, in the order of Config.Views, then
// by the values of the dimensions, ascending, Key.Other last. Each cell is consistent in itself; while events come
// in, two cells may differ by them.
func (m *Meter) Snapshot(now time.Time) iter.Seq[Cell] { return m.window(0).Snapshot(now) }

// Report returns the window that ends at now as a report.
func (m *Meter) Report(now time.Time) Report { return m.window(0).Report(now) }

// Stats is what a Meter says about itself.
type Stats struct {
	Cells    int    // cells in use, without those that take what finds no room
	Late     uint64 // events that came too late for all or part of what they tell, since the start
	Folded   uint64 // counts that went to a Key.Other cell for want of room, since the start: one per event and view
	Unjoined uint64 // dispositions whose attempt was not known any more, and repeated ones
}

// Stats returns the meter's own figures.
func (m *Meter) Stats() Stats {
	m.mu.Lock()
	n := m.cells.Load().n
	m.mu.Unlock()
	return Stats{Cells: n, Late: m.late.Load(), Folded: m.folded.Load(), Unjoined: m.answers.unjoined.Load()}
}

// tickOf numbers the tick of t. What lies beyond the years 1678 to 2262 counts as their ends.
func (m *Meter) tickOf(t time.Time) int64 { return m.perTick.floor(nanos(t)) }

// nanos is t.UnixNano, which wraps around beyond those years.
func nanos(t time.Time) int64 {
	const limit = math.MaxInt64/int64(time.Second) - 1
	s := t.Unix()
	switch {
	case s < -limit:
		return math.MinInt64
	case s > limit:
		return math.MaxInt64
	}
	return s*int64(time.Second) + int64(t.Nanosecond())
}

// tell notes the tick of a reader's clock.
func (m *Meter) tell(now time.Time) int64 {
	t := m.tickOf(now)
	if m.told.Load() != t {
		m.told.Store(t)
	}
	return t
}

// lookup returns the cell of a key, or nil.
func (m *Meter) lookup(key *packed) *state {
	for i := range m.views {
		if m.views[i].other.key.equal(key) {
			return m.views[i].other
		}
	}
	return m.cells.Load().find(key)
}

// count adds a fact to the cells that it concerns.
func (m *Meter) count(f *fact, d *ids) {
	if m.dimensions&ByCountry != 0 {
		m.learn(d)
	}
	late := false
	for i := range m.views {
		if v := &m.views[i]; !v.derived {
			late = m.countIn(v, f, d) || late
		}
	}
	f.release()
	if m.archive != nil {
		late = m.archive.count(m, f, d) || late
	}
	if late {
		m.late.Add(1)
	}
}

// countIn adds a fact to a base view, and reports whether some of it came too late.
func (m *Meter) countIn(v *viewState, f *fact, d *ids) (late bool) {
	if v.view == Total {
		return v.other.add(m, f) == tooLate
	}
	var key packed
	d.in(v, &key)
	for {
		s := m.cells.Load().find(&key)
		if s == nil {
			f.release()
			s = m.newBase(v, &key, d, f.now)
		}
		if s == nil {
			return m.countDirectly(v, f, d)
		}
		if out := s.add(m, f); out != gone {
			return out == tooLate
		}
	}
}

// countDirectly adds a fact for which the base view has no room: to its Other, and to each roll-up for itself.
func (m *Meter) countDirectly(v *viewState, f *fact, d *ids) (late bool) {
	m.folded.Add(1)
	late = v.other.add(m, f) == tooLate
	for _, up := range v.rollups {
		var key packed
		d.in(up, &key)
		out := gone
		for out == gone {
			f.release()
			s := m.rollup(up, &key, f.now)
			if s == up.other && up.view != Total {
				m.folded.Add(1)
			}
			out = s.add(m, f)
		}
		late = late || out == tooLate
	}
	return late
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
		ak, bk := a.key.key(), b.key.key()
		if ak.View != bk.View {
			return rank[ak.View] - rank[bk.View]
		}
		return ak.compare(bk)
	})
	return all
}
