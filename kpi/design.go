package kpi

import "math"

// DesignEffect is how much wider than independent calls would have it the spread of a ratio is: calls of one campaign are
// correlated, and so are those of one moment. It is worked out from the ratio in batches, for instance in the slices of
// Window.Series, as the variance between them divided by that of independent trials, and at least 1. Batches of nothing
// count for nothing; with less than two it is 1.
func DesignEffect(batches []Ratio) float64 {
	var all Ratio
	used := 0
	for _, b := range batches {
		all.K += min(b.K, b.N)
		all.N += b.N
		if b.N > 0 {
			used++
		}
	}
	p, ok := all.Value()
	if !ok || used < 2 || p == 0 || p == 1 {
		return 1
	}
	var chi float64
	for _, b := range batches {
		if v, ok := b.Value(); ok {
			chi += float64(b.N) * (v - p) * (v - p)
		}
	}
	return max(chi/(p*(1-p))/float64(used-1), 1)
}

// Correlated returns the Wilson interval of a ratio whose trials are correlated: as if there were so many times fewer of
// them as the design effect says.
func (r Ratio) Correlated(level, designEffect float64) (low, high float64, ok bool) {
	p, ok := r.Value()
	if !ok || !(level > 0 && level < 1) || !(designEffect >= 1) {
		return 0, 0, false
	}
	low, high = wilson(p, float64(r.N)/designEffect, math.Sqrt2*math.Erfinv(level))
	return low, high, true
}
