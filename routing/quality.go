package routing

import (
	"math"
	"time"

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
func (t *Table) sortByQuality(now time.Time, call *outdial.Call, cs []outdial.Candidate) {
	var keys [outdial.MaxCandidates]float64
	for i := range cs {
		var e outdial.Estimate
		if t.quality != nil {
			e = t.quality.Estimate(now, &cs[i], call.Dest.Group)
		}
		keys[i] = -t.prior.Score(e)
		if rec := call.Record(); rec.On() {
			rec.Num(outdial.StageRouting, cs[i].Trunk, "estimate_mean", e.Mean)
			rec.Num(outdial.StageRouting, cs[i].Trunk, "estimate_var", e.Var)
			rec.Num(outdial.StageRouting, cs[i].Trunk, "estimate_n", e.N)
			rec.Num(outdial.StageRouting, cs[i].Trunk, "score", -keys[i])
		}
	}
	sortBy(cs, keys[:])
}
