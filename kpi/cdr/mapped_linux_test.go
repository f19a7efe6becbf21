package cdr_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/kpi/cdr"
)

// allocator is what mapped segments get their room by: it fails with err, if there is one.
type allocator struct {
	err   error
	calls int
}

func (a *allocator) allocate(fd int, mode uint32, off, n int64) error {
	a.calls++
	if a.err != nil {
		return a.err
	}
	return syscall.Fallocate(fd, mode, off, n)
}

// A full disk refuses the events that have no room any more, and takes them when there is some again.
func TestMappedOnAFullDisk(t *testing.T) {
	a := &allocator{}
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 40_000}.WithAllocate(a.allocate))
	var want []uint8
	refused := 0
	for leg := range uint8(200) {
		a.err = nil
		if leg%50 >= 25 {
			a.err = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO}[leg/50]
		}
		ev := ended(leg)
		if err := j.Append(ev); err != nil {
			require.ErrorIs(t, err, a.err)
			require.NotErrorIs(t, err, cdr.ErrFailed)
			require.Zero(t, ev.Seq)
			refused++
			continue
		}
		want = append(want, leg)
		require.EqualValues(t, len(want), ev.Seq)
		require.Equal(t, want, reopened(t, copyDir(t, dir)))
	}
	require.Positive(t, refused)
	require.EqualValues(t, refused, j.Stats().Failures)
	require.Equal(t, want, legs(replay(t, j, 0)))
	require.NoError(t, j.Close())
	require.Equal(t, want, reopened(t, dir))
}

// Where there is no fallocate(2), a segment is written, from its beginning or from the middle on.
func TestMappedWhereThatDoesNotWork(t *testing.T) {
	for works := range 3 {
		a := &allocator{}
		dir := t.TempDir()
		j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 15_000}.WithAllocate(a.allocate))
		var want []uint8
		for leg := range uint8(120) {
			if a.calls >= works {
				a.err = syscall.EOPNOTSUPP
			}
			require.NoError(t, j.Append(ended(leg)))
			want = append(want, leg)
			require.Equal(t, want, reopened(t, copyDir(t, dir)))
		}
		require.Greater(t, a.calls, works)
		require.NoError(t, j.Close())
		require.Equal(t, want, reopened(t, dir))
	}
}

// A segment that somebody cuts while it is written ends the journal, not the process.
func TestMappedSegmentIsCut(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, Mapped: true})
	require.NoError(t, j.Append(ended(1)))
	require.NoError(t, os.Truncate(segmentFiles(t, dir)[0], 0))
	err := j.Append(ended(2))
	require.ErrorIs(t, err, cdr.ErrFailed)
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorIs(t, j.Append(ended(3)), cdr.ErrFailed)
	require.Error(t, j.Close())
}
