package cdr_test

import (
	"reflect"
	"strings"
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

func TestRoundTripOfExtremes(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	ev := full(t, outdial.EventEnded)
	extreme(reflect.ValueOf(&ev).Elem())
	ev.Kind, ev.Time, ev.Attempt.Start, ev.Control.Expires = outdial.EventEnded, noon, noon, noon
	require.NoError(t, j.Append(&ev))
	require.Equal(t, []outdial.Event{stripped(ev)}, replay(t, j, 0))
	require.Greater(t, j.Stats().Bytes, int64(14*255))
}

func extreme(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[outdial.TagID]() || !v.CanSet() && v.Kind() != reflect.Struct:
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

func TestKindsThatAreNotEvents(t *testing.T) {
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	require.ErrorContains(t, j.Append(&outdial.Event{}), "kind 0")
	require.ErrorContains(t, j.Append(&outdial.Event{Kind: outdial.EventControl + 1}), "kind 10")
	require.Zero(t, j.LastSeq())
}
