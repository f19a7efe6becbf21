package kpi_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi"
)

// spread moves events hours apart, the same for all of one leg.
func spread(events []outdial.Event, hours func(outdial.CallID) int) {
	for i := range events {
		a := *events[i].Attempt
		by := time.Duration(hours(a.ID.Call)) * time.Hour
		a.Start = a.Start.Add(by)
		events[i].Attempt, events[i].Time = &a, events[i].Time.Add(by)
	}
}

// Every archived hour tells what the oracle tells of it, in whatever order events come, and also when the meter was saved and
// restored in between.
func TestArchiveAgainstOracle(t *testing.T) {
	const keep = 6
	views := []kpi.View{kpi.Total, kpi.ByTrunk, kpi.ByProgram}
	rapid.Check(t, func(t *rapid.T) {
		build := func() *kpi.Meter {
			m, err := kpi.New(kpi.Config{
				Cohorts: true, ShortCalls: []time.Duration{3 * time.Second}, RecentCalls: 1 << 10, RecentAnswers: 1 << 10,
				Archive: kpi.ArchiveConfig{Views: views, Keep: keep * time.Hour},
			})
			require.NoError(t, err)
			return m
		}
		m := build()
		o := oracle{width: time.Hour, span: 1, short: []time.Duration{3 * time.Second}, events: drawEvents(t)}
		at := rapid.SliceOfN(rapid.IntRange(0, keep-1), 12, 12).Draw(t, "hours")
		spread(o.events, func(c outdial.CallID) int { return at[int(c)%len(at)] })
		if rapid.Bool().Draw(t, "shuffle") {
			o.events = rapid.Permutation(o.events).Draw(t, "order")
		}
		saved := rapid.IntRange(-1, len(o.events)-1).Draw(t, "saved")
		for i := range o.events {
			m.Observe(&o.events[i])
			if i == saved {
				b, err := m.Save(1)
				require.NoError(t, err)
				m = build()
				require.NoError(t, m.Restore(b))
			}
		}
		now := t0.Add((keep - 1) * time.Hour)
		keys := map[kpi.Key]bool{}
		for key := range m.Archived() {
			keys[key] = true
			hours := map[int64]kpi.Cell{}
			last := time.Time{}
			for from, c := range m.Hours(now, key) {
				require.True(t, from.After(last))
				last = from
				hours[o.epoch(from)] = c
			}
			for h := range keep {
				from := t0.Add(time.Duration(h) * time.Hour)
				want, got := o.cell(key, from), hours[o.epoch(from)]
				if (want.Counters == kpi.Counters{}) {
					require.Equal(t, kpi.Counters{}, got.Counters)
					continue
				}
				require.Equal(t, want.Counters, got.Counters)
				require.ElementsMatch(t, want.Refusals, got.Refusals)
				require.ElementsMatch(t, want.Statuses, got.Statuses)
				require.Equal(t, want.CohortTime, got.CohortTime)
				for _, s := range [][2]*kpi.Sketch{
					{&want.PDD, &got.PDD}, {&want.Audible, &got.Audible}, {&want.SRDFailed, &got.SRDFailed}, {&want.Duration, &got.Duration},
				} {
					require.Equal(t, s[0].Count(), s[1].Count())
					require.Equal(t, s[0].Sum(), s[1].Sum())
				}
				_, ok := got.PDD.Quantile(0.5)
				require.False(t, ok, "no quantile is made up")
			}
		}
		for i := range o.events {
			if o.events[i].Kind == outdial.EventStarted {
				for _, v := range views {
					require.True(t, keys[v.Key(o.events[i].Attempt)])
				}
			}
		}
	})
}

// What is older than is kept goes, keys beyond the bound are counted together, and what comes too late is told.
func TestArchiveIsBounded(t *testing.T) {
	m := newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}, MaxCells: 2, Keep: 3 * time.Hour}})
	for h := range 5 {
		for trunk := range 4 {
			observe(m, failedLeg(10*h+trunk+1, 1, t0.Add(time.Duration(h)*time.Hour), outdial.TrunkID(trunk+1), 486)...)
		}
	}
	now := t0.Add(4 * time.Hour)
	var keys []kpi.Key
	for key := range m.Archived() {
		keys = append(keys, key)
		n := 0
		for _, c := range m.Hours(now, key) {
			n++
			require.EqualValues(t, map[bool]int{false: 1, true: 2}[key.Other], c.Started)
		}
		require.Equal(t, 3, n)
	}
	require.Equal(t, []kpi.Key{{View: kpi.ByTrunk, Trunk: 1}, {View: kpi.ByTrunk, Trunk: 2}, {View: kpi.ByTrunk, Other: true}}, keys)
	late := m.Stats().Late
	observe(m, failedLeg(99, 1, t0, 1, 486)[0])
	require.Equal(t, late+1, m.Stats().Late)
	for range m.Hours(now, kpi.Key{View: kpi.ByTrunk, Trunk: 9}) {
		t.Fatal("no such key")
	}
	for range newMeter(t, kpi.Config{}).Archived() {
		t.Fatal("no archive")
	}
	_, err := kpi.New(kpi.Config{Archive: kpi.ArchiveConfig{
		Views: []kpi.View{kpi.ByTrunk, kpi.ByTrunk, 1 << 15}, MaxCells: -1, Keep: time.Minute,
	}})
	for _, field := range []string{"Archive.Views[1]", "Archive.Views[2]", "Archive.MaxCells", "Archive.Keep"} {
		require.ErrorContains(t, err, field)
	}
}

// Eight weeks of hours with traffic in each take what ArchiveConfig says.
func TestMemoryOfTheArchive(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector has its own memory")
	}
	const keys, hours = 20, 8 * 7 * 24
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	m := newMeter(t, kpi.Config{
		Views: []kpi.View{}, MaxCells: -1, RecentCalls: 64, RecentAnswers: -1,
		Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}},
	})
	before := heap()
	call := 0
	for h := range hours {
		at := t0.Add(time.Duration(h) * time.Hour)
		for trunk := range keys {
			for i := range 6 { // all classes of outcomes that a trunk has as a rule
				call++
				observe(m, answeredLeg(call, at, outdial.TrunkID(trunk+1), time.Duration(500+i*911)*time.Millisecond, time.Minute)...)
				observe(m, failedLeg(-call, 1, at, outdial.TrunkID(trunk+1), []uint16{486, 480, 503, 404, 487, 408}[i])...)
			}
		}
	}
	got := float64(heap()-before) / keys / hours
	n := 0
	for range m.Hours(t0.Add((hours-1)*time.Hour), kpi.Key{View: kpi.ByTrunk, Trunk: 1}) {
		n++
	}
	require.Equal(t, hours, n)
	runtime.KeepAlive(m)
	t.Logf("%.0f bytes an hour", got)
	require.LessOrEqual(t, got, 80.0)
}

func ExampleMeter_Hours() {
	m, _ := kpi.New(kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}}})
	at := time.Date(2026, 3, 2, 10, 20, 0, 0, time.UTC)
	for i := range 5 {
		start := at.Add(time.Duration(i) * 24 * time.Hour)
		a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: start}
		a.Candidate.Trunk = 1
		m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: start, Attempt: &a})
		a.Timeline.Set(outdial.MarkAnswer, 9*time.Second)
		m.Observe(&outdial.Event{Kind: outdial.EventAnswered, Time: start.Add(9 * time.Second), Attempt: &a})
	}
	for from, hour := range m.Hours(at.Add(7*24*time.Hour), kpi.Key{View: kpi.ByTrunk, Trunk: 1}) {
		asr := hour.ASR()
		fmt.Printf("%s: %d of %d\n", from.Format("Mon 15:04"), asr.K, asr.N)
	}
	// Output:
	// Mon 10:00: 1 of 1
	// Tue 10:00: 1 of 1
	// Wed 10:00: 1 of 1
	// Thu 10:00: 1 of 1
	// Fri 10:00: 1 of 1
}
