package cdr

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/outdial/outdial"
)

// walk is one pass over the events of a list of segments. Reader and Journal.Replay are both made of it.
type walk struct {
	segs     []segment
	skip     bool  // pass over damage and count it
	tail     bool  // a torn tail of the last segment is its end; without it, it is damage
	limit    int64 // bytes of the last segment that count; negative = all
	after    uint64
	from, to int64 // event times in [from, to)

	cursor  cursor
	decoder *decoder
	damage  Damage
	torn    int64
}

// events calls yield for every event until it returns false.
func (w *walk) events(yield func(*outdial.Event) bool) error {
	var expected uint64 // 0 = any
	for i, s := range w.segs {
		last := i == len(w.segs)-1
		if !last && w.segs[i+1].first-1 <= w.after {
			continue
		}
		if expected != 0 && s.first != expected {
			if !w.skip {
				return &DamageError{File: s.path, Seq: expected, Problem: fmt.Sprintf(
					"the segment begins with sequence %d: one before it is missing or cut short", s.first)}
			}
			w.damage.add(0, max(s.first, expected)-expected)
			w.after = max(w.after, expected-1)
		}
		next, more, err := w.segment(s, last, yield)
		if err != nil || !more {
			return err
		}
		expected = next
	}
	return nil
}

// segment goes through one segment and returns the sequence that the next one must begin with.
func (w *walk) segment(s segment, last bool, yield func(*outdial.Event) bool) (next uint64, more bool, err error) {
	f, err := os.Open(s.path)
	if err != nil {
		return 0, false, fmt.Errorf("cdr: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, false, fmt.Errorf("cdr: %w", err)
	}
	size := info.Size()
	if last && w.limit >= 0 {
		size = min(size, w.limit)
	}
	if w.from > earliest || w.to < latest {
		if sum, ok := readSummary(f, size); ok && !sum.covers(w.from, w.to) {
			return sum.last + 1, true, nil
		}
	}
	w.cursor.reset(f, s.path, size, s.first)
	w.decoder.names.reset()
	return w.records(last, yield)
}

// records goes through the segment that the cursor stands at the beginning of.
func (w *walk) records(last bool, yield func(*outdial.Event) bool) (next uint64, more bool, err error) {
	c := &w.cursor
	again := int64(-1) // where it was read for a second time
	bad := c.header()
	for {
		var rec record
		if bad == nil {
			rec, bad = c.read()
		}
		if bad == nil {
			var ev *outdial.Event
			if ev, err = w.event(rec); err != nil {
				if !w.skip {
					return 0, false, err
				}
				w.damage.add(int64(recordHead+len(rec.body)), c.next-rec.seq)
			}
			if ev != nil && !yield(ev) {
				return 0, false, nil
			}
			continue
		}
		switch {
		case errors.Is(bad, io.EOF):
			return c.next, true, nil
		case last && w.tail && again != c.pos: // it may have been just being written, and what is behind it have come since
			again, bad = c.pos, nil
			if c.forget(); c.pos == 0 {
				bad = c.header()
			}
			continue
		case errors.Is(bad, errShort):
			bad = c.damage("the header is not whole")
		}
		at, missing := c.pos, c.next
		found, torn, err := c.pass(bad)
		switch {
		case err != nil:
			return 0, false, err
		case torn && last && w.tail:
			end, err := c.content()
			w.torn = end - at
			return c.next, true, err
		case found && c.pos == at && c.next == missing && last && w.tail: // it has become whole meanwhile
			bad = nil
			continue
		case !w.skip:
			return 0, false, bad
		case !found:
			w.damage.add(c.limit-at, 0)
			return c.next, true, nil
		}
		w.damage.add(c.pos-at, c.next-missing)
		bad = nil
	}
}

// event decodes rec, or returns nil for what nobody asked for.
func (w *walk) event(rec record) (*outdial.Event, error) {
	problem := ""
	switch {
	case rec.kind == kindNames:
		problem = w.decoder.names.learn(rec.body)
	case rec.known() && rec.seq > w.after:
		if t, _ := rec.time(); t < w.from || t >= w.to && w.to != latest {
			return nil, nil
		}
		var ev *outdial.Event
		if ev, problem = w.decoder.decode(rec); problem == "" {
			return ev, nil
		}
	}
	if problem != "" {
		return nil, &DamageError{File: w.cursor.path, Offset: rec.off, Seq: rec.seq, Problem: problem}
	}
	return nil, nil
}
