package cdr_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
)

// A long journal of whole attempts comes back record by record, and a meter is built from it. OUTDIAL_REPLAY_RECORDS sets how
// many records; the log has how many were replayed in a second, by the journal alone and with the meter.
func TestReplayOfALongJournal(t *testing.T) {
	records := 20_000
	if s := os.Getenv("OUTDIAL_REPLAY_RECORDS"); s != "" {
		var err error
		records, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	j, _ := open(t, cdr.Config{Dir: t.TempDir()})
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	life := []outdial.EventKind{outdial.EventStarted, outdial.EventProgressed, outdial.EventAnswered, outdial.EventEnded}
	for i := range records {
		ev := ended(1)
		a := ev.Attempt
		call := i / len(life)
		a.ID.Call += outdial.CallID(call) << 12
		a.Call.ID = a.ID.Call
		a.Call.To += outdial.Number(call % 10_000_000)
		a.Start = start.Add(time.Duration(call) * time.Millisecond)
		a.Call.Begun = a.Start
		ev.Kind = life[i%len(life)]
		ev.Time = a.Start
		if ev.Kind != outdial.EventEnded {
			a.Result = outdial.Result{}
		}
		if err := j.Append(ev); err != nil {
			t.Fatal(err)
		}
	}
	rate := func(name string, observe func(*outdial.Event)) {
		n := uint64(0)
		began := time.Now()
		require.NoError(t, j.Replay(0, func(ev *outdial.Event) error {
			if n++; ev.Seq != n {
				t.Fatalf("event %d came as number %d", ev.Seq, n)
			}
			observe(ev)
			return nil
		}))
		require.EqualValues(t, records, n)
		t.Logf("%s: %d records, %.2f million in a second", name, records, float64(records)/time.Since(began).Seconds()/1e6)
	}
	rate("journal alone", func(*outdial.Event) {})
	m, err := kpi.New(kpi.Config{Window: 24 * time.Hour, Buckets: 24})
	require.NoError(t, err)
	rate("with a meter", m.Observe)
	c, ok := m.Cell(start.Add(time.Duration(records/len(life))*time.Millisecond), kpi.Key{})
	require.True(t, ok)
	require.EqualValues(t, records/len(life), c.Started)
	require.EqualValues(t, records/len(life), c.Answers)
}
