package outdial

import "math"

// Estimate is what is known about a ratio or a duration from a limited number of observations: the form in which
// kpi tells and routing reads. The zero value means "nothing known".
type Estimate struct {
	Mean float64 // of the quantity: a ratio in [0, 1], or seconds
	Var  float64 // of the mean, that is, how uncertain Mean is; not the spread of single calls
	N    float64 // effective number of observations behind it; decayed observations count in part
}

// Known reports whether there is any observation behind the estimate.
func (e Estimate) Known() bool { return e.N > 0 }

// Lower returns the mean less z standard errors; an estimate of nothing gives -Inf, so that no threshold is met
// by ignorance.
func (e Estimate) Lower(z float64) float64 {
	if !e.Known() {
		return math.Inf(-1)
	}
	return e.Mean - z*math.Sqrt(e.Var)
}

// Upper returns the mean plus z standard errors; an estimate of nothing gives +Inf.
func (e Estimate) Upper(z float64) float64 {
	if !e.Known() {
		return math.Inf(1)
	}
	return e.Mean + z*math.Sqrt(e.Var)
}
