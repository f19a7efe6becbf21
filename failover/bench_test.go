package failover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{2, 10} {
		f := newBench(b, failover.Config{})
		for i := range n {
			f.plan = append(f.plan, on(i+1, 0, 10+7*i))
		}
		for _, state := range []string{"up", "one_out"} {
			if state == "one_out" {
				for range 3 {
					f.end(start, 1, 0, ended(outdial.OriginTransport))
				}
			}
			b.Run(fmt.Sprintf("%d/%s", n, state), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f.s.Pick(start, &f.call, f.plan, f.all())
				}
			})
		}
		b.Run(fmt.Sprintf("%d/parallel", n), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				call := f.call
				for pb.Next() {
					f.s.Pick(start, &call, f.plan, f.all())
				}
			})
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	s := newSelector(b, failover.Config{})
	for name, r := range map[string]outdial.Result{
		"cause":   final(503, 41, "Service Unavailable"),
		"code":    final(500, "Server Internal Error"),
		"timeout": ended(outdial.OriginNoTrying),
	} {
		a := &outdial.Attempt{Result: r}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Judge(a)
			}
		})
	}
}

// BenchmarkDecision: a choice among three, and the good news of it.
func BenchmarkDecision(b *testing.B) {
	f := newBench(b, failover.Config{}, on(1, 0, 60), on(2, 0, 30), on(3, 0, 10))
	f.call.Dest.Group = 7
	a := f.attempt(start, 1, 0)
	a.Timeline.Set(outdial.MarkProvisional, time.Second)
	ev := &outdial.Event{Kind: outdial.EventProgressed, Time: start, Attempt: a, Marks: outdial.MarkProvisional.Of()}
	b.ReportAllocs()
	for b.Loop() {
		i, choice := f.s.Pick(start, &f.call, f.plan, 7)
		a.Candidate, a.Choice = f.plan[i], choice
		f.s.Observe(ev)
	}
}
