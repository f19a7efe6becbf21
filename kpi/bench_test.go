package kpi_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// benchLegs are the whole lives of n attempts, four a second in the model's time.
func benchLegs(n, trunks, groups int) [][]outdial.Event {
	return pacedLegs(n, trunks, groups, time.Second/4)
}

func pacedLegs(n, trunks, groups int, pace time.Duration) [][]outdial.Event {
	rng := rand.New(rand.NewPCG(1, 2))
	legs := make([][]outdial.Event, n)
	for i := range legs {
		pdd := time.Duration(rng.ExpFloat64() * 2e9)
		talk := time.Duration(rng.ExpFloat64() * 90e9)
		start := t0.Add(time.Duration(i) * pace)
		events := answeredLeg(i+1, start, outdial.TrunkID(rng.IntN(trunks)+1), min(pdd, 9*time.Second), talk)
		group := outdial.GroupID(rng.IntN(groups) + 1)
		for j := range events {
			events[j].Attempt.Call.Dest.Group = group
		}
		events = append(events[:1], events[2:]...) // without the 100: Started, Progressed, Answered, Ended
		legs[i] = events
	}
	return legs
}

// One attempt (Started, Progressed, Answered, Ended) into the five default views.
// In the wide case the 12,000 cells do not fit the cache.
func BenchmarkObserveAttempt(b *testing.B) {
	for name, legs := range map[string][][]outdial.Event{
		"trunks=10,groups=10": benchLegs(1024, 10, 10), "trunks=300,groups=40": benchLegs(1024, 300, 40),
	} {
		b.Run(name, func(b *testing.B) {
			m := newMeter(b, kpi.Config{})
			for _, events := range legs {
				observe(m, events...)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				observe(m, legs[i&1023]...)
				i++
			}
		})
	}
}

// The same from one goroutine a core, each with calls of its own, into a meter over which the cores have met before: run it
// with -cpu 1,2. Estimated has readers of estimates besides, so that their sums are kept up.
func BenchmarkObserveAttemptParallel(b *testing.B) {
	for _, estimated := range []bool{false, true} {
		b.Run(map[bool]string{false: "counted", true: "estimated"}[estimated], func(b *testing.B) {
			m := newMeter(b, kpi.Config{})
			h := newHosts(m)
			if estimated {
				h.estimate()
			}
			h.meet()
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) { h.work(pb.Next) })
		})
	}
}

// hosts feed a meter from several goroutines, with a thousand calls a second of model time.
type hosts struct {
	m    *kpi.Meter
	legs [][]outdial.Event
	n    atomic.Uint64
}

func newHosts(m *kpi.Meter) *hosts {
	return &hosts{m: m, legs: pacedLegs(1024, 10, 10, time.Millisecond)}
}

// work is one host at work, with attempts and ids of its own.
func (h *hosts) work(more func() bool) {
	own, n := make([][]outdial.Event, len(h.legs)), h.n.Add(1)
	for i := range own {
		own[i] = slices.Clone(h.legs[i])
		for k := range own[i] {
			a := *own[i][k].Attempt
			own[i][k].Attempt = &a
		}
	}
	id := outdial.CallID(n << 40)
	for i := n * 1777; more(); i++ {
		id += 1 << 12 // as an engine counts
		for k := range own[i&1023] {
			a := own[i&1023][k].Attempt
			a.ID.Call, a.Call.ID = id, id
		}
		observe(h.m, own[i&1023]...)
	}
}

// meet has a host a core at work for a while, so that they have met over the cells.
func (h *hosts) meet() {
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			left := 400_000
			h.work(func() bool { left--; return left > 0 })
		})
	}
	all.Wait()
}

// estimate reads an estimate of every trunk and group.
func (h *hosts) estimate() {
	for _, l := range h.legs {
		h.m.Estimate(l[3].Time, &l[0].Attempt.Candidate, l[0].Attempt.Call.Dest.Group)
	}
}

// One attempt into one cell: what each further view costs is the difference to the five.
func BenchmarkObserveAttemptTotalOnly(b *testing.B) {
	m := newMeter(b, kpi.Config{Views: []kpi.View{}})
	legs := benchLegs(1024, 10, 10)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		observe(m, legs[i&1023]...)
		i++
	}
}

// A reading while nothing is counted, and while every other core counts as fast as it can.
func BenchmarkEstimate(b *testing.B) {
	for _, writers := range []int{0, max(runtime.GOMAXPROCS(0)-1, 1)} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			m := newMeter(b, kpi.Config{})
			h := newHosts(m)
			h.meet()
			h.estimate()
			var all sync.WaitGroup
			var over atomic.Bool
			for range writers {
				all.Go(func() { h.work(func() bool { return !over.Load() }) })
			}
			now := h.legs[1023][0].Time
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				a := h.legs[i&1023][0].Attempt
				m.Estimate(now, &a.Candidate, a.Call.Dest.Group)
				i++
			}
			over.Store(true)
			all.Wait()
		})
	}
}

func BenchmarkClassify(b *testing.B) {
	a := verdict{ringing, outdial.OriginCarrier, 480, "19", 0, 0}.attempt(b)
	b.ReportAllocs()
	for b.Loop() {
		kpi.Classify(a)
	}
}

func BenchmarkSketchAdd(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var ds [1024]time.Duration
	var s kpi.Sketch
	for i := range ds {
		ds[i] = time.Duration(rng.ExpFloat64() * 3e9)
		s.Add(ds[i])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s.Add(ds[i&1023])
		i++
	}
}

func BenchmarkSketchMerge(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var x, y kpi.Sketch
	for range 1000 {
		x.Add(time.Duration(rng.ExpFloat64() * 3e9))
		y.Add(time.Duration(rng.ExpFloat64() * 3e9))
	}
	x.Merge(&y)
	b.ReportAllocs()
	for b.Loop() {
		x.Merge(&y)
	}
}
