package cdr_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/kpi/cdr"
)

func TestReaderBounds(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 4096})
	for i := range 300 {
		ev := control("x")
		ev.Time = noon.Add(time.Duration(i) * time.Minute)
		require.NoError(t, j.Append(ev))
	}
	for _, c := range []struct {
		after       uint64
		from, to    time.Time
		first, last uint64
	}{
		{0, time.Time{}, time.Time{}, 1, 300},
		{120, time.Time{}, time.Time{}, 121, 300},
		{0, noon.Add(100 * time.Minute), noon.Add(200 * time.Minute), 101, 200},
		{150, noon.Add(100 * time.Minute), noon.Add(200 * time.Minute), 151, 200},
		{0, noon.Add(100 * time.Minute), time.Time{}, 101, 300},
		{0, time.Time{}, noon.Add(time.Minute), 1, 1},
	} {
		got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry(""), After: c.after, From: c.from, To: c.to})
		require.NoError(t, err)
		require.Equal(t, c.first, got[0].Seq)
		require.Equal(t, c.last, got[len(got)-1].Seq)
		require.Len(t, got, int(c.last-c.first+1))
		require.Equal(t, c.last-c.first+1, report.Events)
	}
	got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry(""), After: 300})
	require.NoError(t, err)
	require.Empty(t, got)

	r, err := cdr.NewReader(cdr.ReaderConfig{Dir: dir, IDs: registry("")})
	require.NoError(t, err)
	for range 2 { // leaving the loop early, and a second pass
		for ev, err := range r.All() {
			require.NoError(t, err)
			require.Equal(t, uint64(1), ev.Seq)
			break
		}
	}
	r, err = cdr.NewReader(cdr.ReaderConfig{Dir: filepath.Join(dir, "nowhere"), IDs: registry("")})
	require.NoError(t, err)
	for ev, err := range r.All() {
		require.Nil(t, ev)
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

// A copy of a directory that is being written can be read: it ends before the record that is half copied.
func TestReaderOfACopy(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 4096})
	for range 30 {
		require.NoError(t, j.Append(ended(1)))
	}
	to := copyDir(t, dir)
	files := segmentFiles(t, to)
	last := files[len(files)-1]
	info, err := os.Stat(last)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(last, info.Size()-1))
	got, report, err := read(t, cdr.ReaderConfig{Dir: to, IDs: registry("")})
	require.NoError(t, err)
	require.Len(t, got, 29)
	require.Positive(t, report.Torn)
	after, err := os.Stat(last)
	require.NoError(t, err)
	require.Equal(t, info.Size()-1, after.Size(), "nothing is changed")
}
