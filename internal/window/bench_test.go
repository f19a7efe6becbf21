package window_test

import (
	"testing"
	"time"

	"github.com/outdial/outdial/internal/window"
)

// BenchmarkGate: the caps of one caller ID, 100 a day, 20 an hour and one in 3 s.
func BenchmarkGate(b *testing.B) {
	c := caps(b, limit(100, 24*time.Hour), limit(20, time.Hour), limit(1, 3*time.Second))
	g := window.NewGate(c, 0)
	now := window.Instant(0)
	b.Run("Peek", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			g.Peek(now)
		}
	})
	b.Run("Allow", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			now += 900 * second
			g.Allow(now)
		}
	})
	b.Run("AllowUndo", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			now += 900 * second
			if at, ok := g.Allow(now); ok {
				g.Undo(at)
			}
		}
	})
}

func BenchmarkRing(b *testing.B) {
	r, err := window.NewRing[counts](12, time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	now := window.Instant(0)
	b.Run("At", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			now += second
			r.At(now).calls++
		}
	})
	b.Run("Live", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sum := 0
			for c := range r.Live(now, 12) {
				sum += c.calls
			}
		}
	})
}
