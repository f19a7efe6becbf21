package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestLostProbe: the late end of a probe that was given up says nothing about the one that followed it.
func TestLostProbe(t *testing.T) {
	for name, call := range map[string][2]outdial.CallID{"with ids": {7, 8}, "without ids": {}} {
		b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 0, 0))
		for range 3 {
			b.end(start, 1, 0, ended(outdial.OriginTransport))
		}
		probe := func(now time.Time, id outdial.CallID) *outdial.Attempt {
			b.call.ID = id
			trunk, why := b.pick(now, 3)
			require.Equal(t, outdial.WhyProbe, why, name)
			a := b.attempt(now, trunk, why)
			if id != 0 {
				a.ID.Call = id
			}
			return a
		}
		lost := probe(at(10*time.Second), call[0])
		second := probe(at(70*time.Second), call[1])
		lost.State, lost.Result = outdial.AttemptEnded, ended(outdial.OriginCaller)
		b.observe(at(71*time.Second), outdial.EventEnded, lost, outdial.MarkEnd)
		_, why := b.pick(at(71*time.Second), 3)
		require.Equal(t, outdial.WhyOrder, why, "the second probe is still out (%s)", name)
		if call[0] != 0 { // one that never left is returned, however late
			b.call.ID = call[0]
			b.s.Return(at(71*time.Second), &b.call, b.plan, 3, 0, outdial.Choice{Why: outdial.WhyProbe})
			_, why = b.pick(at(71*time.Second), 3)
			require.Equal(t, outdial.WhyOrder, why)
		}
		second.State, second.Result = outdial.AttemptEnded, ended(outdial.OriginCaller)
		b.observe(at(72*time.Second), outdial.EventEnded, second, outdial.MarkEnd)
		_, why = b.pick(at(72*time.Second), 3)
		require.Equal(t, outdial.WhyProbe, why, name)
	}
}

// TestProbeOfAnotherGroup: the end of a probe for one group leaves the trunk's own probe out, which a call to another
// group is.
func TestProbeOfAnotherGroup(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 0), on(2, 0, 0))
	probe := func(now time.Time, g outdial.GroupID) *outdial.Attempt {
		b.call.Dest.Group = g
		trunk, why := b.pick(now, 3)
		require.Equal(t, outdial.WhyProbe, why)
		return b.attempt(now, trunk, why)
	}
	fail := func(now time.Time, g outdial.GroupID) {
		b.call.Dest.Group = g
		b.end(now, 1, 0, ended(outdial.OriginTransport))
	}
	for range 3 {
		fail(start, 1)
		b.call.Dest.Group = 2
		b.ring(start, 1, 0) // the trunk itself is up
	}
	first := probe(at(6*time.Second), 1)
	for range 3 {
		fail(at(7*time.Second), 3)
	}
	require.Equal(t, failover.Out, b.target(at(7*time.Second), 1, 0).State)
	probe(at(20*time.Second), 2)
	first.State, first.Result = outdial.AttemptEnded, ended(outdial.OriginCaller)
	b.observe(at(21*time.Second), outdial.EventEnded, first, outdial.MarkEnd)
	b.call.Dest.Group = 2
	_, why := b.pick(at(21*time.Second), 3)
	require.Equal(t, outdial.WhyOrder, why, "the trunk's probe is still out")
}

// TestOneProbeAtATime: whatever else happens to a target, no second probe is sent to it while one is out that was not
// given up.
func TestOneProbeAtATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(t, failover.Config{Baseline: 0.01, HardCount: 2, ProbeTimeout: 20 * time.Second}, on(1, 0, 0), on(2, 0, 0))
		now := start
		out := map[*outdial.Attempt]map[outdial.GroupID]bool{} // what the probes that are out are to show
		step := func(t *rapid.T) {
			now = now.Add(time.Duration(rapid.IntRange(0, 8000).Draw(t, "step")) * time.Millisecond)
			b.call.Dest.Group = outdial.GroupID(rapid.IntRange(0, 1).Draw(t, "group"))
			b.call.ID = 0
		}
		t.Repeat(map[string]func(*rapid.T){
			"probe": func(t *rapid.T) {
				step(t)
				b.last++
				b.call.ID = b.last * outdial.CallID(rapid.IntRange(0, 1).Draw(t, "with id"))
				shows := map[outdial.GroupID]bool{}
				for _, g := range []outdial.GroupID{0, b.call.Dest.Group} {
					st := b.target(now, 1, g)
					shows[g] = st.State > failover.Suspect || st.Why == "silence"
				}
				trunk, why := b.pick(now, 3)
				if why != outdial.WhyProbe {
					return
				}
				for a, theirs := range out {
					for g := range shows {
						if shows[g] && theirs[g] && now.Sub(a.Start) < 20*time.Second {
							t.Fatalf("the probe of %v is still out at %v", a.Start.Sub(start), now.Sub(start))
						}
					}
				}
				a := b.attempt(now, trunk, why)
				if b.call.ID != 0 {
					a.ID.Call = b.call.ID
				}
				out[a] = shows
			},
			"end": func(t *rapid.T) {
				step(t)
				for a := range out {
					a.State = outdial.AttemptEnded
					a.Result = rapid.SampledFrom([]outdial.Result{final(503), final(486), ended(outdial.OriginCaller)}).Draw(t, "result")
					b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
					delete(out, a)
					return
				}
			},
			"another fails": func(t *rapid.T) {
				step(t)
				b.end(now, 1, outdial.WhyLastResort, rapid.SampledFrom([]outdial.Result{
					final(503), final(503, 5*time.Second), ended(outdial.OriginTransport),
				}).Draw(t, "result"))
			},
			"another rings": func(t *rapid.T) {
				step(t)
				b.ring(now, 1, outdial.WhyLastResort)
			},
		})
	})
}

// TestReturnRefundsWhatWasCharged: a pick is undone exactly, although health was another one when it was returned.
func TestReturnRefundsWhatWasCharged(t *testing.T) {
	plan := []outdial.Candidate{on(1, 0, 60), on(2, 0, 30), on(3, 0, 10)}
	sick := func(b *bench, now time.Time) {
		for range 3 {
			b.end(now, 2, 0, ended(outdial.OriginTransport))
		}
	}
	well := func(b *bench, now time.Time) {
		for range 3 {
			b.ring(now, 2, outdial.WhyProbe)
		}
	}
	b, plain := newBench(t, failover.Config{Jitter: -1}, plan...), newBench(t, failover.Config{Jitter: -1}, plan...)
	now := start
	for i := range 50 {
		call := outdial.Call{ID: outdial.CallID(i + 1)}
		late := outdial.Call{ID: outdial.CallID(i + 1000)}
		j, choice := b.s.Pick(now, &call, plan, 7) // all three take part
		require.Equal(t, outdial.WhyWeight, choice.Why)
		sick(b, now)
		sick(plain, now)
		b.s.Return(now, &call, plan, 7, j, choice)
		k, second := b.s.Pick(now, &late, plan, 7) // two take part
		l, third := b.s.Pick(now, &call, plan, 6)  // one: no turn is taken
		now = now.Add(time.Hour)
		well(b, now)
		well(plain, now)
		b.s.Return(now, &late, plan, 7, k, second)
		b.s.Return(now, &call, plan, 6, l, third)
		for range 3 {
			got, _ := b.pick(now, 7)
			want, _ := plain.pick(now, 7)
			require.Equal(t, want, got, i)
		}
		require.Equal(t, credits(plain, now), credits(b, now))
	}
}

// credits is what each candidate is owed after one more turn.
func credits(b *bench, now time.Time) (owed []string) {
	record := &outdial.Record{}
	b.call.SetRecord(record)
	defer b.call.SetRecord(nil)
	b.pick(now, b.all())
	for _, r := range record.Readings() {
		if r.Name == "credit" {
			owed = append(owed, time.Duration(r.Value*1e9).Round(time.Microsecond).String())
		}
	}
	return owed
}
