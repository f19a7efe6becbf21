package kpi

import (
	"sync"
	"sync/atomic"
	"time"
)

// bucket holds what was counted in one slice of time, which its epoch numbers. It is made when something is first
// counted in its place of the ring, and used again for later epochs.
type bucket struct {
	epoch           int64
	n               [counted]uint32
	pdd, ring, long Sketch
	refusals        []bin // by the meter's number of the refusal's stage and code
}

func (b *bucket) reset(epoch int64) {
	b.epoch = epoch
	clear(b.n[:])
	b.pdd.Reset()
	b.ring.Reset()
	b.long.Reset()
	b.refusals = b.refusals[:0]
}

// state is a cell at work: a ring of buckets behind a mutex, and the sums that Estimate reads without it.
type state struct {
	key  packed
	call bool // all legs of a call are in this cell

	mu   sync.Mutex
	gone bool // no longer in the index; whoever holds it looks it up anew
	ring []*bucket

	// The sums over the window that ends with epoch sumsAt, kept up by writers and moved on by readers. They are
	// written under mu and read without it: the epoch first, then the sums, which may belong to a later moment.
	sumsAt atomic.Int64
	sums   atomic.Uint64 // answers in time << 32 | known outcomes
}

// noEpoch is the sumsAt of a cell that nobody has read.
const noEpoch = -1 << 63

func newState(key packed, buckets int) *state {
	s := &state{key: key, call: key.view()&perLeg == 0, ring: make([]*bucket, buckets)}
	s.sumsAt.Store(noEpoch)
	return s
}

// fact is one event as increments, worked out once and then added to the cell of each view.
type fact struct {
	now              int64  // epoch of the event
	start, end, call moment // where the counts of the attempt, of its end and of its call belong
	atStart          [8]counter
	atEnd            [2 + MaxShorts]counter
	atCall           counter // counted only where all legs of a call are in one cell
	hasCall          bool
	nStart           int
	nEnd             int

	answers, known      uint64 // what is added to the sums
	hasPDD, hasRing     bool
	pdd, ring, long     time.Duration
	pddBin, ringBin     uint16
	longBin             uint16
	hasRefusal, hasLong bool
	refusal             uint16
}

// moment is an epoch and its place in a ring.
type moment struct {
	epoch int64
	place int
}

func (f *fact) count(n counter) {
	f.atStart[f.nStart] = n
	f.nStart++
}

func (f *fact) countIf(yes bool, n counter) {
	if yes {
		f.count(n)
	}
}

func (f *fact) countEnd(n counter) {
	f.atEnd[f.nEnd] = n
	f.nEnd++
}

// outcome is what became of adding a fact to a cell.
type outcome uint8

const (
	added   outcome = iota
	tooLate         // all or part of it belongs to a bucket that has been given to a later time
	gone            // the cell has left the index
)

// add counts f. told is the epoch that a reader asked for last.
func (s *state) add(f *fact, told int64) outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return gone
	}
	out := added
	if f.hasCall && s.call {
		if b := s.bucket(f.call, f.now, told); b != nil {
			b.n[f.atCall]++
		} else {
			out = tooLate
		}
	}
	if f.nStart > 0 {
		if b := s.bucket(f.start, f.now, told); b != nil {
			s.addStart(b, f)
		} else {
			out = tooLate
		}
	}
	if f.nEnd > 0 {
		if b := s.bucket(f.end, f.now, told); b != nil {
			for _, n := range f.atEnd[:f.nEnd] {
				b.n[n]++
			}
			if f.hasLong {
				b.long.add(f.longBin, f.long)
			}
		} else {
			out = tooLate
		}
	}
	return out
}

func (s *state) addStart(b *bucket, f *fact) {
	for _, n := range f.atStart[:f.nStart] {
		b.n[n]++
	}
	if f.hasPDD {
		b.pdd.add(f.pddBin, f.pdd)
	}
	if f.hasRing {
		b.ring.add(f.ringBin, f.ring)
	}
	if f.hasRefusal {
		sparseAt(&b.refusals, f.refusal).n++
	}
	if at := s.sumsAt.Load(); f.known > 0 && b.epoch <= at && b.epoch > at-int64(len(s.ring)) {
		s.sums.Store(s.sums.Load() + f.answers<<32 + f.known)
	}
}

// bucket returns the bucket of a moment, emptied if it held an earlier one; nil if it holds a later one, or the
// epoch is a window or more before now.
func (s *state) bucket(at moment, now, told int64) *bucket {
	epoch, place := at.epoch, at.place
	if epoch <= now-int64(len(s.ring)) {
		return nil
	}
	b := s.ring[place]
	switch {
	case b == nil:
		b = &bucket{epoch: epoch}
		s.ring[place] = b
	case b.epoch == epoch:
	case b.epoch < epoch || s.ahead(b, now, told):
		b.reset(epoch)
	default:
		return nil
	}
	return b
}

// ahead reports whether a bucket was written under a clock that has since been set back: it is more than a window
// ahead of what a reader told last, while the event at hand is not.
func (s *state) ahead(b *bucket, now, told int64) bool {
	span := int64(len(s.ring))
	return told != noEpoch && b.epoch > told+span && now <= told+span && now >= told-span
}

// within reports whether a bucket is in the window that ends with epoch now.
func (s *state) within(b *bucket, now int64) bool {
	return b != nil && b.epoch <= now && b.epoch > now-int64(len(s.ring))
}

// estimable returns the answers in time and the known outcomes of the window that ends with epoch now.
func (s *state) estimable(now int64) (answers, known float64) {
	if s.sumsAt.Load() != now {
		s.moveSums(now)
	}
	sums := s.sums.Load()
	return float64(sums >> 32), float64(uint32(sums))
}

// moveSums makes the sums those of the window that ends with epoch now.
func (s *state) moveSums(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var answers, known uint64
	for _, b := range s.ring {
		if !s.within(b, now) {
			continue
		}
		answers += uint64(b.n[nAnswers])
		for class := range ClassCount {
			if class.Seizure() {
				known += uint64(b.n[nClass+counter(class)])
			}
		}
		known -= uint64(b.n[nLost])
	}
	s.sums.Store(answers<<32 | known)
	s.sumsAt.Store(now)
}

// expired reports whether nothing in the cell is in the window that ends with epoch now or later.
func (s *state) expired(now int64) bool {
	for _, b := range s.ring {
		if b != nil && b.epoch > now-int64(len(s.ring)) {
			return false
		}
	}
	return true
}

// collect adds up the window that ends with epoch now, and reports whether there was anything in it. codes only ever
// grows: read under the lock, it has every number that a bucket refers to.
func (s *state) collect(now int64, c *Cell, codes *atomic.Pointer[codeTable]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := codes.Load().list
	any := false
	to := c.fields()
	for _, b := range s.ring {
		if !s.within(b, now) {
			continue
		}
		any = true
		for i, n := range b.n {
			*to[i] += uint64(n)
		}
		c.PDD.Merge(&b.pdd)
		c.Ring.Merge(&b.ring)
		c.Duration.Merge(&b.long)
		for _, r := range b.refusals {
			c.refused(list[r.at], uint64(r.n))
		}
	}
	return any
}
