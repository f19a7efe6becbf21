package kpi

import "math"

// Minus returns by how much r exceeds o, with Newcombe's interval of the difference at a level of confidence (1998, method 10:
// from the two Wilson intervals). It returns false where one of them is undefined or level is out of range.
func (r Ratio) Minus(o Ratio, level float64) (d, low, high float64, ok bool) {
	p, ok1 := r.Value()
	q, ok2 := o.Value()
	pl, ph, ok3 := r.Interval(level)
	ql, qh, ok4 := o.Interval(level)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, 0, 0, false
	}
	return p - q, p - q - math.Hypot(p-pl, qh-q), p - q + math.Hypot(ph-p, q-ql), true
}

// Change is a ratio beside what it was, or beside that of another arm. What is undefined is null in JSON, never zero.
type Change struct {
	Before  Ratio    `json:"before"`
	After   Ratio    `json:"after"`
	Delta   *float64 `json:"delta"` // after less before, with the ends of its 95 % interval
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Verdict string   `json:"verdict"` // "insufficient data", "higher", "lower" or "not told from chance"
}

// changeOf compares two ratios; least is how many trials each must have.
func changeOf(before, after Ratio, least uint64) Change {
	c := Change{Before: before, After: after, Verdict: EvidenceInsufficient.String()}
	d, low, high, ok := after.Minus(before, 0.95)
	if !ok {
		return c
	}
	c.Delta, c.Low, c.High = &d, &low, &high
	switch {
	case before.N < least || after.N < least:
	case low > 0:
		c.Verdict = "higher"
	case high < 0:
		c.Verdict = "lower"
	default:
		c.Verdict = "not told from chance"
	}
	return c
}

// csv is the change as fields: both values, the difference with its interval, and the verdict.
func (c *Change) csv() []string {
	value := func(r Ratio) string {
		v, ok := r.Value()
		if !ok {
			return ""
		}
		return decimal(&v)
	}
	return []string{value(c.Before), value(c.After), decimal(c.Delta), decimal(c.Low), decimal(c.High), c.Verdict}
}

func changeHeader(name string) []string {
	return []string{name + "_before", name + "_after", name + "_delta", name + "_low", name + "_high", name + "_verdict"}
}
