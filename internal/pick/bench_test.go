package pick_test

import (
	"fmt"
	"testing"

	"github.com/outdial/outdial/internal/pick"
)

var weights = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 55}

func BenchmarkRota(b *testing.B) {
	for _, n := range []int{2, 10} {
		all := uint64(1)<<n - 1
		b.Run(fmt.Sprintf("same/%d", n), func(b *testing.B) {
			r := rota(b, weights[:n]...)
			b.ReportAllocs()
			for b.Loop() {
				r.Pick(all)
			}
		})
	}
	b.Run("changing/10", func(b *testing.B) {
		r := rota(b, weights...)
		b.ReportAllocs()
		all := uint64(1<<10 - 1)
		for b.Loop() {
			all ^= 1
			r.Pick(all)
		}
	})
	b.Run("return/10", func(b *testing.B) {
		r := rota(b, weights...)
		b.ReportAllocs()
		for b.Loop() {
			_ = r.Return(r.Pick(1<<10-1), 1<<10-1)
		}
	})
}

func BenchmarkOrder(b *testing.B) {
	r, order := seeded(1), make([]int, 8)
	b.ReportAllocs()
	for b.Loop() {
		pick.Order(r, weights[:8], order)
	}
}

func BenchmarkDraw(b *testing.B) {
	r := seeded(1)
	b.ReportAllocs()
	for b.Loop() {
		pick.Draw(r, weights[:8])
	}
}
