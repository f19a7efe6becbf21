package cdr_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi/cdr"
)

// counting is a file system that counts writes.
type counting struct{ writes atomic.Int64 }

type countedFile struct {
	*os.File
	c *counting
}

func (f countedFile) Write(p []byte) (int, error) {
	f.c.writes.Add(1)
	return f.File.Write(p)
}

func (c *counting) create(path string) (cdr.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return countedFile{f, c}, err
}

func progressed(leg uint8) *outdial.Event {
	ev := ended(leg)
	ev.Kind, ev.Marks = outdial.EventProgressed, outdial.MarkRinging.Of()
	return ev
}

// left are the legs that a process that died now would have left.
func left(t *testing.T, dir string) []uint8 {
	t.Helper()
	copied := t.TempDir()
	names, err := filepath.Glob(filepath.Join(dir, "*.cdr"))
	require.NoError(t, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(copied, filepath.Base(name)), data, 0o600))
	}
	return reopened(t, copied)
}

// Progress waits for the next event of another kind, and is written with it, in order; whatever else was acknowledged is there.
func TestGather(t *testing.T) {
	var c counting
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Gather: true}.WithFiles(c.create))
	require.NoError(t, j.Append(ended(1)))
	require.EqualValues(t, 1, c.writes.Load())
	for leg := range uint8(3) {
		ev := progressed(2 + leg)
		require.NoError(t, j.Append(ev))
		require.EqualValues(t, 2+leg, ev.Seq)
	}
	require.EqualValues(t, 1, c.writes.Load())
	require.EqualValues(t, 4, j.LastSeq())
	require.Equal(t, []uint8{1}, left(t, dir))
	require.NoError(t, j.Append(ended(5)))
	require.EqualValues(t, 2, c.writes.Load())
	require.Equal(t, []uint8{1, 2, 3, 4, 5}, left(t, dir))

	require.NoError(t, j.Append(progressed(6)))
	require.NoError(t, j.Flush())
	require.NoError(t, j.Flush())
	require.EqualValues(t, 3, c.writes.Load())
	require.Equal(t, []uint8{1, 2, 3, 4, 5, 6}, left(t, dir))

	require.NoError(t, j.Append(progressed(7)))
	require.Len(t, replay(t, j, 0), 7, "a replay shows what waits")
	require.NoError(t, j.Append(progressed(8)))
	require.NoError(t, j.Sync())
	require.Equal(t, []uint8{1, 2, 3, 4, 5, 6, 7, 8}, left(t, dir))
	require.NoError(t, j.Append(progressed(9)))
	require.NoError(t, j.Close())
	require.NoError(t, j.Flush(), "nothing waits")
	require.Equal(t, []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9}, reopened(t, dir))
}

// The first event of a segment does not wait, nor one that a segment has no room for, nor more than a bound of them.
func TestGatherOverSegments(t *testing.T) {
	var c counting
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Gather: true, SegmentBytes: 4096}.WithFiles(c.create))
	require.NoError(t, j.Append(progressed(0)))
	require.EqualValues(t, 1, c.writes.Load(), "with the header and the names")
	want := []uint8{0}
	for leg := range uint8(200) {
		want = append(want, leg)
		if leg%50 == 49 {
			require.NoError(t, j.Append(ended(leg)))
			require.Equal(t, want, left(t, dir))
		} else {
			require.NoError(t, j.Append(progressed(leg)))
		}
	}
	require.NoError(t, j.Close())
	require.Equal(t, want, reopened(t, dir))
	require.Less(t, c.writes.Load(), int64(100))
	require.Greater(t, len(segmentFiles(t, dir)), 2)
}

// What waits when a Journal is closed on a full disk is lost, as Close says; the segment does not claim to hold it.
func TestGatherClosedOnAFullDisk(t *testing.T) {
	d := &disk{}
	d.room.Store(1 << 20)
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Gather: true}.WithFiles(d.create))
	require.NoError(t, j.Append(ended(1)))
	for range 3 {
		require.NoError(t, j.Append(progressed(2)))
	}
	d.room.Store(100) // for a summary, but not for these
	require.Equal(t, []uint8{1}, legs(replay(t, j, 0)))
	d.room.Store(100)
	require.ErrorIs(t, j.Close(), syscall.ENOSPC)
	require.NoError(t, j.Flush())
	require.Equal(t, []uint8{1}, legs(replay(t, j, 0)))
	require.Equal(t, []uint8{1}, reopened(t, dir))
}

// With SyncGroup an acknowledged event survives the machine: nothing waits.
func TestGatherWithSyncGroup(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Gather: true, Sync: cdr.SyncGroup})
	require.NoError(t, j.Append(ended(1)))
	require.NoError(t, j.Append(progressed(2)))
	require.Equal(t, []uint8{1, 2}, left(t, dir))
}

// A full disk refuses the event that is to be written; what waited goes on waiting, and stands before it when there is room again.
func TestGatherOnAFullDisk(t *testing.T) {
	for room := int64(0); room < 600; room += 7 {
		d := &disk{}
		d.room.Store(1 << 20)
		dir := t.TempDir()
		j, _ := open(t, cdr.Config{Dir: dir, Gather: true}.WithFiles(d.create))
		require.NoError(t, j.Append(ended(1)))
		d.room.Store(room)
		require.NoError(t, j.Append(progressed(2)))
		want := []uint8{1, 2}
		ev := ended(3)
		if err := j.Append(ev); err == nil {
			want = append(want, 3)
		} else {
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.Zero(t, ev.Seq)
			require.ErrorIs(t, j.Flush(), syscall.ENOSPC)
			require.Equal(t, []uint8{1}, left(t, dir))
		}
		d.room.Store(1 << 20)
		require.NoError(t, j.Append(ended(4)))
		want = append(want, 4)
		require.Equal(t, want, left(t, dir), "room %d", room)
		require.NoError(t, j.Close())
		require.Equal(t, want, reopened(t, dir))
	}
}

func TestGatherAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	j, _ := open(t, cdr.Config{Dir: t.TempDir(), Gather: true, SegmentBytes: 1 << 30})
	a, b := progressed(1), ended(2)
	require.NoError(t, j.Append(b))
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		for _, ev := range []*outdial.Event{a, a, b} {
			if j.Append(ev) != nil {
				t.Fail()
			}
		}
	}))
}
