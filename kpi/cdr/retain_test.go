package cdr_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

func TestRetain(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentAge: time.Hour})
	for i := range 10 {
		ev := control("x")
		ev.Time = noon.Add(time.Duration(i) * time.Hour)
		require.NoError(t, j.Append(ev))
	}
	now := noon.Add(9 * time.Hour)
	require.Len(t, segmentFiles(t, dir), 10)
	got, err := j.Retain(now, cdr.Retention{})
	require.NoError(t, err)
	require.Zero(t, got)
	got, err = j.Retain(now, cdr.Retention{MaxAge: 6 * time.Hour})
	require.NoError(t, err)
	require.Equal(t, 3, got.Segments)
	require.Equal(t, uint64(3), got.Through)
	require.Len(t, segmentFiles(t, dir), 7)
	require.ErrorIs(t, j.Replay(2, func(*outdial.Event) error { return nil }), cdr.ErrGone)
	require.Len(t, replay(t, j, 3), 7)
	require.Len(t, replay(t, j, 0), 7)

	got, err = j.Retain(now, cdr.Retention{MaxSegments: 4})
	require.NoError(t, err)
	require.Equal(t, 3, got.Segments)
	got, err = j.Retain(now, cdr.Retention{MaxBytes: 1, MaxAge: 1})
	require.NoError(t, err)
	require.Equal(t, 3, got.Segments)
	require.Positive(t, got.Bytes)
	require.Len(t, segmentFiles(t, dir), 1, "the newest stays")
	require.Equal(t, uint64(10), replay(t, j, 0)[0].Seq)
	_, err = j.Retain(now, cdr.Retention{MaxAge: -1})
	require.Error(t, err)

	require.NoError(t, j.Append(control("on")))
	require.NoError(t, j.Close())
	_, rec := open(t, cdr.Config{Dir: dir})
	require.Equal(t, uint64(11), rec.LastSeq)
}

// No event goes that a snapshot does not hold: not even of a segment of which it holds all but the last.
func TestRetainThrough(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentAge: time.Hour})
	for i := range 6 { // two events a segment
		ev := control("x")
		ev.Time = noon.Add(time.Duration(i) * 45 * time.Minute)
		require.NoError(t, j.Append(ev))
	}
	require.Len(t, segmentFiles(t, dir), 3)
	all := cdr.Retention{MaxAge: time.Minute, MaxSegments: 1, MaxBytes: 1}
	for _, x := range []struct {
		through uint64
		gone    int
	}{{1, 0}, {2, 1}, {3, 0}, {5, 1}} {
		all.Through = x.through
		got, err := j.Retain(noon.Add(24*time.Hour), all)
		require.NoError(t, err)
		require.Equal(t, x.gone, got.Segments, "through %d", x.through)
		require.LessOrEqual(t, got.Through, x.through)
	}
}
