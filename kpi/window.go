package kpi

import (
	"iter"
	"time"
)

// Window reads a meter over one of its spans. It is a small value, safe for concurrent use; Meter.Over gives it.
type Window struct {
	m    *Meter
	span int
}

// Over returns the reader for a span of the meter: the Window of its configuration or of one of its Spans. It returns
// false for any other span.
func (m *Meter) Over(span time.Duration) (Window, bool) {
	for i := range m.spans {
		if m.spans[i].Window == span {
			return m.window(i), true
		}
	}
	return Window{}, false
}

func (m *Meter) window(i int) Window { return Window{m: m, span: i} }

// Span returns the span that w reads.
func (w Window) Span() Span { return w.m.spans[w.span].Span }

// Cell is Meter.Cell over the window's span.
func (w Window) Cell(now time.Time, key Key) (Cell, bool) {
	p := key.packed()
	s := w.m.lookup(&p)
	if s == nil {
		return Cell{Key: key}, false
	}
	return w.collect(w.epoch(now), s)
}

// Snapshot is Meter.Snapshot over the window's span.
func (w Window) Snapshot(now time.Time) iter.Seq[Cell] {
	return func(yield func(Cell) bool) {
		epoch := w.epoch(now)
		for _, s := range w.m.sorted() {
			if c, ok := w.collect(epoch, s); ok && !yield(c) {
				return
			}
		}
	}
}

// Series iterates over the slices of one key in the window that ends at now, oldest first: when each begins, and what was
// counted in it, which is nothing at all for some. The last one is not over yet.
func (w Window) Series(now time.Time, key Key) iter.Seq2[time.Time, Cell] {
	return func(yield func(time.Time, Cell) bool) {
		p := key.packed()
		s := w.m.lookup(&p)
		end := w.epoch(now)
		span := &w.m.spans[w.span]
		for e := end - int64(span.Buckets) + 1; e <= end; e++ {
			c := Cell{Key: key}
			if s != nil {
				c = w.slice(e, s)
			}
			if !yield(w.m.timeOf(e*span.ticks), c) {
				return
			}
		}
	}
}

// epoch numbers the slice of now, and tells the meter the time.
func (w Window) epoch(now time.Time) int64 { return w.m.spans[w.span].epoch(w.m.tell(now)) }

// bounds are the beginning and the end of the window that ends with the slice of now.
func (w Window) bounds(now time.Time) (from, to time.Time) {
	span := &w.m.spans[w.span]
	end := (span.epoch(w.m.tickOf(now)) + 1) * span.ticks
	return w.m.timeOf(end - span.ticks*int64(span.Buckets)), w.m.timeOf(end)
}

func (m *Meter) timeOf(tick int64) time.Time { return time.Unix(0, tick*int64(m.tick)).UTC() }

func (w Window) collect(epoch int64, s *state) (Cell, bool) {
	return w.read(s, func(base *state, x *sum) { base.collect(w.m, w.span, epoch, x) })
}

func (w Window) slice(epoch int64, s *state) Cell {
	c, _ := w.read(s, func(base *state, x *sum) { base.collectSlice(w.m, w.span, epoch, x) })
	return c
}

// read adds up a cell: what it counted itself, and the base cells below it.
func (w Window) read(s *state, collect func(base *state, x *sum)) (Cell, bool) {
	x := sums.Get().(*sum)
	defer sums.Put(x)
	collect(s, x)
	for _, base := range s.bases() {
		collect(base, x)
	}
	any := x.any
	return x.cell(w.m, s.key.key()), any
}
