package kpi_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/outdial/outdial/kpi"
)

// BenchmarkCores reports how much more all cores do than one: two that do not disturb each other come to 2. Counted is attempts into
// one meter, estimated the same while all estimates are kept up. What stands beside them, in turns, is what the machine has to give:
// arithmetic alone (alu), a megabyte of private memory (memory), and for each core a meter of its own (apart). Of the rounds, of some
// milliseconds each, the least disturbed one counts: run it with -benchtime 300x or more.
func BenchmarkCores(b *testing.B) {
	subjects := []*scaling{alu(), memory(), apart(b), shared(b, "counted", false), shared(b, "estimated", true)}
	for b.Loop() {
		for _, s := range subjects {
			s.round()
		}
	}
	for _, s := range subjects {
		b.ReportMetric(float64(len(s.each))*s.alone.Seconds()/s.all.Seconds(), s.name+"-x")
	}
	b.ReportMetric(0, "ns/op")
}

// scaling compares one core at work with all of them.
type scaling struct {
	name       string
	one        func()
	each       []func()
	alone, all time.Duration // of the shortest rounds
}

func newScaling(name string) *scaling {
	return &scaling{name: name, alone: math.MaxInt64, all: math.MaxInt64}
}

// round has one do its work, then each at the same time.
func (s *scaling) round() {
	s.alone = min(s.alone, timed(s.one))
	s.all = min(s.all, timed(func() {
		var wg sync.WaitGroup
		for _, work := range s.each[1:] {
			wg.Go(work)
		}
		s.each[0]()
		wg.Wait()
	}))
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func alu() *scaling {
	s := newScaling("alu")
	for range cores() {
		s.each = append(s.each, func() {
			x := uint64(1)
			for range 2_000_000 {
				x = x*6364136223846793005 + 1442695040888963407
			}
			if x == 0 {
				panic("unreachable")
			}
		})
	}
	s.one = s.each[0]
	return s
}

func memory() *scaling {
	s := newScaling("memory")
	for range cores() {
		words := make([]uint64, 1<<17)
		s.each = append(s.each, func() {
			x := uint64(1)
			for range 1_000_000 {
				x = x*6364136223846793005 + 1442695040888963407
				words[x>>47]++
			}
		})
	}
	s.one = s.each[0]
	return s
}

const attemptsARound = 4_000

// apart has a meter for each core.
func apart(b *testing.B) *scaling {
	s := newScaling("apart")
	courses := newCourses(10, 10, time.Millisecond)
	for range cores() {
		h := newHosts(newMeter(b, kpi.Config{}), courses, 1)[0]
		h.attempts(100_000)
		s.each = append(s.each, func() { h.attempts(attemptsARound) })
	}
	s.one = s.each[0]
	return s
}

// shared has one meter for all cores, over which they have met before, beside a meter for one.
func shared(b *testing.B, name string, estimated bool) *scaling {
	s := newScaling(name)
	courses := newCourses(10, 10, time.Millisecond)
	for _, n := range []int{1, cores()} {
		m := newMeter(b, kpi.Config{})
		hosts := newHosts(m, courses, n)
		if estimated {
			estimate(m, courses)
		}
		meet(hosts)
		s.each = nil
		for _, h := range hosts {
			s.each = append(s.each, func() { h.attempts(attemptsARound) })
		}
		if n == 1 {
			s.one = s.each[0]
		}
	}
	return s
}
