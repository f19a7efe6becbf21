package kpi

import "slices"

// newBase makes the cell of key in a base view, and those of its roll-ups that are not there yet, after making room if
// there is none; nil = no room.
func (m *Meter) newBase(v *viewState, key *packed, d *ids, now int64) *state {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.cells.Load()
	if s := x.find(key); s != nil {
		return s
	}
	if !m.room(1+m.missing(x, v, d), now) {
		return nil
	}
	x = m.cells.Load()
	s := newState(*key)
	s.mu.Lock() // a reader finds it below its roll-ups before all of them are known
	defer s.mu.Unlock()
	ups, feeds := make([]*state, 0, len(v.rollups)), make([]*account, 1+len(v.rollups))
	for _, up := range v.rollups {
		p := up.other
		if up.view != Total {
			var k packed
			d.in(up, &k)
			if p = x.find(&k); p == nil {
				p = newState(k)
				x.add(p)
			}
		}
		p.mu.Lock()
		if p.below == nil {
			p.below = new([]*state)
		}
		*p.below = append(*p.below, s)
		if isLevel(up.view) {
			ups = append(ups, p)
			if l := p.live.Load(); l != nil {
				feeds[len(ups)] = l.next.Load()
			}
		}
		p.mu.Unlock()
	}
	if len(ups) > 0 {
		s.above = &ups
	}
	if slices.ContainsFunc(feeds, func(a *account) bool { return a != nil }) {
		s.feeds, s.fed = feeds[:1+len(ups)], true
	}
	x.add(s)
	return s
}

func isLevel(v View) bool {
	for _, l := range estimateViews {
		if l == v {
			return true
		}
	}
	return false
}

// missing is how many roll-ups of a new base cell are not there yet.
func (m *Meter) missing(x *index, v *viewState, d *ids) (n int) {
	for _, up := range v.rollups {
		var k packed
		d.in(up, &k)
		if up.view != Total && x.find(&k) == nil {
			n++
		}
	}
	return n
}

// rollup returns the cell of key in a derived view for counting there directly: made if there is room, else Other.
func (m *Meter) rollup(v *viewState, key *packed, now int64) *state {
	if v.view == Total {
		return v.other
	}
	if s := m.cells.Load().find(key); s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.cells.Load().find(key); s != nil {
		return s
	}
	if !m.room(1, now) {
		return v.other
	}
	s := newState(*key)
	m.cells.Load().add(s)
	return s
}

// room reports whether n further cells may be made, after dropping those with nothing left in the longest window, at most
// once per slice of time. The reader's clock rules, if there is one: an event from a clock that runs ahead must not empty
// the meter.
func (m *Meter) room(n int, now int64) bool {
	x := m.cells.Load()
	if x.n+n <= m.cfg.MaxCells {
		return true
	}
	if told := m.told.Load(); told != noTick {
		now = told
	}
	epoch := m.spans[m.longest].epoch(now)
	if m.reclaimed == epoch || m.cfg.MaxCells == 0 {
		return false
	}
	m.reclaimed = epoch
	m.reclaim(x, now)
	return m.cells.Load().n+n <= m.cfg.MaxCells
}

// reclaim drops expired cells: base cells first, then the roll-ups that have none left.
func (m *Meter) reclaim(x *index, now int64) {
	next := newIndex(m.cfg.MaxCells)
	var ups []*state
	for i := range x.slots {
		switch s := x.slots[i].Load(); {
		case s == nil:
		case m.isDerived(s.key.key().View):
			ups = append(ups, s)
		case !s.drop(m, now, true):
			next.add(s)
		}
	}
	for _, s := range ups {
		if !s.drop(m, now, true) {
			next.add(s)
		}
	}
	for i := range m.views {
		m.views[i].other.drop(m, now, false)
	}
	m.cells.Store(next)
	m.generation.Add(1)
}

// drop forgets the cells below that have left the index, and marks the cell itself as gone, if it may, when nothing in it is
// in the longest span that ends at now.
func (s *state) drop(m *Meter, now int64, may bool) bool {
	s.lock(m)
	defer s.unlock(m)
	if s.below != nil {
		left := make([]*state, 0, len(*s.below))
		for _, b := range *s.below {
			if !b.gone {
				left = append(left, b)
			}
		}
		s.below = &left
		may = may && len(left) == 0
	}
	span := &m.spans[m.longest]
	oldest := span.epoch(now) - int64(span.Buckets)
	for p := range s.each {
		may = may && (p.newest == noTick || span.epoch(p.newest) <= oldest)
	}
	for p := range s.each {
		p.gone = may
	}
	return may
}

func (m *Meter) isDerived(v View) bool {
	for i := range m.views {
		if m.views[i].view == v {
			return m.views[i].derived
		}
	}
	return false
}
