package pick

import "math/bits"

// MaxCycle is the longest cycle that [Rota.Cycle] looks for.
const MaxCycle = 4096

// Period returns after how many picks among eligible each target has had its weight exactly: the sum of the weights by
// their greatest common divisor. It is 0 when fewer than two targets have a weight.
func (r *Rota) Period(eligible uint64) int {
	var sum, divisor uint64
	for set := eligible & r.some; set != 0; set &= set - 1 {
		w := uint64(r.targets[bits.TrailingZeros64(set)].weight)
		sum, divisor = sum+w, gcd(w, divisor)
	}
	if set := eligible & r.some; set&(set-1) == 0 {
		return 0
	}
	return int(sum / divisor)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Cycle returns the picks among eligible to come, if they repeat for ever from here: if after a period all credits are
// what they are now. From a new Rota they do; after a change they may once what it has left is made up for. It returns nil when
// they do not, or when the period exceeds [MaxCycle]. No pick is made.
func (r *Rota) Cycle(eligible uint64) []uint8 {
	eligible &= r.some
	n := r.Period(eligible)
	if n == 0 || n > MaxCycle {
		return nil
	}
	r.adapt(eligible)
	c := r.Clone()
	cycle := make([]uint8, n)
	for i := range cycle {
		cycle[i] = uint8(c.Pick(eligible))
	}
	for i := range r.targets {
		if c.targets[i].credit != r.targets[i].credit {
			return nil
		}
	}
	return cycle
}

// Skip makes picks that are known: the beginning of what Cycle gave for the same eligible targets.
func (r *Rota) Skip(picks []uint8, eligible uint64) {
	r.adapt(eligible & r.some)
	for set := eligible & r.some; set != 0; set &= set - 1 {
		t := &r.targets[bits.TrailingZeros64(set)]
		t.credit += t.share * int64(len(picks))
	}
	for _, i := range picks {
		r.targets[i].credit -= r.unit
	}
}
