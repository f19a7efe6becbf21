package kpi_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/kpi"
)

func TestEveryLegOfAHuntCountsOnItsOwnTrunk(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	observe(m, failedLeg(1, 1, t0, 1, 503)...)
	second := newLeg(1, 2, t0.Add(time.Second), 2)
	observe(m, second.started(), second.progressed(180, false, time.Second), second.answered(5*time.Second))
	now := t0.Add(10 * time.Second)

	first := cell(t, m, now, kpi.Key{View: kpi.ByTrunk, Trunk: 1})
	require.Equal(t, kpi.Ratio{K: 0, N: 1}, first.ASR())
	require.EqualValues(t, 1, first.Classes[kpi.ClassCongestion])
	other := cell(t, m, now, kpi.Key{View: kpi.ByTrunk, Trunk: 2})
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, other.ASR())

	total := cell(t, m, now, kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, total.ASR(), "per leg")
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, total.ABR(), "per call")
}

func TestARingingLegIsNoFailure(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	observe(m, answeredLeg(1, t0, 1, time.Second, time.Minute)[:4]...) // still talking
	l := newLeg(2, 1, t0, 1)
	observe(m, l.started(), l.progressed(180, false, time.Second))
	c := cell(t, m, t0.Add(20*time.Second), kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, c.ASR())
	require.EqualValues(t, 2, c.Seizures())
	require.EqualValues(t, 1, c.Open())
	observe(m, l.ended(outdial.Result{Origin: outdial.OriginNoAnswer, Code: 487}, 30*time.Second))
	c = cell(t, m, t0.Add(40*time.Second), kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, c.ASR())
	require.Equal(t, kpi.Ratio{K: 2, N: 2}, c.NER(), "the network delivered both")
	require.Zero(t, c.Open())
}

func TestALegNeverSentBlamesNobody(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	l := newLeg(1, 1, t0, 1)
	observe(m, l.started(), l.ended(outdial.Result{Origin: outdial.OriginNeverSent}, 0))
	c := cell(t, m, t0, kpi.Key{View: kpi.ByTrunk, Trunk: 1})
	require.EqualValues(t, 1, c.Bids())
	require.Zero(t, c.Seizures())
	require.Zero(t, c.Open())
	_, ok := c.ASR().Value()
	require.False(t, ok, "undefined, not zero")
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, c.ClassRatio(kpi.ClassNeverSent))
	require.Zero(t, m.Estimate(t0, &outdial.Candidate{Trunk: 1}, 1))
}

func TestALostLegIsNoKnownOutcome(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	l := newLeg(1, 1, t0, 1)
	observe(m, l.started(), l.ended(outdial.Result{Origin: outdial.OriginUnknown}, time.Minute))
	answered := answeredLeg(2, t0, 1, time.Second, time.Minute)
	answered[4].Attempt.Result.Origin = outdial.OriginUnknown // the process died during the conversation
	observe(m, answered...)
	c := cell(t, m, t0.Add(2*time.Minute), kpi.Key{})
	require.EqualValues(t, 1, c.Lost)
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, c.ASR())
	require.Zero(t, c.Open())
	_, ok := c.ACD()
	require.False(t, ok)
	require.Zero(t, c.ClassRatio(kpi.ClassUnknown).K)
	e := m.Estimate(t0.Add(2*time.Minute), &outdial.Candidate{Trunk: 1}, 1)
	require.Equal(t, 1.0, e.N)
}

func TestLateAnswersAreKeptApart(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	l := newLeg(1, 1, t0, 1)
	l.a.Late = true
	observe(m, l.started(), l.answered(9*time.Second), l.ended(outdial.Result{Origin: outdial.OriginHost}, 9*time.Second))
	c := cell(t, m, t0.Add(time.Minute), kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 0, N: 1}, c.ASR())
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, c.NER())
	require.Equal(t, kpi.Ratio{K: 0, N: 1}, c.ABR())
	require.EqualValues(t, 1, c.LateAnswers)
	require.Zero(t, c.Ended)
}

func TestShortAndZeroSecondCalls(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	for i, talk := range []time.Duration{
		999 * time.Millisecond, 3 * time.Second, 3*time.Second + 1, 6 * time.Second,
		15 * time.Second, time.Minute,
	} {
		observe(m, answeredLeg(i, t0, 1, time.Second, talk)...)
	}
	c := cell(t, m, t0.Add(2*time.Minute), kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 1, N: 6}, c.ZeroSecondCalls())
	for i, k := range []uint64{2, 4, 4, 5} {
		require.Equal(t, kpi.Ratio{K: k, N: 6}, c.ShortCalls(i))
	}
	require.Zero(t, c.ShortCalls(4))
	require.Zero(t, c.ShortCalls(-1))
	acd, ok := c.ACD()
	require.True(t, ok)
	require.Equal(t, (88*time.Second-time.Millisecond+1)/6, acd)
}

func TestEarlyMediaAndPDD(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	l := newLeg(1, 1, t0, 1) // 183 with SDP, then 180 twice, then an answer
	observe(m, l.started(), l.progressed(183, true, 2*time.Second), l.progressed(180, false, 4*time.Second),
		l.progressed(180, false, 5*time.Second), l.answered(14*time.Second))
	direct := newLeg(2, 1, t0, 1) // 200 out of the blue: no PDD, rather than one of zero
	observe(m, direct.started(), direct.progressed(100, false, 10*time.Millisecond), direct.answered(time.Second))
	early := newLeg(3, 1, t0, 1)
	observe(m, early.started(), early.progressed(183, true, 2*time.Second),
		early.ended(outdial.Result{Origin: outdial.OriginCarrier, Code: 404}, 5*time.Second))
	c := cell(t, m, t0.Add(time.Minute), kpi.Key{})
	require.EqualValues(t, 2, c.EarlyMedia)
	require.EqualValues(t, 1, c.EarlyMediaAnswer)
	require.EqualValues(t, 1, c.AnswerNoRing)
	require.EqualValues(t, 2, c.PDD.Count())
	require.Equal(t, 4*time.Second, c.PDD.Sum())
	require.EqualValues(t, 1, c.Ring.Count())
	require.Equal(t, 10*time.Second, c.Ring.Sum())
}

func TestRefusedBids(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	for i := range 3 {
		observe(m, newLeg(1, 0, t0, outdial.TrunkID(i+1)).refused(outdial.StageTrunk, "full"))
	}
	observe(m, newLeg(1, 0, t0, 1).refused(outdial.StageCLI, "capped"))
	observe(m, answeredLeg(1, t0, 4, time.Second, time.Second)...)
	observe(m, newLeg(2, 0, t0, 1).refused(outdial.StageTrunk, "full"))
	c := cell(t, m, t0.Add(time.Minute), kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 1, N: 2}, c.ABR(), "two calls, however many bids")
	require.EqualValues(t, 6, c.Bids())
	require.EqualValues(t, 1, c.Seizures())
	require.EqualValues(t, 4, c.Refused[outdial.StageTrunk])
	require.Equal(t, []kpi.RefusalCount{
		{Stage: outdial.StageTrunk, Code: "full", N: 4}, {Stage: outdial.StageCLI, Code: "capped", N: 1},
	}, c.Refusals)
	trunk := cell(t, m, t0.Add(time.Minute), kpi.Key{View: kpi.ByTrunk, Trunk: 1})
	require.Equal(t, kpi.Ratio{K: 0, N: 3}, trunk.ABR(), "by trunk a bid is an attempt wanted there")
}

// TestEveryStageCounts: a meter has a place of its own for every stage that the root knows.
func TestEveryStageCounts(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	stages := 0
	for s := outdial.StageEngine; s.String() != "invalid"; s++ {
		for range int(s) + 1 {
			observe(m, newLeg(int(s)+1, 0, t0, 1).refused(s, "full"))
		}
		stages++
	}
	require.Equal(t, kpi.Stages, stages)
	c := cell(t, m, t0, kpi.Key{})
	for s, n := range c.Refused {
		require.EqualValues(t, s+1, n)
	}
	observe(m, newLeg(99, 0, t0, 1).refused(outdial.StageCount+7, "from a later version"))
	require.EqualValues(t, stages+1, cell(t, m, t0, kpi.Key{}).Refused[stages-1])
}

func TestRefusalCodesAreBounded(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	for i := range 300 {
		observe(m, newLeg(i+1, 0, t0, 1).refused(outdial.StageTrunk, string(rune('a'+i%26))+string(rune('a'+i/26))))
	}
	c := cell(t, m, t0, kpi.Key{})
	require.Len(t, c.Refusals, 256)
	require.EqualValues(t, 300, c.Refused[outdial.StageTrunk])
	var sum uint64
	for _, r := range c.Refusals {
		sum += r.N
	}
	require.EqualValues(t, 300, sum)
}

func TestCallsArePerCallOnlyWhereAllLegsAgree(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{kpi.Total, kpi.ByProgram, kpi.ByTrunk, kpi.ByPool | kpi.ByProgram}})
	observe(m, failedLeg(1, 1, t0, 1, 503)...)
	observe(m, failedLeg(1, 2, t0, 2, 503)...)
	for c := range m.Snapshot(t0.Add(time.Second)) {
		want := uint64(1)
		if c.Key.View&(kpi.ByTrunk|kpi.ByPool) != 0 {
			want = 0
		}
		require.Equal(t, want, c.Calls, c.Key.View)
	}
	for range 2 { // without ids every leg is a call
		observe(m, failedLeg(0, 1, t0, 1, 503)...)
	}
	require.EqualValues(t, 3, cell(t, m, t0, kpi.Key{}).Calls)
}

func TestSnapshotOrder(t *testing.T) {
	m := newMeter(t, kpi.Config{Views: []kpi.View{kpi.ByTrunk, kpi.Total}})
	for _, trunk := range []outdial.TrunkID{5, 2, 9} {
		observe(m, failedLeg(int(trunk), 1, t0, trunk, 486)...)
	}
	var got []outdial.TrunkID
	for c := range m.Snapshot(t0) {
		got = append(got, c.Key.Trunk)
	}
	require.Equal(t, []outdial.TrunkID{2, 5, 9, 0}, got)
	for c := range m.Snapshot(t0) {
		require.Equal(t, outdial.TrunkID(2), c.Key.Trunk)
		break
	}
}

func TestConfigNamesEveryBadField(t *testing.T) {
	_, err := kpi.New(kpi.Config{
		Window: -time.Hour, Buckets: 3, Views: []kpi.View{kpi.ByTrunk, 1 << 14, kpi.ByTrunk}, PriorStrength: 0.5,
		ShortCalls: []time.Duration{6, 3, 0, 1, 2}, RecentCalls: -1,
	})
	for _, field := range []string{
		"Window", "Views[1]", "Views[2]", "PriorStrength", "ShortCalls[1]", "ShortCalls[2]",
		"5 thresholds", "RecentCalls",
	} {
		require.ErrorContains(t, err, field)
	}
	_, err = kpi.New(kpi.Config{Buckets: 1})
	require.ErrorContains(t, err, "Buckets")
}

func TestViewText(t *testing.T) {
	for _, v := range append(kpi.DefaultViews(), kpi.ByCampaign|kpi.ByDayPart|kpi.ByTenant|kpi.ByCarrier) {
		text, err := v.MarshalText()
		require.NoError(t, err)
		var back kpi.View
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, v, back)
	}
	var v kpi.View
	require.NoError(t, v.UnmarshalText([]byte("group+trunk")))
	require.Equal(t, kpi.ByTrunk|kpi.ByGroup, v)
	require.ErrorContains(t, v.UnmarshalText([]byte("trunk+colour")), `"colour"`)
}

func TestKeyOfAnAttempt(t *testing.T) {
	a := &newLeg(1, 1, t0, 3).a
	require.Equal(t, kpi.Key{View: kpi.ByTrunk | kpi.ByPool, Trunk: 3, Pool: 1}, (kpi.ByTrunk | kpi.ByPool).Key(a))
	a.Pool, a.Candidate.Pool = 0, 8
	require.Equal(t, kpi.Key{View: kpi.ByPool, Pool: 8}, kpi.ByPool.Key(a))
	a.Call.Campaign, a.Call.Tenant, a.Call.Dest.DayPart, a.Candidate.Carrier = 4, 5, 6, 7
	require.Equal(t, kpi.Key{
		View:     kpi.ByCampaign | kpi.ByTenant | kpi.ByDayPart | kpi.ByCarrier | kpi.ByProgram | kpi.ByGroup,
		Campaign: 4, Tenant: 5, DayPart: 6, Carrier: 7, Program: 1, Group: 1,
	}, (kpi.ByCampaign | kpi.ByTenant | kpi.ByDayPart | kpi.ByCarrier | kpi.ByProgram | kpi.ByGroup).Key(a))
}

func TestEventsThatAreNotCounted(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	for _, a := range []*outdial.Attempt{nil, {}, {ID: outdial.AttemptID{Call: 1, Leg: 1}}} {
		m.Observe(&outdial.Event{
			Kind: outdial.EventDisposed, Time: t0, Attempt: a,
			Disposition: &outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman},
		})
	}
	m.Observe(&outdial.Event{Kind: outdial.EventControl, Time: t0, Control: &outdial.Control{}})
	for range m.Snapshot(t0) {
		t.Fatal("there is nothing to count")
	}
	require.EqualValues(t, 2, m.Stats().Unjoined)
}

// Many goroutines count and read at once; at the end every leg is there once.
func TestConcurrentUse(t *testing.T) {
	m := newMeter(t, kpi.Config{MaxCells: 20, Window: time.Minute, Buckets: 6})
	const workers, calls = 4, 500
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range calls {
				id := w*calls + i + 1
				at := t0.Add(time.Duration(i%40) * time.Second)
				trunk := outdial.TrunkID(id%30 + 1)
				observe(m, answeredLeg(id, at, trunk, time.Second, time.Second)...)
				m.Estimate(at, &outdial.Candidate{Trunk: trunk}, 1)
				if i%100 == 0 {
					for c := range m.Snapshot(at) {
						_ = c.ASR()
					}
				}
			}
		}()
	}
	wg.Wait()
	now := t0.Add(59 * time.Second)
	require.Equal(t, kpi.Ratio{K: workers * calls, N: workers * calls}, cell(t, m, now, kpi.Key{}).ASR())
	var sum kpi.Counters
	for c := range m.Snapshot(now) {
		if c.Key.View == kpi.ByTrunk {
			sum.Merge(&c.Counters)
		}
	}
	require.EqualValues(t, workers*calls, sum.Answers)
	require.Zero(t, m.Stats().Late)
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	m := newMeter(t, kpi.Config{})
	events := answeredLeg(1, t0, 1, time.Second, time.Minute)
	refusal := newLeg(1, 0, t0, 1).refused(outdial.StageTrunk, "full")
	c := &outdial.Candidate{Trunk: 1}
	for range 300 { // until the cells are busy
		observe(m, events...)
		m.Observe(&refusal)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		observe(m, events...)
		m.Observe(&refusal)
		m.Estimate(t0, c, 1)
	}))
	// A bucket that is used again keeps its memory.
	n := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		n++
		for i := range events {
			events[i].Time = events[i].Time.Add(time.Hour)
			events[i].Attempt.Start = events[i].Attempt.Start.Add(time.Hour)
		}
		observe(m, events...)
	}))
	require.EqualValues(t, 1, cell(t, m, t0.Add(time.Duration(n)*time.Hour), kpi.Key{}).Started)
}

// One call, three legs on three trunks, the last one answered: all of the calls, a third of the legs.
func TestOneCallThreeLegs(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	for n := range 2 {
		for _, ev := range failedLeg(1, n+1, t0.Add(time.Duration(n)*time.Second), outdial.TrunkID(n+1), 503) {
			m.Observe(&ev)
		}
	}
	l := newLeg(1, 3, t0.Add(2*time.Second), 3)
	observe(m, l.started(), l.answered(9*time.Second))
	for _, view := range []kpi.View{kpi.Total, kpi.ByProgram} {
		c := cell(t, m, t0.Add(time.Minute), view.Key(&l.a))
		require.Equal(t, kpi.Ratio{K: 1, N: 1}, c.ABR(), "by call")
		require.Equal(t, kpi.Ratio{K: 1, N: 3}, c.ASR(), "by leg")
	}
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, cell(t, m, t0.Add(time.Minute), kpi.ByTrunk.Key(&l.a)).ASR())
}
