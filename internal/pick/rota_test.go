package pick_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/pick"
	"github.com/outdial/outdial/internal/race"
)

func rota(t require.TestingT, weights ...uint32) *pick.Rota {
	r, err := pick.NewRota(weights)
	require.NoError(t, err)
	return r
}

func TestRota(t *testing.T) {
	r := rota(t, 3, 1)
	var got []int
	for range 8 {
		got = append(got, r.Pick(0b11))
	}
	require.Equal(t, []int{0, 0, 1, 0, 0, 0, 1, 0}, got)
	require.Zero(t, r.Credit(0))
}

func TestRotaNobody(t *testing.T) {
	r := rota(t, 3, 0, 1)
	require.Equal(t, -1, r.Pick(0))
	require.Equal(t, -1, r.Pick(0b010), "no weight")
	require.Equal(t, -1, r.Pick(0b1000), "no such target")
	require.Equal(t, 2, r.Pick(0b110))
	require.Zero(t, r.Credit(2), "a target alone is owed nothing")
	require.Equal(t, -1, rota(t).Pick(math.MaxUint64))
}

func TestRotaTooMany(t *testing.T) {
	_, err := pick.NewRota(make([]uint32, 65))
	require.ErrorContains(t, err, "65")
	r := rota(t, 3, 1)
	require.Error(t, r.SetWeights(make([]uint32, 65)))
	require.Equal(t, 0, r.Pick(0b11), "the old weights hold after an error")
	require.Error(t, r.Return(2, 0b111))
	require.Error(t, r.Return(1, 0b01))
	require.Error(t, r.Return(-1, 0b11))
}

// TestRotaExtremes: 64 targets with the greatest weights, and the greatest ratio of weights.
func TestRotaExtremes(t *testing.T) {
	weights := make([]uint32, 64)
	for i := range weights {
		weights[i] = math.MaxUint32
	}
	counts := make([]int, 64)
	r := rota(t, weights...)
	for range 64 * 5 {
		counts[r.Pick(math.MaxUint64)]++
	}
	for i, c := range counts {
		require.Equal(t, 5, c, i)
	}

	r = rota(t, 1, math.MaxUint32)
	for i := range 100_000 {
		require.Equal(t, 1, r.Pick(0b11), i)
	}
}

// TestRotaFrozen: a target that was out for 1000 picks does not flood on its return.
func TestRotaFrozen(t *testing.T) {
	for _, c := range []struct {
		weights []uint32
		run     int // longest run of target 0 without a change, and on its return
	}{
		{[]uint32{95, 5}, 20},
		{[]uint32{90, 5, 5}, 20},
		{[]uint32{60, 30, 10}, 4},
		{[]uint32{10, 30, 60}, 1},
		{[]uint32{10, 10, 10, 10, 10, 10, 10, 10, 10, 10}, 2},
	} {
		all := uint64(1)<<len(c.weights) - 1
		for before := range 40 {
			r := rota(t, c.weights...)
			for range before {
				r.Pick(all)
			}
			for range 1000 {
				require.NotZero(t, r.Pick(all&^1))
			}
			run, longest, count := 0, 0, 0
			for range 200 {
				run++
				if r.Pick(all) != 0 {
					run = 0
				} else {
					count++
				}
				longest = max(longest, run)
			}
			sum := 0.0
			for _, w := range c.weights {
				sum += float64(w)
			}
			require.LessOrEqual(t, longest, c.run, "%v after %d", c.weights, before)
			require.InDelta(t, 200*float64(c.weights[0])/sum, count, 2, "%v after %d", c.weights, before)
		}
	}
}

// TestRotaDrift: when all weights change every 7 picks, no target is ever a whole call away from its share so far, of all
// the weights that it had.
func TestRotaDrift(t *testing.T) {
	for _, n := range []int{2, 3, 10} {
		random := rand.New(rand.NewPCG(uint64(n), 3))
		weights := make([]uint32, n)
		for i := range weights {
			weights[i] = 100 + random.Uint32N(900)
		}
		r := rota(t, weights...)
		owed := make([]float64, n)
		for k := range 50_000 {
			if k%7 == 0 {
				for i := range weights {
					weights[i] = min(1000, max(1, weights[i]-20+random.Uint32N(41)))
				}
				require.NoError(t, r.SetWeights(weights))
			}
			sum := 0.0
			for _, w := range weights {
				sum += float64(w)
			}
			for i, w := range weights {
				owed[i] += float64(w) / sum
			}
			owed[r.Pick(1<<n-1)]--
			for i := range owed {
				if math.Abs(owed[i]) >= 1 {
					t.Fatalf("n=%d pick %d target %d: owed %v", n, k, i, owed[i])
				}
			}
		}
	}
}

func TestRotaSetWeights(t *testing.T) {
	r := rota(t, 1, 1, 1)
	require.Equal(t, 0, r.Pick(0b111))
	require.InDelta(t, -2./3, r.Credit(0), 1e-9)
	require.NoError(t, r.SetWeights([]uint32{7, 1, 1, 1}))
	require.InDelta(t, -2./3, r.Credit(0), 1e-9, "credits are carried over")
	require.Zero(t, r.Credit(3))
	require.NoError(t, r.SetWeights([]uint32{7}))
	require.NoError(t, r.SetWeights([]uint32{7, 1}))
	require.Zero(t, r.Credit(1), "a target that left has lost its credit")
}

func TestRotaAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	r := rota(t, 60, 30, 10)
	mask := uint64(0)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		mask++
		if i := r.Pick(mask & 0b111); i >= 0 && mask%5 == 0 {
			_ = r.Return(i, mask&0b111)
		}
	}))
}

// TestRotaClone: a copy answers as the original would, and leaves it alone.
func TestRotaClone(t *testing.T) {
	r, err := pick.NewRota([]uint32{5, 3, 2})
	require.NoError(t, err)
	for range 30 {
		c := r.Clone()
		want := []int{c.Pick(7), c.Pick(3), c.Pick(7)}
		require.NoError(t, c.SetWeights([]uint32{1, 1, 1}))
		c = r.Clone()
		require.Equal(t, want, []int{c.Pick(7), c.Pick(3), c.Pick(7)})
		require.Equal(t, want[0], r.Pick(7))
	}
}
