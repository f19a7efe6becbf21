package failover_test

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/race"
)

// TestBoundOverManyWeights: at any moment each share is within 1 − 1/(2n−2) calls of its weight, so that any window is within
// 2, before the turns repeat and after. It takes 2,000 sets of weights, and 10⁵ with OUTDIAL_MONTECARLO=1, by seeded chance.
func TestBoundOverManyWeights(t *testing.T) {
	const seed = 11
	sets := 2000
	switch {
	case os.Getenv("OUTDIAL_MONTECARLO") == "1":
		sets = 100_000
	case race.Enabled:
		sets = 200
	}
	t.Logf("%d sets of weights, seed %d", sets, seed)
	generate := rapid.Custom(func(t *rapid.T) []uint32 {
		greatest := rapid.SampledFrom([]uint32{3, 20, 100, 1000, math.MaxUint32}).Draw(t, "greatest")
		return rapid.SliceOfN(rapid.Uint32Range(1, greatest), 2, 12).Draw(t, "weights")
	})
	for set := range sets {
		weights := generate.Example(seed + set)
		b := newBench(t, failover.Config{})
		sum := 0.0
		for i, w := range weights {
			sum += float64(w)
			b.plan = append(b.plan, outdial.Candidate{Trunk: outdial.TrunkID(i + 1), Weight: w})
		}
		n := float64(len(weights))
		bound := 1 - 1/(2*n-2) + 1e-9
		counts := make([]float64, len(weights))
		low, high := make([]float64, len(weights)), make([]float64, len(weights))
		for k := range 300 {
			i, _ := b.s.Pick(start, &b.call, b.plan, b.all())
			counts[i]++
			for j, w := range weights {
				off := counts[j] - float64(k+1)*float64(w)/sum
				low[j], high[j] = min(low[j], off), max(high[j], off)
				if math.Abs(off) > bound || high[j]-low[j] > 2 {
					t.Fatalf("%v, pick %d: target %d is %v calls off, a window %v", weights, k, j, off, high[j]-low[j])
				}
			}
		}
	}
}

// TestBoundWhileHunting: first attempts keep to their shares exactly although one call in ten hunts on among the others, and what all
// attempts together are off stays small, for as long as that goes on.
func TestBoundWhileHunting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 10).Draw(t, "targets")
		b := newBench(t, failover.Config{})
		for i := range n {
			b.plan = append(b.plan, on(i+1, 0, rapid.IntRange(1, 30).Draw(t, "weight")))
		}
		every := rapid.IntRange(2, 20).Draw(t, "every")
		first, all := make([]float64, n), make([]float64, n)
		owe := func(owed []float64, among uint64, picked int) {
			sum := 0.0
			for k := range b.plan {
				sum += float64(among>>k&1) * float64(b.plan[k].Weight)
			}
			for k := range b.plan {
				owed[k] += float64(among>>k&1) * float64(b.plan[k].Weight) / sum
			}
			owed[picked]--
		}
		for k := range 3000 {
			i, _ := b.s.Pick(start, &b.call, b.plan, b.all())
			owe(first, b.all(), i)
			owe(all, b.all(), i)
			if k%every == 0 {
				others := b.all() &^ (1 << i)
				j, _ := b.s.Pick(start, &b.call, b.plan, others)
				owe(all, others, j)
			}
			for m := range first {
				if math.Abs(first[m]) > 1-1/(2*float64(n)-2)+1e-9 || math.Abs(all[m]) > float64(n)/2+1 {
					t.Fatalf("call %d, target %d: %v, %v", k, m, first[m], all[m])
				}
			}
		}
	})
}

// TestBoundAcrossChanges: a target that is refused again and again, returned turns, and one that goes out and comes back leave
// the shares of those that took part where they belong, whether turns are taken from a cycle or one by one.
func TestBoundAcrossChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "targets")
		b := newBench(t, failover.Config{})
		for i := range n {
			b.plan = append(b.plan, on(i+1, 0, rapid.IntRange(1, 12).Draw(t, "weight")))
		}
		owed := make([]float64, n)
		eligible := b.all()
		pick := func() (int, outdial.Choice) {
			i, choice := b.s.Pick(start, &b.call, b.plan, eligible)
			among := choice.Among
			if among == 0 {
				return i, choice
			}
			require.Equal(t, eligible, among)
			sum := 0.0
			for k := range b.plan {
				if among>>k&1 == 1 {
					sum += float64(b.plan[k].Weight)
				}
			}
			for k := range b.plan {
				if among>>k&1 == 1 {
					owed[k] += float64(b.plan[k].Weight) / sum
				}
			}
			owed[i]--
			return i, choice
		}
		changes := -1
		for range rapid.IntRange(1, 6).Draw(t, "phases") {
			eligible = rapid.Uint64Range(1, b.all()).Draw(t, "eligible")
			changes++
			for range rapid.IntRange(0, 300).Draw(t, "picks") {
				i, choice := pick()
				if rapid.IntRange(0, 200).Draw(t, "returned") == 0 && choice.Among != 0 {
					before := append([]float64(nil), owed...)
					k, again := pick()
					b.s.Return(start, &b.call, b.plan, eligible, k, again)
					copy(owed, before)
				}
				_ = i
				for k := range owed {
					if most := min(float64(n)/2, 1-1/(2*float64(n)-2)+float64(changes)); math.Abs(owed[k]) > most+1e-9 {
						t.Fatalf("target %d: %v, at most %v", k, owed[k], most)
					}
				}
			}
		}
	})
}

// TestPickAllocs: a choice costs no allocation, whatever its way: turns, a fixed order, a standby, a flip, a ramp, a plan
// that is not kept.
func TestPickAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	ids := named("a", "b", "c")
	plans := map[string][]outdial.Candidate{
		"turns": {on(1, 0, 50), on(2, 0, 30), on(3, 0, 20)}, "order": {on(1, 0, 0), on(2, 0, 0), on(3, 1, 0)},
		"standby": {on(1, 0, 50), on(2, 0, 30), on(3, 1, 20)},
	}
	for name, plan := range plans {
		for _, state := range []string{"well", "one out", "ramping", "suspect", "flip", "group"} {
			b := newBench(t, failover.Config{IDs: ids, Dwell: -1}, plan...)
			now := start
			switch state {
			case "one out":
				b.kill(start, 1)
			case "ramping":
				b.kill(start, 1)
				b.revive(at(5e9), 1)
				now = at(6e9)
			case "suspect":
				for range 2 {
					b.end(start, 1, 0, ended(outdial.OriginNoTrying))
				}
			case "flip":
				b.control(start, flip(0.3, "b").Control(failover.ActionFlip, "", "", at(1e12)))
			case "group":
				b.call.Dest.Group = 7
			}
			for range 200 {
				b.pick(now, b.all())
			}
			require.Zero(t, testing.AllocsPerRun(500, func() {
				i, choice := b.s.Pick(now, &b.call, b.plan, b.all())
				if choice.Among != 0 && i == 1 {
					b.s.Return(now, &b.call, b.plan, b.all(), i, choice)
				}
				b.s.Health(now, 1, 7)
			}), "%s, %s", name, state)
		}
	}
	b := newBench(t, failover.Config{}, on(1, 0, 0), on(2, 0, 0), on(3, 0, 0))
	n := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() { // a router that draws its order
		n++
		x, y := n%3, n/3%3
		b.plan[x], b.plan[y] = b.plan[y], b.plan[x]
		b.s.Pick(start, &b.call, b.plan, 7)
	}))
}
