package cdr_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

func TestRoundTripOfEveryFieldOfEveryKind(t *testing.T) {
	dir := t.TempDir()
	ids := registry("")
	j, rec := open(t, cdr.Config{Dir: dir, IDs: ids})
	require.Zero(t, rec)
	var want []outdial.Event
	for kind := outdial.EventRefused; kind <= outdial.EventControl; kind++ {
		ev := full(t, kind)
		require.NotEqual(t, "invalid", kind.String())
		require.NoError(t, j.Append(&ev))
		require.Equal(t, uint64(kind), ev.Seq)
		want = append(want, stripped(ev))
	}
	require.Equal(t, "invalid", (outdial.EventControl + 1).String(), "a new kind of event: journal it")
	require.Equal(t, want, replay(t, j, 0))
	require.Equal(t, want[4:], replay(t, j, 4))

	require.NoError(t, j.Close())
	got, report, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: ids})
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, cdr.ReadReport{Events: uint64(len(want))}, report)

	j, rec = open(t, cdr.Config{Dir: dir, IDs: ids})
	require.Equal(t, want, replay(t, j, 0))
	require.Equal(t, uint64(len(want)), rec.LastSeq)
	require.Zero(t, rec.Cut)
}

// Each group of an event stands alone: what is nil stays nil.
func TestRoundTripOfPartialEvents(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	whole := full(t, outdial.EventRefused)
	events := []outdial.Event{
		{Kind: outdial.EventControl},
		{Kind: outdial.EventStarted, Time: noon, Attempt: &outdial.Attempt{}},
		{Kind: outdial.EventProgressed, Time: noon, Marks: outdial.MarkMedia.Of()},
		{Kind: outdial.EventRefused, Time: noon, RefusalStage: outdial.StageCLI},
		{Kind: outdial.EventRefused, Time: noon, Refusal: "error"},
		{Kind: outdial.EventDisposed, Time: noon, Disposition: whole.Disposition},
		{Kind: outdial.EventLabelled, Time: noon, Label: whole.Label},
		{Kind: outdial.EventControl, Time: noon, Control: whole.Control},
		{Kind: outdial.EventControl, Time: noon, Control: &outdial.Control{}},
		{Kind: outdial.EventControl, Time: time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	var want []outdial.Event
	for i := range events {
		require.NoError(t, j.Append(&events[i]))
		want = append(want, stripped(events[i]))
	}
	require.Equal(t, want, replay(t, j, 0))
}

// The longest record that an event can have.
func TestRoundTripOfExtremes(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	ev := full(t, outdial.EventEnded)
	extreme(reflect.ValueOf(&ev).Elem())
	ev.Kind, ev.Time, ev.Attempt.Start, ev.Control.Expires = outdial.EventEnded, noon, noon, noon
	require.NoError(t, j.Append(&ev))
	require.Equal(t, []outdial.Event{stripped(ev)}, replay(t, j, 0))
	require.Greater(t, j.Stats().Bytes, int64(12*255))
}

// extreme sets every field but ids to the value that takes most room.
func extreme(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]() || !v.CanSet() && v.Kind() != reflect.Struct:
	case v.Kind() == reflect.Pointer:
		extreme(v.Elem())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			extreme(v.Field(i))
		}
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			extreme(v.Index(i))
		}
	case v.Kind() == reflect.String:
		v.SetString(strings.Repeat(v.String()[:1], 255))
	case v.Kind() == reflect.Int64:
		v.SetInt(-1 << 63)
	case v.Kind() == reflect.Uint32 && v.Uint() > 2, v.CanUint() && v.Kind() != reflect.Uint32:
		v.SetUint(^uint64(0) >> (64 - v.Type().Bits()))
	case v.Kind() == reflect.Float64:
		v.SetFloat(-1.0 / 3)
	}
}

func TestTimesComeBackInUTC(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	at := time.Now().In(time.FixedZone("east", 7200)) // with a monotonic reading
	require.NoError(t, j.Append(&outdial.Event{Kind: outdial.EventControl, Time: at}))
	require.NoError(t, j.Append(&outdial.Event{Kind: outdial.EventControl, Time: at.AddDate(9000, 0, 0)}))
	got := replay(t, j, 0)
	require.True(t, got[0].Time.Equal(at))
	require.Equal(t, time.UTC, got[0].Time.Location())
	require.Equal(t, 2262, got[1].Time.Year(), "limited to what fits")
}

func TestTextsAreCutAfter255Bytes(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	for _, c := range []struct{ in, want string }{
		{strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{strings.Repeat("x", 256), strings.Repeat("x", 255)},
		{strings.Repeat("x", 254) + "é", strings.Repeat("x", 254)},
		{strings.Repeat("é", 200), strings.Repeat("é", 127)},
		{strings.Repeat("\x80", 300), strings.Repeat("\x80", 255)},
		{strings.Repeat("x", 100_000), strings.Repeat("x", 255)},
	} {
		ev := control(c.in)
		require.NoError(t, j.Append(ev))
		require.Equal(t, c.want, replay(t, j, ev.Seq-1)[0].Control.Value)
	}
}

func TestIDsAreRenumberedIntoTheReadersRegistry(t *testing.T) {
	dir := t.TempDir()
	writer := registry("")
	j, _ := open(t, cdr.Config{Dir: dir, IDs: writer})
	want := full(t, outdial.EventEnded)
	require.NoError(t, j.Append(&want))

	reader := registry("other-") // ids 1 and 2 of every kind belong to other names here
	got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: reader})
	require.NoError(t, err)
	w, g := want.Attempt, got[0].Attempt
	require.Equal(t, writer.Trunks.Name(w.Candidate.Trunk), reader.Trunks.Name(g.Candidate.Trunk))
	require.Equal(t, writer.Carriers.Name(w.Candidate.Carrier), reader.Carriers.Name(g.Candidate.Carrier))
	require.Equal(t, writer.Pools.Name(w.Candidate.Pool), reader.Pools.Name(g.Candidate.Pool))
	require.Equal(t, writer.Pools.Name(w.Pool), reader.Pools.Name(g.Pool))
	require.Equal(t, writer.Programs.Name(w.Call.Program), reader.Programs.Name(g.Call.Program))
	require.Equal(t, writer.Campaigns.Name(w.Call.Campaign), reader.Campaigns.Name(g.Call.Campaign))
	require.Equal(t, writer.Tenants.Name(w.Call.Tenant), reader.Tenants.Name(g.Call.Tenant))
	require.Equal(t, writer.Groups.Name(w.Call.Dest.Group), reader.Groups.Name(g.Call.Dest.Group))
	require.Equal(t, writer.DayParts.Name(w.Call.Dest.DayPart), reader.DayParts.Name(g.Call.Dest.DayPart))
	require.Greater(t, g.Candidate.Trunk, outdial.TrunkID(2))
}

// A process that restarts may issue other ids for the same names and go on with the same journal.
func TestIDsOfSeveralProcessesInOneJournal(t *testing.T) {
	dir := t.TempDir()
	for _, names := range [][]string{{"a", "b"}, {"b", "a"}, {"c", "b", "a"}} {
		ids := &outdial.Registry{}
		ids.Trunks.Add(names...)
		j, _ := open(t, cdr.Config{Dir: dir, IDs: ids})
		id, _ := ids.Trunks.Lookup("a")
		require.NoError(t, j.Append(&outdial.Event{
			Kind: outdial.EventStarted, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: id}},
		}))
		require.NoError(t, j.Close())
	}
	ids := &outdial.Registry{}
	got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: ids})
	require.NoError(t, err)
	require.Len(t, got, 3)
	for _, ev := range got {
		require.Equal(t, "a", ids.Trunks.Name(ev.Attempt.Candidate.Trunk))
	}
	require.Equal(t, 1, ids.Trunks.Len(), "only names that events use")
}

// A host that never names its ids gets its own numbers back; a name that comes later is taken from then on.
func TestIDsWithoutNames(t *testing.T) {
	dir := t.TempDir()
	ids := &outdial.Registry{}
	j, _ := open(t, cdr.Config{Dir: dir, IDs: ids})
	ev := &outdial.Event{Kind: outdial.EventStarted, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: 2}}}
	require.NoError(t, j.Append(ev))
	require.NoError(t, j.Append(ev))
	ids.Trunks.Add("one", "two")
	require.NoError(t, j.Append(ev))
	other := &outdial.Registry{}
	got, _, err := read(t, cdr.ReaderConfig{Dir: dir, IDs: other})
	require.NoError(t, err)
	require.Equal(t, outdial.TrunkID(2), got[0].Attempt.Candidate.Trunk)
	require.Equal(t, outdial.TrunkID(2), got[1].Attempt.Candidate.Trunk)
	require.Equal(t, "two", other.Trunks.Name(got[2].Attempt.Candidate.Trunk))
}

func TestIDsThatCannotBeJournalled(t *testing.T) {
	ids := &outdial.Registry{}
	ids.Trunks.Add(strings.Repeat("x", 5000))
	j, _ := open(t, cdr.Config{Dir: t.TempDir(), IDs: ids})
	for id, problem := range map[outdial.TrunkID]string{1: "5000 bytes", 1<<20 + 1: "more than 1048576"} {
		err := j.Append(&outdial.Event{
			Kind: outdial.EventStarted, Attempt: &outdial.Attempt{Candidate: outdial.Candidate{Trunk: id}},
		})
		require.ErrorContains(t, err, problem)
	}
	require.NoError(t, j.Append(control("x")))
	require.Len(t, replay(t, j, 0), 1)
}

func TestDictionaryIsRepeatedInEverySegment(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, cdr.Config{Dir: dir, SegmentBytes: 4096})
	for i := range 200 {
		require.NoError(t, j.Append(ended(uint8(i))))
	}
	require.NoError(t, j.Close())
	files := segmentFiles(t, dir)
	require.Greater(t, len(files), 5)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(4096+512))
	}
	// The last segment alone tells all names.
	alone := t.TempDir()
	b, err := os.ReadFile(files[len(files)-1])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(alone, filepath.Base(files[len(files)-1])), b, 0o600))
	ids := &outdial.Registry{}
	got, _, err := read(t, cdr.ReaderConfig{Dir: alone, IDs: ids})
	require.NoError(t, err)
	require.NotEmpty(t, got)
	require.Equal(t, "trunk-a", ids.Trunks.Name(got[0].Attempt.Candidate.Trunk))
	require.Equal(t, "daypart-a", ids.DayParts.Name(got[0].Attempt.Call.Dest.DayPart))
	require.Equal(t, uint64(200), got[len(got)-1].Seq)
}

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

func TestKindsThatAreNotEvents(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	require.ErrorContains(t, j.Append(&outdial.Event{}), "kind 0")
	require.ErrorContains(t, j.Append(&outdial.Event{Kind: outdial.EventControl + 1}), "kind 10")
	require.Zero(t, j.LastSeq())
}

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

func TestErrorsHaveOneForm(t *testing.T) {
	err := &cdr.DamageError{File: "x.cdr", Offset: 40, Seq: 7, Problem: "record checksum"}
	require.EqualError(t, err, "cdr: x.cdr: offset 40: sequence 7: record checksum")
	require.Equal(t, "invalid", cdr.Sync(9).String())
}

func TestAppendAllocatesNothing(t *testing.T) {
	if raceEnabled {
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
