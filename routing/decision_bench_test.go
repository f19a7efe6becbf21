package routing_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// BenchmarkDecision is a whole decision for eight candidates by cost per contact: the rule, the rates of eight decks, the
// posteriors, the draws from them, the order. It reports the latencies of single decisions, the clock's own reading
// included.
func BenchmarkDecision(b *testing.B) {
	for _, rows := range []int{1000, benchRows} {
		r, tos := contestRouter(b, rows)
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			all := make([]time.Duration, 0, 1<<20)
			dst := make([]outdial.Candidate, 0, 8)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				start := time.Now()
				dst = decide(r, tos, i, dst)
				if d := time.Since(start); len(all) < cap(all) {
					all = append(all, d)
				}
				i++
			}
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2]), "p50-ns")
			b.ReportMetric(float64(all[len(all)*99/100]), "p99-ns")
		})
	}
}

// BenchmarkDecisionOnTwoCores decides on one core and on two by turns, so that a noisy neighbour hits both, and reports the median of
// how many times as much two get done.
func BenchmarkDecisionOnTwoCores(b *testing.B) {
	if runtime.GOMAXPROCS(0) < 2 {
		b.Skip("one core")
	}
	const batch = 5000
	r, tos := contestRouter(b, benchRows)
	next := 0 // no callee is met again soon, on one core or on two
	on := func(cores int) time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		for range cores {
			from := next
			next += batch
			wg.Go(func() {
				dst := make([]outdial.Candidate, 0, 8)
				for i := range batch {
					dst = decide(r, tos, from+i, dst)
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	var times []float64
	for b.Loop() {
		one, two := on(1), on(2)
		times = append(times, 2*one.Seconds()/two.Seconds())
	}
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2], "times-one-core")
}

func decide(r *routing.Router, tos []outdial.Number, i int, dst []outdial.Candidate) []outdial.Candidate {
	call := outdial.Call{
		ID: outdial.CallID(i + 1), To: tos[i&(1<<16-1)], Dest: outdial.Destination{Group: outdial.GroupID(i%300 + 1)},
	}
	dst, _ = r.Route(monday, &call, dst[:0])
	if dst[0].Explore { // the budget is not to run out
		takenBack(r, i+1, dst[0], monday)
	}
	return dst
}

// contestRouter is a router of eight carriers that may explore.
func contestRouter(b *testing.B, rows int) (*routing.Router, []outdial.Number) {
	p, ps := market(rows, routing.CostPerContact)
	p.Rules[0].Tiers[0].Success.AttemptCost = 2000
	w := newWorld()
	for i := range 8 {
		w.asr[outdial.TrunkID(i+1)] = estimate(.3+float64(i)/40, 30)
	}
	c := compile(b, p, routing.CompileConfig{Quality: w})
	r := routing.NewRouter(c.Table)
	for i := range 1000 {
		r.Observe(started(i, outdial.Candidate{Trunk: 1}, monday, "US"))
	}
	return r, numbers(ps, 1<<16, 3)
}
