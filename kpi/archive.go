package kpi

import (
	"iter"
	"slices"
	"sync"
	"time"
)

// ArchiveConfig says of which roll-ups a meter keeps each hour for weeks, beside its spans. The zero value keeps none.
type ArchiveConfig struct {
	// Views are the sets of dimensions, at most 16, each once: few and coarse ones, such as trunk, program, or country. nil = no
	// archive.
	Views []View

	// MaxCells bounds the keys over all views, besides one per view that takes what finds no room (Key.Other). A key takes
	// some 60 bytes for each hour that had traffic: 5,000 with traffic in every hour of eight weeks take 0.4 GB.
	// 0 = 5,000.
	MaxCells int

	// Keep is how far back it goes, in whole hours. 0 = 8 weeks; at most a year.
	Keep time.Duration
}

// archive keeps the counts of hours, without their distributions but for the sums.
type archive struct {
	views []viewState
	other []*archived // by view
	ticks int64       // in an hour
	keep  int64       // hours
	most  int

	mu    sync.RWMutex
	cells map[ids]*archived
}

func newArchive(c *ArchiveConfig, tick time.Duration) *archive {
	if len(c.Views) == 0 {
		return nil
	}
	a := &archive{
		ticks: int64(time.Hour / tick), keep: int64(c.Keep / time.Hour), most: c.MaxCells, cells: map[ids]*archived{},
	}
	for _, v := range c.Views {
		a.views = append(a.views, viewState{view: v, mask: v.mask()})
		a.other = append(a.other, &archived{key: Key{View: v, Other: v != Total}.packed()})
	}
	return a
}

// count adds a fact to the hours that it concerns, and reports whether some of it came too late.
func (a *archive) count(m *Meter, f *fact, d *ids) (late bool) {
	for i := range a.views {
		c := a.other[i]
		if v := &a.views[i]; v.view != Total {
			var key packed
			d.in(v, &key)
			if c = a.cell(key); c == nil {
				m.folded.Add(1)
				c = a.other[i]
			}
		}
		late = c.add(m, a, f) || late
	}
	return late
}

// cell returns that of a key, made if there is room; nil if not.
func (a *archive) cell(key packed) *archived {
	a.mu.RLock()
	c := a.cells[key.ids]
	a.mu.RUnlock()
	if c != nil {
		return c
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c = a.cells[key.ids]; c == nil && len(a.cells) < a.most {
		c = &archived{key: key}
		a.cells[key.ids] = c
	}
	return c
}

// all lists the cells, by view and key.
func (a *archive) all() []*archived {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list := slices.Clone(a.other)
	for _, c := range a.cells {
		list = append(list, c)
	}
	rank := func(v View) int { return slices.IndexFunc(a.views, func(s viewState) bool { return s.view == v }) }
	slices.SortFunc(list, func(x, y *archived) int {
		xk, yk := x.key.key(), y.key.key()
		if xk.View != yk.View {
			return rank(xk.View) - rank(yk.View)
		}
		return xk.compare(yk)
	})
	return list
}

// Archived iterates over the keys that the archive has something of, in the order of ArchiveConfig.Views and Snapshot.
func (m *Meter) Archived() iter.Seq[Key] {
	return func(yield func(Key) bool) {
		if m.archive == nil {
			return
		}
		for _, c := range m.archive.all() {
			if c.any() && !yield(c.key.key()) {
				return
			}
		}
	}
}

// Hours iterates over the archived hours of a key up to now that had traffic, oldest first: when each begins, and what was
// counted in it. The sketches of these cells know how many there were, and sum and mean, but no quantile. Nothing is archived
// without ArchiveConfig.Views.
func (m *Meter) Hours(now time.Time, key Key) iter.Seq2[time.Time, Cell] {
	return func(yield func(time.Time, Cell) bool) {
		a := m.archive
		if a == nil {
			return
		}
		at := floorDiv(m.tickOf(now), a.ticks)
		for h := range a.find(key).hours() {
			if h.at > at || h.at <= at-a.keep {
				continue
			}
			if !yield(m.timeOf(h.at*a.ticks), h.cell(m, key)) {
				return
			}
		}
	}
}

// find returns the cell of a key, an empty one where there is none.
func (a *archive) find(key Key) *archived {
	p := key.packed()
	for _, c := range a.other {
		if c.key.equal(&p) {
			return c
		}
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if c := a.cells[p.ids]; c != nil {
		return c
	}
	return new(archived)
}

// takeHours takes back what a snapshot has of a key, if the view is archived and there is room.
func (a *archive) takeHours(h *keptHours) {
	if a == nil {
		return
	}
	p := h.Key.packed()
	for i := range a.views {
		switch v := a.views[i].view; {
		case v != h.Key.View:
		case a.other[i].key.equal(&p):
			a.other[i].take(h.Log, a.keep)
		default:
			if c := a.cell(p); c != nil {
				c.take(h.Log, a.keep)
			}
		}
	}
}
