package cdr_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// frames returns where each record of a segment begins, and where the last one ends.
func frames(t testing.TB, b []byte) []int {
	t.Helper()
	at := []int{cdr.HeaderSize}
	for at[len(at)-1] < len(b) {
		o := at[len(at)-1]
		at = append(at, o+cdr.RecordHead+int(binary.LittleEndian.Uint32(b[o+4:])))
	}
	require.Equal(t, len(b), at[len(at)-1])
	return at
}

// crashed returns the bytes of one segment with n events and no summary, as kill -9 leaves it.
func crashed(t testing.TB, n int) (name string, b []byte) {
	t.Helper()
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir})
	for i := range n {
		require.NoError(t, j.Append(ended(uint8(i+1))))
	}
	file := segmentFiles(t, dir)[0]
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return filepath.Base(file), b
}

func put(t testing.TB, name string, b []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	return dir
}

// solid is how long b is without the zeros at its end.
func solid(b []byte) int64 { return int64(len(bytes.TrimRight(b, "\x00"))) }

// withRoom is b with so many zeros behind it, as a process that stored in a mapping leaves it.
func withRoom(b []byte, room int) []byte { return append(slices.Clone(b), make([]byte, room)...) }

func TestTornTailAtEveryOffsetOfTheLastRecord(t *testing.T) {
	for _, room := range []int{0, 2000} {
		tornAtEveryOffset(t, room)
	}
}

func tornAtEveryOffset(t *testing.T, room int) {
	name, b := crashed(t, 3)
	at := frames(t, b) // a names record, then three events
	begins := at[len(at)-2]
	for size := begins; size < begins+int(solid(b[begins:])); size++ { // zeros at its end are there where there is room
		dir := put(t, name, withRoom(b[:size], room))
		got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Equal(t, solid(b[begins:size]), report.Torn)

		j, rec := open(t, cdr.Config{Dir: dir})
		require.Equal(t, cdr.Recovery{
			Segments: 1, LastSeq: 2, Segment: filepath.Join(dir, name), Events: 2, Offset: int64(begins), Cut: solid(b[begins:size]),
		}, rec)
		ev := ended(9)
		require.NoError(t, j.Append(ev))
		require.Equal(t, uint64(3), ev.Seq)
		all := replay(t, j, 0)
		require.Len(t, all, 3)
		for i, leg := range []uint8{1, 2, 9} {
			require.Equal(t, leg, all[i].Attempt.ID.Leg)
		}
		require.NoError(t, j.Close())
	}
}

// What a crash leaves of a segment that has no event yet is begun again under the same name.
func TestTornBeginningOfASegment(t *testing.T) {
	name, b := crashed(t, 1)
	at := frames(t, b)
	for size := range 2 * int(solid(b[:at[2]])) {
		begun := b[:size/2]
		if size%2 == 1 {
			begun = withRoom(begun, 2000)
		}
		dir := put(t, name, begun)
		got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
		require.NoError(t, err)
		require.Empty(t, got)
		j, rec := open(t, cdr.Config{Dir: dir})
		require.Zero(t, rec.LastSeq)
		require.Equal(t, solid(begun[rec.Offset:]), rec.Cut)
		require.Empty(t, replay(t, j, 0))
		require.NoError(t, j.Append(ended(1)))
		require.Len(t, replay(t, j, 0), 1)
		require.Len(t, segmentFiles(t, dir), 1)
		require.NoError(t, j.Close())
	}
	// After retention such a file alone remembers how far the journal had come.
	dir := put(t, "00000000000000000501.cdr", nil)
	j, rec := open(t, cdr.Config{Dir: dir})
	require.Equal(t, uint64(500), rec.LastSeq)
	require.Empty(t, replay(t, j, 0))
	require.ErrorIs(t, j.Replay(10, func(*outdial.Event) error { return nil }), cdr.ErrGone)
	ev := ended(1)
	require.NoError(t, j.Append(ev))
	require.Equal(t, uint64(501), ev.Seq)
}

// A power cut may take the end of a segment together with all of the next one.
func TestTornEndBeforeAnEmptySegment(t *testing.T) {
	name, b := crashed(t, 3)
	at := frames(t, b)
	for _, next := range [][]byte{nil, make([]byte, 300)} {
		for _, size := range []int{len(b), len(b) - 5, at[2]} {
			dir := put(t, name, b[:size])
			empty := filepath.Join(dir, "00000000000000000004.cdr")
			require.NoError(t, os.WriteFile(empty, next, 0o600))
			j, rec := open(t, cdr.Config{Dir: dir})
			whole := 3
			switch size {
			case len(b) - 5:
				whole = 2
			case at[2]:
				whole = 1
			}
			require.Equal(t, uint64(whole), rec.LastSeq)
			require.Zero(t, rec.Cut)
			require.Equal(t, solid(b[at[whole+1]:size]), rec.CutBefore)
			require.NoError(t, j.Append(ended(8)))
			require.Len(t, replay(t, j, 0), whole+1)
			require.NoError(t, j.Close())
			_, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
			require.NoError(t, err)
			require.Equal(t, uint64(whole+1), report.Events)
		}
	}
}

func TestGarbageAndZerosBehindTheLastRecordAreCut(t *testing.T) {
	name, b := crashed(t, 2)
	for _, tail := range [][]byte{make([]byte, 5000), []byte("garbage that is longer than the head of a record"), {1}} {
		dir := put(t, name, append(append([]byte(nil), b...), tail...))
		j, rec := open(t, cdr.Config{Dir: dir})
		require.Equal(t, solid(tail), rec.Cut)
		require.Equal(t, uint64(2), rec.LastSeq)
		require.Len(t, replay(t, j, 0), 2)
	}
}

// Every single bit of a segment that flips is found, and nothing is changed by finding it.
func TestFlippedBits(t *testing.T) {
	name, b := crashed(t, 3)
	at := frames(t, b)
	last := at[len(at)-2]
	ids := registry("")
	for i := range b {
		bad := append([]byte(nil), b...)
		bad[i] ^= 1 << (i % 8)
		dir := put(t, name, bad)
		_, rec, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
		if i >= last {
			require.NoError(t, err, "byte %d: in the last record it is a torn tail", i)
			require.Equal(t, solid(bad[last:]), rec.Cut)
			require.Equal(t, uint64(2), rec.LastSeq)
			continue
		}
		require.Error(t, err, "byte %d", i)
		after, e := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, e)
		require.Equal(t, bad, after)
		if i == 9 {
			require.ErrorIs(t, err, cdr.ErrVersion)
			continue
		}
		var d *cdr.DamageError
		if !(i == 8 && bad[i] != 1) {
			require.ErrorAs(t, err, &d, "byte %d", i)
			require.Equal(t, filepath.Join(dir, name), d.File)
			begin := 0
			for _, o := range at {
				if o <= i {
					begin = o
				}
			}
			require.Equal(t, int64(begin), d.Offset, "byte %d", i)
		}
		_, _, e = read(t, cdr.ReaderConfig{Dir: dir, IDs: ids})
		require.Error(t, e)
	}
}

func TestDamageIsPassedOverOnRequest(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 4096})
	for i := range 60 {
		require.NoError(t, j.Append(ended(uint8(i+1))))
	}
	require.NoError(t, j.Close())
	files := segmentFiles(t, dir)
	require.Greater(t, len(files), 2)
	first, err := os.ReadFile(files[0])
	require.NoError(t, err)
	whole := append([]byte(nil), first...)
	at := frames(t, first)
	first[at[3]+20] ^= 1 // the third event
	first[at[5]+5] ^= 64 // the length of the fifth
	require.NoError(t, os.WriteFile(files[0], first, 0o600))

	// An earlier segment is not read by Open, but by Replay.
	j, _ = open(t, cdr.Config{Dir: dir})
	var d *cdr.DamageError
	n := 0
	require.ErrorAs(t, j.Replay(0, func(*outdial.Event) error { n++; return nil }), &d)
	require.Equal(t, 2, n)
	require.Equal(t, cdr.DamageError{File: files[0], Offset: int64(at[3]), Seq: 3, Problem: "record checksum"}, *d)
	require.NoError(t, j.Close())

	j, _ = open(t, cdr.Config{Dir: dir, SkipDamaged: true})
	require.Len(t, replay(t, j, 0), 58)
	require.NoError(t, j.Close())

	ids := registry("")
	got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: ids, SkipDamaged: true})
	require.NoError(t, err)
	require.Len(t, got, 58)
	require.Equal(t, cdr.Damage{Places: 2, Bytes: int64(at[4] - at[3] + at[6] - at[5]), Events: 2}, report.Damage)

	// The names of a segment lost, its events cannot be told; they are counted.
	first[at[0]+cdr.RecordHead] ^= 1
	require.NoError(t, os.WriteFile(files[0], first, 0o600))
	got, report, err = read(t, cdr.ReaderConfig{Dir: dir, IDs: ids, SkipDamaged: true})
	require.NoError(t, err)
	lost := got[0].Seq - 1
	require.Equal(t, lost, report.Damage.Events)
	require.Len(t, got, 60-int(lost))

	// A segment missing.
	require.NoError(t, os.WriteFile(files[0], whole, 0o600))
	require.NoError(t, os.Remove(files[1]))
	_, _, err = read(t, cdr.ReaderConfig{Dir: dir, IDs: ids})
	require.ErrorAs(t, err, &d)
	require.ErrorContains(t, err, files[2])
	got, report, err = read(t, cdr.ReaderConfig{Dir: dir, IDs: ids, SkipDamaged: true})
	require.NoError(t, err)
	require.Equal(t, 60, len(got)+int(report.Damage.Events))
}

func TestDamageInTheLastSegmentOnRequest(t *testing.T) {
	name, b := crashed(t, 4)
	at := frames(t, b)
	b[at[2]+30] ^= 1
	dir := put(t, name, append(b, "torn"...))
	_, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: registry("")})
	var d *cdr.DamageError
	require.ErrorAs(t, err, &d)
	j, rec := open(t, cdr.Config{Dir: dir, SkipDamaged: true})
	require.Equal(t, cdr.Damage{Places: 1, Bytes: int64(at[3] - at[2]), Events: 1}, rec.Damage)
	require.Equal(t, int64(4), rec.Cut)
	require.Equal(t, uint64(4), rec.LastSeq)
	require.Len(t, replay(t, j, 0), 3)
}

func TestATornEarlierSegmentIsDamage(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		j, _ := open(t, cdr.Config{Dir: dir})
		require.NoError(t, j.Append(ended(1)))
		require.NoError(t, j.Append(ended(2)))
		require.NoError(t, j.Close())
	}
	files := segmentFiles(t, dir)
	require.Len(t, files, 2)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	for _, cut := range []int64{1, cdr.SummarySize, cdr.SummarySize + 1} {
		require.NoError(t, os.Truncate(files[0], info.Size()-cut))
		got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
		if cut == cdr.SummarySize { // a crash right after the last event looks like this
			require.NoError(t, err)
			require.Len(t, got, 4)
			continue
		}
		var d *cdr.DamageError
		require.ErrorAs(t, err, &d)
		require.Equal(t, files[0], d.File)
		require.Zero(t, report.Torn)
	}
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"notes.txt", "1.cdr", "0000000000000000000x.cdr", "00000000000000000000.cdr"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600))
	}
	j, rec := open(t, cdr.Config{Dir: dir})
	require.Zero(t, rec)
	require.NoError(t, j.Append(control("x")))
	require.Len(t, replay(t, j, 0), 1)
}
