package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// kill ejects a trunk for silence.
func (b *bench) kill(now time.Time, trunk outdial.TrunkID) {
	for range 3 {
		b.end(now, trunk, 0, ended(outdial.OriginTransport))
	}
	require.Equal(b.t, failover.Out, b.target(now, trunk, 0).State)
}

// revive brings a trunk back by three good probes, where there is no dwell.
func (b *bench) revive(now time.Time, trunk outdial.TrunkID) {
	for range 3 {
		b.ring(now, trunk, outdial.WhyProbe)
	}
	require.Equal(b.t, failover.Ramping, b.target(now, trunk, 0).State)
}

// TestRamp: a target that is back gets the keep-warm share first, and its share grows to all of it.
func TestRamp(t *testing.T) {
	for name, plan := range map[string][]outdial.Candidate{
		"weights": {on(1, 0, 50), on(2, 0, 50)},
		"order":   {on(1, 0, 0), on(2, 0, 0)},
		"tiers":   {on(1, 0, 100), on(2, 1, 100)},
	} {
		b := newBench(t, failover.Config{Jitter: -1, KeepWarm: -1, Dwell: -1}, plan...)
		b.kill(start, 1)
		b.revive(at(5*time.Second), 1)
		full := 1.0
		if name == "weights" {
			full = 0.5
		}
		for _, c := range []struct {
			after time.Duration
			share float64
		}{{0, 0.05}, {15 * time.Second, 0.525}, {29 * time.Second, 0.05 + 0.95*29/30}, {30 * time.Second, 1}, {time.Hour, 1}} {
			now, got := at(5*time.Second+c.after), 0
			require.InDelta(t, c.share, b.s.Health(now, 1, 0), 1e-9, name)
			for range 1000 {
				if trunk, _ := b.pick(now, 3); trunk == 1 {
					got++
				}
			}
			// Its part of those turns that it takes part in: x of x+1 where the shares are one half.
			want := c.share * full
			require.InDelta(t, want*1000, got, 15, "%s after %v", name, c.after)
		}
		st := b.target(at(time.Hour), 1, 0)
		require.Equal(t, failover.Up, st.State)
		require.Equal(t, at(35*time.Second), st.Since)
	}

	// When nobody else is up, it gets everything.
	b := newBench(t, failover.Config{Jitter: -1, Dwell: -1}, on(1, 0, 0), on(2, 1, 0))
	b.kill(start, 1)
	b.kill(start, 2)
	b.revive(at(5*time.Second), 1)
	for range 10 {
		trunk, why := b.pick(at(5*time.Second), 1)
		require.Equal(t, outdial.TrunkID(1), trunk)
		require.Equal(t, outdial.WhyOrder, why)
	}
}

// TestFlapping: a carrier that is up for 3 s and down for 3 s, over and over, is taken back once a minute at most where three
// good calls are enough, and never where it must do well for longer than it does.
func TestFlapping(t *testing.T) {
	require.Empty(t, flapping(t, 0))
	returns := flapping(t, -1)
	require.NotEmpty(t, returns)
	for i, at := range returns[1:] {
		require.GreaterOrEqual(t, at-returns[i], time.Minute, "%v", returns)
	}
}

// flapping returns when such a carrier was taken back.
func flapping(t *testing.T, dwell time.Duration) []time.Duration {
	b := newBench(t, failover.Config{Dwell: dwell}, on(1, 0, 50), on(2, 0, 50))
	var returns []time.Duration
	before := failover.Up
	for i := range 6000 { // ten minutes at ten calls a second
		now := at(time.Duration(i) * 100 * time.Millisecond)
		b.call.ID++
		trunk, why := b.pick(now, 3)
		if down := i/30%2 == 1; trunk == 1 && down {
			b.end(now, 1, why, ended(outdial.OriginTransport))
		} else {
			b.ring(now, trunk, why)
		}
		state := b.target(now, 1, 0).State
		if state == failover.Ramping && before != failover.Ramping && before != failover.Suspect {
			returns = append(returns, now.Sub(start))
		}
		before = state
	}
	return returns
}

// TestSuspect: half of the evidence is a state of its own. Two silent calls make the others go elsewhere, but for one at a
// time; a sign of life ends it, and so does the third.
func TestSuspect(t *testing.T) {
	suspect := func() *bench {
		b := newBench(t, failover.Config{Jitter: -1, KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0))
		for range 2 {
			b.end(start, 1, 0, ended(outdial.OriginNoTrying))
		}
		st := b.target(start, 1, 0)
		require.Equal(t, failover.Suspect, st.State)
		require.Equal(t, "silence", st.Why)
		return b
	}
	b := suspect()
	trunk, why := b.pick(start, 3)
	require.Equal(t, outdial.TrunkID(1), trunk)
	require.Equal(t, outdial.WhyProbe, why)
	for range 5 {
		other, why := b.pick(start, 3)
		require.Equal(t, outdial.TrunkID(2), other)
		require.Equal(t, outdial.WhyOrder, why)
	}
	b.end(at(time.Second), trunk, why, ended(outdial.OriginNoTrying))
	require.Equal(t, failover.Out, b.target(at(time.Second), 1, 0).State)

	b = suspect()
	trunk, why = b.pick(at(time.Second), 3)
	b.ring(at(time.Second), trunk, why)
	require.Equal(t, "failures", b.target(at(time.Second), 1, 0).Why, "silent no more")
	for range 5 {
		trunk, why := b.pick(at(time.Second), 3)
		require.Equal(t, outdial.TrunkID(1), trunk)
		require.Equal(t, outdial.WhyOrder, why)
	}

	// A 100 to a call that left later says that it lives; one to an earlier call does not.
	b = suspect()
	early := b.attempt(at(-time.Second), 1, 0)
	b.observe(at(time.Second), outdial.EventProgressed, early, outdial.MarkTrying)
	require.Equal(t, "silence", b.target(at(time.Second), 1, 0).Why)
	later := b.attempt(at(time.Second), 1, 0)
	b.observe(at(time.Second), outdial.EventProgressed, later, outdial.MarkTrying)
	require.Equal(t, "failures", b.target(at(time.Second), 1, 0).Why)
	require.Zero(t, b.target(at(time.Second), 1, 0).Healthy)

	// When there is nobody else, it is not left alone.
	b = suspect()
	for range 5 {
		trunk, why := b.pick(start, 1)
		require.Equal(t, outdial.TrunkID(1), trunk)
		require.Equal(t, outdial.WhyOrder, why)
	}
}

// TestDwell: a target stays what it is for ten seconds at least. One that was suspect is up only then, unless it fails again; one
// that is probed is taken back only then, however many calls do well; one that is back is ejected by hard evidence alone. Only
// hard evidence and failing probes are quicker.
func TestDwell(t *testing.T) {
	fail := func(b *bench, now time.Duration, n int) {
		for range n {
			b.end(at(now), 1, 0, final(500))
		}
	}
	state := func(b *bench, now time.Duration) failover.State { return b.target(at(now), 1, 0).State }

	b := newBench(t, failover.Config{Jitter: -1, KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0))
	fail(b, 0, 4)
	b.ring(at(3*time.Second), 1, 0)
	require.Equal(t, at(10*time.Second), b.target(at(3*time.Second), 1, 0).Until)
	require.Equal(t, failover.Suspect, state(b, 10*time.Second-1))
	require.InDelta(t, 1, b.s.Health(at(3*time.Second), 1, 0), 0, "it has its share meanwhile")
	require.Equal(t, failover.Up, state(b, 10*time.Second))
	require.Equal(t, at(10*time.Second), b.target(at(14*time.Second), 1, 0).Since)
	for range 12 { // all is forgotten
		b.ring(at(15*time.Second), 1, 0)
	}
	fail(b, 20*time.Second, 4)
	b.ring(at(25*time.Second), 1, 0)
	fail(b, 28*time.Second, 1)
	require.Equal(t, failover.Suspect, state(b, 31*time.Second), "it has failed again")
	require.Equal(t, at(20*time.Second), b.target(at(31*time.Second), 1, 0).Since)
	b.ring(at(32*time.Second), 1, 0)
	require.Equal(t, failover.Up, state(b, 32*time.Second), "its time was over")
	fail(b, 40*time.Second, 6)
	require.Equal(t, failover.Out, state(b, 40*time.Second), "evidence need not wait")

	for i := range 9 {
		b.ring(at(time.Duration(45+i)*time.Second), 1, outdial.WhyProbe)
		require.Equal(t, failover.Probing, state(b, time.Duration(45+i)*time.Second))
	}
	require.Equal(t, at(55*time.Second), b.s.Advance(at(53*time.Second)))
	trunk, why := b.pick(at(54*time.Second), 3)
	require.Equal(t, outdial.WhyProbe, why, "one call at a time")
	trunk2, _ := b.pick(at(54*time.Second), 3)
	require.NotEqual(t, trunk, trunk2)
	require.Equal(t, failover.Ramping, state(b, 55*time.Second), "by time alone")
	require.Equal(t, at(55*time.Second), b.target(at(60*time.Second), 1, 0).Since)
	fail(b, 64*time.Second, 20)
	require.Equal(t, failover.Ramping, state(b, 64*time.Second))
	fail(b, 65*time.Second, 1)
	require.Equal(t, failover.Out, state(b, 65*time.Second))
	require.Equal(t, at(115*time.Second), b.target(at(65*time.Second), 1, 0).Until, "a minute after it came back")

	// A probe that fails within the dwell ends it; one that returned without a ramp is guarded all the same.
	for range 3 {
		b.ring(at(115*time.Second), 1, outdial.WhyProbe)
	}
	b.end(at(116*time.Second), 1, outdial.WhyProbe, final(500))
	require.Equal(t, failover.Out, state(b, 116*time.Second))
	b = newBench(t, failover.Config{Jitter: -1, KeepWarm: -1, Ramp: -1}, on(1, 0, 0), on(2, 0, 0))
	b.kill(start, 1)
	for range 3 {
		b.ring(at(5*time.Second), 1, outdial.WhyProbe)
	}
	require.Equal(t, failover.Up, state(b, 15*time.Second))
	fail(b, 24*time.Second, 20)
	require.NotEqual(t, failover.Out, state(b, 24*time.Second))
	b.kill(at(24*time.Second), 1)
}

// TestLaunch: a trunk that is launched is held to tighter thresholds, for 72 hours and not a second longer.
func TestLaunch(t *testing.T) {
	ids := &outdial.Registry{}
	ids.Trunks.Add("alpha")
	failures := func(now time.Time, r outdial.Result) int {
		b := newBench(t, failover.Config{IDs: ids}, on(1, 0, 0))
		b.control(start, outdial.Control{Action: failover.ActionLaunch, Target: "alpha"})
		require.Equal(t, now.Before(at(72*time.Hour)), !b.target(now, 1, 0).Launch.IsZero())
		for n := 1; ; n++ {
			b.end(now, 1, 0, r)
			if b.target(now, 1, 0).State == failover.Out {
				return n
			}
		}
	}
	for _, c := range []struct {
		now        time.Duration
		soft, hard int
	}{{0, 3, 2}, {72*time.Hour - 1, 3, 2}, {72 * time.Hour, 6, 3}} {
		require.Equal(t, c.soft, failures(at(c.now), final(500)), "%v", c.now)
		require.Equal(t, c.hard, failures(at(c.now), ended(outdial.OriginNoTrying)), "%v", c.now)
	}
	b := newBench(t, failover.Config{IDs: ids}, on(1, 0, 0))
	b.control(start, outdial.Control{Action: failover.ActionLaunch, Target: "alpha", Expires: at(time.Hour)})
	require.Equal(t, at(time.Hour), b.target(start, 1, 0).Launch)
}

// TestIncidentHasItsMoments: detected, isolated, noticed, returned, recovered, and what it showed.
func TestIncidentHasItsMoments(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 1, 0))
	for i := range 6 {
		b.end(at(time.Duration(i)*time.Second), 1, 0, final(500))
	}
	b.end(at(11*time.Second), 1, outdial.WhyProbe, final(500))
	for i := range 3 {
		b.ring(at(30*time.Second+time.Duration(i)*time.Second), 1, outdial.WhyProbe)
	}
	b.s.Advance(at(10 * time.Minute))
	list := b.s.Incidents(at(10 * time.Minute))
	require.Len(t, list, 1)
	i := list[0]
	require.Equal(t, failover.Incident{
		Trunk: 1, Why: "soft failures in a row", Began: start, Detected: at(3 * time.Second), Isolated: at(5 * time.Second),
		Noticed: at(30 * time.Second), Returned: at(40 * time.Second), Recovered: at(70 * time.Second), Calls: 6, Failed: 6,
		Probes: 1, Baseline: 0.1,
	}, i)
	require.Equal(t, 5*time.Second, i.TimeToShift())
	depth, width := i.Cliff()
	require.InDelta(t, 0.9, depth, 1e-9)
	require.Equal(t, 5*time.Second, width)
	require.Contains(t, i.Learned(), "6 of 6 calls failed against a baseline of 10.0 %")
	require.Contains(t, i.Learned(), "1 calls failed while it was tried")

	for n := range 100 { // the record is bounded
		now := at(time.Duration(n+1) * time.Hour)
		b.kill(now, 1)
		for range 3 {
			b.ring(now.Add(10*time.Minute), 1, outdial.WhyProbe)
		}
		b.s.Advance(now.Add(20 * time.Minute))
	}
	require.Len(t, b.s.Incidents(at(200*time.Hour)), 32)
}

// TestSetupBudget: a candidate whose typical time to the first 18x does not fit into what is left is skipped.
func TestSetupBudget(t *testing.T) {
	b := newBench(t, failover.Config{KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0), on(3, 0, 0))
	for range 20 {
		for trunk, pdd := range map[outdial.TrunkID]time.Duration{1: 6 * time.Second, 2: 2 * time.Second} {
			a := b.attempt(start, trunk, 0)
			b.observe(start.Add(pdd), outdial.EventProgressed, a, outdial.MarkProvisional)
		}
	}
	require.InDelta(t, 6, b.target(start, 1, 0).Setup.Seconds(), 0.1)
	for _, c := range []struct {
		left time.Duration
		want outdial.TrunkID
	}{{0, 1}, {time.Minute, 1}, {7 * time.Second, 1}, {5 * time.Second, 2}, {time.Second, 3}} {
		b.call.Deadline = time.Time{}
		if c.left > 0 {
			b.call.Deadline = start.Add(c.left)
		}
		trunk, _ := b.pick(start, 7)
		require.Equal(t, c.want, trunk, "%v left; nothing is known of the third", c.left)
	}
	b.call.Deadline = at(time.Second)
	i, choice := b.s.Pick(start, &b.call, b.plan, 3)
	require.Equal(t, -1, i)
	require.Zero(t, choice.Again)
}

// TestSuspendedInItsRamp: a target that is back, and asks for a pause in its ramp, is up after that, and its outage is over.
func TestSuspendedInItsRamp(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1, Dwell: -1}, on(1, 0, 0), on(2, 0, 0))
	b.kill(start, 1)
	b.revive(at(5*time.Second), 1)
	b.end(at(7*time.Second), 1, 0, final(503, 8*time.Second))
	require.Equal(t, failover.Suspended, b.target(at(7*time.Second), 1, 0).State)
	require.Equal(t, failover.Up, b.target(at(15*time.Second), 1, 0).State)
	b.kill(at(time.Hour), 1)
	list := b.s.Incidents(at(time.Hour))
	require.Len(t, list, 2)
	require.Equal(t, at(15*time.Second), list[0].Recovered)
	require.Zero(t, list[1].Relapses)
}
