package trunk_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/outdial/outdial/trunk"
)

func BenchmarkAcquireRelease(b *testing.B) {
	f := newFixture(b, trunk.Limits{Channels: 100, CPS: -1})
	now := start
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l, _, _ := f.set.Acquire(now, nil, f.c)
			f.set.Release(now, l)
		}
	})
	b.Run("bare", func(b *testing.B) { // what two locked changes of a counter cost by themselves
		var mu sync.Mutex
		n := 0
		for b.Loop() {
			mu.Lock()
			n++
			mu.Unlock()
			mu.Lock()
			n--
			mu.Unlock()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				l, _, _ := f.set.Acquire(now, nil, f.c)
				f.set.Release(now, l)
			}
		})
	})
}

func BenchmarkAcquireSeizeRelease(b *testing.B) {
	f := newFixture(b, trunk.Limits{Channels: 100, CPS: 1000})
	var clock atomic.Int64
	round := func() {
		now := start.Add(time.Duration(clock.Add(int64(time.Millisecond))))
		l, _, _ := f.set.Acquire(now, nil, f.c)
		_, _ = f.set.Seize(now, nil, f.c, l)
		f.set.Release(now, l)
	}
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			round()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				round()
			}
		})
	})
}

// BenchmarkSeize stands beside a token bucket, which admits more than its rate in a second (rate plus burst).
func BenchmarkSeize(b *testing.B) {
	f := newFixture(b, trunk.Limits{Channels: 100, CPS: 1000})
	now := start
	b.Run("window", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(time.Millisecond)
			_, _ = f.set.Seize(now, nil, f.c, 0)
		}
	})
	b.Run("bucket", func(b *testing.B) {
		b.ReportAllocs()
		bucket := rate.NewLimiter(1000, 1)
		for b.Loop() {
			now = now.Add(time.Millisecond)
			bucket.AllowN(now, 1)
		}
	})
}
