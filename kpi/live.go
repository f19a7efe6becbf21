package kpi

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// Sums that estimates are read from, each over the meter's Window.
const (
	sumKnown = iota
	sumAnswers
	sumDelivered
	sumEnded
	sumShort
	sumAbnormal
	sumContacts
	sumFAS
	sumCount
)

// live holds the sums of one cell for its readers, who take no lock. It is made when the cell is first read: from then on
// writers keep the sums up, and the first reader in each slice of time moves them on. A sum may miss an event, or have it
// twice, that comes in the very moment in which it is moved on, until it is moved on again.
//
// Where cores meet over a cell, each adds up by itself, and a reader adds the few together: so they do not wait for a cache
// line that all of them write.
type live struct {
	at    atomic.Int64 // epoch of the window's end, of the first span
	lanes []laneSums

	// The 95th percentile of PDD: worked out again by a reader when a sixteenth more was counted.
	due    atomic.Uint32 // how many make it due
	p95    atomic.Uint64 // bits of a float64, seconds
	p95Var atomic.Uint64
	p95N   atomic.Uint64

	mu sync.Mutex // held by the one who moves it on
}

// laneSums are the sums of one lane, in cache lines of their own. A sum may be less than nothing in one lane.
type laneSums struct {
	sums   [sumCount]atomic.Uint64
	delays atomic.Uint32 // of PDD, counted since the percentile was worked out
	_      [60]byte
}

// one is an observation in the sums: they are kept in 2^-20 so that decayed observations count in part.
const one = 1 << 20

// add counts a part that has just been counted in the cell, or in a cell below it, in a lane; epoch is that of its slice.
func (l *live) add(m *Meter, lane uint32, epoch int64, does *effects) {
	at := l.at.Load()
	if !within(epoch, at, int64(len(m.weights))) {
		return
	}
	sums := &l.lanes[lane%uint32(len(l.lanes))]
	weight := m.weights[at-epoch].sum
	for i, set := 0, does.sums; set != 0; i, set = i+1, set>>1 {
		if set&1 != 0 {
			sums.sums[i].Add(weight)
		}
	}
	if does.pdd {
		sums.delays.Add(1)
	}
}

// liveOf returns the live sums of a cell, made at the first asking; nil for no cell.
func (m *Meter) liveOf(s *state) *live {
	if s == nil {
		return nil
	}
	if l := s.live.Load(); l != nil {
		return l
	}
	m.estimated.Store(true)
	lanes := uint32(1)
	if s.above == nil || s.parts.Load() != nil {
		lanes = m.lanes.n // a roll-up, or one that is divided
	}
	l := &live{lanes: make([]laneSums, lanes)}
	l.at.Store(noTick)
	if !s.live.CompareAndSwap(nil, l) {
		l = s.live.Load()
	}
	return l
}

// moveOn makes the sums those of the window that ends with epoch. Buckets weigh by their age, with Config.HalfLife.
func (m *Meter) moveOn(s *state, l *live, epoch int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.Load() == epoch {
		return
	}
	var sums [sumCount]float64
	m.weigh(s, epoch, &sums)
	for lane := range l.lanes {
		for i, v := range sums {
			if lane > 0 {
				v = 0
			}
			l.lanes[lane].sums[i].Store(uint64(v*one + 0.5))
		}
	}
	l.due.Store(0)
	l.at.Store(epoch)
}

// weigh adds up the sums of a cell.
func (m *Meter) weigh(s *state, epoch int64, sums *[sumCount]float64) {
	for _, base := range s.bases() {
		base.weigh(m, epoch, sums)
	}
	s.weigh(m, epoch, sums)
}

func (s *state) weigh(m *Meter, now int64, sums *[sumCount]float64) {
	for s := range s.each {
		s.weighOwn(m, now, sums)
	}
}

func (s *state) weighOwn(m *Meter, now int64, sums *[sumCount]float64) {
	span := &m.spans[0]
	n := int64(span.Buckets)
	if s.rings == nil {
		s.diary.records(&m.kinds, func(p *part, does *effects) {
			if epoch := span.epoch(p.tick); within(epoch, now, n) {
				does.weigh(m.weights[now-epoch].of, sums)
			}
		})
		return
	}
	for _, b := range s.rings[0].buckets {
		if b == nil || !within(b.epoch, now, n) {
			continue
		}
		for kind, count := range b.counts {
			if count > 0 {
				m.kinds.does[kind].weigh(float64(count)*m.weights[now-b.epoch].of, sums)
			}
		}
	}
}

func (e *effects) weigh(n float64, sums *[sumCount]float64) {
	for i, set := 0, e.sums; set != 0; i, set = i+1, set>>1 {
		if set&1 != 0 {
			sums[i] += n
		}
	}
}

// ratio returns a pair of sums as floats.
func (l *live) ratio(k, n int) (float64, float64) {
	var ks, ns uint64
	for i := range l.lanes {
		sums := &l.lanes[i].sums
		ks, ns = ks+sums[k].Load(), ns+sums[n].Load()
	}
	return float64(int64(ks)) / one, float64(int64(ns)) / one
}

// delay returns the 95th percentile of PDD as an estimate, of what the cell alone has seen.
func (m *Meter) delay(s *state, l *live, epoch int64) outdial.Estimate {
	var delays uint32
	for i := range l.lanes {
		delays += l.lanes[i].delays.Load()
	}
	if due := l.due.Load(); due == 0 || delays >= due {
		m.percentile(s, l, epoch)
	}
	return outdial.Estimate{
		Mean: math.Float64frombits(l.p95.Load()), Var: math.Float64frombits(l.p95Var.Load()),
		N: math.Float64frombits(l.p95N.Load()),
	}
}

// percentile works the 95th percentile out, unless another reader does.
func (m *Meter) percentile(s *state, l *live, epoch int64) {
	if !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	for i := range l.lanes {
		l.lanes[i].delays.Store(0)
	}
	x := sums.Get().(*sum)
	defer sums.Put(x)
	for _, base := range s.bases() {
		base.collect(m, 0, epoch, x)
	}
	s.collect(m, 0, epoch, x)
	e := quantileEstimate(x.pile(pddDists), 0.95)
	x.reset()
	l.p95.Store(math.Float64bits(e.Mean))
	l.p95Var.Store(math.Float64bits(e.Var))
	l.p95N.Store(math.Float64bits(e.N))
	l.due.Store(1 + uint32(min(e.N/16, 1<<20)))
}

// quantileEstimate gives a quantile and how uncertain it is: half the width between the order statistics that lie one
// standard error of the rank below and above it.
func quantileEstimate(p *pile, q float64) outdial.Estimate {
	if p.n == 0 {
		return outdial.Estimate{}
	}
	n := float64(p.n)
	se := math.Sqrt(n * q * (1 - q))
	half := (p.between(n*q+se) - p.between(n*q-se)) / 2
	mean := p.rank(max(uint64(math.Ceil(n*q)), 1)).Seconds()
	return outdial.Estimate{Mean: mean, Var: half * half, N: n}
}

// between is the value at a rank in seconds, with those in one bin spread over it evenly.
func (p *pile) between(rank float64) float64 {
	rank = min(max(rank, 0), float64(p.n))
	seen := 0.0
	for at := p.from; at < p.to; at++ {
		n := float64(p.at[at])
		if n > 0 && seen+n >= rank {
			low, high := binBounds(uint16(at))
			return low.Seconds() + (high-low).Seconds()*(rank-seen)/n
		}
		seen += n
	}
	return 0
}
