package cdr_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi/cdr"
)

// A journal that stores in mappings leaves, byte by byte, the files that one that writes leaves.
func TestMappedLeavesTheSameFiles(t *testing.T) {
	ids := registry("")
	var dirs []string
	for _, mapped := range []bool{false, true} {
		dir := t.TempDir()
		dirs = append(dirs, dir)
		for process := range 3 {
			j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids, SegmentBytes: 20_000, Mapped: mapped})
			require.NoError(t, err)
			for i := range 200 {
				ev := ended(uint8(i))
				ev.Attempt.Call.Ref = strings.Repeat("x", (i*37+process)%200)
				require.NoError(t, j.Append(ev))
			}
			require.NoError(t, j.Close())
		}
	}
	files := segmentFiles(t, dirs[0])
	require.Greater(t, len(files), 6)
	require.Len(t, segmentFiles(t, dirs[1]), len(files))
	for _, name := range files {
		want, err := os.ReadFile(name)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(dirs[1], filepath.Base(name)))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// What Append has acknowledged is in the file when it returns, without a tail that would be torn; so a process that dies loses none of it.
func TestMappedIsThereAtOnce(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 9000, Mapped: true})
	want := []uint8{}
	for leg := range uint8(100) {
		require.NoError(t, j.Append(ended(leg)))
		want = append(want, leg)
		left := copyDir(t, dir) // as a process that died now would have left it
		got, report, err := read(t, cdr.ReaderConfig{Dir: left, IDs: registry("")})
		require.NoError(t, err)
		require.Equal(t, want, legs(got))
		require.Zero(t, report.Torn)
		next, rec := open(t, cdr.Config{Dir: left})
		require.Zero(t, rec.Cut)
		require.NoError(t, next.Append(ended(200)))
		require.Equal(t, append(want, 200), legs(replay(t, next, 0)))
		require.NoError(t, next.Close())
		require.Equal(t, want, legs(replay(t, j, 0)))
	}
	require.NoError(t, j.Sync())
	require.Greater(t, len(segmentFiles(t, dir)), 2)
}

// Names that need more than a window has get a larger one.
func TestMappedBeyondAWindow(t *testing.T) {
	ids := registry("")
	j, _ := open(t, cdr.Config{Dir: t.TempDir(), IDs: ids, SegmentBytes: 4096, Mapped: true})
	for i := range 6 {
		ev := ended(uint8(i))
		ev.Attempt.Call.Program = ids.Programs.ID(fmt.Sprint(i, strings.Repeat("p", 4000)))
		ev.Attempt.Call.Tenant = ids.Tenants.ID(fmt.Sprint(i, strings.Repeat("t", 4000)))
		require.NoError(t, j.Append(ev))
	}
	require.Equal(t, []uint8{0, 1, 2, 3, 4, 5}, legs(replay(t, j, 0)))
	require.NoError(t, j.Close())
}

// Zeros behind the last record of a segment are room that was not used, whichever segment it is; they hide nothing that is missing, and are
// no room where something stands behind them.
func TestRoom(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 4096})
	for leg := range uint8(60) {
		require.NoError(t, j.Append(ended(leg)))
	}
	require.NoError(t, j.Close())
	files := segmentFiles(t, dir)
	first, err := os.ReadFile(files[0])
	require.NoError(t, err)
	at := frames(t, first)
	seen := func(data []byte) (int, error) {
		require.NoError(t, os.WriteFile(files[0], data, 0o600))
		got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
		return len(got), err
	}
	n, err := seen(append(first[:len(first):len(first)], make([]byte, 300_000)...))
	require.NoError(t, err)
	require.Equal(t, 60, n)
	cut := at[len(at)-3] // before the last event and the summary
	_, err = seen(append(first[:cut:cut], make([]byte, 300_000)...))
	require.ErrorContains(t, err, "one before it is missing or cut short")
	hole := append([]byte(nil), first...)
	clear(hole[at[2]:at[3]])
	_, err = seen(hole)
	require.ErrorContains(t, err, "zeros where a record should be")
}

// A Reader of a journal that another process is writing sees whole events, in order, and no damage.
func TestReadingWhatIsBeingMapped(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 1 << 20, Mapped: true})
	const events = 20_000
	done := make(chan error, 1)
	go func() {
		for i := range events {
			if err := j.Append(ended(uint8(i))); err != nil {
				done <- err
				return
			}
			if i%64 == 0 {
				runtime.Gosched()
			}
		}
		done <- nil
	}()
	for last := 0; last < events; {
		got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
		require.NoError(t, err)
		require.Zero(t, report.Damage)
		require.GreaterOrEqual(t, len(got), last)
		for i, ev := range got {
			require.EqualValues(t, i+1, ev.Seq)
			require.Equal(t, uint8(i), ev.Attempt.ID.Leg)
		}
		last = len(got)
		select {
		case err := <-done:
			require.NoError(t, err)
		default:
			runtime.Gosched()
		}
	}
}

func TestMappedAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	j, _ := open(t, cdr.Config{Dir: t.TempDir(), SegmentBytes: 1 << 30, Mapped: true})
	ev := ended(2)
	require.NoError(t, j.Append(ev))
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if j.Append(ev) != nil {
			t.Fail()
		}
	}))
}

// storing is a segment of which a writer has stored whole, and for so many reads half of its third event.
type storing struct {
	whole, half []byte
	reads       int
}

func (s *storing) ReadAt(p []byte, off int64) (int, error) {
	now := s.whole
	if s.reads--; s.reads >= 0 {
		now = s.half
	}
	return bytes.NewReader(now).ReadAt(p, off)
}

// However long a record is half there, and whenever it is whole, a Reader takes it for no damage.
func TestReadingHalfARecord(t *testing.T) {
	_, b := crashed(t, 4)
	at := frames(t, b)
	whole := withRoom(b, 100_000)
	half := append(slices.Clone(b[:at[3]+40]), make([]byte, len(whole)-at[3]-40)...)
	for reads := range 12 {
		got := 0
		src := &storing{whole: whole, half: half, reads: reads}
		torn, err := cdr.ReadLive(src, int64(len(whole)), registry(""), func(*outdial.Event) bool { got++; return true })
		require.NoError(t, err, reads)
		require.True(t, got == 4 && torn == 0 || got == 2 && torn > 0, "%d reads: %d events, %d torn", reads, got, torn)
	}
}
