package numplan_test

import (
	"testing"
	"time"

	"github.com/outdial/outdial/internal/numplan"
)

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := numplan.New(numplan.Config{}); err != nil {
			b.Fatal(err)
		}
	}
}

// numbers are of the kinds that a dialer meets; a power of two, so that an index is masked.
var numbers = [8]uint64{
	12125550123, 18505550123, 442079460123, 447700900123, 74951234567, 551131234567, 33123456789, 390669812345,
}

func BenchmarkLookup(b *testing.B) {
	p := plan()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		p.Lookup(numbers[i&7])
		i++
	}
}

func BenchmarkValid(b *testing.B) {
	p := plan()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := p.Valid(numbers[i&7]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkAllWithin(b *testing.B) {
	p := plan()
	at := time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)
	for name, number := range map[string]uint64{"1-zone": 12125550123, "2-zones": 18505550123, "11-zones": 79161234567} {
		e, _ := p.Lookup(number)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.AllWithin(at, e.Zones, 0, 24*time.Hour)
			}
		})
	}
}
