package cdr

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/outdial/outdial"
)

// Framing of records; FORMAT.md is the specification.
const (
	recordHead = 17        // CRC 4, length 4, sequence 8, kind 1
	maxBody    = 1<<16 - 1 // bytes of one record's body
	minEvent   = recordHead + 8
)

// Record kinds. Those below firstOwnKind are outdial.EventKind values and take a sequence number; the segment's
// own records carry the number that the next event will have.
const (
	firstOwnKind = 0x80
	kindNames    = 0x80 // what the ids of the records behind it are called
	kindSummary  = 0x81 // the last record of a segment that was finished in good order
)

const zeroTime = math.MinInt64 // how the zero time.Time is written

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one whole record; body lives in the cursor's buffer.
type record struct {
	kind byte
	seq  uint64
	off  int64 // of its first byte in the segment
	body []byte
}

// seal fills the head of a record whose body stands behind recordHead bytes of room.
func seal(rec []byte, seq uint64, kind byte) {
	binary.LittleEndian.PutUint32(rec[4:], uint32(len(rec)-recordHead))
	binary.LittleEndian.PutUint64(rec[8:], seq)
	rec[16] = kind
	binary.LittleEndian.PutUint32(rec, crc32.Checksum(rec[4:], castagnoli))
}

// nanos is how a time is written: UTC nanoseconds since 1970, limited to the years 1678 to 2262 that fit.
func nanos(t time.Time) int64 {
	const limit = math.MaxInt64/int64(time.Second) - 1
	switch s := t.Unix(); {
	case s >= -limit && s <= limit:
		return t.UnixNano()
	case s > limit:
		return math.MaxInt64
	case t.IsZero():
		return zeroTime
	}
	return zeroTime + 1
}

func timeOf(n int64) time.Time {
	if n == zeroTime {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// time is the time of an event record without decoding it.
func (r *record) time() (int64, bool) {
	if len(r.body) < 8 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(r.body)), true
}

func (r *record) event() bool { return r.kind < firstOwnKind }

func (r *record) known() bool { return r.event() && validKind(outdial.EventKind(r.kind)) }

func validKind(k outdial.EventKind) bool {
	return k >= outdial.EventRefused && k <= outdial.EventControl
}
