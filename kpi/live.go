package kpi

import (
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// Sums that estimates are read from, each over the meter's Window. Those of the ends of conversations are in another cache line:
// who reads the others needs not wait for what ends.
const (
	sumKnown = iota
	sumAnswers
	sumDelivered
	sumContacts
	sumFAS
	sumEnded = iota + 3
	sumShort
	sumAbnormal
	sumCount
)

// live is where the readers of one cell find its sums, without a lock. It is made when the cell is first read: from then on writers
// keep an account of the window up to date, and the first reader in each slice of time opens the next one.
type live struct {
	now  atomic.Pointer[account] // of the slice that was asked for last
	next atomic.Pointer[account] // the same, or the one that is being opened

	// The 95th percentile of PDD: worked out again by a reader when a sixteenth more was counted.
	due    atomic.Uint32 // how many make it due
	p95    atomic.Uint64 // bits of a float64, seconds
	p95Var atomic.Uint64
	p95N   atomic.Uint64

	mu sync.Mutex // held by the one who opens an account
}

// account is the sums of a window. Where cores meet over a cell, each adds up in a lane by itself, and a reader adds the few
// together: so they do not wait for a cache line that all of them write.
//
// A cell that counts has joined an account when what it had counted until then is in it; both happens under the cell's lock, so that
// nothing is in it twice, and nothing is missing once it is shown.
type account struct {
	epoch atomic.Int64 // of the window's end; noTick once it is kept up no more
	more  []laneSums   // by lane, beside what there was when it was opened; nil = all of it is in first
	first totals       // the four that are asked for most are in one cache line with the epoch
}

type totals struct {
	sums   [sumCount]atomic.Uint64
	delays atomic.Uint32 // of PDD, counted since the percentile was worked out
}

// laneSums are the sums of one lane, in cache lines of their own.
type laneSums struct {
	totals
	_ [32]byte
}

// one is an observation in the sums: they are kept in 2^-20 so that decayed observations count in part.
const one = 1 << 20

// add counts a part that has just been counted in a cell which has joined; epoch is that of its slice.
func (a *account) add(m *Meter, f *fact, epoch int64, does *effects) {
	now := a.epoch.Load()
	if !within(epoch, now, int64(len(m.weights))) {
		return
	}
	sums := &a.first
	if len(a.more) > 0 {
		sums = &a.more[f.in(m)].totals
	}
	weight := m.weights[now-epoch].sum
	for set := does.sums; set != 0; set &= set - 1 {
		sums.sums[bits.TrailingZeros16(set)].Add(weight)
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
	s.live.CompareAndSwap(nil, new(live))
	return s.live.Load()
}

// open returns the account of the window that ends with epoch. Buckets weigh by their age, with Config.HalfLife.
func (m *Meter) open(s *state, l *live, epoch int64) *account {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.now.Load()
	if old != nil && old.epoch.Load() == epoch {
		return old
	}
	a := new(account)
	a.epoch.Store(epoch)
	if m.lanes.n > 1 && (s.above == nil || s.parts.Load() != nil) { // a roll-up, or one over which cores meet
		a.more = make([]laneSums, m.lanes.n)
	}
	l.next.Store(a) // cells that are made from here on join by themselves
	var sums [sumCount]float64
	for _, base := range s.bases() {
		base.join(m, a, s, &sums)
	}
	s.join(m, a, s, &sums)
	for i, v := range sums {
		a.first.sums[i].Add(uint64(v*one + 0.5))
	}
	l.due.Store(0)
	l.now.Store(a)
	if old != nil {
		old.epoch.Store(noTick)
	}
	return a
}

// join adds what the cell has counted to sums, and what it counts from now on to the account of a cell, itself or a roll-up of it.
func (s *state) join(m *Meter, a *account, of *state, sums *[sumCount]float64) {
	s.lock(m)
	defer s.unlock(m)
	at := 0 // the cell's own is the first of its feeds
	if of != s {
		at = 1 + slices.Index(s.ups(), of)
	}
	for p := range s.each {
		if p.feeds == nil {
			p.feeds, p.fed = make([]*account, 1+len(s.ups())), true
		}
		if p.feeds[at] != a {
			p.weighOwn(m, a.epoch.Load(), sums)
			p.feeds[at] = a
		}
	}
}

// ups are the roll-ups of a base cell that estimates may be read from.
func (s *state) ups() []*state {
	if s.above == nil {
		return nil
	}
	return *s.above
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
	for set := e.sums; set != 0; set &= set - 1 {
		sums[bits.TrailingZeros16(set)] += n
	}
}

// renew has the next reader open an account: one for several cores, in place of one for a cell over which they did not meet.
func (l *live) renew() {
	if a := l.now.Load(); a != nil {
		a.epoch.Store(noTick)
	}
}

// delay returns the 95th percentile of PDD as an estimate, of what the cell alone has seen.
func (m *Meter) delay(r *rung, a *account, epoch int64) outdial.Estimate {
	l := r.l
	delays := a.first.delays.Load()
	for i := range a.more {
		delays += a.more[i].delays.Load()
	}
	if due := l.due.Load(); due == 0 || delays >= due {
		m.percentile(r.s, l, a, epoch)
	}
	return outdial.Estimate{
		Mean: math.Float64frombits(l.p95.Load()), Var: math.Float64frombits(l.p95Var.Load()),
		N: math.Float64frombits(l.p95N.Load()),
	}
}

// percentile works the 95th percentile out, unless another reader does.
func (m *Meter) percentile(s *state, l *live, a *account, epoch int64) {
	if !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	a.first.delays.Store(0)
	for i := range a.more {
		a.more[i].delays.Store(0)
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
