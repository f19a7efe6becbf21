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
