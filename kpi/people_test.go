package kpi_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// One trace for each meter moves only that meter.
func TestCalleesEachMeterAlone(t *testing.T) {
	call := 0
	dial := func(c *kpi.Callees, to, cli outdial.Number, at time.Duration) *leg {
		call++
		l := newLeg(call, 1, t0.Add(at), 1)
		l.a.Call.To, l.a.CLI = to, cli
		ev := l.started()
		c.Observe(&ev)
		return l
	}
	build := func() *kpi.Callees {
		c, err := kpi.NewCallees(kpi.CalleesConfig{})
		require.NoError(t, err)
		return c
	}
	read := func(c *kpi.Callees) kpi.CalleeReport {
		r, ok := c.Report(t0)
		require.True(t, ok)
		r.From = time.Time{}
		return r
	}
	plain := build() // two callees, once each
	dial(plain, 1, 9, 0)
	dial(plain, 2, 9, time.Minute)
	require.Equal(t, kpi.CalleeReport{Callees: 2, Attempts: 2, Most: 1, ByCount: [10]uint64{2}, ByCLIs: [5]uint64{2}}, read(plain))

	often := build() // one callee every two hours
	for i := range 4 {
		dial(often, 1, 9, time.Duration(i)*2*time.Hour)
	}
	require.Equal(t, kpi.CalleeReport{Callees: 1, Attempts: 4, Most: 4, ByCount: [10]uint64{3: 1}, ByCLIs: [5]uint64{1}}, read(often))
	r := read(often)
	mean, ok := r.Mean()
	require.True(t, ok)
	require.InDelta(t, 4, mean, 1e-12)

	numbers := build() // from three numbers
	for i := range 3 {
		dial(numbers, 1, outdial.Number(100+i), time.Duration(i)*2*time.Hour)
	}
	require.Equal(t, [5]uint64{2: 1}, read(numbers).ByCLIs)
	require.Zero(t, read(numbers).Repeats)

	again := build() // within the hour, but not the legs of one hunt
	l := dial(again, 1, 9, 0)
	second := newLeg(call, 2, t0.Add(time.Second), 2)
	second.a.Call.To, second.a.CLI = 1, 9
	ev := second.started()
	again.Observe(&ev)
	require.Zero(t, read(again).Repeats)
	dial(again, 1, 9, 30*time.Minute)
	require.EqualValues(t, 1, read(again).Repeats)
	require.Zero(t, read(again).Ringing)
	l.progressed(180, false, 2*time.Second)
	ev = l.ended(outdial.Result{Origin: outdial.OriginNoAnswer}, 22*time.Second)
	again.Observe(&ev)
	require.Equal(t, 20*time.Second, read(again).Ringing)
	require.Zero(t, read(again).Silent)
	ev = disposed(&l.a, t0, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman})
	again.Observe(&ev)
	require.EqualValues(t, 1, read(again).Silent)
}

func TestCalleesPeriodsAndBound(t *testing.T) {
	c, err := kpi.NewCallees(kpi.CalleesConfig{Max: 2})
	require.NoError(t, err)
	_, ok := c.Report(t0)
	require.False(t, ok)
	at := func(day int, to outdial.Number) {
		l := newLeg(1, 1, t0.AddDate(0, 0, day), 1)
		l.a.Call.To = to
		ev := l.started()
		c.Observe(&ev)
	}
	for i := range 5 {
		at(0, outdial.Number(i+1))
	}
	r, _ := c.Report(t0)
	require.Equal(t, 2, r.Callees)
	require.EqualValues(t, 5, r.Attempts)
	require.EqualValues(t, 3, r.Untold)
	at(1, 1)
	at(0, 1) // late, for the day before
	r, _ = c.Report(t0)
	require.EqualValues(t, 6, r.Attempts)
	r, _ = c.Report(t0.AddDate(0, 0, 1))
	require.EqualValues(t, 1, r.Attempts)
	at(5, 1)
	_, ok = c.Report(t0)
	require.False(t, ok, "two periods are kept")
	r, ok = c.Report(t0.AddDate(0, 0, 4))
	require.True(t, ok)
	require.Zero(t, r.Attempts)
	_, err = kpi.NewCallees(kpi.CalleesConfig{Period: 1, Max: -1, Repeat: -1})
	for _, field := range []string{"Period", "Max", "Repeat"} {
		require.ErrorContains(t, err, field)
	}
}

// Fifty agents who could use a hundred calls on sixty channels wait for channels, and the books say so.
func TestIdleTimeIsBookedToItsCause(t *testing.T) {
	var a kpi.Agents
	event := func(kind outdial.EventKind, stage outdial.Stage, code string) {
		a.Observe(&outdial.Event{Kind: kind, Time: t0, Attempt: &outdial.Attempt{}, RefusalStage: stage, Refusal: code})
	}
	now := t0
	a.Set(now, 50, 0)
	for range 60 {
		event(outdial.EventStarted, 0, "")
	}
	for range 40 {
		event(outdial.EventRefused, outdial.StageTrunk, "channels")
	}
	for range 4 {
		event(outdial.EventRefused, outdial.StageTrunk, "cps")
	}
	now = now.Add(time.Minute)
	a.Set(now, 30, 20)
	r := a.Report(now)
	require.Equal(t, 50*time.Minute, r.Total().Round(time.Second))
	require.GreaterOrEqual(t, float64(r.Idle[kpi.IdleChannels]), 0.8*float64(r.Total()))
	require.Positive(t, r.Idle[kpi.IdleCPS])
	require.InDelta(t, 2, r.Pacing, 1e-12, "60 calls under way for 30 idle agents")

	now = now.Add(time.Minute) // nothing is refused, nobody answers
	require.Equal(t, 30*time.Minute, a.Report(now).Idle[kpi.IdleLowASR])
	require.Equal(t, 20*time.Minute, a.Report(now).Busy)
	for range 60 {
		event(outdial.EventEnded, 0, "")
	}
	a.Set(now, 1, 0)
	now = now.Add(time.Minute)
	r = a.Report(now)
	require.Equal(t, time.Minute, r.Idle[kpi.IdleNoCalls])
	require.Zero(t, r.Open)
	a.Set(now, 1, 0)
	event(outdial.EventRefused, outdial.StageRouting, "denied")
	event(outdial.EventRefused, outdial.StageCLI, "capped")
	a.Report(now.Add(time.Minute)) // to read changes nothing: what is booked is booked by the next Set
	now = now.Add(2 * time.Minute)
	a.Set(now, 1, 0)
	r = a.Report(now)
	require.Equal(t, time.Minute, r.Idle[kpi.IdleNoRoute])
	require.Equal(t, time.Minute, r.Idle[kpi.IdleCallerIDs])
	total := r.Total()
	a.Set(now.Add(-time.Hour), 1, 0) // a time that goes back takes nothing away, and is not counted twice
	r = a.Report(now.Add(time.Second))
	require.Equal(t, total+time.Second, r.Total())
}

// The period's end parts no repeat, an attempt that is told late is one only near another, and a clock that ran ahead leaves both
// periods.
func TestCalleesAcrossPeriods(t *testing.T) {
	call := 0
	dial := func(c *kpi.Callees, to outdial.Number, at time.Time) {
		call++
		l := newLeg(call, 1, at, 1)
		l.a.Call.To = to
		ev := l.started()
		c.Observe(&ev)
	}
	build := func() *kpi.Callees {
		c, err := kpi.NewCallees(kpi.CalleesConfig{})
		require.NoError(t, err)
		return c
	}
	midnight := t0.Truncate(24 * time.Hour).Add(24 * time.Hour)
	c := build()
	dial(c, 7, midnight.Add(-time.Minute))
	dial(c, 7, midnight.Add(time.Minute))
	r, _ := c.Report(midnight)
	require.EqualValues(t, 1, r.Repeats)

	c = build()
	dial(c, 7, t0.Add(5*time.Hour))
	dial(c, 7, t0)
	r, _ = c.Report(t0)
	require.Zero(t, r.Repeats)
	dial(c, 7, t0.Add(4*time.Hour+30*time.Minute))
	r, _ = c.Report(t0)
	require.EqualValues(t, 1, r.Repeats)

	for _, first := range []bool{false, true} { // the clock that is ahead comes in between, or first of all
		c = build()
		if !first {
			dial(c, 1, t0)
		}
		dial(c, 2, t0.AddDate(1, 0, 0))
		dial(c, 3, t0)
		dial(c, 3, t0.Add(48*time.Hour))
		r, ok := c.Report(t0)
		require.True(t, ok)
		require.EqualValues(t, map[bool]int{false: 2, true: 1}[first], r.Attempts)
		r, ok = c.Report(t0.Add(48 * time.Hour))
		require.True(t, ok)
		require.EqualValues(t, 1, r.Attempts)
	}
}

// A disposition counts where the attempt was, by the attempt's id alone, and once; who was abandoned goes by the host's codes.
func TestCalleesJoinDispositions(t *testing.T) {
	c, err := kpi.NewCallees(kpi.CalleesConfig{AbandonedCodes: []string{"dropped"}})
	require.NoError(t, err)
	tell := func(events ...outdial.Event) {
		for i := range events {
			c.Observe(&events[i])
		}
	}
	l := newLeg(1, 1, t0, 1)
	l.a.Call.To = 7
	tell(l.started(), l.answered(time.Second))
	human := outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Code: "dropped", AgentTime: time.Second}
	alone := &outdial.Attempt{ID: l.a.ID}
	tell(disposed(alone, t0.Add(time.Hour), human), disposed(alone, t0.Add(2*time.Hour), human), disposed(&l.a, t0.Add(3*time.Hour), human))
	r, _ := c.Report(t0)
	require.EqualValues(t, 1, r.Silent)
	talked := newLeg(2, 1, t0, 1)
	talked.a.Call.To = 8
	tell(talked.started(), talked.answered(time.Second), disposed(&talked.a, t0, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman}))
	r, _ = c.Report(t0)
	require.EqualValues(t, 1, r.Silent, "no agent time, but not the host's code")
	_, err = kpi.NewCallees(kpi.CalleesConfig{RecentAnswers: 1 << 30})
	require.ErrorContains(t, err, "RecentAnswers")
}

func ExampleCallees() {
	c, _ := kpi.NewCallees(kpi.CalleesConfig{})
	for i := range 3 {
		a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: monday.Add(time.Duration(i) * 20 * time.Minute)}
		a.Call.To, a.CLI = 12125550123, outdial.Number(13125550100+i)
		c.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: a.Start, Attempt: &a})
	}
	r, _ := c.Report(monday)
	fmt.Println(r.Most, "attempts,", r.Repeats, "within the hour, from", r.ByCLIs)
	// Output: 3 attempts, 2 within the hour, from [0 0 1 0 0]
}

func ExampleCalleesConfig() {
	_, err := kpi.NewCallees(kpi.CalleesConfig{Period: time.Second})
	fmt.Println(err)
	// Output: kpi: CalleesConfig.Period: out of range
}

func ExampleCalleeReport() {
	r := kpi.CalleeReport{Callees: 2, Attempts: 5}
	fmt.Println(r.Mean())
	// Output: 2.5 true
}

func ExampleAgents() {
	var a kpi.Agents
	a.Set(monday, 10, 0) // ten agents wait
	a.Observe(&outdial.Event{
		Kind: outdial.EventRefused, Attempt: &outdial.Attempt{}, RefusalStage: outdial.StageTrunk, Refusal: "channels",
	})
	r := a.Report(monday.Add(time.Minute))
	fmt.Println(r.Idle[kpi.IdleChannels], r.Idle[kpi.IdleLowASR])
	// Output: 10m0s 0s
}

func ExampleAgentReport() {
	var a kpi.Agents
	a.Set(monday, 2, 3)
	r := a.Report(monday.Add(time.Hour))
	fmt.Println(r.Busy, r.Total())
	// Output: 3h0m0s 2h0m0s
}

func ExampleIdleCause() {
	fmt.Println(kpi.IdleChannels, kpi.IdleCPS, kpi.IdleLowASR)
	// Output: channels cps low_asr
}

// What was saved at any event, restored and told the rest is as if everything had been told.
func TestCalleesAndNumbersAreRestored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		build := func() (*kpi.Callees, *kpi.Numbers) {
			c, err := kpi.NewCallees(kpi.CalleesConfig{Period: time.Hour, Repeat: 20 * time.Minute, RecentAnswers: 64})
			require.NoError(t, err)
			ids := new(outdial.Registry)
			ids.Pools.Add("one", "two")
			n, err := kpi.NewNumbers(kpi.NumbersConfig{IDs: ids, Window: 2 * time.Hour})
			require.NoError(t, err)
			return c, n
		}
		var events []outdial.Event
		at := time.Duration(0)
		for call := range rapid.IntRange(1, 30).Draw(t, "calls") {
			at += time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute
			l := newLeg(call+1, 1, t0.Add(at), 1)
			l.a.ID.Call <<= 12 // as an engine counts
			l.a.Call.To = outdial.Number(rapid.IntRange(1, 3).Draw(t, "to"))
			l.a.CLI = outdial.Number(rapid.IntRange(1, 3).Draw(t, "cli"))
			l.a.Pool = outdial.PoolID(rapid.IntRange(1, 2).Draw(t, "pool"))
			events = append(events, l.started(), l.answered(time.Second), outdial.Event{
				Kind: outdial.EventLabelled, Time: t0.Add(at),
				Label: &outdial.Label{Number: l.a.CLI, Engine: "a", Status: outdial.LabelStatus(rapid.IntRange(0, 4).Draw(t, "label"))},
			})
			alone := &outdial.Attempt{ID: l.a.ID}
			events = append(events, disposed(alone, t0.Add(at+time.Minute), outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman}))
		}
		if rapid.Bool().Draw(t, "shuffle") {
			events = rapid.Permutation(events).Draw(t, "order")
		}
		cut := rapid.IntRange(0, len(events)).Draw(t, "saved")
		wholeC, wholeN := build()
		c, n := build()
		for i := range events {
			wholeC.Observe(&events[i])
			wholeN.Observe(&events[i])
			if i == cut {
				saved, err := c.Save(7)
				require.NoError(t, err)
				numbers, err := n.Save(7)
				require.NoError(t, err)
				c, n = build()
				require.NoError(t, c.Restore(saved))
				require.NoError(t, n.Restore(numbers))
				require.EqualValues(t, 7, c.Resumed())
				require.EqualValues(t, 7, n.Resumed())
			}
			c.Observe(&events[i])
			n.Observe(&events[i])
		}
		for h := -2; h < 24; h++ {
			now := t0.Add(time.Duration(h) * time.Hour)
			want, ok := wholeC.Report(now)
			got, also := c.Report(now)
			require.Equal(t, ok, also)
			require.Equal(t, want, got)
			require.Equal(t, wholeN.Report(now), n.Report(now))
		}
	})
	var a kpi.Agents
	require.Equal(t, ^uint64(0), a.Resumed())
	c, _ := kpi.NewCallees(kpi.CalleesConfig{})
	n, _ := kpi.NewNumbers(kpi.NumbersConfig{})
	for _, b := range [][]byte{nil, []byte("OUTDCAL1"), []byte("OUTDNUM1....")} {
		require.ErrorIs(t, c.Restore(b), kpi.ErrSnapshot)
		require.ErrorIs(t, n.Restore(b), kpi.ErrSnapshot)
	}
	saved, err := c.Save(1)
	require.NoError(t, err)
	hourly, _ := kpi.NewCallees(kpi.CalleesConfig{Period: time.Hour})
	require.ErrorIs(t, hourly.Restore(saved), kpi.ErrSnapshot)
}

// A registry of another process numbers pools otherwise.
func TestNumbersKeepTheirPools(t *testing.T) {
	build := func(pools ...string) *kpi.Numbers {
		ids := new(outdial.Registry)
		ids.Pools.Add(pools...)
		n, err := kpi.NewNumbers(kpi.NumbersConfig{IDs: ids})
		require.NoError(t, err)
		return n
	}
	n := build("one", "two")
	l := newLeg(1, 1, t0, 1)
	l.a.CLI, l.a.Pool = 12125550101, 1
	ev := l.started()
	n.Observe(&ev)
	b, err := n.Save(1)
	require.NoError(t, err)
	other := build("two", "one")
	require.NoError(t, other.Restore(b))
	require.EqualValues(t, 2, other.Report(t0)[0].Pool)
	require.ErrorContains(t, other.Restore(b), "already")
}

func TestAgentReportAsJSON(t *testing.T) {
	var a kpi.Agents
	a.Set(t0, 2, 1)
	text, err := json.Marshal(a.Report(t0.Add(time.Minute)))
	require.NoError(t, err)
	require.JSONEq(t, `{"idle_seconds":{"no_calls":120,"channels":0,"cps":0,"no_route":0,"caller_ids":0,"low_asr":0},"busy_seconds":60,
		"pacing":0,"open":0,"waiting":2}`, string(text))
}
