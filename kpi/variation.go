package kpi

import "math"

// Variation is how steady a ratio is over stretches of time: the hours of a day-part, for instance (Meter.Hours, Window.Series).
type Variation struct {
	N    int     // stretches with anything in them
	Mean float64 // of all trials together
	Low  float64 // the lowest and the highest ratio of a stretch
	High float64

	// SD is the standard deviation between stretches, without what chance alone gives to stretches of so few trials
	// (DerSimonian and Laird); CV is SD ÷ Mean. Without this, small hours look unsteady.
	SD float64
	CV float64

	// I2 is the share of the variation that chance does not explain, 0 to 1.
	I2 float64
}

// VariationOf compares the ratios of several stretches; false where fewer than two had any trial.
func VariationOf(list []Ratio) (v Variation, ok bool) {
	var k, n, square float64
	for _, r := range list {
		x, ok := r.Value()
		if !ok {
			continue
		}
		if v.N == 0 || x < v.Low {
			v.Low = x
		}
		v.High = max(v.High, x)
		v.N++
		k, n, square = k+float64(min(r.K, r.N)), n+float64(r.N), square+float64(r.N)*float64(r.N)
	}
	if v.N < 2 {
		return Variation{}, false
	}
	v.Mean = k / n
	chance := v.Mean * (1 - v.Mean)
	if chance == 0 {
		return v, true
	}
	var q float64 // Cochran's, about its degrees of freedom where there is nothing but chance
	for _, r := range list {
		if x, ok := r.Value(); ok {
			q += float64(r.N) * (x - v.Mean) * (x - v.Mean) / chance
		}
	}
	excess := max(q-float64(v.N-1), 0)
	v.SD = math.Sqrt(excess * chance / (n - square/n))
	v.CV = v.SD / v.Mean
	if q > 0 {
		v.I2 = excess / q
	}
	return v, true
}
