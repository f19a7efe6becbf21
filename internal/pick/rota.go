// Package pick makes exact weighted choices among at most a few dozen targets: in turn, without
// chance ([Rota]), or at random from a generator that the caller seeds ([Draw], [Order]).
package pick

import (
	"errors"
	"fmt"
	"math"
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
// (TestRotaFrozen). A change of weights or of the eligible set alters no credit (but for rounding, by less than 2^-44 of
// a call), so all that it adds to the deviation from the new shares is the credit carried over. That is less than
// one call while only weights drift (TestRotaDrift, n ≤ 10). While the eligible set changes all the time, the bound is not proven
// but checked: TestRotaChanges (rapid) finds no credit beyond n/2 calls, and checks that credits are what they claim to be.
//
// A Rota must be made by [NewRota] and is not safe for concurrent use: the caller holds its lock.
type Rota struct {
	targets []target
	some    uint64 // bit i: target i has a weight

	// For the eligible set of the last pick:
	eligible uint64
	unit     int64 // sum of the eligible shares, in [2^45, 2^46): one call
	owed     int64 // the least credit from which a target may be picked: 1/(2n−2) of a call
	due      int64 // the least credit at which it must be: 1 − 1/(2n−2)
}

// target is one of a rota.
type target struct {
	credit int64 // in calls, times unit
	share  int64 // what a pick adds, in units; of the eligible set of the last pick
	weight uint32
}

// NewRota returns a rota for targets 0 … len(weights)−1, which may be at most [MaxTargets]. A target of weight 0 is
// never picked.
func NewRota(weights []uint32) (*Rota, error) {
	r := &Rota{unit: 1 << 45}
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
	r.targets = append(r.targets, make([]target, max(0, len(weights)-len(r.targets)))...)[:len(weights)]
	r.some = 0
	for i, w := range weights {
		r.targets[i].weight = w
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
	c.targets = slices.Clone(r.targets)
	return &c
}

// Fresh returns a rota of the same weights in which nobody is owed anything.
func (r *Rota) Fresh() *Rota {
	c := r.Clone()
	for i := range c.targets {
		c.targets[i].credit = 0
	}
	return c
}

// Absorb takes over what is owed in another rota of the same targets and weights, in which nobody is owed anything then: what r
// and o have picked together is made up for by r.
func (r *Rota) Absorb(o *Rota) {
	for i := range r.targets {
		t := &o.targets[i]
		r.targets[i].credit += scale(t.credit, uint64(r.unit), uint64(o.unit))
		t.credit = 0
	}
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
	bestWait, greatest := math.Inf(1), int64(math.MinInt64)
	targets, owed, all := r.targets, r.owed, r.unit*(m-1)
	for set := eligible; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		t := &targets[i]
		c := t.credit + t.share
		t.credit = c
		if c > greatest {
			most, greatest = i, c
		}
		if c < owed {
			continue
		}
		// Both numbers are exact, so that the quotients of different waits are never in the wrong order.
		wait := float64(all-c*m) / float64(t.weight)
		if wait < bestWait || wait == bestWait && r.sooner(i, best, m) {
			best, bestWait = i, wait
		}
	}
	// None is owed as much only after a change, when ineligible targets hold the credit.
	if best < 0 || greatest >= r.due {
		best = most
	}
	r.targets[best].credit -= r.unit
	return best
}

// sooner reports whether the next call of target i is due before that of k, exactly.
func (r *Rota) sooner(i, k int, m int64) bool {
	a, b := &r.targets[i], &r.targets[k]
	x, y := r.unit*(m-1)-a.credit*m, r.unit*(m-1)-b.credit*m
	if x < 0 || y < 0 {
		return false // due now, where the greatest credit decides
	}
	return less(uint64(x), a.weight, uint64(y), b.weight)
}

// Return undoes the pick of target among eligible, which was not used after all, so that it weighs on no later pick.
// It need not be the latest pick, as credits are sums (TestRotaReturn). If weights were changed in between, it
// goes by the new ones. It returns an error and does nothing when target is not eligible.
func (r *Rota) Return(target int, eligible uint64) error {
	eligible &= r.some
	if target < 0 || target >= len(r.targets) || eligible&(1<<target) == 0 {
		return errNotEligible
	}
	if eligible&(eligible-1) == 0 {
		return nil
	}
	r.adapt(eligible)
	for set := eligible; set != 0; set &= set - 1 {
		t := &r.targets[bits.TrailingZeros64(set)]
		t.credit -= t.share
	}
	r.targets[target].credit += r.unit
	return nil
}

var errNotEligible = errors.New("pick: returned target was not eligible")

// Credit returns what target is owed, in calls; negative if it is ahead of its share.
func (r *Rota) Credit(target int) float64 {
	return float64(r.targets[target].credit) / float64(r.unit)
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
		sum += uint64(r.targets[bits.TrailingZeros64(set)].weight)
	}
	factor := uint64(1) << (46 - bits.Len64(sum))
	unit := sum * factor
	for set := eligible; set != 0; set &= set - 1 {
		t := &r.targets[bits.TrailingZeros64(set)]
		t.share = int64(uint64(t.weight) * factor)
	}
	if int64(unit) != r.unit {
		for i := range r.targets {
			t := &r.targets[i]
			t.credit = scale(t.credit, unit, uint64(r.unit))
		}
	}
	m := int64(2*bits.OnesCount64(eligible) - 2)
	r.eligible, r.unit = eligible, int64(unit)
	r.owed, r.due = (r.unit+m-1)/m, (r.unit*(m-1)+m-1)/m
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
