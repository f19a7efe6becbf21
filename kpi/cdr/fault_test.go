package cdr_test

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// disk is a disk with so much room, whose files can be made to fail.
type disk struct {
	room     atomic.Int64
	truncate error
	sync     error
	gate     chan struct{} // if set, Sync waits for a token
	syncs    atomic.Int64
}

type diskFile struct {
	*os.File
	d *disk
}

func (d *disk) create(path string) (cdr.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return diskFile{f, d}, err
}

func (f diskFile) Write(p []byte) (int, error) {
	room := f.d.room.Add(-int64(len(p)))
	if room >= 0 {
		return f.File.Write(p)
	}
	fits := max(room+int64(len(p)), 0)
	n, err := f.File.Write(p[:fits])
	f.d.room.Store(0)
	return n, errors.Join(err, syscall.ENOSPC)
}

func (f diskFile) Truncate(size int64) error {
	if f.d.truncate != nil {
		return f.d.truncate
	}
	return f.File.Truncate(size)
}

func (f diskFile) Sync() error {
	if f.d.gate != nil {
		<-f.d.gate
	}
	f.d.syncs.Add(1)
	if f.d.sync != nil {
		return f.d.sync
	}
	return f.File.Sync()
}

// A full disk refuses events, whatever byte it becomes full at; what was acknowledged before and what comes after
// there is room again is all there is.
func TestFullDisk(t *testing.T) {
	for room := int64(0); room < 1200; room += 7 {
		d := &disk{}
		d.room.Store(room)
		dir := t.TempDir()
		j, _ := open(t, cdr.Config{Dir: dir}.WithFiles(d.create))
		var want []uint8
		refused := false
		for leg := range uint8(8) {
			ev := ended(leg)
			if err := j.Append(ev); err == nil {
				want = append(want, leg)
				require.Equal(t, uint64(len(want)), ev.Seq)
			} else {
				refused = true
				require.ErrorIs(t, err, syscall.ENOSPC)
				require.NotErrorIs(t, err, cdr.ErrFailed)
				require.Zero(t, ev.Seq)
			}
		}
		require.True(t, refused)
		require.Equal(t, uint64(8-len(want)), j.Stats().Failures)
		d.room.Store(1 << 20)
		require.NoError(t, j.Append(ended(77)))
		want = append(want, 77)
		var got []uint8
		for _, ev := range replay(t, j, 0) {
			got = append(got, ev.Attempt.ID.Leg)
		}
		require.Equal(t, want, got, "room %d", room)
		require.NoError(t, j.Close())
		_, rec := open(t, cdr.Config{Dir: dir})
		require.Zero(t, rec.Cut)
		require.Equal(t, uint64(len(want)), rec.LastSeq)
	}
}

func TestAFailedUndoEndsTheJournal(t *testing.T) {
	d := &disk{truncate: errors.New("input/output error")}
	d.room.Store(1000)
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir}.WithFiles(d.create))
	written := uint64(0)
	var err error
	for err == nil {
		if err = j.Append(ended(1)); err == nil {
			written++
		}
	}
	require.ErrorIs(t, err, cdr.ErrFailed)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "input/output error")
	d.room.Store(1 << 20)
	require.ErrorIs(t, j.Append(ended(1)), cdr.ErrFailed, "even when there is room again")
	require.Len(t, replay(t, j, 0), int(written), "what was acknowledged can still be read")
	_ = j.Close()
	_, rec := open(t, cdr.Config{Dir: dir})
	require.Positive(t, rec.Cut)
	require.Equal(t, written, rec.LastSeq)
}

// legs are the events of a replay, by their legs.
func legs(events []outdial.Event) []uint8 {
	out := []uint8{}
	for _, ev := range events {
		out = append(out, ev.Attempt.ID.Leg)
	}
	return out
}

// reopened are the legs that a next process finds.
func reopened(t *testing.T, dir string) []uint8 {
	t.Helper()
	j, rec := open(t, cdr.Config{Dir: dir})
	got := replay(t, j, 0)
	require.Equal(t, uint64(len(got)), rec.LastSeq)
	return legs(got)
}

// An event whose fsync failed is refused, and comes up in no replay: not of this process, not of the next one.
func TestAFailedSyncEndsTheJournal(t *testing.T) {
	for _, before := range []uint8{0, 1, 3} {
		d := &disk{}
		d.room.Store(1 << 30)
		dir := t.TempDir()
		j, _ := open(t, cdr.Config{Dir: dir, Sync: cdr.SyncGroup}.WithFiles(d.create))
		want := []uint8{}
		for leg := range before {
			require.NoError(t, j.Append(ended(leg)))
			want = append(want, leg)
		}
		d.sync = syscall.EIO
		ev := ended(22)
		err := j.Append(ev)
		require.ErrorIs(t, err, cdr.ErrFailed)
		require.ErrorIs(t, err, syscall.EIO)
		require.Zero(t, ev.Seq)
		d.sync = nil
		require.ErrorIs(t, j.Append(ended(33)), cdr.ErrFailed)
		require.ErrorIs(t, j.Sync(), cdr.ErrFailed)
		require.Equal(t, uint64(before), j.LastSeq())
		require.Equal(t, uint64(before), j.Stats().Events)
		require.Equal(t, uint64(2), j.Stats().Failures)
		require.Equal(t, want, legs(replay(t, j, 0)))
		require.ErrorIs(t, j.Close(), cdr.ErrFailed)
		require.Equal(t, want, legs(replay(t, j, 0)))
		require.Equal(t, want, reopened(t, dir))
	}
}

// Where that cannot be taken back either, the journal has failed and does not show it; the next process may.
func TestAFailedSyncThatCannotBeTakenBack(t *testing.T) {
	d := &disk{truncate: syscall.EROFS}
	d.room.Store(1 << 30)
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Sync: cdr.SyncGroup}.WithFiles(d.create))
	require.NoError(t, j.Append(ended(1)))
	d.sync = syscall.EIO
	err := j.Append(ended(2))
	require.ErrorIs(t, err, cdr.ErrFailed)
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorIs(t, err, syscall.EROFS)
	require.Equal(t, []uint8{1}, legs(replay(t, j, 0)))
	require.ErrorIs(t, j.Close(), cdr.ErrFailed)
	require.Equal(t, []uint8{1}, legs(replay(t, j, 0)))
	require.Equal(t, []uint8{1, 2}, reopened(t, dir), "as the documentation says")
}

// With SyncNone, what was acknowledged was acknowledged: a Sync that fails later takes nothing back.
func TestAFailedSyncOfAcknowledgedEvents(t *testing.T) {
	d := &disk{sync: syscall.EIO}
	d.room.Store(1 << 30)
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir}.WithFiles(d.create))
	require.NoError(t, j.Append(ended(1)))
	require.NoError(t, j.Append(ended(2)))
	require.ErrorIs(t, j.Sync(), cdr.ErrFailed)
	require.ErrorIs(t, j.Sync(), cdr.ErrFailed)
	require.ErrorIs(t, j.Append(ended(3)), cdr.ErrFailed)
	require.Equal(t, []uint8{1, 2}, legs(replay(t, j, 0)))
	require.ErrorIs(t, j.Close(), cdr.ErrFailed)
	require.Equal(t, []uint8{1, 2}, reopened(t, dir))
}

// waiting appends leg, whose fsync waits at the disk's gate, and returns when it is written.
func waiting(j *cdr.Journal, leg uint8) <-chan error {
	before, out := j.LastSeq(), make(chan error, 1)
	go func() { out <- j.Append(ended(leg)) }()
	for j.LastSeq() == before {
		runtime.Gosched()
	}
	return out
}

// A writer that waits for its fsync while a segment is finished gets the error that finishing it gave.
func TestAFailedSyncAtARotation(t *testing.T) {
	const gated = 3
	d := &disk{gate: make(chan struct{}, 64)}
	d.room.Store(1 << 30)
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Sync: cdr.SyncGroup, SegmentAge: time.Hour}.WithFiles(d.create))
	for leg := range uint8(gated) {
		d.gate <- struct{}{}
		require.NoError(t, j.Append(ended(leg)))
	}
	first := waiting(j, 7)
	require.Equal(t, []uint8{0, 1, 2}, legs(replay(t, j, 0)), "its fsync has not returned")
	later := ended(8)
	later.Time = later.Time.Add(2 * time.Hour)
	second := make(chan error, 1)
	go func() { second <- j.Append(later) }()
	d.sync = syscall.EIO
	close(d.gate)
	require.ErrorIs(t, <-first, cdr.ErrFailed)
	require.ErrorIs(t, <-second, cdr.ErrFailed)
	require.Equal(t, []uint8{0, 1, 2}, legs(replay(t, j, 0)))
	require.Equal(t, uint64(2), j.Stats().Failures)
	require.ErrorIs(t, j.Close(), cdr.ErrFailed)
	require.Equal(t, []uint8{0, 1, 2}, reopened(t, dir))
}

// A write that cannot be undone ends the journal, but not those who only wait for their fsync.
func TestAFailedUndoBesideAWaitingWriter(t *testing.T) {
	for _, broken := range []error{nil, syscall.EIO} {
		d := &disk{gate: make(chan struct{}, 64), truncate: syscall.EROFS}
		d.room.Store(1 << 30)
		dir := t.TempDir()
		j, _ := open(t, cdr.Config{Dir: dir, Sync: cdr.SyncGroup}.WithFiles(d.create))
		d.gate <- struct{}{}
		require.NoError(t, j.Append(ended(1)))
		first := waiting(j, 2)
		d.room.Store(20)
		require.ErrorIs(t, j.Append(ended(3)), cdr.ErrFailed)
		d.sync = broken
		close(d.gate)
		want := []uint8{1, 2}
		if err := <-first; broken == nil {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, cdr.ErrFailed)
			want = []uint8{1}
		}
		require.Equal(t, want, legs(replay(t, j, 0)))
		require.ErrorIs(t, j.Close(), cdr.ErrFailed)
		require.Equal(t, want, legs(replay(t, j, 0)))
		require.Equal(t, []uint8{1, 2}, reopened(t, dir))
	}
}

// While one writer waits for its fsync, the others write; they share the next one.
func TestWritersShareAnFsync(t *testing.T) {
	const writers = 32
	d := &disk{gate: make(chan struct{}, 64)}
	d.room.Store(1 << 30)
	j, _ := open(t, cdr.Config{Dir: t.TempDir(), Sync: cdr.SyncGroup}.WithFiles(d.create))
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			if err := j.Append(ended(1)); err != nil {
				t.Error(err)
			}
		})
	}
	for j.LastSeq() < writers { // until all are written, one fsync is under way
		runtime.Gosched()
	}
	close(d.gate)
	wg.Wait()
	require.LessOrEqual(t, d.syncs.Load(), int64(2))
	require.Equal(t, uint64(d.syncs.Load()), j.Stats().Syncs)
}

// A segment that is finished while an fsync of it is under way does not fail the writers that wait for it.
func TestRotationUnderAnFsync(t *testing.T) {
	d := &disk{}
	d.room.Store(1 << 30)
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Sync: cdr.SyncGroup, SegmentBytes: 4096}.WithFiles(d.create))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 30 {
				if err := j.Append(ended(1)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.Len(t, replay(t, j, 0), 480)
	require.NoError(t, j.Sync())
	require.NoError(t, j.Close())
}
