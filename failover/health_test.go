package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

func TestSilenceEjectsAfterThree(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	for i := range 3 {
		trunk, why := b.pick(start, 3)
		require.Equal(t, outdial.TrunkID(1), trunk)
		a := b.attempt(at(time.Duration(i)*time.Second), trunk, why)
		b.abandon(at(time.Duration(i+1)*time.Second), a)
		a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginTransport)
		b.observe(at(time.Minute), outdial.EventEnded, a) // counts no second time
	}
	st := b.target(at(4*time.Second), 1, 0)
	require.Equal(t, failover.Out, st.State)
	require.Equal(t, at(3*time.Second), st.Since)
	require.Equal(t, at(8*time.Second), st.Until)
	require.Equal(t, uint64(3), st.Failed)
	require.Equal(t, "hard failures in a row", st.Why)
	trunk, _ := b.pick(at(4*time.Second), 3)
	require.Equal(t, outdial.TrunkID(2), trunk, "the next tier takes over")
	require.Equal(t, at(8*time.Second), b.s.Advance(at(4*time.Second)))
}

func TestSoftCountFollowsTheBaseline(t *testing.T) {
	for baseline, k := range map[float64]int{0.05: 5, 0.10: 6, 0.20: 9, 0.30: 12} {
		b := newBench(t, failover.Config{Baseline: baseline}, on(1, 0, 0), on(2, 0, 0))
		for i := range k {
			require.Less(t, b.target(start, 1, 0).State, failover.Out, "%v after %d", baseline, i)
			b.end(start, 1, outdial.WhyOrder, final(503))
		}
		require.Equal(t, failover.Out, b.target(start, 1, 0).State, baseline)
	}
	b := newBench(t, failover.Config{Baseline: -1, HardCount: -1})
	for range 100 {
		b.end(start, 1, outdial.WhyOrder, final(503))
		b.end(start, 1, outdial.WhyOrder, ended(outdial.OriginTransport))
	}
	require.Equal(t, failover.Up, b.target(start, 1, 0).State)
}

func TestWhatBreaksARow(t *testing.T) {
	rows := map[string]func(b *bench){
		"ringing": func(b *bench) { b.ring(start, 1, 0) },
		"busy":    func(b *bench) { b.end(start, 1, 0, final(486)) },
		"no 18x, answered": func(b *bench) {
			a := b.attempt(start, 1, 0)
			a.State = outdial.AttemptAnswered
			b.observe(start, outdial.EventAnswered, a, outdial.MarkAnswer)
		},
		"media": func(b *bench) {
			b.observe(start, outdial.EventProgressed, b.attempt(start, 1, 0), outdial.MarkMedia)
		},
	}
	for name, good := range rows {
		b := newBench(t, failover.Config{})
		for range 5 {
			b.end(start, 1, 0, final(503))
		}
		good(b)
		st := b.target(start, 1, 0)
		require.Equal(t, failover.Suspect, st.State, name)
		require.Zero(t, st.Failures, name)
		require.Equal(t, uint64(1), st.Healthy, name)
	}
	neutral := map[string]outdial.Result{
		"cancelled": ended(outdial.OriginCaller), "never sent": ended(outdial.OriginNeverSent), "full": final(503, 34),
		"bad number": final(404), "unknown": ended(outdial.OriginUnknown), "account": final(403),
	}
	for name, r := range neutral {
		b := newBench(t, failover.Config{})
		for range 5 {
			b.end(start, 1, 0, final(503))
		}
		for range 50 {
			b.end(start, 1, 0, r)
		}
		require.Equal(t, 5, b.target(start, 1, 0).Failures, "%s neither counts nor breaks the row", name)
	}
}

func TestCountedOnce(t *testing.T) {
	b := newBench(t, failover.Config{})
	a := b.attempt(start, 1, 0)
	b.observe(start, outdial.EventProgressed, a, outdial.MarkTrying)
	require.Empty(t, b.s.Snapshot(start), "100 alone is no success")
	b.observe(at(time.Second), outdial.EventProgressed, a, outdial.MarkProvisional, outdial.MarkRinging)
	b.observe(at(2*time.Second), outdial.EventProgressed, a, outdial.MarkMedia)
	b.observe(at(3*time.Second), outdial.EventAnswered, a, outdial.MarkAnswer)
	a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginCalleeHangup)
	b.observe(at(4*time.Second), outdial.EventEnded, a, outdial.MarkEnd)
	require.Equal(t, uint64(1), b.target(start, 1, 0).Healthy)

	late := b.attempt(start, 1, 0)
	b.abandon(at(time.Second), late)
	b.observe(at(2*time.Second), outdial.EventProgressed, late, outdial.MarkProvisional)
	late.State, late.Late = outdial.AttemptAnswered, true
	b.observe(at(3*time.Second), outdial.EventAnswered, late, outdial.MarkAnswer)
	late.State = outdial.AttemptEnded
	b.observe(at(4*time.Second), outdial.EventEnded, late)
	st := b.target(start, 1, 0)
	require.Equal(t, uint64(1), st.Healthy, "what comes after it was abandoned is no success")
	require.Equal(t, uint64(1), st.Failed)
}

func TestProbing(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1, KeepWarm: -1, Dwell: -1}, on(1, 0, 90), on(2, 0, 10), on(3, 1, 0))
	kill := func(now time.Time) {
		for range 3 {
			b.end(now, 1, 0, ended(outdial.OriginTransport))
		}
	}
	kill(start)
	trunk, why := b.pick(at(5*time.Second-1), 7)
	require.Equal(t, outdial.TrunkID(2), trunk)
	require.Equal(t, outdial.WhyWeight, why)
	trunk, why = b.pick(at(5*time.Second), 0b001)
	require.Equal(t, outdial.WhyLastResort, why, "no probe when the call has nowhere else to go")
	require.Equal(t, outdial.TrunkID(1), trunk)

	// A probe, one at a time; one that did not leave makes room for another.
	i, choice := b.s.Pick(at(5*time.Second), &b.call, b.plan, 7)
	require.Equal(t, outdial.WhyProbe, choice.Why)
	require.Equal(t, failover.Probing, b.target(at(5*time.Second), 1, 0).State)
	_, why = b.pick(at(5*time.Second), 7)
	require.Equal(t, outdial.WhyWeight, why)
	b.s.Return(at(5*time.Second), &b.call, b.plan, 7, i, choice)
	trunk, why = b.pick(at(5*time.Second), 7)
	require.Equal(t, outdial.WhyProbe, why)

	// It fails: twice the rest.
	b.end(at(6*time.Second), trunk, why, final(503))
	st := b.target(at(6*time.Second), 1, 0)
	require.Equal(t, failover.Out, st.State)
	require.Equal(t, at(16*time.Second), st.Until)
	require.Equal(t, 2, st.Ejections)

	// Nobody reports on a probe: another after a while.
	_, why = b.pick(at(16*time.Second), 7)
	require.Equal(t, outdial.WhyProbe, why)
	_, why = b.pick(at(75*time.Second), 7)
	require.Equal(t, outdial.WhyWeight, why)
	require.Equal(t, at(76*time.Second), b.s.Advance(at(75*time.Second)))

	// Three good ones, one of them cancelled by its caller in between.
	for i, r := range []outdial.Result{final(486), ended(outdial.OriginCaller), final(486), final(486)} {
		now := at(76*time.Second + time.Duration(i)*time.Second)
		trunk, why = b.pick(now, 7)
		require.Equal(t, outdial.WhyProbe, why, i)
		b.end(now, trunk, why, r)
	}
	st = b.target(at(80*time.Second), 1, 0)
	require.Equal(t, failover.Ramping, st.State)
	require.Equal(t, at(109*time.Second), st.Until)
	require.Equal(t, at(109*time.Second), b.s.Advance(at(80*time.Second)))

	// Ejected again soon: it rests until a minute after it came back, at least.
	kill(at(90 * time.Second))
	require.Equal(t, at(139*time.Second), b.target(at(91*time.Second), 1, 0).Until)
	for range 3 {
		b.ring(at(139*time.Second), 1, outdial.WhyProbe)
	}
	st = b.target(at(169*time.Second), 1, 0)
	require.Equal(t, failover.Up, st.State)
	require.Equal(t, at(169*time.Second), st.Since)
	require.Empty(t, st.Why)
	require.Zero(t, b.s.Advance(at(169*time.Second)))

	// Again: the backoff goes on. After a long time up, it is forgiven.
	kill(at(200 * time.Second))
	require.Equal(t, at(240*time.Second), b.target(at(200*time.Second), 1, 0).Until)
	for range 3 {
		b.ring(at(240*time.Second), 1, outdial.WhyProbe)
	}
	kill(at(time.Hour))
	require.Equal(t, at(time.Hour+5*time.Second), b.target(at(time.Hour), 1, 0).Until)
}

func TestBackoffIsCapped(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 0))
	now := start
	for range 3 {
		b.end(now, 1, 0, ended(outdial.OriginTransport))
	}
	var rests []time.Duration
	for range 12 {
		until := b.target(now, 1, 0).Until
		rests = append(rests, until.Sub(now))
		now = until
		b.end(now, 1, outdial.WhyProbe, ended(outdial.OriginTransport))
	}
	want := 5 * time.Second
	differ := false
	for _, rest := range rests {
		require.GreaterOrEqual(t, rest, want*8/10)
		require.LessOrEqual(t, rest, min(want*12/10, 300*time.Second))
		differ = differ || rest != want
		want = min(want*2, 300*time.Second)
	}
	require.True(t, differ, "spread")
}

func TestLastResort(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1, Dwell: -1}, on(1, 0, 0), on(2, 1, 50), on(3, 1, 50))
	for trunk := range outdial.TrunkID(3) {
		for range 3 {
			b.end(start, trunk+1, 0, ended(outdial.OriginTransport))
		}
	}
	trunk, why := b.pick(start, 7)
	require.Equal(t, outdial.TrunkID(1), trunk)
	require.Equal(t, outdial.WhyLastResort, why)
	var share [4]int
	for range 10 {
		i, choice := b.s.Pick(start, &b.call, b.plan, 6)
		b.s.Return(start, &b.call, b.plan, 6, i, choice)
		trunk, why = b.pick(start, 6)
		require.Equal(t, outdial.WhyLastResort, why)
		share[trunk]++
	}
	require.Equal(t, [4]int{0, 0, 5, 5}, share)

	// Those that asked to be left alone come last.
	b = newBench(t, failover.Config{Dwell: -1}, on(1, 0, 0), on(2, 1, 0))
	b.end(start, 1, 0, final(503, time.Minute))
	for range 3 {
		b.end(start, 2, 0, ended(outdial.OriginTransport))
	}
	trunk, why = b.pick(start, 3)
	require.Equal(t, outdial.TrunkID(2), trunk)
	require.Equal(t, outdial.WhyLastResort, why)
	trunk, _ = b.pick(start, 1)
	require.Equal(t, outdial.TrunkID(1), trunk)

	// A last resort that works brings its target back.
	for range 3 {
		b.ring(at(time.Second), 2, outdial.WhyLastResort)
	}
	require.Equal(t, failover.Ramping, b.target(at(time.Second), 2, 0).State)
}

func TestSuspend(t *testing.T) {
	b := newBench(t, failover.Config{}, on(1, 0, 0), on(2, 1, 0))
	b.call.Dest.Group = 7
	b.end(start, 1, 0, final(503, 30*time.Second))
	st := b.target(start, 1, 0)
	require.Equal(t, failover.Suspended, st.State)
	require.Equal(t, at(30*time.Second), st.Until)
	require.Zero(t, st.Failed)
	require.Equal(t, at(30*time.Second), b.s.Advance(start))
	b.call.Dest.Group = 8 // the trunk, not the destination
	trunk, _ := b.pick(at(30*time.Second-1), 3)
	require.Equal(t, outdial.TrunkID(2), trunk)
	trunk, why := b.pick(at(30*time.Second), 3)
	require.Equal(t, outdial.TrunkID(1), trunk)
	require.Equal(t, outdial.WhyOrder, why)

	b.end(at(time.Minute), 1, 0, final(503, 10*time.Second))
	b.end(at(time.Minute), 1, 0, final(503, 5*time.Second))
	require.Equal(t, at(70*time.Second), b.target(at(time.Minute), 1, 0).Until, "the longer one holds")
	require.Zero(t, b.s.Advance(at(70*time.Second)))
	require.Equal(t, failover.Up, b.target(at(70*time.Second), 1, 0).State)
}

func TestPartialOutage(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	for range 10 {
		b.call.Dest.Group = 7
		b.end(start, 1, 0, final(503))
		b.call.Dest.Group = 8
		b.ring(start, 1, 0)
	}
	require.Equal(t, failover.Out, b.target(start, 1, 7).State)
	require.Equal(t, failover.Up, b.target(start, 1, 8).State)
	require.Equal(t, failover.Up, b.target(start, 1, 0).State)
	for g, want := range map[outdial.GroupID]outdial.TrunkID{7: 2, 8: 1, 9: 1, 0: 1} {
		b.call.Dest.Group = g
		trunk, _ := b.pick(start, 3)
		require.Equal(t, want, trunk, "group %d", g)
	}
	// What left before the ejection neither lengthens the rest nor counts as a good probe.
	b.call.Dest.Group = 7
	old := b.attempt(at(-time.Second), 1, 0)
	old.State, old.Result = outdial.AttemptEnded, final(503)
	b.observe(at(6*time.Second), outdial.EventEnded, old)
	b.observe(at(6*time.Second), outdial.EventProgressed, b.attempt(at(-time.Second), 1, 0), outdial.MarkProvisional)
	st := b.target(at(6*time.Second), 1, 7)
	require.Equal(t, at(5*time.Second), st.Until)
	require.Zero(t, st.Good)
	trunk, why := b.pick(at(6*time.Second), 3)
	require.Equal(t, outdial.TrunkID(1), trunk)
	require.Equal(t, outdial.WhyProbe, why)
}

// TestAbandonedLegCountsOnce: why hunting moved on is the evidence; how the leg ended adds nothing to it, but that its
// trunk asked to be left alone.
func TestAbandonedLegCountsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		result outdial.Result
		state  failover.State
	}{
		"our CANCEL":      {final(487), failover.Suspect},
		"a failure":       {final(500), failover.Suspect},
		"full":            {final(503, "CPS limit exceeded"), failover.Suspect},
		"busy after all":  {final(486), failover.Suspect},
		"a block":         {final(608, time.Minute), failover.Suspect},
		"a process died":  {ended(outdial.OriginUnknown), failover.Suspect},
		"Retry-After":     {final(503, time.Minute), failover.Suspended},
		"full and so on":  {final(503, "CPS limit exceeded", time.Minute), failover.Suspended},
		"it was answered": {ended(outdial.OriginHost), failover.Suspect},
	} {
		b := newBench(t, failover.Config{}, on(1, 0, 0), on(2, 1, 0))
		a := b.attempt(start, 1, 0)
		b.abandon(at(time.Second), a)
		if name == "it was answered" {
			a.State, a.Late = outdial.AttemptAnswered, true
			b.observe(at(2*time.Second), outdial.EventAnswered, a, outdial.MarkAnswer)
		}
		a.State, a.Result = outdial.AttemptEnded, c.result
		b.observe(at(3*time.Second), outdial.EventEnded, a, outdial.MarkEnd)
		st := b.target(at(3*time.Second), 1, 0)
		require.Equal(t, c.state, st.State, name)
		require.Equal(t, uint64(1), st.Failed, name)
		require.Zero(t, st.Healthy+st.Full+st.ConfigFaults, name)
		if c.state == failover.Suspended {
			require.Equal(t, at(63*time.Second), st.Until, name)
		}
	}
	// So does a leg that had early media before its trunk asked for a pause: it was healthy, and counted so.
	b := newBench(t, failover.Config{}, on(1, 0, 0))
	a := b.attempt(start, 1, 0)
	b.observe(start, outdial.EventProgressed, a, outdial.MarkProvisional)
	a.State, a.Result = outdial.AttemptEnded, final(503, time.Minute)
	b.observe(start, outdial.EventEnded, a, outdial.MarkEnd)
	st := b.target(start, 1, 0)
	require.Equal(t, failover.Suspended, st.State)
	require.Equal(t, [2]uint64{1, 0}, [2]uint64{st.Healthy, st.Failed})
}
