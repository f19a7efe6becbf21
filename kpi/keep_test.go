package kpi_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// A meter that was saved at any event, restored in another process and told the rest is as one that was told everything:
// diaries, rings and parts, calls whose first bid was before, dispositions of earlier answers, labels.
func TestRestoredMeterAndTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rings := rapid.Bool().Draw(t, "rings")
		build := func(ids *outdial.Registry) *kpi.Meter {
			m, err := kpi.New(kpi.Config{
				IDs: ids, Window: time.Minute, Buckets: 6, Cohorts: true, Spans: []kpi.Span{{Window: 10 * time.Minute, Buckets: 10}},
				Number: func(n outdial.Number) string { return n.String() }, RecentCalls: 1 << 10, RecentAnswers: 1 << 10,
			})
			require.NoError(t, err)
			if rings {
				m.Spread()
			}
			return m
		}
		names := func(first int) *outdial.Registry {
			ids := new(outdial.Registry)
			for i := range 4 {
				n := strconv.Itoa((first+i)%4 + 1)
				ids.Trunks.ID("trunk" + n)
				ids.Groups.ID("group" + n)
				ids.Programs.ID("program" + n)
				ids.Pools.ID("pool" + n)
			}
			return ids
		}
		here, there := names(0), names(2) // the same names with other ids
		events := drawEvents(t)
		for i := range events {
			if ev := events[i]; ev.Kind == outdial.EventAnswered && rapid.Bool().Draw(t, "disposed") {
				id := outdial.Attempt{ID: ev.Attempt.ID}
				events = append(events, disposed(&id, ev.Time.Add(time.Second), outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, AgentTime: time.Second}))
			}
		}
		at := rapid.IntRange(0, len(events)).Draw(t, "at")
		whole, before, after := build(here), build(here), build(there)
		renamed := func(ev outdial.Event) outdial.Event {
			a := *ev.Attempt
			a.Candidate.Trunk = there.Trunks.ID(here.Trunks.Name(a.Candidate.Trunk))
			a.Call.Dest.Group = there.Groups.ID(here.Groups.Name(a.Call.Dest.Group))
			a.Call.Program = there.Programs.ID(here.Programs.Name(a.Call.Program))
			a.Pool = there.Pools.ID(here.Pools.Name(a.Pool))
			ev.Attempt = &a
			return ev
		}
		divide := rapid.Bool().Draw(t, "parts")
		for i := range events {
			whole.Observe(&events[i])
			if i < at {
				if divide {
					before.Divide(i)
				}
				before.Observe(&events[i])
			}
		}
		b, err := before.Save(uint64(at))
		require.NoError(t, err)
		require.NoError(t, after.Restore(b))
		require.EqualValues(t, at, after.Resumed())
		for _, ev := range events[at:] {
			ev = renamed(ev)
			after.Observe(&ev)
		}
		now := t0.Add(150 * time.Second) // or later: what is read before the last event, rings may have given up
		for i := range events {
			if end := events[i].Time; end.After(now) {
				now = end
			}
		}
		for _, span := range []time.Duration{time.Minute, 10 * time.Minute} {
			w, _ := whole.Over(span)
			a, _ := after.Over(span)
			byName := func(r kpi.Report) map[string]string {
				out := map[string]string{}
				for _, c := range r.Cells {
					key, err := json.Marshal([]any{c.View, c.Key})
					require.NoError(t, err)
					text, err := json.Marshal(c)
					require.NoError(t, err)
					out[string(key)] = string(text)
				}
				return out
			}
			require.Equal(t, byName(w.Report(now)), byName(a.Report(now)))
		}
		require.Equal(t, whole.Stats(), after.Stats())
	})
}

func TestRestoreTakesOnlyItsOwn(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	observe(m, answeredLeg(1, t0, 1, time.Second, time.Minute)...)
	b, err := m.Save(7)
	require.NoError(t, err)
	for i, cfg := range []kpi.Config{
		{Window: 2 * time.Hour}, {Views: []kpi.View{}}, {ShortCalls: []time.Duration{1}}, {Spans: kpi.StandardSpans()},
	} {
		other := newMeter(t, cfg)
		require.ErrorIs(t, other.Restore(b), kpi.ErrSnapshot, i)
		require.Zero(t, other.Resumed())
	}
	require.ErrorContains(t, m.Restore(b), "counted already")
	for _, bad := range [][]byte{nil, []byte("OUTDKPI1"), b[:len(b)-1], append([]byte("X"), b[1:]...)} {
		require.ErrorIs(t, newMeter(t, kpi.Config{}).Restore(bad), kpi.ErrSnapshot)
	}
	broken := append([]byte(nil), b...)
	broken[len(broken)/2]++
	require.ErrorIs(t, newMeter(t, kpi.Config{}).Restore(broken), kpi.ErrSnapshot)
	fresh := newMeter(t, kpi.Config{})
	require.NoError(t, fresh.Restore(b))
	require.EqualValues(t, 7, fresh.Resumed())
	require.EqualValues(t, 1, cell(t, fresh, t0, kpi.Key{}).Answers)
}

// FuzzRestore: no bytes, also behind a checksum that holds, make a meter panic or a reader of it.
func FuzzRestore(f *testing.F) {
	archive := kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}}
	for _, rings := range []bool{false, true} {
		m := newMeter(f, kpi.Config{Archive: archive})
		if rings {
			m.Spread()
		}
		observe(m, answeredLeg(1, t0, 1, time.Second, time.Minute)...)
		observe(m, failedLeg(2, 1, t0, 2, 486)...)
		b, err := m.Save(7)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("OUTDKPI3...."))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMeter(t, kpi.Config{MaxCells: 100, RecentCalls: 100, RecentAnswers: 100, Archive: archive})
		if m.Restore(kpi.Resealed(b)) != nil {
			return
		}
		observe(m, answeredLeg(3, t0, 1, time.Second, time.Minute)...)
		m.Report(t0)
		for key := range m.Archived() {
			for _, c := range m.Hours(t0, key) {
				c.ASR()
			}
		}
		m.Measure(t0, outdial.MetricPDD, &outdial.Candidate{Trunk: 1}, 1)
	})
}

// Regions keep their names where the table of another process numbers them otherwise, or has them no more.
func TestRestoredRegionsKeepTheirNames(t *testing.T) {
	build := func(regions map[string]string) *kpi.Meter {
		ids := new(outdial.Registry)
		ids.Groups.Add("US/212", "US/303", "US/702")
		return newMeter(t, kpi.Config{IDs: ids, Views: []kpi.View{kpi.ByRegion}, Regions: regions})
	}
	before := build(map[string]string{"US/303": "Colorado", "US/702": "Nevada"})
	for i, n := range []int{2, 3} { // groups
		for _, ev := range failedLeg(i+1, 1, t0, 1, 486) {
			ev.Attempt.Call.Dest.Group = outdial.GroupID(n)
			before.Observe(&ev)
		}
	}
	b, err := before.Save(1)
	require.NoError(t, err)
	after := build(map[string]string{"US/212": "New York", "US/303": "Colorado"})
	require.NoError(t, after.Restore(b))
	started := map[string]uint64{}
	for c := range after.Snapshot(t0) {
		started[after.Region(c.Key.Region)] = c.Started
	}
	require.Equal(t, map[string]uint64{"Colorado": 1, "Nevada": 1}, started)
}
