package pick_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/pick"
	"github.com/outdial/outdial/internal/race"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 11)) }

// plackettLuce calls yield with every order of the weights and its probability, by the closed form.
func plackettLuce(weights []uint32, yield func(order []int, p float64)) {
	var next func(order []int, used uint64, p float64)
	next = func(order []int, used uint64, p float64) {
		if len(order) == len(weights) {
			yield(order, p)
			return
		}
		left := 0.0
		for i, w := range weights {
			if used>>i&1 == 0 {
				left += float64(w)
			}
		}
		for i, w := range weights {
			if used>>i&1 == 0 {
				next(append(order, i), used|1<<i, p*float64(w)/left)
			}
		}
	}
	next(make([]int, 0, len(weights)), 0, 1)
}

// chi2 returns the statistic, and the value that it exceeds with a probability of 0.001
// if the counts come from these probabilities (Wilson and Hilferty's approximation).
func chi2(counts []int, p []float64) (statistic, critical float64) {
	total := 0
	for _, c := range counts {
		total += c
	}
	for i, c := range counts {
		want := p[i] * float64(total)
		statistic += (float64(c) - want) * (float64(c) - want) / want
	}
	freedom := float64(len(counts) - 1)
	k := 2 / (9 * freedom)
	return statistic, freedom * math.Pow(1-k+3.09*math.Sqrt(k), 3)
}

// placeCounts draws orders and counts which index came at which place.
func placeCounts(r *rand.Rand, weights []uint32, draws int) [][]int {
	counts := make([][]int, len(weights))
	for k := range counts {
		counts[k] = make([]int, len(weights))
	}
	order := make([]int, len(weights))
	for range draws {
		pick.Order(r, weights, order)
		for k, i := range order {
			counts[k][i]++
		}
	}
	return counts
}

func TestOrder(t *testing.T) {
	for seed, weights := range [][]uint32{
		{1, 2},
		{95, 5},
		{60, 30, 10},
		{1, 2, 3, 10},
		{5, 5, 1, 1, 8},
		{1, 2, 3, 4, 5, 6, 7},
		{math.MaxUint32, math.MaxUint32, 1 << 30},
	} {
		t.Run(fmt.Sprint(weights), func(t *testing.T) {
			n := len(weights)
			p := make([][]float64, n)
			for k := range p {
				p[k] = make([]float64, n)
			}
			plackettLuce(weights, func(order []int, probability float64) {
				for k, i := range order {
					p[k][i] += probability
				}
				require.InEpsilon(t, probability, pick.Probability(weights, order), 1e-9)
			})
			for k, counts := range placeCounts(seeded(uint64(seed)), weights, 200_000) {
				statistic, critical := chi2(counts, p[k])
				require.Less(t, statistic, critical, "place %d: %v", k, counts)
			}
		})
	}
}

// TestOrderWhole checks the frequency of each whole order, not only of each place.
func TestOrderWhole(t *testing.T) {
	weights := []uint32{1, 2, 3, 10}
	index := map[string]int{}
	var p []float64
	plackettLuce(weights, func(order []int, probability float64) {
		index[fmt.Sprint(order)] = len(p)
		p = append(p, probability)
	})
	counts := make([]int, len(p))
	order := make([]int, len(weights))
	r := seeded(21)
	for range 200_000 {
		pick.Order(r, weights, order)
		counts[index[fmt.Sprint(order)]]++
	}
	statistic, critical := chi2(counts, p)
	require.Less(t, statistic, critical)
}

// TestOrderMany: with 100 equal weights every place is uniform.
func TestOrderMany(t *testing.T) {
	weights := make([]uint32, 100)
	p := make([]float64, 100)
	for i := range weights {
		weights[i], p[i] = 7, 0.01
	}
	worst, critical := 0.0, 0.0
	for _, counts := range placeCounts(seeded(22), weights, 10_000) {
		var statistic float64
		statistic, critical = chi2(counts, p)
		worst = max(worst, statistic)
	}
	require.Less(t, worst, critical, "the worst of 100 places")
}

// TestOrderPower: the test rejects a common mistake, the second place drawn as if the first were not taken and shared evenly.
func TestOrderPower(t *testing.T) {
	counts := placeCounts(seeded(23), []uint32{60, 30, 10}, 200_000)
	statistic, critical := chi2(counts[1], []float64{0.2, 0.35, 0.45})
	require.Greater(t, statistic, critical)
	statistic, critical = chi2(counts[0], []float64{0.59, 0.31, 0.10})
	require.Greater(t, statistic, critical, "an error of one percent")
}

func TestDraw(t *testing.T) {
	weights := []uint32{3, 0, 1, 4}
	sum := float64(3 + 1 + 4)
	r := seeded(24)
	counts := make([]int, 4)
	for range 200_000 {
		i, p := pick.Draw(r, weights)
		require.Equal(t, float64(weights[i])/sum, p)
		counts[i]++
	}
	require.Zero(t, counts[1])
	statistic, critical := chi2([]int{counts[0], counts[2], counts[3]}, []float64{3 / sum, 1 / sum, 4 / sum})
	require.Less(t, statistic, critical)

	i, p := pick.Draw(r, []uint32{0, 0})
	require.Equal(t, -1, i)
	require.Zero(t, p)
}

// TestOrderSeed: the same state gives the same order, on every platform.
func TestOrderSeed(t *testing.T) {
	order := make([]int, 5)
	first, whole := pick.Order(rand.New(rand.NewPCG(1, 2)), []uint32{5, 4, 3, 2, 1}, order)
	again := make([]int, 5)
	firstAgain, wholeAgain := pick.Order(rand.New(rand.NewPCG(1, 2)), []uint32{5, 4, 3, 2, 1}, again)
	require.Equal(t, order, again)
	require.Equal(t, []float64{first, whole}, []float64{firstAgain, wholeAgain})
}

func TestOrderAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	r, weights, order := seeded(1), []uint32{5, 4, 3, 2, 1, 0, 9, 9}, make([]int, 8)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		pick.Order(r, weights, order)
		pick.Draw(r, weights)
	}))
}
