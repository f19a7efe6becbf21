package cli

import (
	"math"
)

// conduct is what a number's calls tell of it: four cumulative sums (CUSUM: the log-likelihood ratio of "decayed" against
// "as its peers", never below 0), and how it answered against its peers while it was calibrated.
type conduct struct {
	answer, block, short, complaint float32
	expected, answered              float32
	calls                           uint32 // that count
}

func (c *conduct) reset() { c.answer, c.block, c.short, c.complaint = 0, 0, 0, 0 }

// ratio is the number's own answer rate against its peers', shrunk towards 1 by a Gamma prior, and frozen once it is known.
func (c *conduct) ratio(r *detection) float64 {
	return (r.prior + float64(c.answered)) / (r.prior + float64(c.expected))
}

// answers is what a call tells of the number's answer rate, where peers answer with probability peers: the log-likelihood
// ratio of a rate that has dropped against the rate that it should have.
func (c *conduct) answers(r *detection, answered bool, peers float64) float32 {
	if answered {
		return r.logDrop
	}
	q := min(max(peers*c.ratio(r), .001), .95)
	return float32(math.Log((1 - r.drop*q) / (1 - q)))
}

// calibrate learns the number's own ratio from its first calls.
func (c *conduct) calibrate(r *detection, answered bool, peers float64) {
	if c.calls <= r.frozen {
		c.expected += float32(peers)
		if answered {
			c.answered++
		}
	}
}

func climb(s, llr float32) float32 { return max(0, s+llr) }

// trial is something that happens with some probability, and with a greater one where a number is bad: what it tells that it
// happened, and that it did not, as log-likelihood ratios of bad against good.
type trial struct{ hit, miss float32 }

// of is what one trial tells.
func (t trial) of(happened bool) float32 {
	if happened {
		return t.hit
	}
	return t.miss
}

// trialOf wants probabilities between 0 and 1.
func trialOf(good, bad float64) trial {
	return trial{float32(math.Log(bad / good)), float32(math.Log((1 - bad) / (1 - good)))}
}

// worst is the greatest sum as a share of the quarantine's threshold.
func (c *conduct) worst(r *ruleset) float32 {
	d := &r.detect
	return max(c.answer/d.quarantine, c.block/d.block, c.short/d.short, c.complaint/d.complaint)
}

// suspicious reports whether a sum has reached the threshold of probation.
func (c *conduct) suspicious(d *detection) bool {
	return c.answer >= d.probation || c.block >= d.probation || c.short >= d.probation || c.complaint >= d.complaint/2
}

// calm reports that nothing is left of a suspicion.
func (c *conduct) calm() bool { return max(c.answer, c.block, c.short, c.complaint) < 1 }

// cause names the sum that stands the highest against its threshold, and the figures that a decision rests on.
func (c *conduct) cause(r *ruleset) (string, []Figure) {
	d, name := &r.detect, "answers"
	switch worst := c.worst(r); worst {
	case c.block / d.block:
		name = "blocks"
	case c.short / d.short:
		name = "short calls"
	case c.complaint / d.complaint:
		name = "complaints"
	}
	return name, []Figure{
		{"answer_cusum", float64(c.answer)},
		{"block_cusum", float64(c.block)},
		{"short_cusum", float64(c.short)},
		{"complaint_cusum", float64(c.complaint)},
		{"own_ratio", c.ratio(d)},
		{"calls", float64(c.calls)},
	}
}

// weight is how much a number is preferred: 100 for one without suspicion, 25 at the quarantine's threshold.
func (c *conduct) weight(r *ruleset) uint8 {
	return uint8(whole - 75*min(c.worst(r), 1))
}
