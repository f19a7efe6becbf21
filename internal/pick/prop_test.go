package pick_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/pick"
)

// drawWeights draws 2 to 16 weights, of like or of very different size.
func drawWeights(t *rapid.T) []uint32 {
	greatest := rapid.SampledFrom([]uint32{2, 10, 100, 1e6, math.MaxUint32}).Draw(t, "greatest")
	weight := rapid.OneOf(rapid.Uint32Range(1, 3), rapid.Uint32Range(1, greatest))
	return rapid.SliceOfN(weight, 2, 16).Draw(t, "weights")
}

// strays reports whether, after some picks, a count is farther than 1 − 1/(2n−2) from its share, exactly.
func strays(weights []uint32, eligible uint64, counts []int64) bool {
	var sum, picks, n int64
	for i, w := range weights {
		if eligible>>i&1 == 1 {
			sum += int64(w)
			picks += counts[i]
			n++
		}
	}
	for i, w := range weights {
		if eligible>>i&1 == 0 {
			if counts[i] != 0 {
				return true
			}
			continue
		}
		off := counts[i]*sum - picks*int64(w)
		if max(off, -off)*(2*n-2) > sum*(2*n-3) {
			return true
		}
	}
	return false
}

func TestRotaBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := drawWeights(t)
		eligible := uint64(1)<<len(weights) - 1
		if rapid.Bool().Draw(t, "some") {
			eligible &= rapid.Uint64().Draw(t, "eligible")
		}
		if eligible&(eligible-1) == 0 {
			eligible = 0b11
		}
		r := rota(t, weights...)
		counts := make([]int64, len(weights))
		for k := range 1500 {
			counts[r.Pick(eligible)]++
			if strays(weights, eligible, counts) {
				t.Fatalf("pick %d of %v: counts %v", k, weights, counts)
			}
		}
	})
}

// TestBoundIsSharp: the check above finds fault with the smooth weighted round robin that is in wide use.
func TestBoundIsSharp(t *testing.T) {
	weights := []uint32{1, 1, 1, 1, 7, 25}
	credits, counts := make([]int64, 6), make([]int64, 6)
	for range 36 {
		best := 0
		for i, w := range weights {
			credits[i] += int64(w)
			if credits[i] > credits[best] {
				best = i
			}
		}
		credits[best] -= 36
		counts[best]++
		if strays(weights, 0b111111, counts) {
			return
		}
	}
	t.Fatal("smooth weighted round robin kept the bound")
}

// TestRotaChanges: whatever changes, a credit is the sum of the shares less the count, and stays within n/2.
func TestRotaChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := drawWeights(t)
		n := len(weights)
		r := rota(t, weights...)
		owed := make([]float64, n)
		eligible := uint64(1)<<n - 1
		for range 200 {
			switch rapid.IntRange(0, 5).Draw(t, "change") {
			case 0:
				eligible = rapid.Uint64Range(0, 1<<n-1).Draw(t, "eligible")
			case 1:
				eligible ^= 1 << rapid.IntRange(0, n-1).Draw(t, "flap")
			case 2:
				weights[rapid.IntRange(0, n-1).Draw(t, "target")] = rapid.Uint32Range(0, 100).Draw(t, "weight")
				require.NoError(t, r.SetWeights(weights))
			}
			sum := 0.0
			for i, w := range weights {
				if eligible>>i&1 == 1 {
					sum += float64(w)
				}
			}
			picked := r.Pick(eligible)
			require.Equal(t, sum == 0, picked < 0)
			if picked < 0 {
				continue
			}
			require.NotZero(t, eligible>>picked&1)
			require.NotZero(t, weights[picked])
			for i, w := range weights {
				if eligible>>i&1 == 1 {
					owed[i] += float64(w) / sum
				}
			}
			owed[picked]--
			for i := range owed {
				if math.Abs(owed[i]-r.Credit(i)) > 1e-9 || math.Abs(owed[i]) > float64(n)/2+1e-9 {
					t.Fatalf("target %d of %d: owed %v, credit %v", i, n, owed[i], r.Credit(i))
				}
			}
		}
	})
}

// TestRotaReturn: picks that are returned, in any order, leave no trace.
func TestRotaReturn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := drawWeights(t)
		all := uint64(1)<<len(weights) - 1
		r, undisturbed := rota(t, weights...), rota(t, weights...)
		for range 100 {
			type one struct {
				target   int
				eligible uint64
			}
			var open []one
			for range rapid.IntRange(0, 3).Draw(t, "returned") {
				eligible := all
				if rapid.Bool().Draw(t, "some") {
					eligible = rapid.Uint64Range(1, all).Draw(t, "eligible")
				}
				open = append(open, one{r.Pick(eligible), eligible})
			}
			if len(open) > 1 && rapid.Bool().Draw(t, "swap") {
				open[0], open[1] = open[1], open[0]
			}
			for _, o := range open {
				require.NoError(t, r.Return(o.target, o.eligible))
			}
			for i := range weights {
				require.InDelta(t, undisturbed.Credit(i), r.Credit(i), 1e-9)
			}
			// The same target is counted on both, since rounding may decide between equals.
			picked := undisturbed.Pick(all)
			if r.Pick(all) != picked {
				r = rota(t, weights...)
				undisturbed = rota(t, weights...)
			}
		}
	})
}

// TestRotaReturnExact: without a change of the eligible set a returned pick leaves no trace at all.
func TestRotaReturnExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := drawWeights(t)
		all := uint64(1)<<len(weights) - 1
		r, undisturbed := rota(t, weights...), rota(t, weights...)
		for range 200 {
			if rapid.Bool().Draw(t, "return") {
				require.NoError(t, r.Return(r.Pick(all), all))
			}
			require.Equal(t, undisturbed.Pick(all), r.Pick(all))
		}
	})
}

// TestOrderRapid: an order is a permutation with zero weights last, and reports its own probability.
func TestOrderRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Uint32Range(0, 2), rapid.Uint32()), 0, 30).Draw(t, "weights")
		order := make([]int, len(weights))
		first, whole := pick.Order(seeded(rapid.Uint64().Draw(t, "seed")), weights, order)
		seen := make([]bool, len(weights))
		zeros := -1
		for _, i := range order {
			require.False(t, seen[i])
			seen[i] = true
			if weights[i] == 0 {
				require.Greater(t, i, zeros)
				zeros = i
			} else {
				require.Equal(t, -1, zeros, "a weight after a zero")
			}
		}
		require.InEpsilon(t, pick.Probability(weights, order), whole, 1e-9)
		require.InEpsilon(t, pick.Probability(weights, order[:min(1, len(order))]), first, 1e-9)
	})
}
