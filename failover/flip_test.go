package failover_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// control makes an order, after asking whether it may be made.
func (b *bench) control(now time.Time, c outdial.Control) {
	c.Actor, c.Reason = "ops", "test"
	require.NoError(b.t, b.s.CheckControl(now, &c))
	ev := outdial.Event{Kind: outdial.EventControl, Time: now, Control: &c}
	b.s.Observe(&ev)
	ev.Replay = true
	b.log = append(b.log, ev)
}

// shares picks n times.
func (b *bench) shares(now time.Time, n int) map[outdial.TrunkID]int {
	got := map[outdial.TrunkID]int{}
	for range n {
		trunk, _ := b.pick(now, b.all())
		got[trunk]++
	}
	return got
}

// replayed is what a restart makes of all that happened.
func (b *bench) replayed(cfg failover.Config) *bench {
	r := newBench(b.t, cfg, b.plan...)
	for i := range b.log {
		r.s.Observe(&b.log[i])
	}
	return r
}

func named(names ...string) *outdial.Registry {
	ids := &outdial.Registry{}
	ids.Trunks.Add(names...)
	return ids
}

func flip(share float64, to ...string) failover.Flip { return failover.Flip{To: to, Share: share} }

// TestFlip: the share is exact, the rest is as before, a trunk that is full spills to the next, and one that is ill gets
// nothing.
func TestFlip(t *testing.T) {
	ids := named("a", "b", "c")
	cfg := failover.Config{IDs: ids, KeepWarm: -1}
	b := newBench(t, cfg, on(1, 0, 0), on(2, 0, 0), on(3, 1, 0))
	b.control(start, flip(0.8, "b", "c").Control(failover.ActionFlip, "", "", at(time.Hour)))
	require.Equal(t, map[outdial.TrunkID]int{1: 20, 2: 80}, b.shares(start, 100))
	require.Len(t, b.s.Flips(start), 1)

	spilt := map[outdial.TrunkID]int{}
	for range 100 { // b is full
		i, choice := b.s.Pick(start, &b.call, b.plan, 7)
		if b.plan[i].Trunk == 2 {
			require.Equal(t, outdial.WhyFlip, choice.Why)
			b.s.Return(start, &b.call, b.plan, 7, i, choice)
			i, _ = b.s.Pick(start, &b.call, b.plan, 5)
		}
		spilt[b.plan[i].Trunk]++
	}
	require.InDelta(t, 80, spilt[3], 1, "%v", spilt)

	require.Equal(t, map[outdial.TrunkID]int{1: 100}, b.shares(at(time.Hour), 100), "it ends by itself")
	require.Empty(t, b.s.Flips(at(time.Hour)))
	b.kill(start, 2)
	require.InDelta(t, 80, b.shares(start, 100)[3], 1, "b is out, and c is next")

	// It ends by order, and another to the same trunk takes its place.
	b = newBench(t, cfg, on(1, 0, 0), on(2, 0, 0))
	b.control(start, flip(0.8, "b").Control(failover.ActionFlip, "", "", time.Time{}))
	require.Zero(t, b.s.Advance(start))
	b.control(start, flip(0.25, "b").Control(failover.ActionFlip, "", "", at(time.Hour)))
	require.Equal(t, at(time.Hour), b.s.Advance(start))
	require.Equal(t, 25, b.shares(start, 100)[2])
	b.control(start, outdial.Control{Action: failover.ActionRevert, Target: "b"})
	require.Equal(t, map[outdial.TrunkID]int{1: 100}, b.shares(start, 100))

	// A group of its own.
	ids.Groups.Add("NANP", "UK")
	order := flip(1, "b")
	order.Group = "UK"
	b.control(start, order.Control(failover.ActionFlip, "", "", time.Time{}))
	b.call.Dest.Group = ids.Groups.ID("UK")
	require.Equal(t, 10, b.shares(start, 10)[2])
	b.call.Dest.Group = ids.Groups.ID("NANP")
	require.Zero(t, b.shares(start, 10)[2])
}

func TestParseFlip(t *testing.T) {
	for _, f := range []failover.Flip{
		{To: []string{"beta"}, Share: 0.8},
		{To: []string{"beta", "gamma delta"}, Share: 0.125, Group: "United Kingdom"},
		{To: []string{"beta"}, Share: 1},
		{To: []string{"beta"}, Share: 0.5, Over: 90 * time.Second},
		{To: []string{"beta"}, Share: 0.5, Over: time.Hour, Group: "over=there"},
	} {
		c := f.Control(failover.ActionFlip, "ops", "why", start)
		got, err := failover.ParseFlip(&c)
		require.NoError(t, err)
		require.Equal(t, f, got)
	}
	for _, c := range []outdial.Control{
		{Target: "", Value: "80%"},
		{Target: "a,,b", Value: "80%"},
		{Target: "a,a", Value: "80%"},
		{Target: "a", Value: "80"},
		{Target: "a", Value: "0%"},
		{Target: "a", Value: "100.5%"},
		{Target: "a", Value: "NaN%"},
		{Target: "a", Value: "5% grp=x"},
		{Target: "a", Value: "5% group="},
		{Target: "a", Value: "5% over=x"},
		{Target: "a", Value: "5% over=-1s"},
		{Target: "a", Value: ""},
	} {
		_, err := failover.ParseFlip(&c)
		require.Error(t, err, "%+v", c)
		s := newSelector(t, failover.Config{IDs: named("a")})
		c.Action = failover.ActionFlip
		require.Error(t, s.CheckControl(start, &c))
		s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: start, Control: &c})
		require.Empty(t, s.Flips(start))
	}
}

func FuzzParseFlip(f *testing.F) {
	f.Add("beta", "80%")
	f.Add("beta,gamma", "12.5% group=NANP")
	f.Add(",", "%")
	f.Add("a", "1e-300%")
	f.Add("a", "5% over=1h30m group=over=9s")
	f.Fuzz(func(t *testing.T, target, value string) {
		c := outdial.Control{Action: failover.ActionFlip, Target: target, Value: value}
		got, err := failover.ParseFlip(&c)
		if err != nil {
			return
		}
		require.True(t, got.Share > 0 && got.Share <= 1 && len(got.To) > 0)
		again := got.Control(failover.ActionFlip, "", "", time.Time{})
		back, err := failover.ParseFlip(&again)
		require.NoError(t, err)
		require.Equal(t, got.To, back.To)
		require.Equal(t, got.Over, back.Over)
		require.Equal(t, got.Group, back.Group)
		require.InEpsilon(t, got.Share, back.Share, 1e-9)
	})
}

// TestFlipGrows: a share that is to be shifted over ten minutes grows evenly, without a jump and to no more than was ordered.
func TestFlipGrows(t *testing.T) {
	b := newBench(t, failover.Config{IDs: named("a", "b"), KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0))
	order := flip(0.8, "b")
	order.Over = 10 * time.Minute
	b.control(start, order.Control(failover.ActionFlip, "", "", time.Time{}))
	sent, before := 0, 0
	for second := range 1200 {
		for range 10 {
			if trunk, _ := b.pick(at(time.Duration(second)*time.Second), 3); trunk == 2 {
				sent++
			}
		}
		if x := second + 1; x%60 == 0 {
			grown := 0.8 * min(float64(x)/600, 1) // now
			if x <= 600 {
				require.InDelta(t, grown*float64(x)*10/2, sent, 6, "the area below the ramp after %d s", x)
			} else {
				require.InDelta(t, 480, sent-before, 1, "after %d s", x)
			}
			before = sent
		}
	}
}

// TestOrdersAreChecked: what cannot be carried out is refused, and changes nothing.
func TestOrdersAreChecked(t *testing.T) {
	s := newSelector(t, failover.Config{IDs: named("a", "b"), Capacity: room{channels: math.MaxInt32, cps: 0}})
	for i := range 20 {
		s.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: at(time.Duration(i) * time.Second), Attempt: &outdial.Attempt{
			Candidate: outdial.Candidate{Trunk: 1}, Start: start, State: outdial.AttemptOpen,
		}})
	}
	now := at(20 * time.Second)
	for want, c := range map[string]outdial.Control{
		`no trunk "x"`:                   flip(0.1, "x").Control(failover.ActionFlip, "", "", time.Time{}),
		"is past":                        flip(0.1, "a").Control(failover.ActionFlip, "", "", now),
		"Expires is required":            flip(0.1, "a").Control(failover.ActionDrill, "", "", time.Time{}),
		"1 calls per second are needed":  flip(0.9, "b").Control(failover.ActionFlip, "", "", time.Time{}),
		`no destination group "nowhere"`: failover.Flip{To: []string{"a"}, Share: 0.1, Group: "nowhere"}.Control(failover.ActionFlip, "", "", time.Time{}),
		`failover.launch: no trunk "x"`:  {Action: failover.ActionLaunch, Target: "x"},
		`failover.revert: no trunk "x"`:  {Action: failover.ActionRevert, Target: "x"},
		"failover.hold: 2026-03-02":      {Action: failover.ActionHold, Target: "a", Expires: start},
	} {
		require.ErrorContains(t, s.CheckControl(now, &c), want)
	}
	require.NoError(t, s.CheckControl(now, &outdial.Control{Action: failover.ActionRevert}))
	require.NoError(t, s.CheckControl(now, &outdial.Control{Action: "cli.rest", Target: "x"}))
	require.ErrorContains(t, newSelector(t, failover.Config{}).CheckFlip(now, flip(0.1, "a")), "no registry")
}

// TestDrill: it flips, holds, ends by itself also when nobody looks, and its report compares. A restart in between changes
// nothing of that.
func TestDrill(t *testing.T) {
	cfg := failover.Config{IDs: named("a", "b"), KeepWarm: -1, BaselineCalls: -1}
	b := newBench(t, cfg, on(1, 0, 0), on(2, 1, 0))
	calls := func(b *bench, from, n int, bad outdial.TrunkID) {
		for i := range n {
			now := at(time.Duration(from+i) * time.Second)
			trunk, why := b.pick(now, 3)
			a := b.attempt(now, trunk, why)
			b.observe(now, outdial.EventStarted, a)
			if trunk == bad && i%4 == 0 {
				a.State, a.Result = outdial.AttemptEnded, final(500)
				b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
				continue
			}
			b.observe(now.Add(time.Duration(trunk)*time.Second), outdial.EventProgressed, a, outdial.MarkProvisional)
			a.State = outdial.AttemptAnswered
			b.observe(now.Add(3*time.Second), outdial.EventAnswered, a, outdial.MarkAnswer)
			a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginCalleeHangup)
			b.observe(now.Add(9*time.Second), outdial.EventEnded, a, outdial.MarkEnd)
		}
	}
	calls(b, 0, 300, 0)
	b.control(at(300*time.Second), flip(1, "b").Control(failover.ActionDrill, "", "", at(600*time.Second)))
	require.Equal(t, at(300*time.Second), b.target(at(300*time.Second), 2, 0).Drilled)
	calls(b, 300, 150, 2)

	// The process dies here, and with it whoever has ordered the drill.
	r := b.replayed(cfg)
	r.last = b.last
	require.Equal(t, b.s.Drills(at(450*time.Second)), r.s.Drills(at(450*time.Second)))
	calls(r, 450, 150, 2)
	before := r.shares(at(599*time.Second), 10)
	require.Equal(t, map[outdial.TrunkID]int{2: 10}, before)
	require.Equal(t, map[outdial.TrunkID]int{1: 10}, r.shares(at(600*time.Second), 10), "it has ended by itself")

	reports := r.s.Drills(at(600 * time.Second))
	require.Len(t, reports, 1)
	d := reports[0]
	require.True(t, d.Over)
	require.False(t, d.Cut)
	require.Equal(t, uint64(300), d.Before.Others.Started)
	require.Equal(t, [2]uint64{300, 0}, [2]uint64{d.During.To.Started, d.During.Others.Started})
	asr, errors := d.Change(outdial.MetricASR)
	require.InDelta(t, -0.25, asr.Mean, 0.02)
	require.Less(t, errors, -5.0)
	pdd, _ := d.Change(outdial.MetricPDD)
	require.InDelta(t, 1, pdd.Mean, 1e-9)
	ner, _ := d.Change(outdial.MetricNER)
	require.InDelta(t, asr.Mean, ner.Mean, 1e-9)
	unknown, _ := d.Change(outdial.MetricMOS)
	require.False(t, unknown.Known())

	// An operator may end it before its time.
	b.control(at(700*time.Second), flip(0.5, "b").Control(failover.ActionDrill, "", "", at(900*time.Second)))
	b.control(at(750*time.Second), outdial.Control{Action: failover.ActionRevert})
	last := b.s.Drills(at(750 * time.Second))
	require.True(t, last[len(last)-1].Over && last[len(last)-1].Cut)
	require.Equal(t, at(750*time.Second), last[len(last)-1].Until)
	require.Equal(t, map[outdial.TrunkID]int{1: 10}, b.shares(at(750*time.Second), 10))
	for i := range 50 { // the record is bounded
		b.control(at(800*time.Second), flip(0.5, "b").Control(failover.ActionDrill, "", "", at(time.Duration(1000+i)*time.Second)))
	}
	require.Len(t, b.s.Drills(at(900*time.Second)), 32)
}

// TestDrillOfAGroup: a drill of one destination group is compared with what went to that group before it, not with calls to
// elsewhere, which may be quite different.
func TestDrillOfAGroup(t *testing.T) {
	ids := named("a", "b")
	ids.Groups.Add("UK", "NANP")
	b := newBench(t, failover.Config{IDs: ids, KeepWarm: -1, BaselineCalls: -1}, on(1, 0, 0), on(2, 1, 0))
	call := func(now time.Time, group string, answered bool) {
		b.call.Dest.Group = ids.Groups.ID(group)
		trunk, why := b.pick(now, 3)
		a := b.attempt(now, trunk, why)
		b.observe(now, outdial.EventStarted, a)
		a.State, a.Result = outdial.AttemptEnded, final(486)
		if answered {
			a.State = outdial.AttemptAnswered
			b.observe(now, outdial.EventAnswered, a, outdial.MarkAnswer)
			a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginCalleeHangup)
		}
		b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
	}
	for i := range 300 {
		call(at(time.Duration(i)*10*time.Second), "UK", i%2 == 0)
		call(at(time.Duration(i)*10*time.Second), "NANP", i%10 == 0)
	}
	order := flip(1, "b")
	order.Group = "UK"
	b.control(at(3000*time.Second), order.Control(failover.ActionDrill, "", "", at(3600*time.Second)))
	for i := range 300 {
		call(at(time.Duration(3000+i)*time.Second), "UK", i%2 == 0)
		call(at(time.Duration(3000+i)*time.Second), "NANP", i%10 == 0)
	}
	d := b.s.Drills(at(time.Hour))[0]
	require.Equal(t, [2]uint64{300, 150}, [2]uint64{d.Before.Others.Started, d.Before.Others.Answered})
	require.Equal(t, [2]uint64{300, 150}, [2]uint64{d.During.To.Started, d.During.To.Answered})
	require.Zero(t, d.During.Others.Started)
	asr, errors := d.Change(outdial.MetricASR)
	require.InDelta(t, 0, asr.Mean, 0.001)
	require.InDelta(t, 0, errors, 0.1)
}
