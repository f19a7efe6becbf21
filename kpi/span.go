package kpi

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Span is a stretch of time that a meter looks back over, and the slices in which it moves on. A reading covers the
// current, partial slice and the full ones before it: between Window less one slice and Window.
type Span struct {
	Window  time.Duration
	Buckets int // 2 to 1024
}

// StandardSpans returns spans for a wallboard beside the hour that a meter keeps anyway: 1 min, 5 min and 24 h.
func StandardSpans() []Span {
	return []Span{{time.Minute, 6}, {5 * time.Minute, 10}, {24 * time.Hour, 24}}
}

// spanAt is a span at work: its slices as a number of ticks, the shortest slice of all spans.
type spanAt struct {
	Span
	ticks int64
}

func (s *spanAt) epoch(tick int64) int64 { return floorDiv(tick, s.ticks) }

// place is where an epoch stands in a ring.
func (s *spanAt) place(epoch int64) int {
	p := epoch % int64(s.Buckets)
	if p < 0 {
		p += int64(s.Buckets)
	}
	return int(p)
}

// setSpans works the ticks out. The first span is the meter's Window.
func setSpans(c *Config) (spans []spanAt, tick time.Duration, err error) {
	tick = c.Window / time.Duration(c.Buckets)
	for _, s := range c.Spans {
		tick = min(tick, s.Window/time.Duration(s.Buckets))
	}
	for _, s := range append([]Span{{c.Window, c.Buckets}}, c.Spans...) {
		width := s.Window / time.Duration(s.Buckets)
		if width%tick != 0 {
			return nil, 0, fmt.Errorf("kpi: Spans: slices of %v: not a multiple of the shortest, %v", width, tick)
		}
		spans = append(spans, spanAt{Span: s, ticks: int64(width / tick)})
	}
	return spans, tick, nil
}

func floorDiv(a, b int64) int64 {
	if b == 1 {
		return a
	}
	q := a / b
	if a < q*b {
		q--
	}
	return q
}

// divisor divides by what does not change, by multiplying.
type divisor struct {
	by      int64
	inverse uint64 // 2^64 ÷ by
}

func divisorOf(by int64) divisor { return divisor{by, math.MaxUint64 / uint64(by)} }

// floor is v ÷ by, rounded down.
func (d *divisor) floor(v int64) int64 {
	if v < 0 {
		return floorDiv(v, d.by)
	}
	q, _ := d.split(uint64(v))
	return int64(q)
}

// split divides what is below 2^63, and returns the rest too.
func (d *divisor) split(v uint64) (q, rest uint64) {
	q, _ = bits.Mul64(v, d.inverse) // at most one too small
	if rest = v - q*uint64(d.by); rest >= uint64(d.by) {
		q, rest = q+1, rest-uint64(d.by)
	}
	return q, rest
}
