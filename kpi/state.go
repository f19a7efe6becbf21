package kpi

import (
	"sync"
	"sync/atomic"
)

// noTick is a time that nobody told.
const noTick = -1 << 62

// state is a cell at work. A base cell counts: at first in a diary, later in rings, and where several cores meet over it, in
// a part for each of them (parts.go). A roll-up is read as the sum of the base cells below it; besides, it counts itself what
// found no base cell.
//
// It is three cache lines, and whoever counts in a diary needs the first two alone: it is asked for parts before it is locked, so
// that the two are read at the same time.
type state struct {
	key    packed
	mu     sync.Mutex // of a part, that of its lane guards instead
	newest int64      // the latest tick that was counted

	parts atomic.Pointer[parts]
	diary diary
	meeting
	gone  bool // no longer in the index; whoever holds it looks it up anew
	fed   bool // there are feeds
	rings rings

	feeds []*account // that what is counted is added to: the cell's own, and those of the cells above; nil = none is read
	below *[]*state  // base cells that this one sums up
	above *[]*state  // roll-ups of this base cell that estimates may be read from; fixed
	live  atomic.Pointer[live]
}

func newState(key packed) *state { return &state{key: key, newest: noTick} }

// outcome is what became of adding a fact to a cell.
type outcome uint8

const (
	added   outcome = iota
	tooLate         // all or part of it belongs to a slice that has been given to a later time
	gone            // the cell has left the index
)

// add counts f.
func (s *state) add(m *Meter, f *fact) outcome {
	if ps := s.parts.Load(); ps != nil {
		return ps.of(m, f).addOwn(m, f)
	}
	if !s.mu.TryLock() {
		s.mu.Lock()
		s.crowded(m, waited)
	}
	if s.rings != nil {
		if s.counts--; s.counts == 0 {
			s.sample(m, f)
		}
	}
	out := s.addOwn(m, f)
	s.mu.Unlock()
	return out
}

// addOwn counts f in the cell or the part itself, which is locked.
func (s *state) addOwn(m *Meter, f *fact) outcome {
	if s.gone {
		return gone
	}
	out := added
	told := m.told.Load()
	for i := range f.parts[:f.n] {
		p := &f.parts[i]
		does := &m.kinds.does[p.kind]
		if !s.count(m, p, does, f.now, told) {
			out = tooLate
			continue
		}
		if s.fed && does.sums != 0 {
			s.tell(m, f, p, does)
		}
	}
	return out
}

// tell adds a part to the accounts that the cell has joined.
func (s *state) tell(m *Meter, f *fact, p *part, does *effects) {
	epoch := m.spans[0].epoch(p.tick)
	for _, a := range s.feeds {
		if a != nil {
			a.add(m, f, epoch, does)
		}
	}
}

// count adds a part, and reports whether the longest span still has its slice.
func (s *state) count(m *Meter, p *part, does *effects, now, told int64) bool {
	if s.rings == nil {
		if !s.fits(m, p.tick, now, told) {
			return false
		}
		if len(s.diary.log)+maxRecord > cap(s.diary.log) && s.newest != noTick {
			s.diary.trim(&m.kinds, m.sure(max(now, s.newest), told)-m.horizon)
			s.diary.spare()
		}
		s.diary.append(p, does)
		s.newest = max(s.newest, p.tick)
		if len(s.diary.log) > m.diaryMost {
			s.outgrow(m, m.sure(now, told))
		}
		return true
	}
	if past := 2 * m.horizon; s.newest < now-past && s.newest < m.sure(now, told)-past { // all of it is long past
		s.rings = nil
		return s.count(m, p, does, now, told)
	}
	kept := s.rings.add(p, does, m.spans, m.longest, now, told)
	if kept && p.tick != s.newest {
		if ahead(s.newest, now, told, m.horizon) {
			s.newest = p.tick
		}
		s.newest = max(s.newest, p.tick)
	}
	return kept
}

// sure is the time of an event as far as it may end what was counted before: a clock that runs ahead of the readers' by more than
// the longest span ends nothing.
func (m *Meter) sure(now, told int64) int64 {
	if told != noTick && now > told+m.horizon {
		return told
	}
	return now
}

// fits reports whether a diary still takes a tick: what rings of the longest span would have given up, it has not.
func (s *state) fits(m *Meter, tick, now, told int64) bool {
	if tick == s.newest && now-tick < m.horizon-m.spans[m.longest].ticks {
		return true
	}
	span := &m.spans[m.longest]
	n := int64(span.Buckets)
	epoch := span.epoch(tick)
	if epoch <= span.epoch(now)-n {
		return false
	}
	if s.newest == noTick || epoch > span.epoch(s.newest)-n {
		return true
	}
	if !ahead(span.epoch(s.newest), span.epoch(now), span.epochTold(told), n) {
		return false
	}
	s.diary.keep(&m.kinds, func(t int64) bool { return t <= told+m.horizon })
	s.newest = now
	return true
}

// outgrow turns to rings.
func (s *state) outgrow(m *Meter, now int64) {
	r := newRings(m.spans)
	s.diary.records(&m.kinds, func(p *part, does *effects) {
		r.add(p, does, m.spans, m.longest, now, noTick)
	})
	s.rings, s.diary = r, diary{}
}

// collect adds what the cell counted itself, in the window of a span that ends with epoch now, to x.
func (s *state) collect(m *Meter, span int, now int64, x *sum) {
	s.collectRange(m, span, now-int64(m.spans[span].Buckets)+1, now, x)
}

// collectSlice is collect for one slice.
func (s *state) collectSlice(m *Meter, span int, epoch int64, x *sum) {
	s.collectRange(m, span, epoch, epoch, x)
}

func (s *state) collectRange(m *Meter, span int, from, to int64, x *sum) {
	s.lock(m)
	defer s.unlock(m)
	for p := range s.each {
		p.collectOwn(m, span, from, to, x)
	}
}

func (s *state) collectOwn(m *Meter, span int, from, to int64, x *sum) {
	if s.rings == nil {
		at := &m.spans[span]
		s.diary.records(&m.kinds, func(p *part, does *effects) {
			if e := at.epoch(p.tick); e >= from && e <= to {
				x.addPart(p, does)
			}
		})
		return
	}
	for _, b := range s.rings[span].buckets {
		if b != nil && b.epoch >= from && b.epoch <= to {
			x.addBucket(b)
		}
	}
}

// bases lists the base cells that the cell sums up.
func (s *state) bases() []*state {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.below == nil {
		return nil
	}
	return *s.below
}
