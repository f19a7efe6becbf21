package digits_test

import (
	"fmt"
	"testing"

	"github.com/outdial/outdial/internal/digits"
)

var sizes = []int{200_000, 884_000}

func BenchmarkLookup(b *testing.B) {
	for _, size := range sizes {
		all := deck(size, 1)
		queries := numbers(all, 1<<16, 1)
		o := make(oracle, len(all))
		for i, p := range all {
			o[p] = uint32(i)
		}
		table := o.table()
		b.Run(fmt.Sprintf("table/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				sink, _, _ = table.Lookup(queries[i&(1<<16-1)])
				i++
			}
			b.ReportMetric(float64(table.Bytes())/float64(table.Len()), "B/prefix")
		})
		b.Run(fmt.Sprintf("map/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				sink = probe(o, queries[i&(1<<16-1)])
				i++
			}
		})
	}
}

// probe is the peer: one map probe for each length, from the longest possible in the deck.
func probe(m map[uint64]uint32, number uint64) uint32 {
	for n := number; n > 0; n /= 10 {
		if n < 1e9 {
			if v, ok := m[n]; ok {
				return v
			}
		}
	}
	return 0
}

func BenchmarkMatches(b *testing.B) {
	all := deck(200_000, 1)
	queries := numbers(all, 1<<16, 1)
	var builder digits.Builder
	for i, p := range all {
		_ = builder.Add(p, uint32(i))
	}
	table := builder.Build()
	b.ReportAllocs()
	i := 0
	var dst [16]digits.Match
	for b.Loop() {
		sink = uint32(table.Matches(queries[i&(1<<16-1)], &dst))
		i++
	}
}

func BenchmarkBuild(b *testing.B) {
	all := deck(884_000, 1)
	b.ReportAllocs()
	for b.Loop() {
		var builder digits.Builder
		for i, p := range all {
			_ = builder.Add(p, uint32(i))
		}
		sink = uint32(builder.Build().Len())
	}
}

var sink uint32
