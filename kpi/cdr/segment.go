package cdr

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Version of the format that this package writes. It reads any minor version of its major version.
const (
	Major = 1
	Minor = 3
)

const (
	magic       = "OUTDCDR\n"
	headerSize  = 40
	maxHeader   = 4096
	extension   = ".cdr"
	nameDigits  = 20
	summarySize = recordHead + 32
)

// segment is a file of the journal.
type segment struct {
	first uint64 // sequence of its first event, also its name
	path  string
}

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%0*d%s", nameDigits, first, extension))
}

// segments lists the segments in dir in the order of their sequences. Files with other names are left alone.
func segments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cdr: %w", err)
	}
	var list []segment
	for _, e := range entries {
		name := e.Name()
		if len(name) != nameDigits+len(extension) || name[nameDigits:] != extension {
			continue
		}
		first, err := strconv.ParseUint(name[:nameDigits], 10, 64)
		if err != nil || first == 0 {
			continue
		}
		list = append(list, segment{first: first, path: filepath.Join(dir, name)})
	}
	slices.SortFunc(list, func(a, b segment) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	return list, nil
}

// appendHeader appends a segment's header: magic, version, size, first sequence, time of the first event, CRC.
func appendHeader(dst []byte, first uint64, created int64) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint16(dst, Major)
	dst = binary.LittleEndian.AppendUint16(dst, Minor)
	dst = binary.LittleEndian.AppendUint32(dst, headerSize)
	dst = binary.LittleEndian.AppendUint64(dst, first)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(created))
	dst = binary.LittleEndian.AppendUint32(dst, 0) // room
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// header reads the header of the segment and moves behind it. io.EOF means an empty file, errShort a header that
// was not written to its end.
func (c *cursor) header() error {
	p, err := c.window(headerSize)
	switch {
	case err != nil:
		return err
	case len(p) == 0:
		return io.EOF
	}
	if bytes.Count(p, []byte{0}) == len(p) {
		return c.damage("zeros where the header should be") // a power cut leaves that of a new file
	}
	if n := min(len(p), len(magic)); string(p[:n]) != magic[:n] {
		if strings.HasPrefix(magic, string(bytes.TrimRight(p[:n], "\x00"))) {
			return c.unfinished("not a segment: wrong magic", headerSize)
		}
		return c.misfit("not a segment: wrong magic")
	}
	if len(p) < headerSize {
		return errShort
	}
	if major := binary.LittleEndian.Uint16(p[8:]); major > Major {
		return fmt.Errorf("%w: %s: version %d", ErrVersion, c.path, major)
	}
	size := int(binary.LittleEndian.Uint32(p[12:]))
	if size < headerSize || size > maxHeader {
		return c.unfinished("header of "+strconv.Itoa(size)+" bytes", headerSize)
	}
	first := binary.LittleEndian.Uint64(p[16:])
	if p, err = c.window(size); err != nil {
		return err
	}
	if len(p) < size {
		return errShort
	}
	if crc32.Checksum(p[:size-4], castagnoli) != binary.LittleEndian.Uint32(p[size-4:]) {
		return c.unfinished("header checksum", size)
	}
	if first != c.next {
		return c.misfit("header says that it begins with sequence " + strconv.FormatUint(first, 10))
	}
	c.pos += int64(size)
	return nil
}

// unfinished is errShort where there are only zeros behind what a header takes, as a process leaves it that died while it stored one, or
// else a misfit.
func (c *cursor) unfinished(problem string, size int) error {
	if end, err := c.content(); err != nil || end <= int64(size) {
		return cmp.Or(err, errShort)
	}
	return c.misfit(problem)
}

var errShort = errors.New("cdr: the header is not whole")

// summary closes a segment that was finished in good order, so that readers can pass over it unread.
type summary struct {
	last     uint64 // sequence of its last event
	events   uint64
	min, max int64 // earliest and latest event time
}

func newSummary() summary { return summary{min: int64(^uint64(0) >> 1), max: zeroTime} }

func (s *summary) add(seq uint64, t int64) {
	s.last = seq
	s.events++
	s.min = min(s.min, t)
	s.max = max(s.max, t)
}

func (s *summary) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, recordHead)...)
	dst = binary.LittleEndian.AppendUint64(dst, s.last)
	dst = binary.LittleEndian.AppendUint64(dst, s.events)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.min))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.max))
	seal(dst[start:], s.last+1, kindSummary)
	return dst
}

// readSummary reads the summary at the end of a segment of the given size, if there is one.
func readSummary(src io.ReaderAt, size int64) (summary, bool) {
	var b [summarySize]byte
	if size < headerSize+summarySize {
		return summary{}, false
	}
	if _, err := src.ReadAt(b[:], size-summarySize); err != nil {
		return summary{}, false
	}
	if b[16] != kindSummary || binary.LittleEndian.Uint32(b[4:]) != summarySize-recordHead ||
		crc32.Checksum(b[4:], castagnoli) != binary.LittleEndian.Uint32(b[:]) {
		return summary{}, false
	}
	p := b[recordHead:]
	return summary{
		last:   binary.LittleEndian.Uint64(p),
		events: binary.LittleEndian.Uint64(p[8:]),
		min:    int64(binary.LittleEndian.Uint64(p[16:])),
		max:    int64(binary.LittleEndian.Uint64(p[24:])),
	}, true
}
