package cdr

import (
	"errors"
	"fmt"
)

// Errors of a journal; compare with errors.Is.
var (
	// ErrLocked: another writer, in this process or another one, has the directory open.
	ErrLocked = errors.New("cdr: another writer has the journal open")
	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("cdr: the journal is closed")
	// ErrFailed: a write could not be undone or an fsync failed, so what the last segment holds on the disk is not
	// known. The journal takes no more events; opening it anew settles what is there. The causes are wrapped beside it.
	ErrFailed = errors.New("cdr: the journal has failed and takes no more events")
	// ErrVersion: a segment was written in a newer major version of the format.
	ErrVersion = errors.New("cdr: the segment has a newer format than this version reads")
	// ErrGone: events that a replay needs were removed by Retain.
	ErrGone = errors.New("cdr: events were removed by retention")
)

// DamageError says where a segment does not hold what was written.
type DamageError struct {
	File    string // path of the segment
	Offset  int64  // in bytes from its beginning
	Seq     uint64 // sequence number that was expected there
	Problem string // what is wrong

	whole bool // it is not a torn write: something whole stands there, but not what should
}

// Error names file, offset and problem in one line.
func (e *DamageError) Error() string {
	return fmt.Sprintf("cdr: %s: offset %d: sequence %d: %s", e.File, e.Offset, e.Seq, e.Problem)
}

// Damage counts what was passed over because SkipDamaged was set. The zero value is "nothing".
type Damage struct {
	Places int    // stretches that could not be read
	Bytes  int64  // their length
	Events uint64 // sequence numbers missing because of them
}

func (d *Damage) add(bytes int64, events uint64) {
	d.Places++
	d.Bytes += bytes
	d.Events += events
}
