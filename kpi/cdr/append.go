package cdr

import (
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/durable"
)

// Append implements outdial.Journal: it writes ev by one write(2), or with Config.Mapped by storing it in memory that the kernel
// writes out, in the order of the sequence numbers, and sets ev.Seq. With SyncGroup it returns after an fsync that covers the event.
//
// An event whose write fails, or is cut short by a full disk, is not in the journal and its Seq is left alone; the
// journal is cut back to the last whole record and the next Append tries again. If that fails as well, this and all
// further appends give ErrFailed. So do they after a failed fsync; the events that waited for it are cut off again
// before their Appends return. Where even that fails, ErrFailed names that error too, and the events may be found when
// the journal is opened anew; this Journal never replays them.
//
// It allocates nothing, but when a segment begins. Texts are cut after 255 bytes. Leases are not written.
func (j *Journal) Append(ev *outdial.Event) error {
	e := j.encoders.Get().(*encoder)
	seq, err := j.append(e, ev)
	j.encoders.Put(e)
	if err == nil && j.cfg.Sync == SyncGroup {
		err = j.wait(seq)
	}
	if err != nil {
		return err
	}
	ev.Seq = seq
	return nil
}

func (j *Journal) append(e *encoder, ev *outdial.Event) (uint64, error) {
	if err := e.encode(ev); err != nil {
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	seq, err := j.write(e, byte(ev.Kind), e.at)
	if err != nil {
		j.stats.Failures++
		return 0, err
	}
	return seq, nil
}

// write puts the encoded event behind the last record of the active segment.
func (j *Journal) write(e *encoder, kind byte, t int64) (uint64, error) {
	switch {
	case j.closed:
		return 0, ErrClosed
	case j.failed != nil:
		return 0, j.failed
	}
	record, refs := e.record(), e.refs()
	if j.full(int64(len(record)), t) {
		if err := j.finish(j.cfg.Sync == SyncGroup); err != nil {
			return 0, err
		}
	}
	if j.active.file == nil {
		if err := j.begin(); err != nil {
			return 0, err
		}
	}
	seq := j.next
	seal(record, seq, kind)
	out := record
	if j.active.size == 0 || j.names.missing(refs) {
		if err := j.names.check(refs); err != nil {
			return 0, err
		}
		out = j.scratch[:0]
		if j.active.size == 0 {
			j.active.created = t
			out = appendHeader(out, seq, t)
		}
		out = j.names.appendNames(out, refs, seq)
		out = append(out, record...)
		j.scratch = out
	}
	if err := j.put(out); err != nil {
		j.names.forget()
		return 0, err
	}
	j.names.fresh = j.names.fresh[:0]
	j.active.add(seq, t)
	j.next++
	j.stats.Events++
	return seq, nil
}

// put writes b whole or not at all.
func (j *Journal) put(b []byte) error {
	n, err := j.active.file.Write(b)
	if err == nil && n == len(b) {
		j.active.size += int64(n)
		j.stats.Bytes += int64(n)
		return nil
	}
	if err == nil {
		err = fmt.Errorf("%d of %d bytes written", n, len(b))
	}
	err = fmt.Errorf("cdr: %w", err)
	if n <= 0 {
		return err
	}
	if undo := j.active.file.Truncate(j.active.size); undo != nil {
		j.failed = fmt.Errorf("%w: %w", ErrFailed, errors.Join(err, undo))
		return j.failed
	}
	return err
}

// full reports whether an event of n bytes at time t belongs into a new segment.
func (j *Journal) full(n, t int64) bool {
	if j.active.file == nil || j.active.events == 0 {
		return false
	}
	if j.active.size+n > j.cfg.SegmentBytes {
		return true
	}
	return j.cfg.SegmentAge > 0 && later(t, j.active.created) >= int64(j.cfg.SegmentAge)
}

// later is t - from, where neither may be the zero time, without overflow.
func later(t, from int64) int64 {
	if t == zeroTime || from == zeroTime || t <= from {
		return 0
	}
	if d := t - from; d > 0 {
		return d
	}
	return math.MaxInt64
}

// begin opens a new segment. Its header is written together with its first event.
func (j *Journal) begin() error {
	s := segment{first: j.next, path: segmentPath(j.cfg.Dir, j.next)}
	if info, err := os.Stat(s.path); err == nil && info.Size() > 0 {
		return fmt.Errorf("cdr: %s is in the way of a new segment", s.path)
	}
	f, err := j.cfg.create(s.path)
	if err != nil {
		return fmt.Errorf("cdr: %w", err)
	}
	if j.cfg.Sync == SyncGroup {
		if err := durable.SyncDir(j.cfg.Dir); err != nil {
			return fmt.Errorf("cdr: %w", errors.Join(err, f.Close()))
		}
	}
	j.segments = append(j.segments, s)
	j.active = active{file: f, summary: newSummary()}
	j.names.reset()
	j.group.begin()
	j.stats.Segments++
	return nil
}

// finish ends the active segment with a summary and closes it. A summary that cannot be written is left out. Where
// events are to survive a power cut, the segment is synced before a next one can exist: a torn tail is then always
// in the last segment.
func (j *Journal) finish(sync bool) error {
	a := &j.active
	if a.file == nil {
		return nil
	}
	if j.failed == nil && a.events > 0 {
		if err := j.put(a.append(j.scratch[:0])); err != nil && j.failed != nil {
			return errors.Join(err, j.shut(false))
		}
	}
	if !sync || j.failed != nil {
		return j.shut(false)
	}
	j.stats.Syncs++
	if err := j.group.sync(a.file, j.next-1, a.size); err != nil {
		return errors.Join(j.lost(err), j.shut(false))
	}
	return j.shut(true)
}

// shut closes the active file. An empty one stays behind as the place where the next segment begins.
func (j *Journal) shut(synced bool) error {
	err := j.active.file.Close()
	last := len(j.segments) - 1
	switch {
	case j.active.size == 0:
		j.segments = j.segments[:last]
	case !synced:
		j.behind = append(j.behind, j.segments[last].path)
	}
	size := j.active.size
	j.active = active{}
	if j.failed != nil {
		j.active.size = size // the file may be longer: what could not be taken back is not replayed
	}
	if err != nil {
		return fmt.Errorf("cdr: %w", err)
	}
	return nil
}
