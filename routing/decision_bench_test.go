package routing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// BenchmarkDecision is a whole decision for eight candidates by cost per contact: the rule, the rates of eight decks, the
// posteriors, the draws from them, the order. It reports the latencies of single decisions, the clock's own reading
// included; of those that explore, which book what they may cost, apart too.
func BenchmarkDecision(b *testing.B) {
	for _, rows := range []int{1000, benchRows} {
		r, tos := contestRouter(b, rows)
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			all, exploring := make([]time.Duration, 1<<20)[:0], make([]time.Duration, 1<<16)[:0]
			d := newDecider(r, tos, 0)
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				d.decide()
				spent := time.Since(start)
				if len(all) < cap(all) {
					all = append(all, spent)
				}
				if d.dst[0].Explore && len(exploring) < cap(exploring) {
					exploring = append(exploring, spent)
				}
				d.tell()
			}
			for _, l := range []struct {
				name string
				all  []time.Duration
			}{{"", all}, {"exploring-", exploring}} {
				if len(l.all) == 0 { // too few decisions for one that explores
					continue
				}
				slices.Sort(l.all)
				b.ReportMetric(float64(l.all[len(l.all)/2]), l.name+"p50-ns")
				b.ReportMetric(float64(l.all[len(l.all)*99/100]), l.name+"p99-ns")
			}
			b.ReportMetric(float64(len(exploring))/float64(len(all)), "exploring")
		})
	}
}

// contestRouter is a router of eight carriers that may explore, within a share and an amount of money.
func contestRouter(b testing.TB, rows int) (*routing.Router, []outdial.Number) {
	p, ps := market(rows, routing.CostPerContact)
	p.Rules[0].Tiers[0].Success.AttemptCost = 2000
	p.Exploration.Money = routing.MaxPrice
	w := newWorld()
	for i := range 8 {
		w.asr[outdial.TrunkID(i+1)] = estimate(.3+float64(i)/40, 300)
	}
	c := compile(b, p, routing.CompileConfig{Quality: w})
	r := routing.NewRouter(c.Table)
	for i := range 1000 {
		r.Observe(started(i, outdial.Candidate{Trunk: 1}, monday, "US"))
	}
	return r, numbers(ps, 1<<16, 3)
}
