package cdr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

func sequence(events ...outdial.Event) iter.Seq2[*outdial.Event, error] {
	return func(yield func(*outdial.Event, error) bool) {
		for i := range events {
			if !yield(&events[i], nil) {
				return
			}
		}
	}
}

// exportable is an ended attempt with every field that a line of text carries, and the others zero.
func exportable(t testing.TB) outdial.Event {
	ev := full(t, outdial.EventEnded)
	ev = outdial.Event{Kind: ev.Kind, Seq: 7, Time: ev.Time, Replay: true, Attempt: stripped(ev).Attempt}
	a := ev.Attempt
	a.Call.ID = a.ID.Call
	a.Call.To, a.Call.From, a.CLI = 12125550123, 13125550100, 442079460000
	a.Call.Mode, a.Call.Priority = outdial.ModePredictive, outdial.PriorityUrgent
	a.Call.Dest.Country, a.Call.Dest.Area, a.Call.Dest.Zones = [2]byte{'U', 'S'}, 1212, 0
	a.Candidate.Matched = 1212555
	a.Choice.Why = outdial.WhyKeepWarm
	a.State = outdial.AttemptEnded
	a.Result.Origin = outdial.OriginCalleeHangup
	a.Result.Cause = outdial.Cause{Value: 21, Location: outdial.LocationUser}
	a.Result.Phrase = `Limit, "exceeded"`
	a.Result.Headers = "X-Error: D1\nX-Hint: a, b"
	a.Call.Deadline, a.Abandoned = time.Time{}, outdial.Result{Origin: outdial.OriginNoTrying}
	for m := range a.Timeline {
		a.Timeline[m] = -a.Timeline[m]
	}
	return ev
}

func TestCSVRoundTrip(t *testing.T) {
	ids := registry("")
	first, second := exportable(t), *ended(1)
	second.Replay = true
	second.Attempt.Call.Dest.Zones = 0
	var b bytes.Buffer
	other := outdial.Event{Kind: outdial.EventStarted, Attempt: first.Attempt}
	require.NoError(t, cdr.Export{IDs: ids}.WriteCSV(&b, sequence(first, other, second)))
	require.Equal(t, 4, strings.Count(b.String(), "\n"), "only ended attempts, one with two headers")
	var got []outdial.Event
	for ev, err := range cdr.ReadCSV(&b, ids) {
		require.NoError(t, err)
		got = append(got, *ev)
	}
	require.Equal(t, []outdial.Event{first, second}, got)
}

func TestCSVIsReadByItsColumnNames(t *testing.T) {
	ids := &outdial.Registry{}
	const file = "carrier,start,note,attempt,answer,code\n" +
		"Acme,2026-03-04T12:00:00Z,late,1f-2,1.5,200\n"
	for ev, err := range cdr.ReadCSV(strings.NewReader(file), ids) {
		require.NoError(t, err)
		require.Equal(t, "Acme", ids.Carriers.Name(ev.Attempt.Candidate.Carrier))
		require.Equal(t, outdial.AttemptID{Call: 31, Leg: 2}, ev.Attempt.ID)
		require.True(t, ev.Attempt.Answered())
		require.Equal(t, uint16(200), ev.Attempt.Result.Code)
	}
}

func TestCSVErrorsNameTheLine(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "cdr: line 1: the file is empty"},
		{"start,trunk\n", `cdr: line 1: column "attempt": missing`},
		{"start,attempt,start\n", `cdr: line 1: column "start": named twice`},
		{"attempt,start,mode\n1-1,2026-03-04T12:00:00Z,robot\n", `cdr: line 2: column "mode": not one of its values`},
		{"attempt,start,ref\n1-1,,\"a\nb\"\n1-1,yesterday,c\n", `cdr: line 4: column "start"`},
		{"attempt,start,tier\n1-1,,256\n", `cdr: line 2: column "tier": 256 is more than 255`},
		{"attempt,start,to\n1-1,,0151\n", `cdr: line 2: column "to": outdial: number "0151"`},
		{"attempt,start,end\n1-1,,5m\n", `cdr: line 2: column "end": not a number of seconds`},
		{"attempt,start,cause\n1-1,,21/X\n", `cdr: line 2: column "cause"`},
		{"attempt,start,country\n1-1,,USA\n", `cdr: line 2: column "country": not two letters`},
		{"attempt,start,propensity\n1-1,,NaN\n", `cdr: line 2: column "propensity": not a number`},
		{"attempt,start\n1-1\n", "cdr: line 2: wrong number of fields"},
		{"attempt,start\nx,\n", `cdr: line 2: column "attempt"`},
	} {
		var last error
		for ev, err := range cdr.ReadCSV(strings.NewReader(c.file), &outdial.Registry{}) {
			require.NoError(t, last, "an error is the end")
			require.Equal(t, ev == nil, err != nil)
			last = err
		}
		require.ErrorContains(t, last, c.want)
		var line *cdr.LineError
		require.ErrorAs(t, last, &line)
	}
}

func TestJSONL(t *testing.T) {
	ids := registry("")
	ev := exportable(t)
	ev.Attempt.Candidate.Carrier = 9 // never named
	hash := func(outdial.Number) string { return "hashed" }
	var b bytes.Buffer
	require.NoError(t, cdr.Export{IDs: ids, Number: hash}.WriteJSONL(&b, sequence(ev, *ended(1))))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, 2)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &got))
	require.Equal(t, "hashed", got["to"])
	require.Equal(t, "#9", got["carrier"])
	require.Equal(t, `Limit, "exceeded"`, got["phrase"])
	require.Equal(t, "21/U", got["cause"])
	require.Equal(t, true, got["late"])
	require.Equal(t, "no_trying", got["abandoned_origin"])
	require.Positive(t, got["abandon"])
	got = nil
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &got))
	require.InDelta(t, 1.24, got["pdd"], 1e-6)
	require.InDelta(t, 33, got["duration"], 1e-6)
	require.Equal(t, "2026-03-04T12:00:00.122456789Z", got["begun"])
	require.NotContains(t, got, "media")
	require.NotContains(t, got, "abandon")
	require.NotContains(t, got, "abandoned_origin")
	require.NotContains(t, got, "late")
	require.NotContains(t, b.String(), "2125550123")
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestExportErrors(t *testing.T) {
	x := cdr.Export{IDs: registry("")}
	bad := func(yield func(*outdial.Event, error) bool) { yield(nil, errors.New("damaged")) }
	require.EqualError(t, x.WriteCSV(&bytes.Buffer{}, bad), "damaged")
	require.EqualError(t, x.WriteJSONL(&bytes.Buffer{}, bad), "damaged")
	require.ErrorContains(t, x.WriteCSV(fullWriter{}, sequence(*ended(1))), "no room")
	require.ErrorContains(t, x.WriteJSONL(fullWriter{}, sequence(*ended(1))), "no room")
	require.ErrorContains(t, cdr.Export{}.WriteCSV(&bytes.Buffer{}, bad), "IDs")
	require.ErrorContains(t, cdr.Export{}.WriteJSONL(&bytes.Buffer{}, bad), "IDs")
}
