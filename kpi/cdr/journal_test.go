package cdr_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi/cdr"
)

func TestRotationByAge(t *testing.T) {
	for _, c := range []struct {
		age  time.Duration
		want int
	}{{0, 2}, {time.Hour, 3}, {-1, 1}} {
		dir := t.TempDir()
		j, _ := open(t, cdr.Config{Dir: dir, SegmentAge: c.age})
		for _, after := range []time.Duration{0, time.Minute, 61 * time.Minute, 2 * time.Minute, 25 * time.Hour} {
			ev := control("x")
			ev.Time = noon.Add(after)
			require.NoError(t, j.Append(ev))
		}
		require.Len(t, segmentFiles(t, dir), c.want, "age %v", c.age)
		require.Len(t, replay(t, j, 0), 5)
	}
}

func TestConcurrentAppendsStandInTheOrderOfTheirSequence(t *testing.T) {
	for _, level := range []cdr.Sync{cdr.SyncNone, cdr.SyncGroup} {
		t.Run(level.String(), func(t *testing.T) {
			const writers, each = 8, 40
			dir := t.TempDir()
			j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 8192, Sync: level})
			var mu sync.Mutex
			acknowledged := map[uint64]string{}
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for i := range each {
						ev := ended(1)
						ev.Attempt.Call.Ref = fmt.Sprintf("%d/%d", w, i)
						if err := j.Append(ev); err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						acknowledged[ev.Seq] = ev.Attempt.Call.Ref
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			require.Len(t, acknowledged, writers*each)
			got := replay(t, j, 0)
			require.Len(t, got, writers*each)
			for i, ev := range got {
				require.Equal(t, uint64(i+1), ev.Seq)
				require.Equal(t, acknowledged[ev.Seq], ev.Attempt.Call.Ref)
			}
			if level == cdr.SyncGroup {
				require.Positive(t, j.Stats().Syncs)
			}
		})
	}
}

func TestReplayBesideAWriter(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir(), SegmentBytes: 8192})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 3000 {
			if err := j.Append(ended(1)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var seen uint64
	for range 20 {
		known := j.LastSeq()
		last := seen
		require.NoError(t, j.Replay(seen, func(ev *outdial.Event) error {
			require.Equal(t, last+1, ev.Seq)
			last++
			return nil
		}))
		require.GreaterOrEqual(t, last, known)
		seen = last
	}
	wg.Wait()
	require.Len(t, replay(t, j, 0), 3000)
}

func TestAppendWithinReplayIsNotReplayed(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	require.NoError(t, j.Append(control("first")))
	n := 0
	require.NoError(t, j.Replay(0, func(*outdial.Event) error { n++; return j.Append(control("again")) }))
	require.Equal(t, 1, n)
	require.Equal(t, uint64(2), j.LastSeq())
}

func TestReplayPassesOnWhatItsFunctionSays(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	for range 5 {
		require.NoError(t, j.Append(control("x")))
	}
	enough := errors.New("enough")
	n := 0
	err := j.Replay(1, func(*outdial.Event) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	require.True(t, err == enough) //nolint:errorlint // passed on as it is
	require.Equal(t, 2, n)
	require.NoError(t, j.Replay(5, func(*outdial.Event) error { return enough }))
	require.NoError(t, j.Replay(^uint64(0), func(*outdial.Event) error { return enough }))
}

func TestOneWriterAtATime(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir})
	_, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: registry("")})
	require.ErrorIs(t, err, cdr.ErrLocked)
	require.ErrorContains(t, err, dir)
	require.NoError(t, j.Close())
	require.NoError(t, j.Close())
	require.ErrorIs(t, j.Append(control("late")), cdr.ErrClosed)
	_, err = j.Retain(noon, cdr.Retention{MaxSegments: 1})
	require.ErrorIs(t, err, cdr.ErrClosed)
	open(t, cdr.Config{Dir: dir})
}

func TestConfigNamesEveryBadField(t *testing.T) {
	_, _, err := cdr.Open(cdr.Config{SegmentBytes: 100, Sync: 7})
	for _, field := range []string{"Dir", "IDs", "SegmentBytes", "Sync"} {
		require.ErrorContains(t, err, "Config."+field)
	}
	_, err = cdr.NewReader(cdr.ReaderConfig{From: noon, To: noon})
	for _, field := range []string{"Dir", "IDs", "To"} {
		require.ErrorContains(t, err, "ReaderConfig."+field)
	}
}

func TestErrorsHaveOneForm(t *testing.T) {
	err := &cdr.DamageError{File: "x.cdr", Offset: 40, Seq: 7, Problem: "record checksum"}
	require.EqualError(t, err, "cdr: x.cdr: offset 40: sequence 7: record checksum")
	require.Equal(t, "invalid", cdr.Sync(9).String())
}

func TestAppendAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	ev, ctl := ended(1), control("x")
	require.Zero(t, testing.AllocsPerRun(2000, func() {
		if err := errors.Join(j.Append(ev), j.Append(ctl)); err != nil {
			t.Fatal(err)
		}
	}))
}
