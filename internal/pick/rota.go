// Package pick makes exact weighted choices among at most a few dozen targets: in turn, without
// chance ([Rota]), or at random from a generator that the caller seeds ([Draw], [Order]).
package pick

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// MaxTargets is the greatest number of targets of a [Rota].
const MaxTargets = 64

// Rota takes turns in proportion to weights, by R. Tijdeman's algorithm for the chairman assignment problem
// (Discrete Mathematics 32, 1980). It is deterministic and uses integers only.
//
// From a new Rota, as long as weights and eligible targets stay the same, after any number of
// picks the count of each of the n ≥ 2 eligible targets is within 1 − 1/(2n−2) of its ideal share; so any run of
// picks is within twice that. Tijdeman proved it, TestRotaBound (rapid) checks it in exact arithmetic.
//
// Each target carries a credit, in calls: the sum of its shares at each pick that it was eligible for, less the times
// it was picked. The credit of an ineligible target is frozen: it does not save up what it missed
// (TestRotaFrozen). A change of weights or of the eligible set alters no credit (but for rounding, by less than 2^-45 of
// a call), so all that it adds to the deviation from the new shares is the credit carried over. That is less than
// one call while only weights drift (TestRotaDrift, n ≤ 10). While the eligible set changes all the time, the bound is not proven
// but checked: TestRotaChanges (rapid) finds no credit beyond n/2 calls, and checks that credits are what they claim to be.
//
// A Rota must be made by [NewRota] and is not safe for concurrent use: the caller holds its lock.
type Rota struct {
	weight []uint32
	credit []int64 // in calls, times unit
	some   uint64  // bit i: weight[i] > 0

	// For the eligible set of the last pick:
	eligible uint64
	factor   int64 // share of a target, in units: weight × factor
	unit     int64 // sum of the eligible weights × factor, in [2^46, 2^47): one call
}

// NewRota returns a rota for targets 0 … len(weights)−1, which may be at most [MaxTargets]. A target of weight 0 is
// never picked.
func NewRota(weights []uint32) (*Rota, error) {
	r := &Rota{factor: 1 << 46, unit: 1 << 46}
	if err := r.SetWeights(weights); err != nil {
		return nil, err
	}
	return r, nil
}

// SetWeights replaces the weights; the slice is copied. Targets keep their index and their credit. New ones
// start with credit 0. It returns an error and changes nothing when there are more than MaxTargets.
func (r *Rota) SetWeights(weights []uint32) error {
	if len(weights) > MaxTargets {
		return fmt.Errorf("pick: %d targets are more than %d", len(weights), MaxTargets)
	}
	r.weight = append(r.weight[:0], weights...)
	r.credit = append(r.credit, make([]int64, max(0, len(weights)-len(r.credit)))...)[:len(weights)]
	r.some = 0
	for i, w := range weights {
		if w > 0 {
			r.some |= 1 << i
		}
	}
	r.eligible = 0 // so that the next pick adapts the unit
	return nil
}

// Clone returns a copy that shares nothing with r: to ask whose turn it would be.
func (r *Rota) Clone() *Rota {
	c := *r
	c.weight, c.credit = slices.Clone(r.weight), slices.Clone(r.credit)
	return &c
}

// Pick returns the target whose turn it is among those whose bit is set in eligible, or −1 if none of
// them has a weight. It does not allocate.
func (r *Rota) Pick(eligible uint64) int {
	eligible &= r.some
	if eligible&(eligible-1) == 0 { // none, or one: nothing is owed to anyone
		return bits.Len64(eligible) - 1
	}
	r.adapt(eligible)

	// Tijdeman: of the targets that are owed at least 1/(2n−2) of a call, the one whose next call is due
	// soonest, that is, whose credit first reaches 1 − 1/(2n−2). If that is now for several, which
	// happens only after a change, the one that is owed most.
	m := int64(2*bits.OnesCount64(eligible) - 2)
	best, most := -1, -1
	var bestWait uint64
	for set := eligible; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		r.credit[i] += int64(r.weight[i]) * r.factor
		c := r.credit[i]
		if c*m >= r.unit {
			wait := uint64(r.unit*(m-1) - c*m) // to be divided by the weight; not used if one is due now
			if best < 0 || less(wait, r.weight[i], bestWait, r.weight[best]) {
				best, bestWait = i, wait
			}
		}
		if most < 0 || c > r.credit[most] {
			most = i
		}
	}
	// None is owed as much only after a change, when ineligible targets hold the credit.
	if best < 0 || r.credit[most]*m >= r.unit*(m-1) {
		best = most
	}
	r.credit[best] -= r.unit
	return best
}

// Return undoes the pick of target among eligible, which was not used after all, so that it weighs on no later pick.
// It need not be the latest pick, as credits are sums (TestRotaReturn). If weights were changed in between, it
// goes by the new ones. It returns an error and does nothing when target is not eligible.
func (r *Rota) Return(target int, eligible uint64) error {
	eligible &= r.some
	if target < 0 || target >= len(r.weight) || eligible&(1<<target) == 0 {
		return errNotEligible
	}
	if eligible&(eligible-1) == 0 {
		return nil
	}
	r.adapt(eligible)
	for set := eligible; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		r.credit[i] -= int64(r.weight[i]) * r.factor
	}
	r.credit[target] += r.unit
	return nil
}

var errNotEligible = errors.New("pick: returned target was not eligible")

// Credit returns what target is owed, in calls; negative if it is ahead of its share.
func (r *Rota) Credit(target int) float64 {
	return float64(r.credit[target]) / float64(r.unit)
}

// adapt expresses all credits in the unit of another eligible set. The unit is a
// multiple of the sum of weights, so that shares are whole numbers, and large, so that a change
// of unit rounds little.
func (r *Rota) adapt(eligible uint64) {
	if eligible == r.eligible {
		return
	}
	sum := uint64(0)
	for set := eligible; set != 0; set &= set - 1 {
		sum += uint64(r.weight[bits.TrailingZeros64(set)])
	}
	factor := uint64(1) << (47 - bits.Len64(sum))
	unit := sum * factor
	if int64(unit) != r.unit {
		for i, c := range r.credit {
			r.credit[i] = scale(c, unit, uint64(r.unit))
		}
	}
	r.eligible, r.factor, r.unit = eligible, int64(factor), int64(unit)
}

// scale returns c × to / from, rounded towards 0.
func scale(c int64, to, from uint64) int64 {
	negative := c < 0
	if negative {
		c = -c
	}
	hi, lo := bits.Mul64(uint64(c), to)
	q, _ := bits.Div64(hi, lo, from)
	if negative {
		return -int64(q)
	}
	return int64(q)
}

// less reports whether a/v < b/w, exactly.
func less(a uint64, v uint32, b uint64, w uint32) bool {
	ahi, alo := bits.Mul64(a, uint64(w))
	bhi, blo := bits.Mul64(b, uint64(v))
	return ahi < bhi || ahi == bhi && alo < blo
}
