package routing

import (
	"math"

	"github.com/outdial/outdial"
)

const (
	defaultMean     = 0.5
	defaultStrength = 5
	defaultZ        = 1
)

// filled returns the prior with its defaults.
func (p QualityPrior) filled() QualityPrior {
	if p.Mean == 0 {
		p.Mean = defaultMean
	}
	if p.Strength == 0 {
		p.Strength = defaultStrength
	}
	if p.Z == 0 {
		p.Z = defaultZ
	}
	p.Strength, p.Z = max(p.Strength, 0), max(p.Z, 0)
	return p
}

// Score is the cautious estimate by which a quality tier is ordered: e drawn towards p.Mean as if p.Strength
// observations had shown it, less p.Z standard errors. The variance is that of a beta distribution with as many
// observations, or what e itself says about its mean, if that is more. Fields of p are taken as they are, without
// defaults.
func (p QualityPrior) Score(e outdial.Estimate) float64 {
	if !e.Known() || !(e.Mean >= 0 && e.Mean <= 1) || math.IsInf(e.N, 1) {
		e = outdial.Estimate{}
	}
	n := e.N + p.Strength
	if n == 0 {
		return p.Mean
	}
	mean := (e.Mean*e.N + p.Mean*p.Strength) / n
	variance := mean * (1 - mean) / (n + 1)
	if own := e.Var * (e.N / n) * (e.N / n); own > variance {
		variance = own
	}
	return mean - p.Z*math.Sqrt(variance)
}

// sortByQuality orders a tier by descending score.
func (d *decision) sortByQuality(g *tier, first int) {
	cs := d.dst[first:]
	for i := range cs {
		d.keys[i] = -d.t.prior.Score(d.estimate(&cs[i]))
		d.note(cs[i].Trunk, "score", -d.keys[i])
	}
	d.rank(g, first)
}

// estimate is what is known of a candidate.
func (d *decision) estimate(c *outdial.Candidate) (e outdial.Estimate) {
	switch {
	case d.again != nil:
		e = outdial.Estimate{
			Mean: d.again.num(c.Trunk, "estimate_mean"), Var: d.again.num(c.Trunk, "estimate_var"),
			N: d.again.num(c.Trunk, "estimate_n"),
		}
	case d.t.quality == nil:
		return e
	default:
		e = d.t.quality.Estimate(d.now, c, d.call.Dest.Group)
	}
	d.note(c.Trunk, "estimate_mean", e.Mean)
	d.note(c.Trunk, "estimate_var", e.Var)
	d.note(c.Trunk, "estimate_n", e.N)
	return e
}
