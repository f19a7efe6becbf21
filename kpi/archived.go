package kpi

import (
	"encoding/binary"
	"iter"
	"slices"
	"sync"
	"time"
)

// archived is the hours of one key: the latest two, to which nearly everything belongs, at work, and the others written one
// behind the other, oldest first. What comes later still is written in between. The oldest goes when there are more than are
// kept: by their number, not by a clock, so that one event from a clock that runs ahead does not end them all.
type archived struct {
	key packed

	mu      sync.Mutex
	open    [2]*hour // later one first
	log     []byte
	written int // hours in log
}

// hour is what was counted in one hour.
type hour struct {
	at     int64    // hours since 1970
	counts []uint32 // by the number of the kind
	delays [distCount]time.Duration
	sums   [sumKinds]int64
}

func (h *hour) add(p *part, does *effects) {
	if int(p.kind) >= len(h.counts) {
		h.counts = append(h.counts, make([]uint32, int(p.kind)+1-len(h.counts))...)
	}
	h.counts[p.kind]++
	for i, d := range does.dists[:does.n] {
		h.delays[d] += p.q[i].duration()
	}
	h.sums[does.sum] += p.sum
}

// add counts a fact, and reports whether some of it is older than what is kept.
func (c *archived) add(m *Meter, a *archive, f *fact) (late bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range f.parts[:f.n] {
		p := &f.parts[i]
		does := &m.kinds.does[p.kind]
		at := floorDiv(p.tick, a.ticks)
		switch now := c.open[0]; {
		case now != nil && now.at == at:
			now.add(p, does)
		case now == nil || at > now.at:
			c.shelve()
			c.open[0], c.open[1] = &hour{at: at}, now
			c.open[0].add(p, does)
			c.trim(a.keep)
		case c.open[1] == nil || at > c.open[1].at: // nothing came between the latest two, until now
			c.shelve()
			c.open[1] = &hour{at: at}
			c.open[1].add(p, does)
			c.trim(a.keep)
		case c.open[1].at == at:
			c.open[1].add(p, does)
		case c.gone(at, a.keep):
			late = true
		default:
			c.amend(at, func(h *hour) { h.add(p, does) })
			c.trim(a.keep)
		}
	}
	return late
}

// shelve writes the earlier of the two hours at work.
func (c *archived) shelve() {
	if old := c.open[1]; old != nil {
		c.log = appendHour(c.log, old)
		c.written++
	}
}

// trim drops the oldest hours beyond those that are kept.
func (c *archived) trim(keep int64) {
	b := c.log
	for ; c.written > 0 && int64(c.written+len(c.open)) > keep; c.written-- {
		_, b = readHour(b)
	}
	if len(b) < len(c.log) {
		c.log = append(make([]byte, 0, len(b)+len(b)/8), b...)
	}
}

// gone reports whether an hour has made room for later ones.
func (c *archived) gone(at, keep int64) bool {
	if int64(c.written+len(c.open)) < keep {
		return false
	}
	if c.written == 0 {
		return true
	}
	oldest, _ := readHour(c.log)
	return at < oldest.at
}

// amend changes an hour that has been written, or writes one that had nothing.
func (c *archived) amend(at int64, change func(*hour)) {
	c.written++
	to := len(c.log)
	h, tail := hour{at: at}, []byte(nil)
	for b := c.log; len(b) > 0; {
		have, rest := readHour(b)
		if have.at >= at {
			to, tail = len(c.log)-len(b), b
			if have.at == at {
				h, tail = have, rest
				c.written--
			}
			break
		}
		b = rest
	}
	change(&h)
	c.log = append(appendHour(slices.Clone(c.log[:to]), &h), tail...)
}

func (c *archived) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[0] != nil
}

// all is all of it, written.
func (c *archived) all() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := slices.Clone(c.log)
	for i := range c.open {
		if h := c.open[len(c.open)-1-i]; h != nil {
			b = appendHour(b, h)
		}
	}
	return b
}

// take is the way back.
func (c *archived) take(b []byte, keep int64) {
	var starts []int
	for rest := b; len(rest) > 0; {
		starts = append(starts, len(b)-len(rest))
		_, rest = readHour(rest)
	}
	for i := range c.open {
		if n := len(starts); n > 0 {
			h, _ := readHour(b[starts[n-1]:])
			c.open[i], b, starts = &h, b[:starts[n-1]], starts[:n-1]
		}
	}
	c.log, c.written = b, len(starts)
	c.trim(keep)
}

// hours iterates over all of it, oldest first.
func (c *archived) hours() iter.Seq[*hour] {
	return func(yield func(*hour) bool) {
		for b := c.all(); len(b) > 0; {
			h, rest := readHour(b)
			if !yield(&h) {
				return
			}
			b = rest
		}
	}
}

// cell turns the hour into a Cell.
func (h *hour) cell(m *Meter, key Key) Cell {
	x := sums.Get().(*sum)
	defer sums.Put(x)
	var n [distCount]uint64
	for kind, count := range h.counts {
		if count == 0 {
			continue
		}
		x.count(uint16(kind), uint64(count))
		does := &m.kinds.does[kind]
		for _, d := range does.dists[:does.n] {
			n[d] += uint64(count)
		}
	}
	x.sums = h.sums
	c := x.cell(m, key)
	for i, s := range c.sketches() {
		for d := range distCount {
			if shown[i].has(d) {
				s.n += n[d]
				s.sum += h.delays[d]
			}
		}
	}
	return c
}

// appendHour writes an hour: its number, the length of the rest, how many kinds there are, and each with its count; then a set
// of distributions and a set of sums, and the values of each.
func appendHour(b []byte, h *hour) []byte {
	var body []byte
	kinds, last := 0, 0
	for _, n := range h.counts {
		if n > 0 {
			kinds++
		}
	}
	body = binary.AppendUvarint(body, uint64(kinds))
	for kind, n := range h.counts {
		if n > 0 {
			body = binary.AppendUvarint(body, uint64(kind-last))
			body = binary.AppendUvarint(body, uint64(n))
			last = kind
		}
	}
	body = appendSparse(body, len(h.delays), func(i int) int64 { return int64(h.delays[i] / quanta[0]) })
	body = appendSparse(body, len(h.sums), func(i int) int64 { return h.sums[i] })
	b = binary.AppendVarint(b, h.at)
	b = binary.AppendUvarint(b, uint64(len(body)))
	return append(b, body...)
}

func appendSparse(b []byte, n int, value func(int) int64) []byte {
	var set uint64
	for i := range n {
		if value(i) != 0 {
			set |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, set)
	for i := range n {
		if v := value(i); v != 0 {
			b = binary.AppendVarint(b, v)
		}
	}
	return b
}

// readHour takes an hour off b, which wholeHours has found good.
func readHour(b []byte) (h hour, rest []byte) {
	r := reader{b: b}
	h.at = r.int()
	size := r.uint()
	rest = r.b[min(size, uint64(len(r.b))):]
	kind := 0
	for n := r.uint(); n > 0 && !r.short; n-- {
		kind += int(min(r.uint(), maxKinds))
		if kind >= maxKinds {
			r.short = true
			break
		}
		h.counts = append(h.counts, make([]uint32, kind+1-len(h.counts))...)
		h.counts[kind] = uint32(r.uint())
	}
	r.sparse(len(h.delays), func(i int, v int64) { h.delays[i] = time.Duration(v) * quanta[0] })
	r.sparse(len(h.sums), func(i int, v int64) { h.sums[i] = v })
	if r.short {
		rest = nil
	}
	return h, rest
}

// wholeHours reports whether every hour of b can be read, in order: a snapshot that somebody wrote otherwise is not taken.
func wholeHours(b []byte, kinds uint32) bool {
	last := int64(noTick)
	for len(b) > 0 {
		r := reader{b: b}
		at, size := r.int(), r.uint()
		if r.short || at <= last || size > uint64(len(r.b)) {
			return false
		}
		next := r.b[size:]
		h, rest := readHour(b)
		if len(rest) != len(next) || len(h.counts) > int(kinds) {
			return false
		}
		b, last = next, at
	}
	return true
}

// reader takes numbers off a slice; short says that it ended.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.short, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.short, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) sparse(n int, set func(int, int64)) {
	which := r.uint()
	for i := range n {
		if which&(1<<i) != 0 {
			set(i, r.int())
		}
	}
}
