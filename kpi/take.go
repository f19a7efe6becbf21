package kpi

import (
	"fmt"
	"maps"
	"slices"
)

// fitsKept reports why a snapshot is not one of a meter like this one.
func (m *Meter) fitsKept(k *kept) error {
	spans := make([]Span, 0, len(m.spans))
	for _, s := range m.spans {
		spans = append(spans, s.Span)
	}
	switch {
	case !slices.Equal(k.Spans, spans):
		return fmt.Errorf("%w: other spans", ErrSnapshot)
	case !slices.Equal(k.Views, m.cfg.Views):
		return fmt.Errorf("%w: other views", ErrSnapshot)
	case !slices.Equal(k.Shorts, m.cfg.ShortCalls):
		return fmt.Errorf("%w: other thresholds of short calls", ErrSnapshot)
	case k.CodeTable != CodeTable:
		return fmt.Errorf("%w: another version of the code table", ErrSnapshot)
	case len(k.Kinds) > maxKinds || len(k.Refusals) > maxCodes+1 || len(k.Refusals) == 0:
		return fmt.Errorf("%w: more kinds than there are", ErrSnapshot)
	}
	for _, v := range k.Kinds {
		if !kind(v).valid(len(k.Refusals)) {
			return fmt.Errorf("%w: an unknown kind of count", ErrSnapshot)
		}
	}
	return nil
}

// valid reports whether a kind is one that a meter counts.
func (k kind) valid(refusals int) bool {
	switch k.family() {
	case famOutcome:
		return k.class() < ClassCount && k.field(outcomeByShift, 3) < uint32(byCount)
	case famRefused:
		return int(k&refusedCodeMask) < refusals
	}
	return k.family() <= famCohort
}

// take fills the meter from a snapshot.
func (m *Meter) take(k *kept) error {
	codes := newCodeTable()
	codes.list = k.Refusals
	for i, r := range k.Refusals[1:] {
		codes.ids[refusalKey{r.Stage, r.Code}] = uint16(i + 1)
	}
	m.codes.Store(codes)
	for _, v := range k.Kinds {
		m.kinds.number(kind(v))
	}
	own := m.renumber(k)
	now := int64(noTick)
	for i := range k.Cells {
		now = max(now, k.Cells[i].Newest)
	}
	for i := range k.Cells {
		if !m.whole(&k.Cells[i]) {
			return fmt.Errorf("%w: a cell cannot be read", ErrSnapshot)
		}
	}
	for i := range k.Archive {
		if !wholeHours(k.Archive[i].Log, m.kinds.n.Load()) {
			return fmt.Errorf("%w: archived hours cannot be read", ErrSnapshot)
		}
	}
	for i := range k.Archive {
		h := &k.Archive[i]
		own(&h.Key)
		m.archive.takeHours(h)
	}
	for i := range k.Cells {
		c := &k.Cells[i]
		own(&c.Key)
		if s := m.cellOf(c.Key, now); s != nil {
			s.restore(m, c)
		}
	}
	m.calls.restore(k.CallSets, k.Calls)
	for i := range k.Answers {
		a := &k.Answers[i]
		if len(m.answers.list) == 0 || a.Call == 0 {
			continue
		}
		own(&a.Key)
		a.Key.View = allDimensions
		d := a.Key.packed().ids
		d[3] &= 1<<viewShift - 1
		m.answers.place(a.Call).put(a.Call, &d, a.State)
	}
	m.labels.restore(k.Labels)
	list := countries(k.Countries)
	if m.cfg.IDs != nil {
		list = nil // learned again: groups may have other ids
	}
	m.countries.Store(&list)
	m.generation.Add(1)
	m.late.Store(k.Late)
	m.folded.Store(k.Folded)
	m.answers.unjoined.Store(k.Unjoined)
	m.resumed.Store(k.Seq)
	return nil
}

// whole reports whether a cell of a snapshot can be read.
func (m *Meter) whole(c *keptCell) bool {
	d := diary{log: c.Log}
	ok := d.whole(&m.kinds) && (c.Rings == nil || len(c.Rings) == len(m.spans))
	for _, ring := range c.Rings {
		for i := range ring {
			b := &ring[i]
			ok = ok && len(b.Counts) <= maxKinds
			ok = ok && len(b.Slots)&(len(b.Slots)-1) == 0 && (len(b.Slots) == 0 || slices.Contains(b.Slots, 0)) &&
				!slices.ContainsFunc(b.Slots, func(s uint32) bool { return s>>tallyBits>>binBits >= uint32(distCount) })
		}
	}
	return ok
}

// cellOf returns the cell of a key, made if there is room.
func (m *Meter) cellOf(key Key, now int64) *state {
	p := key.packed()
	if s := m.lookup(&p); s != nil {
		return s
	}
	for i := range m.views {
		v := &m.views[i]
		switch {
		case v.view != key.View:
		case v.derived:
			return m.rollup(v, &p, now)
		default:
			return m.newBase(v, &p, &p.ids, now)
		}
	}
	return nil
}

// keep copies what a cell counted itself, its parts merged, and reports whether there is anything.
func (s *state) keep(m *Meter, c *keptCell) bool {
	s.lock(m)
	defer s.unlock(m)
	c.Newest = noTick
	for p := range s.each {
		c.Newest = max(c.Newest, p.newest)
	}
	if c.Newest == noTick {
		return false
	}
	c.Log, c.First, c.Last = slices.Clone(s.diary.log), s.diary.first, s.diary.last
	r := s.rings
	if s.parts.Load() != nil {
		c.Log, r = nil, newRings(m.spans)
		for p := range s.each {
			if p.rings == nil {
				p.outgrow(m, c.Newest)
			}
			r.merge(p.rings, m.spans)
		}
	}
	for _, ring := range r {
		var list []keptBucket
		for _, b := range ring.buckets {
			if b != nil {
				list = append(list, keptBucket{
					Epoch: b.epoch, Counts: slices.Clone(b.counts), Slots: slices.Clone(b.delays.slots),
					Delays: b.delays.sum, Sums: b.sums,
				})
			}
		}
		c.Rings = append(c.Rings, list)
	}
	return true
}

func (s *state) restore(m *Meter, c *keptCell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diary, s.newest = diary{log: c.Log, first: c.First, last: c.Last}, c.Newest
	if c.Rings == nil {
		return
	}
	s.rings = newRings(m.spans)
	for i, list := range c.Rings[:min(len(c.Rings), len(m.spans))] {
		for j := range list {
			k := &list[j]
			s.rings[i].buckets[m.spans[i].place(k.Epoch)] = &bucket{
				epoch: k.Epoch, first: k.Epoch * m.spans[i].ticks, counts: k.Counts, delays: tallyOf(k.Slots, k.Delays), sums: k.Sums,
			}
		}
	}
}

// nameKey notes the names of a key's ids.
func (m *Meter) nameKey(k *kept, key *Key) {
	if m.cfg.IDs == nil {
		return
	}
	for i, id := range idsIn(key) {
		if *id != 0 {
			k.Names[i][*id] = namings(m.cfg.IDs)[i].name(*id)
		}
	}
}

// renumber returns a function that gives a key the ids of this process.
func (m *Meter) renumber(k *kept) func(*Key) {
	reg := m.cfg.IDs
	if reg == nil {
		return func(*Key) {} // a meter without a registry has no regions
	}
	regions := make([]RegionID, 1, len(k.Regions)+1)
	for _, name := range k.Regions {
		regions = append(regions, m.regions.number(name))
	}
	own := [keptNames]map[uint32]uint32{}
	for i, names := range k.Names {
		own[i] = map[uint32]uint32{}
		for _, id := range slices.Sorted(maps.Keys(names)) {
			if name := names[id]; name != "" {
				own[i][id] = namings(reg)[i].id(name)
			}
		}
	}
	return func(key *Key) {
		for i, id := range idsIn(key) {
			if to, ok := own[i][*id]; ok {
				*id = to
			}
		}
		if int(key.Region) < len(regions) {
			key.Region = regions[key.Region]
		}
	}
}
