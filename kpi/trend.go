package kpi

import (
	"iter"
	"math"
	"time"
)

// Trend is where the mean of a distribution goes, as a straight line through the slices of a series.
type Trend struct {
	Slope float64 // seconds for each hour
	SE    float64 // its standard error, with what slices differ by beyond chance in it
	N     uint64  // values behind it
}

// TrendOf fits a line to the means of a distribution over the slices of a series, by least squares, each value counting once:
//
//	trend, ok := kpi.TrendOf(window.Series(now, key), func(c *kpi.Cell) *kpi.Sketch { return &c.PDD })
//
// It returns false where less than four slices have any value.
func TrendOf(series iter.Seq2[time.Time, Cell], of func(*Cell) *Sketch) (Trend, bool) {
	type point struct{ t, n, mean float64 }
	var points []point
	var first time.Time
	var n, sumT, sumV, inside float64
	for at, c := range series {
		s := of(&c)
		mean, ok := s.Mean()
		if !ok {
			continue
		}
		if first.IsZero() {
			first = at
		}
		p := point{at.Sub(first).Hours(), float64(s.Count()), mean.Seconds()}
		points = append(points, p)
		n, sumT, sumV = n+p.n, sumT+p.n*p.t, sumV+p.n*p.mean
		for v, k := range s.All() {
			inside += float64(k) * (v.Seconds() - p.mean) * (v.Seconds() - p.mean)
		}
	}
	const least = 4
	if len(points) < least {
		return Trend{}, false
	}
	midT, midV := sumT/n, sumV/n
	var tt, tv float64
	for _, p := range points {
		tt += p.n * (p.t - midT) * (p.t - midT)
		tv += p.n * (p.t - midT) * (p.mean - midV)
	}
	slope := tv / tt
	var beside float64 // of the means beside the line
	for _, p := range points {
		d := p.mean - midV - slope*(p.t-midT)
		beside += p.n * d * d
	}
	variance := max(inside/max(n-float64(len(points)), 1), beside/float64(len(points)-2))
	return Trend{Slope: slope, SE: math.Sqrt(variance / tt), N: uint64(n)}, true
}

// Rising reports whether the mean rises by more than so many seconds an hour, at a level of confidence in (0, 1). That holds for
// one look; who looks again and again, and alarms at the first yes, is wrong more often.
func (t Trend) Rising(perHour, level float64) bool {
	if !(level > 0 && level < 1) {
		return false
	}
	z := math.Sqrt2 * math.Erfinv(2*level-1)
	return t.Slope-z*t.SE > perHour
}
