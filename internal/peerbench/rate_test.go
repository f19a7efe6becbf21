package peerbench

import (
	"testing"
	"time"

	"go.uber.org/ratelimit"
	"golang.org/x/time/rate"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// stepper is a clock that goes on by a millisecond with each reading, and never sleeps.
type stepper struct{ now time.Time }

func (s *stepper) Now() time.Time {
	s.now = s.now.Add(time.Millisecond)
	return s.now
}

func (s *stepper) Sleep(time.Duration) {}

// BenchmarkRate asks for calls at 1,000 a second: each a millisecond after the other, so that all are admitted; all at
// one instant, when the second is used up, so that all are refused; and from all cores by the machine's clock.
func BenchmarkRate(b *testing.B) {
	const cps = 1000
	seize := func(set *trunk.Set, c *outdial.Candidate, now time.Time) { _, _ = set.Seize(now, nil, c, 0) }
	b.Run("admit", func(b *testing.B) {
		set, c := oneTrunk(b, trunk.Limits{Channels: channels, CPS: cps})
		bucket := rate.NewLimiter(cps, 1)
		ourClock, bucketClock := &stepper{monday}, &stepper{monday}
		leaky := ratelimit.New(cps, ratelimit.WithClock(&stepper{monday}), ratelimit.WithoutSlack)
		beside(b,
			serial(ours, func() { seize(set, c, ourClock.Now()) }),
			serial("time_rate", func() { bucket.AllowN(bucketClock.Now(), 1) }),
			serial("uber", func() { leaky.Take() }),
		)
	})
	b.Run("refuse", func(b *testing.B) {
		set, c := oneTrunk(b, trunk.Limits{Channels: channels, CPS: cps})
		bucket := rate.NewLimiter(cps, cps)
		for range cps {
			seize(set, c, monday)
			bucket.AllowN(monday, 1)
		}
		beside(b,
			serial(ours, func() { seize(set, c, monday) }),
			serial("time_rate", func() { bucket.AllowN(monday, 1) }),
		)
	})
	b.Run("clock", func(b *testing.B) {
		set, c := oneTrunk(b, trunk.Limits{Channels: channels, CPS: cps})
		bucket := rate.NewLimiter(cps, 1)
		beside(b,
			serial(ours, func() { seize(set, c, time.Now()) }),
			serial("time_rate", func() { bucket.Allow() }),
		)
	})
	b.Run("clock_parallel", func(b *testing.B) {
		set, c := oneTrunk(b, trunk.Limits{Channels: channels, CPS: cps})
		bucket := rate.NewLimiter(cps, 1)
		beside(b,
			parallel(ours, func() { seize(set, c, time.Now()) }),
			parallel("time_rate", func() { bucket.Allow() }),
		)
	})
}
