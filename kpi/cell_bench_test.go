package kpi

import (
	"sync"
	"testing"
	"time"

	"github.com/outdial/outdial"
)

// BenchmarkOneEvent counts one event in one cell: found beforehand (interned), and from the attempt's own ids (keys); beside it a
// count under a lock, and nothing else (bare).
func BenchmarkOneEvent(b *testing.B) {
	m, err := New(Config{Views: []View{ByTrunk | ByGroup}})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	a := &outdial.Attempt{Start: start}
	a.Candidate.Trunk, a.Call.Dest.Group = 3, 7
	a.Timeline.Set(outdial.MarkProvisional, 1800*time.Millisecond)
	a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
	ev := &outdial.Event{Kind: outdial.EventEnded, Time: start, Attempt: a}
	for range 10_000 {
		m.Observe(ev)
	}
	b.Run("interned", func(b *testing.B) {
		var f fact
		f.now = m.tickOf(start)
		m.failed(&f, f.now, a)
		var d ids
		m.idsOf(a, &d)
		var key packed
		d.in(&m.views[0], &key)
		s := m.cells.Load().find(&key)
		b.ReportAllocs()
		for b.Loop() {
			s.add(m, &f)
		}
	})
	b.Run("bare", func(b *testing.B) {
		var cell struct {
			mu sync.Mutex
			n  [64]uint32
		}
		for b.Loop() {
			cell.mu.Lock()
			cell.n[7]++
			cell.mu.Unlock()
		}
	})
	b.Run("keys", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Observe(ev)
		}
	})
}
