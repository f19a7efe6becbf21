package cli_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// bigPool is a pool of numbers in 359 area codes under the default limits, and calls to callees in the same codes.
func bigPool(tb testing.TB, numbers int) (*cli.Governor, []outdial.Call) {
	tb.Helper()
	cfg, calls := bigConfig(numbers)
	return mustNew(tb, cfg), calls
}

func bigConfig(numbers int) (cli.Config, []outdial.Call) {
	ids := new(outdial.Registry)
	cfg := survey(ids)
	cfg.Secret = []byte("0123456789abcdef")
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range numbers {
		area := 200 + i%359
		cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{
			Number: num(area, i), Pool: "survey", Evidence: "LOA 17/2026",
			Country: "US", Region: fmt.Sprint("R", area%50),
		})
	}
	calls := make([]outdial.Call, 1<<16)
	for i := range calls {
		calls[i] = *callTo(ids, "survey", num(200+rng.IntN(359), 200_000+i))
		calls[i].Dest.Country = [2]byte{'U', 'S'}
	}
	return cfg, calls
}

// BenchmarkReserve is a governor that has been in use for some days, so that each number was presented before: for callees that
// are known and get their number again; for callees that are new, beside a million that are remembered; and for those while no
// more may be remembered, so that each makes another one forgotten. p50-ns and p99-ns are of Reserve alone, ns/op of Reserve and
// Release.
func BenchmarkReserve(b *testing.B) {
	for _, size := range []int{10_000, 100_000, 1_000_000} {
		if testing.Short() && size > 100_000 {
			break // it takes ten seconds to make them
		}
		b.Run(fmt.Sprintf("known/%d", size), func(b *testing.B) { benchmarkReserve(b, size, false, 0) })
		b.Run(fmt.Sprintf("new/%d", size), func(b *testing.B) { benchmarkReserve(b, size, true, 16*cli.DefaultCallees) })
		b.Run(fmt.Sprintf("new_full/%d", size), func(b *testing.B) { benchmarkReserve(b, size, true, cli.DefaultCallees/2) })
	}
}

func benchmarkReserve(b *testing.B, size int, strangers bool, callees int) {
	cfg, calls := bigConfig(size)
	cfg.MaxCallees = callees
	g := mustNew(b, cfg)
	c := &outdial.Candidate{}
	now, refused, i := t0, 0, 0
	// 65,536 callees at 3 a day, all of them twice in 30 hours.
	step := 30 * time.Hour / time.Duration(2*len(calls))
	reserve := func() outdial.Lease {
		now = now.Add(step)
		i++
		call := &calls[i&(len(calls)-1)]
		if strangers {
			call.To = num(200+int(call.To)%359, 1_000_000+i%9_000_000)
		}
		p, _, err := g.Reserve(now, call, c, 0)
		if err != nil {
			refused++
		}
		return p.Lease
	}
	for range 2 * max(size, len(calls), cli.DefaultCallees/2) {
		g.Release(now, reserve())
	}
	took := make([]time.Duration, 0, 1<<17) // one in 8
	refused = 0
	b.ReportAllocs()
	for b.Loop() {
		if i%8 != 0 || len(took) == cap(took) {
			g.Release(now, reserve())
			continue
		}
		begun := time.Now()
		lease := reserve()
		took = append(took, time.Since(begun))
		g.Release(now, lease)
	}
	b.ReportMetric(float64(refused)/float64(b.N), "refused/op")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
}

func BenchmarkReserveParallel(b *testing.B) {
	g, calls := bigPool(b, 100_000)
	var tick atomic.Int64
	step := 30 * time.Hour / time.Duration(2*len(calls))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		c := &outdial.Candidate{}
		for pb.Next() {
			i := tick.Add(1)
			now := t0.Add(time.Duration(i) * step)
			p, _, _ := g.Reserve(now, &calls[i&int64(len(calls)-1)], c, 0)
			g.Release(now, p.Lease)
		}
	})
}

// BenchmarkRefuse asks a pool of which every number is at its cap.
func BenchmarkRefuse(b *testing.B) {
	var ids outdial.Registry
	cfg := survey(&ids)
	for i := range 10_000 {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(200+i%359, i))...)
	}
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{1, time.Hour}}, Spacing: -1}
	g := mustNew(b, cfg)
	c := &outdial.Candidate{}
	call := callTo(&ids, "survey", 0)
	for i := range 10_000 {
		call.To = num(600+i%359, 100_000+i)
		_, _, err := g.Reserve(t0, call, c, 0)
		require.NoError(b, err)
	}
	call.To = callee
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = g.Reserve(t0, call, c, 0)
	}
}

func BenchmarkAdmit(b *testing.B) {
	g, calls := bigPool(b, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, _ = g.Admit(t0, &calls[i&(len(calls)-1)])
	}
}

// BenchmarkScan is what dialers do: walk all numbers of the callee's area code (or all of them where numbers are not
// indexed), keep the one that was used least today, under a lock; no window but the calendar day.
func BenchmarkScan(b *testing.B) {
	type entry struct {
		area  int
		today int
		last  time.Time
	}
	for _, size := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			list := make([]entry, size)
			for i := range list {
				list[i].area = 200 + i%359
			}
			var mu sync.Mutex
			now := t0
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Millisecond)
				area := 200 + i%359
				mu.Lock()
				best := -1
				for k := range list {
					if e := &list[k]; e.area == area && e.today < 100 && (best < 0 || e.today < list[best].today) {
						best = k
					}
				}
				if best >= 0 {
					list[best].today++
					list[best].last = now
				}
				mu.Unlock()
			}
		})
	}
}

// BenchmarkMemory reports the heap that a number takes under the default limits, and a callee who is remembered with its
// number and its calls of a day.
func BenchmarkMemory(b *testing.B) {
	const size = 100_000
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for b.Loop() {
		before := heap()
		g, _ := bigPool(b, size)
		b.ReportMetric((heap()-before)/size, "B/number")
		runtime.KeepAlive(g)

		ids := new(outdial.Registry)
		cfg := survey(ids, num(212, 1))
		cfg.Limits, cfg.Rules = noLimits(), []cli.CountryRule{}
		g = mustNew(b, cfg)
		call := callTo(ids, "survey", 0)
		before = heap()
		for i := range 10 * size {
			call.To = num(200+i%359, 200_000+i)
			p, _, err := g.Reserve(t0, call, &outdial.Candidate{}, 0)
			require.NoError(b, err)
			g.Release(t0, p.Lease)
		}
		b.ReportMetric((heap()-before)/(10*size), "B/callee")
		runtime.KeepAlive(g)
	}
}

// BenchmarkObserve tells of attempts that are over, one in five answered, from 10,000 numbers to 20 networks.
func BenchmarkObserve(b *testing.B) {
	cfg, calls := bigConfig(10_000)
	g := mustNew(b, cfg)
	attempts := make([]outdial.Attempt, len(calls))
	for i := range attempts {
		a := &attempts[i]
		*a = outdial.Attempt{
			ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Call: calls[i], CLI: cfg.Numbers[i*7919%10_000].Number,
			Pool: cfg.IDs.Pools.ID("survey"), Use: 1 << 40, State: outdial.AttemptEnded, Result: busy,
		}
		a.Call.Dest.Network = outdial.NetworkID(1 + i%20)
		if i%5 == 0 {
			a.Result = hungUp
			a.Timeline.Set(outdial.MarkAnswer, time.Second)
			a.Timeline.Set(outdial.MarkEnd, 12*time.Second)
		}
	}
	ev, now, i := outdial.Event{Kind: outdial.EventEnded}, t0, 0
	observe := func() {
		now = now.Add(100 * time.Millisecond)
		ev.Time, ev.Attempt = now, &attempts[i&(len(attempts)-1)]
		i++
		g.Observe(&ev)
	}
	for range 4 * len(attempts) {
		observe()
	}
	b.ReportAllocs()
	for b.Loop() {
		observe()
	}
}
