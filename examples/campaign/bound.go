package main

import (
	"fmt"
	"math"
)

// fewFailed bounds the calls that reached nobody for no reason of the callee's, however well each is explained.
func fewFailed(e *evidence) error {
	n := 0
	for _, j := range e.judged() {
		switch j.Verdict {
		case outdialRefused, failedEverywhere, failedRinging:
			n++
		}
	}
	if most := e.mayFail(); n > most {
		return fmt.Errorf("%d of %d calls, at most %d are to be expected", n, len(e.Fates), most)
	}
	return nil
}

// mayFail is how many calls may be refused or fail on every trunk. A call does that by itself with the product of the
// carriers' probabilities to fail (a dead or broken one fails always): with one good carrier left that is 0. To the
// expectation come four standard deviations, which 1 in 30,000 seeds exceeds. Beside that trunks may be full: capacity
// follows --cps, so that the trunks which work together take more than twice the pace at any pace, and only a dialer that
// catches up with a second in which the machine stood still can fill them: 2 calls and 1 % are allowed for that.
func (e *evidence) mayFail() int {
	p := 1.0
	for _, c := range e.Carriers {
		if !c.Dead && (c.Name != good || e.Broken.IsZero()) {
			p *= c.Failure
		}
	}
	n := float64(len(e.Fates))
	return int(math.Ceil(n*p + 4*math.Sqrt(n*p*(1-p)) + 2 + n/100))
}
