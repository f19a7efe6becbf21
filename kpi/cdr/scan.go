package cdr

import (
	"errors"
	"io"
	"math"
)

// scanned is what one pass over the frames of a segment found, without reading the events themselves.
type scanned struct {
	summary
	end    int64  // behind the last whole record; 0 = there is not even a header
	next   uint64 // sequence behind the last event
	torn   int64  // bytes of a torn tail behind it, without zeros at its end
	damage Damage // passed over, with skip
}

// scan reads a segment from its beginning. Whatever cannot be read and has no whole record behind it is a torn
// tail: end says where it begins. Anything else that cannot be read is an error, or is counted with skip where a
// whole record follows.
func scan(src io.ReaderAt, s segment, size int64, skip bool) (scanned, error) {
	out := scanned{summary: newSummary(), next: s.first}
	var c cursor
	c.reset(src, s.path, size, s.first)
	bad := c.header()
	for {
		var rec record
		if bad == nil {
			out.end, out.next = c.pos, c.next
			rec, bad = c.read()
		}
		if bad == nil {
			if rec.event() {
				t, _ := rec.time()
				out.add(rec.seq, t)
			}
			continue
		}
		switch {
		case errors.Is(bad, io.EOF):
			return out, nil
		case errors.Is(bad, errShort):
			return out, out.tear(&c)
		}
		at, next := c.pos, c.next
		found, torn, err := c.pass(bad)
		switch {
		case err != nil:
			return out, err
		case torn:
			return out, out.tear(&c)
		case !found || !skip:
			return out, bad
		}
		out.damage.add(c.pos-at, c.next-next)
		bad = nil
	}
}

// tear notes what is torn behind end, where c stands.
func (s *scanned) tear(c *cursor) error {
	end, err := c.content()
	s.torn = end - c.pos
	return err
}

// empty reports whether there is no event in the segment and nothing was passed over.
func (s *scanned) empty() bool { return s.events == 0 && s.damage.Places == 0 }

// covers reports whether any event of the segment may lie in [from, to).
func (s *summary) covers(from, to int64) bool { return s.max >= from && s.min < to }

const (
	earliest = math.MinInt64
	latest   = math.MaxInt64
)
