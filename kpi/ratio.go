package kpi

import "math"

// Ratio is K successes of N trials: a measured share that keeps how much stands behind it. The zero value is a share
// of nothing, which is undefined, not zero (RFC 6076 §4). Ratios of disjoint trials merge by adding K and N. A K above
// N, from a meter that came into the middle of calls, counts as N.
type Ratio struct {
	K uint64 `json:"k"`
	N uint64 `json:"n"`
}

// Value returns K/N, and false where N is 0.
func (r Ratio) Value() (float64, bool) {
	if r.N == 0 {
		return 0, false
	}
	return float64(min(r.K, r.N)) / float64(r.N), true
}

// Interval returns the Wilson score interval (Wilson 1927) at a level of confidence in (0, 1), for example 0.95,
// within [0, 1]. It returns false where N is 0 or level is out of range. It assumes independent trials: the calls
// of one campaign are correlated, and their true interval is wider (Correlated).
func (r Ratio) Interval(level float64) (low, high float64, ok bool) {
	p, ok := r.Value()
	if !ok || !(level > 0 && level < 1) {
		return 0, 0, false
	}
	low, high = wilson(p, float64(r.N), math.Sqrt2*math.Erfinv(level))
	return low, high, true
}

func wilson(p, n, z float64) (low, high float64) {
	d := 1 + z*z/n
	mid := (p + z*z/(2*n)) / d
	half := z / d * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	low, high = max(mid-half, 0), min(mid+half, 1)
	if p == 0 {
		low = 0
	}
	if p == 1 {
		high = 1
	}
	return low, high
}

// Verdict says whether the ratio may be relied on, given the least number of trials that one wants behind it.
func (r Ratio) Verdict(least uint64) Evidence {
	switch {
	case r.N == 0:
		return EvidenceNone
	case r.N < least:
		return EvidenceInsufficient
	}
	return EvidenceEnough
}

// Evidence is whether enough was seen to speak of a ratio.
type Evidence uint8

// Amounts of evidence.
const (
	EvidenceNone         Evidence = iota // the denominator is 0: the ratio is undefined
	EvidenceInsufficient                 // fewer trials than asked for
	EvidenceEnough
)

// String returns "undefined", "insufficient data" or "ok".
func (e Evidence) String() string {
	return name(int(e), []string{"undefined", "insufficient data", "ok"})
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.String()), nil }
