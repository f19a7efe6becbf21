package pick

import "math/rand/v2"

// Draw returns a random index of weights, with a probability in exact proportion to its weight, and that
// probability. It returns −1 and 0 when no weight is positive. It makes at most one
// draw from r, in integers, and does not allocate.
func Draw(r *rand.Rand, weights []uint32) (i int, p float64) {
	sum := uint64(0)
	for _, w := range weights {
		sum += uint64(w)
	}
	if sum == 0 {
		return -1, 0
	}
	x := r.Uint64N(sum)
	for x >= uint64(weights[i]) {
		x -= uint64(weights[i])
		i++
	}
	return i, float64(weights[i]) / float64(sum)
}

// Order fills order with all indexes of weights in a random order: each place is drawn from those that are
// left, in exact proportion to their weights (the Plackett–Luce model: R. D. Luce 1959, R. L. Plackett 1975). It
// returns the probability of the first index and that of the whole order, for a later judgement of
// other policies on the same calls. Indexes of weight 0 come last, by index. If no weight is positive both probabilities are 1.
//
// The lengths of order and weights must be equal. The same state of r gives the same order. Order does not allocate. Its time grows
// with the square of the length; it is meant for tens.
//
// TestOrder compares the frequencies at every place with the closed form (χ², fixed seeds).
func Order(r *rand.Rand, weights []uint32, order []int) (first, whole float64) {
	sum := uint64(0)
	for i, w := range weights {
		order[i] = i
		sum += uint64(w)
	}
	first, whole = 1, 1
	for k := 0; sum > 0; k++ {
		x := r.Uint64N(sum)
		j := k
		for ; x >= uint64(weights[order[j]]); j++ {
			x -= uint64(weights[order[j]])
		}
		i := order[j]
		copy(order[k+1:j+1], order[k:j]) // those left stay in the order of their index
		order[k] = i

		w := uint64(weights[i])
		whole *= float64(w) / float64(sum)
		if k == 0 {
			first = whole
		}
		sum -= w
	}
	return first, whole
}

// Probability returns the probability with which [Order] gives an order that begins with these indexes, which must be
// distinct.
func Probability(weights []uint32, order []int) float64 {
	sum := uint64(0)
	for _, w := range weights {
		sum += uint64(w)
	}
	p := 1.0
	for _, i := range order {
		if sum == 0 {
			break
		}
		w := uint64(weights[i])
		p *= float64(w) / float64(sum)
		sum -= w
	}
	return p
}
