package cdr_test

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

// header is a segment's header as another version may write it.
func header(major, minor uint16, size int, first uint64) []byte {
	b := make([]byte, size)
	copy(b, "OUTDCDR\n")
	binary.LittleEndian.PutUint16(b[8:], major)
	binary.LittleEndian.PutUint16(b[10:], minor)
	binary.LittleEndian.PutUint32(b[12:], uint32(size))
	binary.LittleEndian.PutUint64(b[16:], first)
	sum := crc32.Checksum(b[:size-4], crc32.MakeTable(crc32.Castagnoli))
	binary.LittleEndian.PutUint32(b[size-4:], sum)
	return b
}

// rebuilt is a record with another kind and body.
func rebuilt(rec []byte, kind byte, body []byte) []byte {
	out := append(slices.Clone(rec[:cdr.RecordHead]), body...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(body)))
	out[16] = kind
	cdr.Reseal(out)
	return out
}

// What a newer minor version may add is passed over; what it may not change is still read.
func TestNewerMinorVersion(t *testing.T) {
	name, b := crashed(t, 5)
	at := frames(t, b)
	rec := func(i int) []byte { return b[at[i]:at[i+1]] }
	body := func(i int) []byte { return slices.Clone(rec(i)[cdr.RecordHead:]) }
	newer := header(1, 7, 64, 1)

	// A kind of id that nobody knows, among the names.
	newer = append(newer, rebuilt(rec(0), cdr.KindNames, append(body(0), 99, 1, 3, 'n', 'e', 'w'))...)
	newer = append(newer, rec(1)...)
	// An unknown kind of event takes a sequence number, an unknown record of the segment's own does not.
	newer = append(newer, rebuilt(rec(2), 100, body(2))...)
	newer = append(newer, rebuilt(rec(3), 0xc8, []byte("whatever"))...)
	// More fields at the end of the call, of the result and of the attempt, more groups behind it.
	longer := body(3)
	call := 8 + 3 + 9 // behind the time, the head of the group and the attempt's id
	require.Less(t, longer[call], byte(0x7e), "a length of one byte")
	longer = slices.Insert(longer, call+1+int(longer[call]), 7, 7)
	longer[call] += 2
	result := len(longer) - 1 - resultSize
	longer = slices.Insert(longer, len(longer)-1, 9)
	longer[result-1]++
	longer = append(longer, 1, 2, 3)
	binary.LittleEndian.PutUint16(longer[9:], binary.LittleEndian.Uint16(longer[9:])+6)
	longer = append(longer, 200, 2, 0, 'x', 'y')
	newer = append(newer, rebuilt(rec(3), 6, longer)...)
	newer = append(newer, rec(4)...)
	newer = append(newer, rec(5)...)

	got, report, err := read(t, cdr.ReaderConfig{Dir: put(t, name, newer), IDs: registry("")})
	require.NoError(t, err)
	require.Zero(t, report.Damage)
	var seqs []uint64
	for _, ev := range got {
		seqs = append(seqs, ev.Seq)
		want := ended(uint8(ev.Seq))
		require.Equal(t, *want.Attempt, *ev.Attempt)
	}
	require.Equal(t, []uint64{1, 3, 4, 5}, seqs)
}

// resultSize is what the result of ended has, its length aside: origin, code 200, cause, location, "OK", no SIP cause,
// no text, no Retry-After, no headers, no BYE with its status. An empty "abandoned" stands behind it.
const resultSize = 1 + 2 + 1 + 1 + 3 + 1 + 1 + 1 + 1 + 1 + 1

// withoutLast takes the status of a BYE and "abandoned" away: the last field of a sub-group, and the last of the group.
func withoutLast(t *testing.T, body []byte) []byte {
	t.Helper()
	result := len(body) - 1 - resultSize
	require.Equal(t, byte(resultSize), body[result-1])
	require.Zero(t, body[len(body)-1])
	body = body[:len(body)-2]
	body[result-1]--
	binary.LittleEndian.PutUint16(body[9:], binary.LittleEndian.Uint16(body[9:])-2)
	return body
}

// Fields that an older minor version did not have are zero.
func TestOlderMinorVersion(t *testing.T) {
	name, b := crashed(t, 1)
	at := frames(t, b)
	body := slices.Clone(b[at[1]+cdr.RecordHead : at[2]])
	body = withoutLast(t, body)
	older := append(slices.Clone(b[:at[1]]), rebuilt(b[at[1]:], 6, body)...)
	got, _, err := read(t, cdr.ReaderConfig{Dir: put(t, name, older), IDs: registry("")})
	require.NoError(t, err)
	require.Equal(t, *ended(1).Attempt, *got[0].Attempt)
}

// A segment as version 1.2 wrote it: a call had no tags.
func TestVersion12(t *testing.T) {
	name, b := crashed(t, 1)
	at := frames(t, b)
	body := slices.Clone(b[at[1]+cdr.RecordHead : at[2]])
	call := 8 + 3 + 9 // behind the time, the head of the group and the attempt's id
	last := call + int(body[call])
	require.Zero(t, body[last], "no tags")
	body = slices.Delete(body, last, last+1)
	body[call]--
	binary.LittleEndian.PutUint16(body[9:], binary.LittleEndian.Uint16(body[9:])-1)
	older := slices.Concat(header(1, 2, 40, 1), b[at[0]:at[1]], rebuilt(b[at[1]:], 6, body))
	dir := put(t, name, older)
	got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
	require.NoError(t, err)
	require.Zero(t, report.Damage)
	require.Equal(t, *ended(1).Attempt, *got[0].Attempt)
	j, rec := open(t, cdr.Config{Dir: dir}) // and it is written on, in a segment of its own
	require.Equal(t, uint64(1), rec.LastSeq)
	ev := ended(2)
	ev.Attempt.Call.Tags = outdial.Tags{2, 1}
	require.NoError(t, j.Append(ev))
	require.Equal(t, outdial.Tags{2, 1}, replay(t, j, 1)[0].Attempt.Call.Tags)
}

func TestNewerMajorVersionIsRefused(t *testing.T) {
	dir := put(t, "00000000000000000001.cdr", header(2, 0, 40, 1))
	_, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: registry(""), SkipDamaged: true})
	require.ErrorIs(t, err, cdr.ErrVersion)
	_, _, err = read(t, cdr.ReaderConfig{Dir: dir, IDs: registry(""), SkipDamaged: true})
	require.ErrorIs(t, err, cdr.ErrVersion)
	require.ErrorContains(t, err, dir)
}

func TestARenamedSegmentIsDamage(t *testing.T) {
	_, b := crashed(t, 2)
	dir := put(t, "00000000000000000007.cdr", b)
	_, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
	var d *cdr.DamageError
	require.ErrorAs(t, err, &d)
	require.ErrorContains(t, err, "begins with sequence 1")
	for _, skip := range []bool{false, true} { // it must not be taken for a torn tail and cut
		_, _, err = cdr.Open(cdr.Config{Dir: dir, IDs: registry(""), SkipDamaged: skip})
		require.ErrorAs(t, err, &d)
	}
	after, err := os.ReadFile(segmentFiles(t, dir)[0])
	require.NoError(t, err)
	require.Equal(t, b, after)
	got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry(""), SkipDamaged: true})
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, cdr.Damage{Places: 1, Bytes: int64(len(b))}, report.Damage)
}

// A file that holds something and has no header of ours is never cut, one of zeros is what a crash leaves: nothing was lost with it.
func TestForeignAndZeroedSegments(t *testing.T) {
	const name = "00000000000000000001.cdr"
	for _, foreign := range []string{"x", "somebody else's file", string(header(1, 0, 40, 1)[:20]) + "and then something else"} {
		_, _, err := cdr.Open(cdr.Config{Dir: put(t, name, []byte(foreign)), IDs: registry("")})
		require.Error(t, err)
	}
	for _, size := range []int{1, 39, 40, 4096} {
		j, rec := open(t, cdr.Config{Dir: put(t, name, make([]byte, size))})
		require.Zero(t, rec.Cut)
		require.NoError(t, j.Append(ended(1)))
		require.Len(t, replay(t, j, 0), 1)
	}
}

// A whole record that cannot stand where it stands is not a torn tail either.
func TestAWholeRecordOutOfPlaceIsNotCut(t *testing.T) {
	name, b := crashed(t, 2)
	at := frames(t, b)
	again := append(slices.Clone(b), b[at[1]:at[2]]...) // the first event once more
	for _, skip := range []bool{false, true} {
		_, _, err := cdr.Open(cdr.Config{Dir: put(t, name, again), IDs: registry(""), SkipDamaged: skip})
		var d *cdr.DamageError
		require.ErrorAs(t, err, &d)
		require.ErrorContains(t, err, "has sequence 1")
	}
}

// What cannot be decoded behind a checksum that holds is damage too, never a panic or a guess.
func TestNonsenseBehindAGoodChecksum(t *testing.T) {
	name, b := crashed(t, 3)
	at := frames(t, b)
	last, third := b[at[2]:at[3]], b[at[3]:]
	body := func(change func(p []byte) []byte) []byte { return change(slices.Clone(last[cdr.RecordHead:])) }
	for problem, rec := range map[string][]byte{
		"ends within a group": rebuilt(last, 6, body(func(p []byte) []byte { return p[:len(p)-1] })),
		"ends within a field": rebuilt(last, 6, append(make([]byte, 8), 1, 4, 0, 1, 2, 3, 4)),
		"does not name":       rebuilt(last, 6, body(func(p []byte) []byte { return append(p, 1, 15, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 77) })),
		"sub-group is longer": rebuilt(last, 6, body(func(p []byte) []byte { return append(p, 1, 11, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0) })),
		"bad id":              rebuilt(last, cdr.KindNames, []byte{1, 0, 1, 'x'}),
		"bad length":          rebuilt(last, cdr.KindNames, []byte{1, 1, 9, 'x'}),
		"no such record":      rebuilt(last, 6, []byte("short")),
	} {
		follows := third
		if rec[16] == cdr.KindNames { // takes no sequence number
			follows = last
		}
		dir := put(t, name, slices.Concat(b[:at[2]], rec, follows))
		_, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry("")})
		var d *cdr.DamageError
		require.ErrorAs(t, err, &d, problem)
		require.ErrorContains(t, err, problem)
		require.Equal(t, int64(at[2]), d.Offset)
		got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry(""), SkipDamaged: true})
		require.NoError(t, err)
		require.Equal(t, 1, report.Damage.Places, problem)
		require.NotEmpty(t, got)
		require.Equal(t, outdial.EventEnded, got[0].Kind)
	}
}

// A record that is missing leaves the others where they are.
func TestAHoleInTheMiddle(t *testing.T) {
	name, b := crashed(t, 3)
	at := frames(t, b)
	dir := put(t, name, slices.Concat(b[:at[2]], b[at[3]:]))
	_, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: registry("")})
	require.ErrorContains(t, err, "sequence 2: the record has sequence 3")
	got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: registry(""), SkipDamaged: true})
	require.NoError(t, err)
	require.Equal(t, cdr.Damage{Places: 1, Events: 1}, report.Damage)
	require.Len(t, got, 2)
}
