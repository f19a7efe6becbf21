package kpi_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi"
)

// perCell is what a cell takes on the heap that holds n attempts of an hour, all answered after ringing, with PDD, ring time
// and duration of each; all of the meter's further memory is counted in.
func perCell(t testing.TB, cells, attempts int) float64 {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	m, err := kpi.New(kpi.Config{
		Views: []kpi.View{kpi.ByTrunk | kpi.ByGroup}, MaxCells: cells, RecentCalls: 1024, RecentAnswers: -1,
	})
	require.NoError(t, err)
	call := 0
	for i := range attempts { // all cells in turn, as traffic has it
		at := t0.Add(time.Duration(i) * 50 * time.Minute / time.Duration(attempts))
		for cell := range cells {
			call++
			l := newLeg(call, 1, at, outdial.TrunkID(cell/1000+1))
			l.a.Call.Dest.Group = outdial.GroupID(cell%1000 + 1)
			pdd := time.Duration(500+(call*7919)%6000) * time.Millisecond
			talk := time.Duration(2+(call*104729)%300) * time.Second
			observe(m, l.started(), l.progressed(180, false, pdd), l.answered(10*time.Second),
				l.ended(outdial.Result{Origin: outdial.OriginCalleeHangup}, 10*time.Second+talk))
		}
	}
	used := heap() - before
	require.Equal(t, cells, m.Stats().Cells)
	c, ok := m.Cell(t0.Add(59*time.Minute), kpi.Key{View: kpi.ByTrunk | kpi.ByGroup, Trunk: 1, Group: 1})
	require.True(t, ok)
	require.EqualValues(t, attempts, c.PDD.Count())
	runtime.KeepAlive(m)
	return float64(used) / float64(cells)
}

// A live cell with an hour's window and 50 samples of each duration takes at most 768 bytes, its place in the index and what
// the allocator rounds up included: a million of them less than 1 GiB.
func TestMemoryOfACell(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector has its own memory")
	}
	got := perCell(t, 8192, 50)
	t.Logf("%.0f bytes a cell", got)
	require.LessOrEqual(t, got, 768.0)
	require.Less(t, got*1e6, float64(1<<30))
}

// BenchmarkMemory reports the bytes of a live cell.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(perCell(b, 8192, 50), "B/cell")
	}
}
