package kpi

import "math"

// Jeffreys returns the interval between the (1−level)/2 and (1+level)/2 quantiles of the posterior Beta(k+½, n−k+½), which
// is what one wants where a posterior is drawn from; its lower end is 0 where nothing succeeded and its upper 1 where
// everything did (Brown, Cai and DasGupta 2001). False where N is 0 or level is out of range.
func (r Ratio) Jeffreys(level float64) (low, high float64, ok bool) {
	if r.N == 0 || !(level > 0 && level < 1) {
		return 0, 0, false
	}
	k := float64(min(r.K, r.N))
	a, b := k+0.5, float64(r.N)-k+0.5
	low, high = 0, 1
	if k > 0 {
		low = betaQuantile((1-level)/2, a, b)
	}
	if r.K < r.N {
		high = betaQuantile((1+level)/2, a, b)
	}
	return low, high, true
}

// betaQuantile finds x with I_x(a, b) = p by bisection.
func betaQuantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		mid := (low + high) / 2
		if betaInc(mid, a, b) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// betaInc is the regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8), evaluated
// by Lentz's method.
func betaInc(x, a, b float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - betaInc(1-x, b, a)
	}
	lab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny, eps = 1e-300, 1e-15
	f, c, d := 1.0, 1.0, 0.0
	for i := range 500 {
		m := float64(i / 2)
		var num float64
		switch {
		case i == 0:
			num = 1
		case i%2 == 0:
			num = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			num = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		if d = 1 + num*d; math.Abs(d) < tiny {
			d = tiny
		}
		if c = 1 + num/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		f *= c * d
		if math.Abs(1-c*d) < eps {
			break
		}
	}
	return front * (f - 1)
}
