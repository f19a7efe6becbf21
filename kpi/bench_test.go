package kpi_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// One attempt (Started, Progressed, Answered, Ended) into the five default views, eight a second in the model's time.
// In the wide case the 9,000 cells do not fit the cache.
func BenchmarkObserveAttempt(b *testing.B) {
	for _, x := range []struct {
		name              string
		n, trunks, groups int
	}{{"narrow", 1 << 10, 10, 10}, {"wide", 1 << 14, 300, 40}} {
		b.Run(x.name, func(b *testing.B) { observeAttempts(b, kpi.Config{}, x.n, x.trunks, x.groups) })
	}
}

// One attempt into one cell: what each further view costs is the difference to the five.
func BenchmarkObserveAttemptTotalOnly(b *testing.B) {
	observeAttempts(b, kpi.Config{Views: []kpi.View{}}, 1<<10, 10, 10)
}

func observeAttempts(b *testing.B, cfg kpi.Config, n, trunks, groups int) {
	h := newHosts(newMeter(b, cfg), newCourses(n, trunks, groups, time.Second/8), 1)[0]
	h.attempts(len(h.courses))
	b.ReportAllocs()
	for b.Loop() {
		h.attempt()
	}
}

// A reading while nothing is counted, and while every other core counts as fast as it can.
func BenchmarkEstimate(b *testing.B) {
	for _, writers := range []int{0, max(cores()-1, 1)} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			m, courses := newMeter(b, kpi.Config{}), newCourses(1<<10, 10, 10, time.Millisecond)
			hosts := newHosts(m, courses, max(writers, cores()))
			meet(hosts)
			estimate(m, courses)
			var all sync.WaitGroup
			var over atomic.Bool
			for _, h := range hosts[:writers] {
				all.Go(func() {
					for !over.Load() {
						h.attempt()
					}
				})
			}
			now := courses[len(courses)-1].start
			var c outdial.Candidate
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				c.Trunk = courses[i&1023].trunk
				m.Estimate(now, &c, courses[i&1023].group)
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
