package failover_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/race"
)

// trial drives one target with calls that fail at a rate, by seeded chance.
type trial struct {
	*bench
	random     *rand.Rand
	now        time.Time
	good, bad  *outdial.Attempt
	rang, fell outdial.Event
}

func newTrial(t testing.TB, cfg failover.Config, seed uint64) *trial {
	x := &trial{bench: newBench(t, cfg, on(1, 0, 0)), random: rand.New(rand.NewPCG(seed, 5)), now: start}
	x.good, x.bad = x.attempt(start, 1, 0), x.attempt(start, 1, 0)
	x.good.Timeline.Set(outdial.MarkProvisional, time.Second)
	x.bad.State, x.bad.Result = outdial.AttemptEnded, final(500)
	x.rang = outdial.Event{Kind: outdial.EventProgressed, Attempt: x.good, Marks: outdial.MarkProvisional.Of()}
	x.fell = outdial.Event{Kind: outdial.EventEnded, Attempt: x.bad}
	return x
}

// step is one call that fails at a rate; it reports whether that ejected the target, which is back at once.
func (x *trial) step(rate float64) (out bool) {
	x.now = x.now.Add(100 * time.Millisecond)
	ev, a := &x.rang, x.good
	if x.random.Float64() < rate {
		ev, a = &x.fell, x.bad
	}
	ev.Time, a.Start = x.now, x.now
	x.s.Observe(ev)
	if ev == &x.fell && x.s.Health(x.now, 1, 0) == 0 {
		x.rest()
		return true
	}
	return false
}

// rest lets the target come back and forget.
func (x *trial) rest() {
	x.now = x.now.Add(time.Hour)
	for range 3 {
		x.rang.Time, x.good.Start = x.now, x.now
		x.s.Observe(&x.rang)
	}
	x.now = x.now.Add(time.Minute)
	x.s.Advance(x.now)
}

// TestFalseAlarms: false ejections are at most 2 in 10⁶ calls at the baseline, whether it is configured or learned;
// total death is found after 6 and 9 calls in the mean, a target that fails half of its calls after 30 and 70. With
// OUTDIAL_MONTECARLO=1 it is 10⁸ calls in place of 10⁶.
func TestFalseAlarms(t *testing.T) {
	const seed = 7
	calls := 1_000_000
	switch {
	case os.Getenv("OUTDIAL_MONTECARLO") == "1":
		calls = 100_000_000
	case race.Enabled:
		calls = 100_000
	}
	for _, c := range []struct {
		baseline    float64
		death, half float64
	}{{0.10, 6, 30}, {0.20, 9, 70}} {
		for name, cfg := range map[string]failover.Config{
			"configured": {Baseline: c.baseline, BaselineCalls: -1}, "learned": {},
		} {
			t.Run(fmt.Sprintf("%s/%v", name, c.baseline), func(t *testing.T) {
				t.Parallel()
				x := newTrial(t, cfg, seed)
				for range 20_000 {
					x.step(c.baseline) // learns, or not
				}
				ejections := 0
				for range calls {
					if x.step(c.baseline) {
						ejections++
					}
				}
				require.LessOrEqual(t, float64(ejections), 2*max(float64(calls)/1e6, 1), "in %d calls, seed %d", calls, seed)
				detect := func(rate float64) float64 {
					const trials = 400
					n := 0
					for range trials {
						for range 50 {
							x.step(c.baseline)
						}
						for n++; !x.step(rate); n++ {
						}
					}
					return float64(n) / trials
				}
				death, half := detect(1), detect(0.5)
				t.Logf("%d false ejections in %d calls; total death after %.2f calls, half after %.1f (seed %d)", ejections, calls, death, half, seed)
				require.LessOrEqual(t, death, c.death)
				require.LessOrEqual(t, half, c.half)
			})
		}
	}
}

// TestBaselineIsLearned: a target's baseline becomes its own, and an outage is no part of it.
func TestBaselineIsLearned(t *testing.T) {
	for _, rate := range []float64{0.01, 0.05, 0.15, 0.25} {
		x := newTrial(t, failover.Config{}, 3)
		for range 20_000 {
			x.step(rate)
		}
		require.InDelta(t, rate, x.target(x.now, 1, 0).Baseline, 0.02)
		require.InDelta(t, failover.DefaultBaselineCalls, x.target(x.now, 1, 0).BaselineCalls, 1)
		before := x.target(x.now, 1, 0).Baseline
		for range 200 {
			x.step(1)
		}
		require.InDelta(t, before, x.target(x.now, 1, 0).Baseline, 0.005, "200 calls into an outage")
	}
	x := newTrial(t, failover.Config{BaselineCalls: -1}, 3)
	for range 5000 {
		x.step(0.02)
	}
	require.InDelta(t, 0.10, x.target(x.now, 1, 0).Baseline, 0)

	// A trunk's own, and a group's begins with its trunk's.
	ids := named("a")
	b := newBench(t, failover.Config{IDs: ids, Trunks: []failover.Trunk{{Name: "a", Baseline: 0.3}}}, on(1, 0, 0))
	require.InDelta(t, 0.3, b.target(start, 1, 0).Baseline, 1e-9)
	b.call.Dest.Group = 5
	b.ring(start, 1, 0)
	require.InDelta(t, 0.3, b.target(start, 1, 5).Baseline, 0.002)
}

// TestPartialOutageLeavesTheTrunkUp: failures of one destination group alone never eject the trunk, silence does, and so do
// failures of several groups.
func TestPartialOutageLeavesTheTrunkUp(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	b.call.Dest.Group = 7
	for range 50 {
		b.end(start, 1, 0, final(500))
	}
	require.Equal(t, failover.Out, b.target(start, 1, 7).State)
	require.Less(t, b.target(start, 1, 0).State, failover.Out)

	b = newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	for i := range 6 {
		b.call.Dest.Group = outdial.GroupID(7 + i)
		b.end(start, 1, 0, final(500))
	}
	require.Equal(t, failover.Out, b.target(start, 1, 0).State)

	b = newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	b.call.Dest.Group = 7
	for range 3 {
		b.end(start, 1, 0, ended(outdial.OriginNoTrying))
	}
	require.Equal(t, failover.Out, b.target(start, 1, 0).State)
}
