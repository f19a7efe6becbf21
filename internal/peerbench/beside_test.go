package peerbench

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// order shuffles the sides of each comparison, so that none is always the first after a setup. 0 = as written.
var order = flag.Uint64("order", 0, "seed of the order in which the sides of a comparison run")

// ours is the name of the side that the others are compared with.
const ours = "outdial"

// monday is when model time begins.
var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// side is one of the things that stand beside each other.
type side struct {
	name string
	run  func(b *testing.B)
}

// beside runs the sides of one comparison, one right after the other.
func beside(b *testing.B, sides ...side) {
	b.Helper()
	sides = slices.Clone(sides)
	if *order != 0 {
		r := rand.New(rand.NewPCG(*order, 0))
		r.Shuffle(len(sides), func(i, j int) { sides[i], sides[j] = sides[j], sides[i] })
	}
	for _, s := range sides {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			s.run(b)
		})
	}
}

// serial is a side that calls op from one goroutine.
func serial(name string, op func()) side {
	return side{name, func(b *testing.B) {
		for b.Loop() {
			op()
		}
	}}
}

// parallel is a side that calls op from as many goroutines as there are cores.
func parallel(name string, op func()) side {
	return side{name, func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				op()
			}
		})
	}}
}

// held returns what build makes, and the heap that it keeps, in bytes.
func held[T any](build func() T) (made T, bytes float64) {
	before := heap()
	made = build()
	bytes = heap() - before
	runtime.KeepAlive(made)
	return made, bytes
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func TestHeld(t *testing.T) {
	made, bytes := held(func() []byte { return make([]byte, 8<<20) })
	require.Len(t, made, 8<<20)
	require.InDelta(t, 8<<20, bytes, 1<<20)
}
