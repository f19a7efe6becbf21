package cdr

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
)

const readBuffer = 256 << 10

// cursor reads the records of one segment in order, through one buffer of fixed size.
type cursor struct {
	src   io.ReaderAt
	path  string
	limit int64  // bytes of src that count
	pos   int64  // of the next record
	next  uint64 // sequence that the next record must have
	solid int64  // where the zeros at the end begin, as content found; 0 = it was not asked

	buf  []byte // src[base : base+len(buf)]
	base int64
}

// reset begins a segment anew and keeps the buffer.
func (c *cursor) reset(src io.ReaderAt, path string, limit int64, first uint64) {
	if c.buf == nil {
		c.buf = make([]byte, 0, readBuffer)
	}
	*c = cursor{src: src, path: path, limit: limit, next: first, buf: c.buf[:0]}
}

// window returns the n bytes at pos, fewer only where the segment ends. n is at most recordHead+maxBody.
func (c *cursor) window(n int) ([]byte, error) {
	off := c.pos - c.base
	if off >= 0 && off+int64(n) <= int64(len(c.buf)) {
		return c.buf[off : off+int64(n)], nil
	}
	want := min(int64(cap(c.buf)), max(c.limit-c.pos, 0))
	c.buf, c.base = c.buf[:want], c.pos
	got, err := c.src.ReadAt(c.buf, c.pos)
	c.buf = c.buf[:got]
	if err != nil && !errors.Is(err, io.EOF) {
		c.buf = c.buf[:0]
		return nil, fmt.Errorf("cdr: %w", err)
	}
	return c.buf[:min(n, got)], nil
}

// forget lets what follows be read again, as it stands in the file by then.
func (c *cursor) forget() { c.buf, c.solid = c.buf[:0], 0 }

// content returns where the zeros begin that the segment ends in: a writer that stores in a mapping has allocated them for what comes. It
// is pos when there is nothing else.
func (c *cursor) content() (int64, error) {
	start, end := c.pos, c.pos
	if c.solid > c.pos {
		return c.solid, nil
	}
	defer func() { c.pos = start }()
	for {
		p, err := c.window(maxBody)
		if err != nil || len(p) == 0 {
			c.solid = end
			return end, err
		}
		if n := len(bytes.TrimRight(p, "\x00")); n > 0 {
			end = c.pos + int64(n)
		}
		c.pos += int64(len(p))
	}
}

func zeros(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// read returns the next record, io.EOF behind the last, or a *DamageError where there is something else; then the
// cursor stays where it is.
func (c *cursor) read() (record, error) {
	p, err := c.window(recordHead)
	switch {
	case err != nil:
		return record{}, err
	case len(p) == 0:
		return record{}, io.EOF
	case zeros(p):
		if end, err := c.content(); err != nil || end == c.pos {
			return record{}, cmp.Or(err, io.EOF)
		}
		return record{}, c.damage("zeros where a record should be")
	case len(p) < recordHead:
		return record{}, c.damage("the record is not whole")
	}
	size := binary.LittleEndian.Uint32(p[4:])
	if size > maxBody {
		return record{}, c.damage("record of " + strconv.FormatUint(uint64(size), 10) + " bytes")
	}
	total := recordHead + int(size)
	if p, err = c.window(total); err != nil {
		return record{}, err
	}
	if len(p) < total {
		return record{}, c.damage("the record is not whole")
	}
	if crc32.Checksum(p[4:], castagnoli) != binary.LittleEndian.Uint32(p) {
		return record{}, c.damage("record checksum")
	}
	rec := record{kind: p[16], seq: binary.LittleEndian.Uint64(p[8:]), off: c.pos, body: p[recordHead:]}
	switch {
	case rec.seq != c.next:
		return record{}, c.misfit("the record has sequence " + strconv.FormatUint(rec.seq, 10))
	case impossible(rec.kind, len(rec.body)):
		return record{}, c.misfit("no such record can be")
	}
	c.pos += int64(total)
	if rec.event() {
		c.next++
	}
	return rec, nil
}

// resync moves from where read failed to the next whole record, and reports whether there is one. A record counts
// when its checksum holds and its sequence can stand there: it is what read expected, or later.
func (c *cursor) resync() (bool, error) {
	start := c.pos
	end, err := c.content()
	if err != nil {
		return false, err
	}
	for ; ; c.pos++ {
		p, err := c.window(recordHead)
		if err != nil {
			return false, err
		}
		if len(p) < recordHead || c.pos >= end {
			c.pos = start
			return false, nil
		}
		size, seq := int64(binary.LittleEndian.Uint32(p[4:])), binary.LittleEndian.Uint64(p[8:])
		room := uint64(c.limit-start)/minEvent + 1
		if size > maxBody || impossible(p[16], int(size)) || seq < c.next || seq-c.next > room || c.pos+recordHead+size > c.limit {
			continue
		}
		if p, err = c.window(recordHead + int(size)); err != nil {
			return false, err
		}
		if len(p) < recordHead+int(size) || crc32.Checksum(p[4:], castagnoli) != binary.LittleEndian.Uint32(p) {
			continue
		}
		c.next = seq
		return true, nil
	}
}

// pass looks for a whole record behind the damage bad. torn says that there is none and that bad may be what a
// crash left of a write. Any other error than damage is returned.
func (c *cursor) pass(bad error) (found, torn bool, err error) {
	var d *DamageError
	if !errors.As(bad, &d) {
		return false, false, bad
	}
	found, err = c.resync()
	return found, !found && !d.whole, err
}

func (c *cursor) damage(problem string) error {
	return &DamageError{File: c.path, Offset: c.pos, Seq: c.next, Problem: problem}
}

// impossible says that no version has such a record: every event begins with its time.
func impossible(kind byte, size int) bool { return kind == 0 || kind < firstOwnKind && size < 8 }

// misfit is damage that no torn write leaves.
func (c *cursor) misfit(problem string) error {
	return &DamageError{File: c.path, Offset: c.pos, Seq: c.next, Problem: problem, whole: true}
}
