//go:build unix

package routing_test

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
	"github.com/outdial/outdial/routing"
)

// bigDeck is a file of n rows in the order of their prefixes, as carriers send them.
func bigDeck(n int) ([]byte, []outdial.Prefix) {
	ps := prefixes(n, 31)
	slices.SortFunc(ps, func(a, b outdial.Prefix) int {
		if digits.Key(uint64(a)) < digits.Key(uint64(b)) {
			return -1
		}
		return 1
	})
	var file bytes.Buffer
	file.WriteString("prefix,rate,increment,setup,effective,end\n")
	for i, p := range ps {
		fmt.Fprintf(&file, "%d,0.%06d,6/6,,2026-03-01,\n", uint64(p), i%9000)
	}
	return file.Bytes(), ps
}

// BenchmarkDeckToLive reads a file of a million rows, compiles it and puts it in force while a reader routes. It reports the
// greatest heap meanwhile as a multiple of what is live before (the deck in force and its table), and the reader's
// latencies with and without.
func BenchmarkDeckToLive(b *testing.B) {
	const rows = 1_000_000
	file, ps := bigDeck(rows)
	ids := new(outdial.Registry)
	load := func() (routing.Policy, *routing.Table) {
		d, err := routing.ReadDeck("big", bytes.NewReader(file))
		require.NoError(b, err)
		p := routing.Policy{
			Trunks: []routing.Trunk{{Name: "a", Deck: "big"}}, Decks: []routing.Deck{d}, Rules: []routing.Rule{via("all", "a")},
		}
		t, err := routing.Compile(p, routing.CompileConfig{IDs: ids})
		require.NoError(b, err)
		return p, t
	}
	policy, table := load()
	r := routing.NewRouter(table)
	runtime.GC()
	live := heap()
	tos := numbers(ps, 1<<16, 3)
	idle := reader(r, tos, nil)
	stop, done, peak := make(chan bool), make(chan []time.Duration), uint64(0)
	go func() { done <- reader(r, tos, stop) }()
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	}()
	b.ResetTimer()
	spent := processor()
	loads := 0
	for b.Loop() {
		loads++
		policy, table = load()
		r.Swap(table)
		for range 8 {
			r.Rollback() // so that old tables are not kept
			r.Swap(table)
		}
	}
	b.StopTimer()
	b.ReportMetric((processor()-spent).Seconds()/float64(loads), "cpu-s/op") // the reader's too
	close(stop)
	busy := <-done
	runtime.KeepAlive(policy)
	b.ReportMetric(float64(peak)/float64(live), "peak/live")
	b.ReportMetric(float64(live)/rows, "live-B/row")
	for _, l := range []struct {
		name string
		all  []time.Duration
	}{{"idle", idle}, {"busy", busy}} {
		slices.Sort(l.all)
		b.ReportMetric(float64(l.all[len(l.all)/2]), l.name+"-p50-ns")
		b.ReportMetric(float64(l.all[len(l.all)*999/1000]), l.name+"-p99.9-ns")
	}
}

// processor is the time that the process has had of the processors: on a busy machine it tells more than the clock.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// reader routes until stop is closed, or a hundred thousand calls.
func reader(r *routing.Router, tos []outdial.Number, stop chan bool) (all []time.Duration) {
	dst := make([]outdial.Candidate, 0, 8)
	for i := 0; len(all) < 1_000_000; i++ {
		select {
		case <-stop:
			return all
		default:
			if stop == nil && i == 100_000 {
				return all
			}
		}
		call := outdial.Call{To: tos[i&(1<<16-1)]}
		start := time.Now()
		dst, _ = r.Route(monday, &call, dst[:0])
		all = append(all, time.Since(start))
		if i%64 == 0 {
			runtime.Gosched()
		}
	}
	<-stop
	return all
}
