package routing_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

const benchRows = 200_000

// BenchmarkRoute is a whole decision for eight candidates: the rule by 200,000 prefixes, the rates of eight decks of
// about 180,000 rows each, and the order.
func BenchmarkRoute(b *testing.B) {
	for _, strategy := range []routing.Strategy{routing.LeastCost, routing.Priority, routing.ByQuality} {
		b.Run(string(strategy), func(b *testing.B) {
			p, ps := market(benchRows, strategy)
			p.Rules[0].Prefixes = ps
			c := compile(b, p, routing.CompileConfig{Quality: asr{}})
			tos := numbers(ps, 1<<16, 3)
			dst := make([]outdial.Candidate, 0, 8)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				call := outdial.Call{To: tos[i&(1<<16-1)]}
				i++
				dst, _ = c.Route(monday, &call, dst[:0])
			}
		})
	}
}

// BenchmarkRouteParallel is BenchmarkRoute/least-cost through a Router from all cores.
func BenchmarkRouteParallel(b *testing.B) {
	p, ps := market(benchRows, routing.LeastCost)
	r := routing.NewRouter(compile(b, p, routing.CompileConfig{}).Table)
	tos := numbers(ps, 1<<16, 3)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		dst := make([]outdial.Candidate, 0, 8)
		for i := 0; pb.Next(); i++ {
			call := outdial.Call{To: tos[i&(1<<16-1)]}
			dst, _ = r.Route(monday, &call, dst[:0])
		}
	})
}

// BenchmarkMatch is the rule alone: 200,000 prefixes in 1,000 rules, two trunks without decks.
func BenchmarkMatch(b *testing.B) {
	p, ps := rulebook(benchRows)
	c := compile(b, p, routing.CompileConfig{})
	tos := numbers(ps, 1<<16, 3)
	dst := make([]outdial.Candidate, 0, 8)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		call := outdial.Call{To: tos[i&(1<<16-1)]}
		i++
		dst, _ = c.Route(monday, &call, dst[:0])
	}
}

// BenchmarkRate is one longest prefix match in one deck of 200,000 rows.
func BenchmarkRate(b *testing.B) {
	p, ps := market(benchRows, routing.LeastCost)
	p.Trunks, p.Decks, p.Rules[0].Tiers[0].Trunks = p.Trunks[:1], p.Decks[:1], p.Rules[0].Tiers[0].Trunks[:1]
	c := compile(b, p, routing.CompileConfig{})
	trunk := c.ids.Trunks.ID("carrier-0")
	tos := numbers(ps, 1<<16, 3)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.Rate(monday, trunk, tos[i&(1<<16-1)])
		i++
	}
}

func BenchmarkAdmit(b *testing.B) {
	c := compile(b, routing.Policy{
		Trunks: trunks("a"), Rules: []routing.Rule{via("all", "a")},
		Admission: routing.Admission{
			Deny:    prefixes(100_000, 5),
			Windows: []routing.Window{{From: 0, To: routing.Day}},
		},
	}, routing.CompileConfig{Numbering: plan()})
	call := outdial.Call{To: outdial.MustNumber("+12125550123")}
	call.Dest = plan().Locate(monday, call.To)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Admit(monday, &call)
	}
}

func BenchmarkCompile(b *testing.B) {
	one, _ := market(benchRows, routing.LeastCost)
	one.Trunks, one.Decks, one.Rules[0].Tiers[0].Trunks = one.Trunks[:1], one.Decks[:1], one.Rules[0].Tiers[0].Trunks[:1]
	all, _ := market(benchRows, routing.LeastCost)
	rules, _ := rulebook(benchRows)
	for name, p := range map[string]routing.Policy{"deck=180k": one, "decks=8x180k": all, "rules=200k": rules} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry)})
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkReadDeck(b *testing.B) {
	var file bytes.Buffer
	file.WriteString("prefix,rate,increment,setup,effective,end\n")
	for i, p := range prefixes(benchRows, 7) {
		fmt.Fprintf(&file, "%d,0.%06d,6/6,,2026-03-01,\n", uint64(p), i%9000)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		_, err := routing.ReadDeck("big", bytes.NewReader(file.Bytes()))
		require.NoError(b, err)
	}
}

// rulebook is a policy whose rules share n prefixes.
func rulebook(n int) (routing.Policy, []outdial.Prefix) {
	ps := prefixes(n, 21)
	p := routing.Policy{Trunks: trunks("a", "b")}
	for i := range 1000 {
		r := via(fmt.Sprint(i), "a", "b")
		r.Prefixes = ps[i*n/1000 : (i+1)*n/1000]
		p.Rules = append(p.Rules, r)
	}
	return p, ps
}
