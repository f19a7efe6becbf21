package peerbench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

const areas = 359

func usNumber(area, rest int) outdial.Number {
	return outdial.Number(10_000_000_000 + area*10_000_000 + rest)
}

func areaOf(n outdial.Number) int { return int(n / 10_000_000 % 1000) }

// governor has a pool of numbers in 359 area codes under the default limits; the calls go to callees there.
func governor(t testing.TB, numbers int) (*cli.Governor, []outdial.Call) {
	ids := new(outdial.Registry)
	cfg := cli.Config{IDs: ids, Pools: []cli.PoolConfig{{Name: "survey", Program: "survey"}}}
	for i := range numbers {
		area := 200 + i%areas
		cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{
			Number: usNumber(area, i), Pool: "survey", Evidence: "LOA 17/2026", Country: "US",
			Region: fmt.Sprintf("R%d", area%50),
		})
	}
	g, err := cli.New(cfg)
	require.NoError(t, err)
	return g, wishes(ids)
}

// wishes are calls to 65,536 callees, who may be called three times a day.
func wishes(ids *outdial.Registry) []outdial.Call {
	r := rand.New(rand.NewPCG(1, 2))
	calls := make([]outdial.Call, 1<<16)
	for i := range calls {
		calls[i] = outdial.Call{To: usNumber(200+r.IntN(areas), 200_000+i), Program: ids.Programs.ID("survey")}
		calls[i].Dest.Country = [2]byte{'U', 'S'}
	}
	return calls
}

// owned is a caller ID as dialers keep it: how often it was used today, and no other window.
type owned struct {
	number outdial.Number
	area   int
	today  int
}

const daily = 100 // uses that the scans allow

// leastUsed counts one use of the number of an area code that was used least today; 0 = none.
func leastUsed(list []owned, area int) outdial.Number {
	var best *owned
	for i := range list {
		if o := &list[i]; o.area == area && o.today < daily && (best == nil || o.today < best.today) {
			best = o
		}
	}
	if best == nil {
		return 0
	}
	best.today++
	return best.number
}

func forget(list []owned) {
	for i := range list {
		list[i].today = 0
	}
}

// calendar says when a day is over.
type calendar struct{ day time.Time }

func (c *calendar) next(now time.Time) bool {
	today := now.Truncate(24 * time.Hour)
	if c.day.Equal(today) {
		return false
	}
	c.day = today
	return true
}

// flat is a list of all caller IDs that is walked for each call.
type flat struct {
	mu   sync.Mutex
	list []owned
	calendar
}

func newFlat(numbers int) *flat {
	f := &flat{}
	for i := range numbers {
		area := 200 + i%areas
		f.list = append(f.list, owned{number: usNumber(area, i), area: area})
	}
	return f
}

func (f *flat) reserve(now time.Time, to outdial.Number) outdial.Number {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next(now) {
		forget(f.list)
	}
	return leastUsed(f.list, areaOf(to))
}

// indexed has a list for each area code, and walks one of them.
type indexed struct {
	mu    sync.Mutex
	lists map[int][]owned
	calendar
}

func newIndexed(numbers int) *indexed {
	x := &indexed{lists: map[int][]owned{}}
	for i := range numbers {
		area := 200 + i%areas
		x.lists[area] = append(x.lists[area], owned{number: usNumber(area, i), area: area})
	}
	return x
}

func (x *indexed) reserve(now time.Time, to outdial.Number) outdial.Number {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.next(now) {
		for _, list := range x.lists {
			forget(list)
		}
	}
	area := areaOf(to)
	return leastUsed(x.lists[area], area)
}

func TestReservesAgree(t *testing.T) {
	const numbers = 3590
	g, calls := governor(t, numbers)
	f, x := newFlat(numbers), newIndexed(numbers)
	now := monday
	for i := range 2000 {
		call := &calls[i]
		now = now.Add(time.Second)
		p, _, err := g.Reserve(now, call, &outdial.Candidate{}, 0)
		require.NoError(t, err)
		require.Equal(t, areaOf(call.To), areaOf(p.Number), "ours is of the callee's area code")
		a, b := f.reserve(now, call.To), x.reserve(now, call.To)
		require.Equal(t, a, b, "the scans differ by the index only")
		require.Equal(t, areaOf(call.To), areaOf(a))
	}
}

// BenchmarkReserve finds and counts a caller ID for a call. Ours counts it in exact sliding windows, keeps it with the
// callee, counts the callee's attempts, and gives a lease that is released here too; it has been in use for some days. p50-ns and
// p99-ns are of single calls.
func BenchmarkReserve(b *testing.B) {
	for _, numbers := range []int{10_000, 100_000, 1_000_000} {
		if testing.Short() && numbers > 100_000 {
			break // it takes ten seconds to make them
		}
		b.Run(fmt.Sprint(numbers), func(b *testing.B) { reserves(b, numbers, false) })
		b.Run(fmt.Sprintf("%d_new", numbers), func(b *testing.B) { reserves(b, numbers, true) })
	}
}

// reserves lets each callee be called over and over, or, with strangers, nobody twice: then ours remembers one more with each call.
func reserves(b *testing.B, numbers int, strangers bool) {
	g, calls := governor(b, numbers)
	f, x := newFlat(numbers), newIndexed(numbers)
	// All callees twice in 30 hours, so that few are at their daily limit.
	step := 30 * time.Hour / time.Duration(2*len(calls))
	c := &outdial.Candidate{}
	take := func(now time.Time, call *outdial.Call) bool {
		p, _, err := g.Reserve(now, call, c, 0)
		g.Release(now, p.Lease)
		return err == nil
	}
	begin := monday
	for i := range 2 * max(numbers, len(calls)) {
		begin = begin.Add(step)
		take(begin, &calls[i&(len(calls)-1)])
	}
	g.Advance(begin) // as its host does each second: no number whose rest is over is left for the calls that are measured
	reserve := func(name string, op func(now time.Time, call *outdial.Call) bool) side {
		now, i := begin, 0
		took := make([]time.Duration, 0, 1<<16)
		return side{name, func(b *testing.B) {
			refused := 0
			for b.Loop() {
				now = now.Add(step)
				i++
				call := &calls[i&(len(calls)-1)]
				if strangers {
					call.To = usNumber(areaOf(call.To), 1_000_000+i%9_000_000)
				}
				timed, begun := i%8 == 0 && len(took) < cap(took), time.Time{}
				if timed {
					begun = time.Now()
				}
				if !op(now, call) {
					refused++
				}
				if timed {
					took = append(took, time.Since(begun))
				}
			}
			b.ReportMetric(100*float64(refused)/float64(b.N), "refused-%")
			if slices.Sort(took); len(took) > 0 {
				b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
				b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
			}
		}}
	}
	beside(b,
		reserve(ours, take),
		reserve("scan", func(now time.Time, call *outdial.Call) bool { return f.reserve(now, call.To) != 0 }),
		reserve("map_and_scan", func(now time.Time, call *outdial.Call) bool { return x.reserve(now, call.To) != 0 }),
	)
}
