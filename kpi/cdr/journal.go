package cdr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/durable"
)

var _ outdial.Journal = (*Journal)(nil)

// Config says where a journal lives and how it is written.
type Config struct {
	Dir string            // the journal's directory; made if it does not exist. Required
	IDs *outdial.Registry // the process's registry of shared ids. Required

	Sync Sync // what an acknowledged event survives; the zero value is the death of the process

	// Mapped stores events in a memory mapping of the segment instead of writing each by a write(2): it takes half the time and no system
	// call, and they survive the death of the process as well. A power cut can leave a hole before later events, which is damage (see
	// SkipDamaged), where it would have cut off the end. Room for 256 KiB is allocated ahead, so that a full disk is an error as ever; a
	// process that dies leaves what is over as zeros behind its last event, a Journal that is closed does not. A disk that fails under the
	// mapping, or a segment that somebody else cuts, ends the journal: ErrFailed. It needs Linux and a file system with fallocate(2) (ext4,
	// xfs, tmpfs and others); elsewhere, and with SyncGroup, events are written as without it. Leave it out where a file system copies on write
	// (btrfs, ZFS: a full disk can show when a page is stored in again, or not before it is written out) or is another machine's: a thread that
	// waits for a page keeps its processor, which one in write(2) gives to other goroutines.
	Mapped bool

	SegmentBytes int64         // a segment is finished when it would grow beyond this; 0 = 64 MiB, at least 4 KiB
	SegmentAge   time.Duration // … or when an event is this much later than its first; 0 = 24 h, negative = no limit

	// SkipDamaged makes Open and Replay go on behind damage that is not a torn tail, and count it, instead of
	// refusing. Nothing is repaired: the damaged bytes stay where they are. Open refuses nevertheless when the last
	// segment is not one at all, or ends in a whole record that does not belong there.
	SkipDamaged bool

	create func(path string) (file, error) // opens a segment for appending; nil = the file system
}

// Sync says what an event survives when Append has returned.
type Sync uint8

// Levels of safety.
const (
	// SyncNone: the event was given to the operating system. It survives kill -9, not a power cut.
	SyncNone Sync = iota
	// SyncGroup: an fsync that covers the event has returned. Writers that wait at the same time share one.
	SyncGroup
)

// String returns "none" or "group".
func (s Sync) String() string {
	switch s {
	case SyncNone:
		return "none"
	case SyncGroup:
		return "group"
	}
	return "invalid"
}

// file is what a segment is appended to, always whole records.
type file interface {
	Write(p []byte) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Journal is the journal of events in a directory. It has one writer at a time, which a lock on the directory
// ensures where the system has flock(2).
//
// All methods are safe for concurrent use. The zero value is not usable: call Open, and Close at the end.
type Journal struct {
	cfg      Config
	lock     *os.File
	encoders sync.Pool // *encoder

	// mu guards what follows. It is held over the writing of a record, which is the order of the file, and over what
	// ends one segment and begins the next.
	mu       sync.Mutex
	segments []segment // in order; the last one is active if active.file != nil
	active   active
	behind   []string // segments finished without an fsync
	names    dictionary
	next     uint64
	scratch  []byte // header, names and event, where one write holds them all
	stats    Stats
	failed   error // set once, with ErrFailed
	closed   bool

	group     group
	retaining sync.Mutex // one Retain at a time
}

// active is the segment being written.
type active struct {
	file    file
	size    int64
	created int64
	summary
}

// Recovery is what Open found.
type Recovery struct {
	Segments int    // segments in the directory
	LastSeq  uint64 // of the last whole event; 0 = the journal is empty

	Segment string // path of the last segment, "" = there is none
	Events  uint64 // whole events in it
	Offset  int64  // where its last whole record ended, in bytes
	Cut     int64  // bytes of a torn tail that were cut off behind Offset, but for zeros at its end; 0 = it was whole
	Damage  Damage // passed over in it because of SkipDamaged

	// CutBefore is what was cut off the segment before it as well, in bytes. Only a power cut with SyncNone makes it
	// more than 0, and only when the last segment holds no event.
	CutBefore int64
}

// Stats counts what a Journal has done since it was opened.
type Stats struct {
	Events   uint64 // appended
	Bytes    int64  // written, framing and names included
	Segments uint64 // begun
	Syncs    uint64 // fsync calls on segments
	Failures uint64 // appends that were refused
}

// Open opens the journal in cfg.Dir for appending and takes its lock. It reads the last segment: a torn tail,
// which a crash may leave, is cut off and reported; damage before whole records is a *DamageError, and nothing is
// changed. Earlier segments are read by Replay. The next Append begins a new segment.
//
// Errors in cfg are returned joined; a directory that is in use gives ErrLocked.
func Open(cfg Config) (*Journal, Recovery, error) {
	if err := cfg.fill(); err != nil {
		return nil, Recovery{}, err
	}
	if err := makeDir(cfg.Dir); err != nil {
		return nil, Recovery{}, fmt.Errorf("cdr: %w", err)
	}
	lock, err := lockDir(filepath.Join(cfg.Dir, lockName))
	if err != nil {
		return nil, Recovery{}, err
	}
	j := &Journal{cfg: cfg, lock: lock, next: 1, names: dictionary{ids: cfg.IDs}}
	j.encoders.New = func() any { return new(encoder) }
	j.group.init()
	rec, err := j.recover()
	if err != nil {
		return nil, rec, errors.Join(err, lock.Close())
	}
	j.group.durable = j.next - 1
	return j, rec, nil
}

const (
	defaultSegmentBytes = 64 << 20
	minSegmentBytes     = 4 << 10
	defaultSegmentAge   = 24 * time.Hour
)

func (cfg *Config) fill() error {
	var errs []error
	if cfg.Dir == "" {
		errs = append(errs, errors.New("cdr: Config.Dir: required"))
	}
	if cfg.IDs == nil {
		errs = append(errs, errors.New("cdr: Config.IDs: required"))
	}
	if cfg.Sync > SyncGroup {
		errs = append(errs, fmt.Errorf("cdr: Config.Sync: %d is not a level", cfg.Sync))
	}
	if cfg.SegmentBytes == 0 {
		cfg.SegmentBytes = defaultSegmentBytes
	}
	if cfg.SegmentBytes < minSegmentBytes {
		errs = append(errs, fmt.Errorf("cdr: Config.SegmentBytes: %d is less than %d", cfg.SegmentBytes, minSegmentBytes))
	}
	if cfg.SegmentAge == 0 {
		cfg.SegmentAge = defaultSegmentAge
	}
	if cfg.create == nil {
		cfg.create = create
		if cfg.Mapped && cfg.Sync == SyncNone {
			window := min(cfg.SegmentBytes, maxWindow)
			cfg.create = func(path string) (file, error) { return createMapped(path, window) }
		}
	}
	return errors.Join(errs...)
}

// create opens a segment that is written by write(2).
func create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
}

// recover reads the last segment and cuts its torn tail. If nothing is left of it, so it does with the one before.
func (j *Journal) recover() (Recovery, error) {
	list, err := segments(j.cfg.Dir)
	if err != nil {
		return Recovery{}, err
	}
	var rec Recovery
	for n := len(list) - 1; n >= 0; n-- {
		found, cut, err := j.trim(list[n])
		if err != nil {
			return Recovery{}, err
		}
		if n == len(list)-1 {
			rec = Recovery{
				Segments: len(list), Segment: list[n].path, Events: found.events, Offset: found.end, Cut: cut, Damage: found.damage,
			}
		} else {
			rec.CutBefore += cut
			if list[n+1].first != found.next { // the empty one: its name is not that of the next event any more
				if err := os.Remove(list[n+1].path); err != nil {
					return Recovery{}, fmt.Errorf("cdr: %w", err)
				}
			}
		}
		j.segments, j.next, rec.LastSeq = list[:n+1], found.next, found.next-1
		if !found.empty() {
			break
		}
		j.segments = list[:n] // the next Append begins it again, under its name
	}
	return rec, nil
}

// trim reads a segment and cuts what is torn off its end; one without an event is emptied.
func (j *Journal) trim(s segment) (found scanned, cut int64, err error) {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return found, 0, fmt.Errorf("cdr: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return found, 0, fmt.Errorf("cdr: %w", err)
	}
	if found, err = scan(f, s, info.Size(), j.cfg.SkipDamaged); err != nil {
		return found, 0, err
	}
	keep := found.end
	if found.empty() {
		keep = 0
	}
	if keep < info.Size() {
		if err := f.Truncate(keep); err != nil {
			return found, 0, fmt.Errorf("cdr: cutting a torn tail: %w", err)
		}
	}
	// What a killed process left unsynced counts as durable from here on, and must be before a next segment is.
	if keep < info.Size() || j.cfg.Sync == SyncGroup {
		if err := f.Sync(); err != nil {
			return found, 0, fmt.Errorf("cdr: fsync: %w", err)
		}
	}
	return found, found.torn, nil
}

// LastSeq returns the sequence number of the last event in the journal, 0 if it is empty. With SyncGroup, the Append of
// that event may still be waiting for its fsync.
func (j *Journal) LastSeq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.next - 1
}

// Stats returns what the journal has done so far.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stats
}

// Close finishes the active segment, syncs what was written and gives the lock up. Appends that come later give
// ErrClosed. Closing twice does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	err := j.finish(j.cfg.Sync == SyncGroup)
	if err == nil {
		err = j.failed
	}
	last := j.next - 1
	j.mu.Unlock()
	return errors.Join(err, j.wait(last), j.lock.Close())
}

// makeDir makes dir and what is missing above it, durably.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return durable.SyncDir(parent)
}
