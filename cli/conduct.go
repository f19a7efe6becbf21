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

// call counts a call of which peers answer with probability peers; known says that there are peers to compare with.
func (c *conduct) call(r *detection, answered bool, peers float64, known bool, drop float64) {
	if c.calls < math.MaxUint32 {
		c.calls++
	}
	if known {
		q := min(max(peers*c.ratio(r), .001), .95)
		llr := math.Log((1 - drop*q) / (1 - q))
		if answered {
			llr = math.Log(drop)
		}
		c.answer = climb(c.answer, llr)
		if c.calls <= r.frozen {
			c.expected += float32(peers)
			if answered {
				c.answered++
			}
		}
	}
}

// step counts one trial of something that happens with probability p0 and, where the number is bad, p1.
func step(s float32, happened bool, p0, p1 float64) float32 {
	if happened {
		return climb(s, math.Log(p1/p0))
	}
	return climb(s, math.Log((1-p1)/(1-p0)))
}

func climb(s float32, llr float64) float32 { return max(0, s+float32(llr)) }

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
