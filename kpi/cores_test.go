package kpi_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// BenchmarkCores reports how much more all cores do than one: two that do not disturb each other come to 2. They count attempts into
// one meter: on the same ten trunks to ten groups (narrow), the same while all estimates are kept up (estimated), each on trunks of its
// own (own), and on 300 trunks to 40 groups (wide). What stands beside them, in turns, is what the machine has to give: arithmetic
// alone (alu), a megabyte of private memory (memory), and for each core a meter of its own (apart, apart-wide). Of the rounds, of some
// milliseconds each, the least disturbed one counts: run it with -benchtime 300x or more.
func BenchmarkCores(b *testing.B) {
	const pace = time.Millisecond
	narrow, wide := newCourses(1<<10, 10, 10, pace), newCourses(1<<14, 300, 40, pace)
	subjects := []*scaling{
		alu(), memory(), apart(b, "apart", narrow), apart(b, "apart-wide", wide), shared(b, "narrow", narrow, false, 0),
		shared(b, "estimated", narrow, true, 0), shared(b, "own", narrow, false, 10), shared(b, "wide", wide, false, 0),
	}
	for b.Loop() {
		for _, s := range subjects {
			s.round()
		}
	}
	for _, s := range subjects {
		b.ReportMetric(float64(len(s.each))*s.alone.Seconds()/s.all.Seconds(), s.name+"-x")
		if s.attempts {
			b.ReportMetric(float64(s.alone.Nanoseconds())/attemptsARound, s.name+"-ns")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// scaling compares one core at work with all of them.
type scaling struct {
	name       string
	attempts   bool
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
func apart(b *testing.B, name string, courses []course) *scaling {
	s := newScaling(name)
	s.attempts = true
	for range cores() {
		h := newHosts(newMeter(b, kpi.Config{}), courses, 1)[0]
		h.attempts(400_000)
		s.each = append(s.each, func() { h.attempts(attemptsARound) })
	}
	s.one = s.each[0]
	return s
}

// shared has one meter for all cores, over which they have met before, beside a meter for one. Each host's trunks have numbers that
// are so much higher than those of the one before.
func shared(b *testing.B, name string, courses []course, estimated bool, own int) *scaling {
	s := newScaling(name)
	s.attempts = true
	for _, n := range []int{1, cores()} {
		m := newMeter(b, kpi.Config{})
		hosts := newHosts(m, courses, n)
		for i := range hosts {
			hosts[i].courses = onOtherTrunks(courses, i*own)
		}
		meet(hosts)
		if estimated {
			estimate(m, courses)
		}
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

// onOtherTrunks are courses on trunks whose numbers are so much higher.
func onOtherTrunks(courses []course, by int) []course {
	list := slices.Clone(courses)
	for i := range list {
		list[i].trunk += outdial.TrunkID(by)
	}
	return list
}
