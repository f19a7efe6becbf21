package routing_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// changing is a router, two tables that send calls to trunks 1 and 2, and a caller that routes one call after another until stopped, and
// says by which table the latest was.
func changing(tb testing.TB) (r *routing.Router, tables [2]*routing.Table, latest *atomic.Uint32, stop func()) {
	ids := new(outdial.Registry)
	for i, order := range [2][]string{{"a", "b"}, {"b", "a"}} {
		tables[i] = compile(tb, routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", order...)}},
			routing.CompileConfig{IDs: ids}).Table
	}
	r, latest = routing.NewRouter(tables[0]), new(atomic.Uint32)
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		dst := make([]outdial.Candidate, 0, 2)
		for !done.Load() {
			dst, _ = r.Route(monday, &outdial.Call{To: 12125550123}, dst[:0])
			latest.Store(uint32(dst[0].Trunk))
		}
	})
	return r, tables, latest, func() {
		done.Store(true)
		wg.Wait()
	}
}

// TestChangeTakesEffect: the first decision that begins after Swap is by the new table (ledger row 112).
func TestChangeTakesEffect(t *testing.T) {
	r, tables, _, stop := changing(t)
	defer stop()
	for i := range 2000 {
		r.Swap(tables[i%2])
		cs, err := r.Route(monday, &outdial.Call{To: 12125550123}, nil)
		require.NoError(t, err)
		require.EqualValues(t, i%2+1, cs[0].Trunk)
	}
}

// BenchmarkChangeTakesEffect measures the time from Swap to the end of the first call by the new table of a caller that is busy.
func BenchmarkChangeTakesEffect(b *testing.B) {
	r, tables, latest, stop := changing(b)
	defer stop()
	var all []time.Duration
	i := 0
	for b.Loop() {
		i++
		start := time.Now()
		r.Swap(tables[i%2])
		for latest.Load() != uint32(i%2+1) {
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2]), "p50-ns")
	b.ReportMetric(float64(all[len(all)*99/100]), "p99-ns")
}
