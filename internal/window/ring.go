package window

import (
	"fmt"
	"iter"
	"math"
	"time"
)

// Ring keeps one T for each of the newest buckets of time, to sum a measurement over a sliding
// window. A bucket covers a half-open span of Width, and spans begin at multiples of Width from the epoch.
// A bucket knows which span it holds, so it expires by being read or written again; nothing sweeps.
//
// A sum over n buckets covers the last n−1 to n widths: all of the current
// span so far and n−1 full ones before it.
//
// TestRingOracle (rapid) compares it with a plain list of events, late ones included.
//
// A Ring must be made by [NewRing] and is not safe for concurrent use: the caller holds its lock.
type Ring[T any] struct {
	buckets []bucket[T]
	width   int64
	newest  int64 // span of the newest event
	late    uint64
}

type bucket[T any] struct {
	span  int64
	value T
}

// noSpan is before every span.
const noSpan = math.MinInt64

// NewRing returns an empty ring of n buckets (1 or more) of a width (positive).
func NewRing[T any](n int, width time.Duration) (*Ring[T], error) {
	if n < 1 || width <= 0 {
		return nil, fmt.Errorf("window: a ring of %d buckets of %v: both must be positive", n, width)
	}
	r := &Ring[T]{buckets: make([]bucket[T], n), width: int64(width), newest: noSpan}
	for i := range r.buckets {
		r.buckets[i].span = noSpan
	}
	return r, nil
}

// At returns the bucket of an event at stamp, for the caller to add to. The bucket is a zero T when the event
// is the first of its span. An event older than the newest lands in its own bucket. One so old that
// its bucket is no longer kept is dropped and counted in Late: At returns nil.
// The pointer is good until the next call of At.
func (r *Ring[T]) At(stamp Instant) *T {
	s := floorDiv(int64(stamp), r.width)
	if s > r.newest {
		r.newest = s
	}
	b := &r.buckets[r.index(s)]
	if uint64(r.newest)-uint64(s) >= uint64(len(r.buckets)) {
		r.late++
		return nil
	}
	if b.span != s {
		*b = bucket[T]{span: s}
	}
	return &b.value
}

// Live ranges over the buckets that hold events of the newest n spans up to now (n is cut to the size of
// the ring), the newest first. A now before the newest event is taken as the time of that event.
func (r *Ring[T]) Live(now Instant, n int) iter.Seq[*T] {
	last := max(floorDiv(int64(now), r.width), r.newest)
	n = min(n, len(r.buckets))
	return func(yield func(*T) bool) {
		for s := last; s > last-int64(n); s-- {
			if b := &r.buckets[r.index(s)]; b.span == s && !yield(&b.value) {
				return
			}
		}
	}
}

// Late returns the number of events that came too late and were dropped.
func (r *Ring[T]) Late() uint64 { return r.late }

// Span returns the length of the window that n buckets cover.
func (r *Ring[T]) Span(n int) time.Duration {
	return time.Duration(r.width) * time.Duration(min(n, len(r.buckets)))
}

// index returns the place of span s.
func (r *Ring[T]) index(s int64) int {
	i := s % int64(len(r.buckets))
	if i < 0 {
		i += int64(len(r.buckets))
	}
	return int(i)
}

// floorDiv returns a/b rounded down, for b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
