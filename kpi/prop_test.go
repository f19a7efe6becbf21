package kpi_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// drawLeg draws an attempt and all of its events.
func drawLeg(t *rapid.T, call int) []outdial.Event {
	ms := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * time.Millisecond
	}
	l := newLeg(call, 1, t0.Add(ms("start", 0, 100_000)), outdial.TrunkID(rapid.IntRange(1, 3).Draw(t, "trunk")))
	l.a.Call.Dest.Group = outdial.GroupID(call % 3)
	l.a.Call.Program = outdial.ProgramID(call%2 + 1)
	l.a.Pool = outdial.PoolID(l.a.Call.Program)
	if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
		stage := rapid.SampledFrom([]outdial.Stage{outdial.StageTrunk, outdial.StageCLI}).Draw(t, "stage")
		return []outdial.Event{l.refused(stage, rapid.SampledFrom([]string{"full", "capped"}).Draw(t, "code"))}
	}
	events := []outdial.Event{l.started()}
	at := ms("100", 1, 100)
	events = append(events, l.progressed(100, false, at))
	for rapid.Bool().Draw(t, "more") && len(events) < 5 {
		at += ms("18x", 1, 9000)
		code := rapid.SampledFrom([]int{180, 181, 183}).Draw(t, "18x code")
		for _, m := range []outdial.Mark{outdial.MarkEarlyMedia, outdial.MarkMedia} {
			if rapid.IntRange(0, 3).Draw(t, "heard") == 0 {
				l.a.Timeline.Set(m, at-ms("sooner", 0, 1))
			}
		}
		events = append(events, l.progressed(code, rapid.Bool().Draw(t, "sdp"), at))
	}
	at += ms("outcome", 0, 20_000)
	r := outdial.Result{Origin: outdial.Origin(rapid.IntRange(0, int(outdial.OriginNeverSent)).Draw(t, "origin"))}
	switch rapid.SampledFrom([]string{"answer", "late", "fail", "fail", "open"}).Draw(t, "fate") {
	case "late":
		l.a.Late = true
		fallthrough
	case "answer":
		events = append(events, l.answered(at))
		r = outdial.Result{Origin: rapid.SampledFrom([]outdial.Origin{
			outdial.OriginCallerHangup, outdial.OriginCalleeHangup, outdial.OriginUnknown,
		}).Draw(t, "hangup")}
		at += ms("talk", 0, 60_000)
		if bye := ms("bye", -1000, 1000); bye > 0 {
			r.Bye, r.ByeCode = bye, rapid.SampledFrom([]uint16{0, 200, 408, 481}).Draw(t, "bye code")
			l.a.Timeline.Set(outdial.MarkBye, max(at-bye, l.a.Timeline[outdial.MarkAnswer]))
		}
	case "fail":
		r.Code = rapid.SampledFrom([]uint16{0, 302, 403, 404, 480, 486, 487, 503, 603}).Draw(t, "status")
		r.Cause.Value = rapid.SampledFrom([]uint8{0, 16, 17, 19, 34}).Draw(t, "cause")
	case "open":
		return events
	}
	return append(events, l.ended(r, at))
}

// drawEvents draws the events of some attempts, in the order of their times.
func drawEvents(t *rapid.T) []outdial.Event {
	var events []outdial.Event
	for i := range rapid.IntRange(0, 12).Draw(t, "legs") {
		events = append(events, drawLeg(t, 1+i/2)...) // two legs a call
	}
	slices.SortStableFunc(events, func(a, b outdial.Event) int { return a.Time.Compare(b.Time) })
	return events
}

func requireSameCell(t require.TestingT, want, got *kpi.Cell) {
	require.Equal(t, want.Key, got.Key)
	require.Equal(t, want.Counters, got.Counters, want.Key)
	for _, s := range [][2]*kpi.Sketch{
		{&want.PDD, &got.PDD},
		{&want.Ringing, &got.Ringing},
		{&want.Audible, &got.Audible},
		{&want.SRD, &got.SRD},
		{&want.SRDFailed, &got.SRDFailed},
		{&want.Ring, &got.Ring},
		{&want.Duration, &got.Duration},
		{&want.SDD, &got.SDD},
		{&want.SDDFailed, &got.SDDFailed},
	} {
		requireSameSketch(t, s[0], s[1])
	}
	require.Equal(t, want.CohortTime, got.CohortTime)
	require.ElementsMatch(t, want.Refusals, got.Refusals)
	require.ElementsMatch(t, want.Statuses, got.Statuses)
}

// A meter tells what its oracle tells, over each of its spans, at any time at or after the last event, also when events
// come out of order, whether cells keep diaries, rings or parts, and whatever of its cells finds room.
func TestMeterAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		short := []time.Duration{3 * time.Second, 15 * time.Second}
		oracles := []*oracle{
			{width: 10 * time.Second, span: 6, short: short},
			{width: 5 * time.Second, span: 4, short: short},
			{width: time.Minute, span: 3, short: short},
		}
		o := oracles[0]
		m, err := kpi.New(kpi.Config{
			Window: time.Minute, Buckets: 6, ShortCalls: short, Cohorts: true,
			Spans:    []kpi.Span{{20 * time.Second, 4}, {3 * time.Minute, 3}},
			MaxCells: rapid.SampledFrom([]int{0, 0, 1, 3, 6, -1}).Draw(t, "cells"),
		})
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "rings") {
			m.Spread()
		}
		o.events = drawEvents(t)
		if rapid.Bool().Draw(t, "shuffle") {
			o.events = rapid.Permutation(o.events).Draw(t, "order")
		}
		divide := rapid.Bool().Draw(t, "parts")
		last := t0
		for i := range o.events {
			if divide {
				m.Divide(i)
			}
			m.Observe(&o.events[i])
			if o.events[i].Time.After(last) {
				last = o.events[i].Time
			}
		}
		for range 2 {
			last = last.Add(time.Duration(rapid.IntRange(0, 40_000).Draw(t, "later")) * time.Millisecond)
			seen := map[kpi.Key]bool{}
			folded := map[kpi.View]bool{}
			longest, ok := m.Over(3 * time.Minute)
			require.True(t, ok)
			for c := range longest.Snapshot(last) {
				folded[c.Key.View] = folded[c.Key.View] || c.Key.Other
			}
			for _, o := range oracles {
				o.events = oracles[0].events
				w, ok := m.Over(o.width * time.Duration(o.span))
				require.True(t, ok)
				for c := range w.Snapshot(last) {
					if folded[c.Key.View] { // the sum must be right all the same
						continue
					}
					want := o.cell(c.Key, last)
					requireSameCell(t, &want, &c)
					seen[c.Key] = true
				}
				for _, v := range kpi.DefaultViews() {
					o.requireSum(t, w, v, last)
				}
			}
			for i := range o.events {
				ev := &o.events[i]
				counted := ev.Kind == outdial.EventStarted || ev.Kind == outdial.EventRefused
				for _, v := range kpi.DefaultViews() {
					if counted && !folded[v] && o.inWindow(ev.Attempt.Start, last) {
						require.True(t, seen[v.Key(ev.Attempt)])
					}
				}
			}
		}
	})
}

// requireSum holds the cells of a view, its Other included, against all that there was.
func (o *oracle) requireSum(t *rapid.T, w kpi.Window, v kpi.View, now time.Time) {
	var got kpi.Cell
	for c := range w.Snapshot(now) {
		if c.Key.View == v {
			got.Merge(&c)
		}
	}
	want := o.cell(kpi.Key{}, now)
	if v != kpi.Total && v != kpi.ByProgram { // calls are counted where all legs agree
		want.Calls, want.CallsAnswered = 0, 0
	}
	requireSameCell(t, &want, &got)
}

// Replayed events, also into a meter that was there before, count exactly like live ones.
func TestReplayGivesTheLiveSnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live, err := kpi.New(kpi.Config{Window: time.Minute, Buckets: 6})
		require.NoError(t, err)
		replayed, err := kpi.New(kpi.Config{Window: time.Minute, Buckets: 6})
		require.NoError(t, err)
		events := drawEvents(t)
		now := t0
		for i := range events {
			ev := events[i]
			now = ev.Time
			live.Observe(&ev)
			live.Estimate(now, &ev.Attempt.Candidate, 1) // reading changes nothing
			if i == len(events)/2 {
				live.Report(now)
			}
		}
		for i := range events { // as a journal gives them: no monotonic reading, no leases, Replay set
			ev := events[i]
			ev.Replay, ev.Seq, ev.Time = true, uint64(i+1), ev.Time.Round(0)
			a := *ev.Attempt
			a.Start, a.Channel, a.Use = a.Start.Round(0).In(time.FixedZone("", 3600)), 0, 0
			ev.Attempt = &a
			replayed.Observe(&ev)
		}
		want, err := json.Marshal(live.Report(now))
		require.NoError(t, err)
		got, err := json.Marshal(replayed.Report(now))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
		for trunk := range outdial.TrunkID(4) {
			c := &outdial.Candidate{Trunk: trunk}
			require.Equal(t, live.Estimate(now, c, 1), replayed.Estimate(now, c, 1))
		}
	})
}

// The cells of several meters, each of which saw a part of the calls, merge to the cell of the one that saw all, in
// any order and grouping.
func TestCellMergeIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var part [3]*kpi.Meter
		cfg := kpi.Config{Window: 10 * time.Minute, Buckets: 6, Views: []kpi.View{}}
		whole, err := kpi.New(cfg)
		require.NoError(t, err)
		for i := range part {
			part[i], err = kpi.New(cfg)
			require.NoError(t, err)
		}
		now := t0
		events := drawEvents(t)
		for i := range events {
			whole.Observe(&events[i])
			part[events[i].Attempt.ID.Call%3].Observe(&events[i])
			now = events[i].Time
		}
		get := func(m *kpi.Meter) *kpi.Cell {
			c, _ := m.Cell(now, kpi.Key{})
			return &c
		}
		left := get(part[0]) // (a+b)+c
		left.Merge(get(part[1]))
		left.Merge(get(part[2]))
		right := get(part[2]) // (c+b)+a
		right.Merge(get(part[1]))
		right.Merge(get(part[0]))
		inner := get(part[1]) // a+(b+c)
		inner.Merge(get(part[2]))
		outer := get(part[0])
		outer.Merge(inner)
		for _, c := range []*kpi.Cell{left, right, outer} {
			requireSameCell(t, get(whole), c)
		}
	})
}

// The sums that Estimate keeps up are those of the snapshot, whatever was read in between.
func TestEstimateAgreesWithTheCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := kpi.New(kpi.Config{Window: time.Minute, Buckets: 6, PriorStrength: -1})
		require.NoError(t, err)
		events := drawEvents(t)
		for i := range events {
			m.Observe(&events[i])
			if !rapid.Bool().Draw(t, "read") {
				continue
			}
			now := events[i].Time
			a := events[i].Attempt
			got := m.Estimate(now, &a.Candidate, a.Call.Dest.Group)
			c, _ := m.Cell(now, (kpi.ByTrunk | kpi.ByGroup).Key(a))
			if c.Known() == 0 {
				require.Zero(t, got)
				continue
			}
			require.InDelta(t, float64(c.Known()), got.N, 1e-9)
			require.InDelta(t, (float64(c.Answers)+0.5)/(float64(c.Known())+1), got.Mean, 1e-9)
		}
	})
}
