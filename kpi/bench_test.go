package kpi_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// benchLegs are the whole lives of n attempts, four a second in the model's time.
func benchLegs(n, trunks, groups int) [][]outdial.Event {
	rng := rand.New(rand.NewPCG(1, 2))
	legs := make([][]outdial.Event, n)
	for i := range legs {
		pdd := time.Duration(rng.ExpFloat64() * 2e9)
		talk := time.Duration(rng.ExpFloat64() * 90e9)
		start := t0.Add(time.Duration(i) * time.Second / 4)
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

func BenchmarkObserveAttemptParallel(b *testing.B) {
	m := newMeter(b, kpi.Config{})
	legs := benchLegs(1024, 10, 10)
	var next atomic.Uint64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		i := next.Add(1) * 1777
		for pb.Next() {
			observe(m, legs[i&1023]...)
			i++
		}
	})
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

func BenchmarkEstimate(b *testing.B) {
	m := newMeter(b, kpi.Config{})
	legs := benchLegs(1024, 10, 10)
	for i := range legs {
		observe(m, legs[i]...)
	}
	now := legs[1023][3].Time
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		a := legs[i&1023][0].Attempt
		m.Estimate(now, &a.Candidate, a.Call.Dest.Group)
		i++
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
