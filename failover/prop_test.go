package failover_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestShareBound: while weights and the eligible set stand, no share is more than 1 − 1/(2n−2) calls off, whatever
// the order in which the candidates come, and whatever other tiers do in between.
func TestShareBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "targets")
		b := newBench(t, failover.Config{})
		total := 0.0
		for i := range n {
			w := rapid.IntRange(1, 1000).Draw(t, "weight")
			total += float64(w)
			b.plan = append(b.plan, on(i+1, 0, w))
		}
		other := []outdial.Candidate{on(101, 0, 3), on(102, 0, 4)}
		bound := 1 - 1/float64(2*n-2) + 1e-9
		count := make(map[outdial.TrunkID]float64)
		for i := range 200 {
			if i%5 == 0 {
				rand.New(rand.NewPCG(1, uint64(i))).Shuffle(n, func(x, y int) { b.plan[x], b.plan[y] = b.plan[y], b.plan[x] })
				b.s.Pick(start, &b.call, other, 3)
			}
			trunk, why := b.pick(start, b.all())
			require.Equal(t, outdial.WhyWeight, why)
			count[trunk]++
			for _, c := range b.plan {
				require.InDelta(t, float64(i+1)*float64(c.Weight)/total, count[c.Trunk], bound)
			}
		}
	})
}

// TestLife drives a Selector at random, and checks what is promised about a choice, and that a replay of the events
// gives the same health.
func TestLife(t *testing.T) {
	results := []outdial.Result{
		final(503), final(500), final(486), final(404), final(403), final(503, 34), final(503, 20*time.Second),
		ended(outdial.OriginNoTrying), ended(outdial.OriginTransport), ended(outdial.OriginCaller), ended(outdial.OriginUnknown),
	}
	rapid.Check(t, func(t *rapid.T) {
		cfg := failover.Config{Baseline: 0.01, HardCount: 2, Seed: 42, Ramp: -1, KeepWarm: -1, Flap: -1}
		b := newBench(t, cfg, on(1, 0, 60), on(2, 0, 40), on(3, 0, 0), on(4, 1, 0), on(5, 2, 1))
		now := start
		var open []*outdial.Attempt
		finish := func(i int) { open = append(open[:i], open[i+1:]...) }
		some := func(t *rapid.T) int {
			if len(open) == 0 {
				t.Skip("none is open")
			}
			return rapid.IntRange(0, len(open)-1).Draw(t, "attempt")
		}
		call := func(t *rapid.T) {
			now = now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "step")) * time.Millisecond)
			b.call.Dest.Group = outdial.GroupID(rapid.IntRange(0, 2).Draw(t, "group"))
			eligible := rapid.Uint64Range(1, b.all()).Draw(t, "eligible")
			state := map[outdial.TrunkID]failover.Target{}
			silent := map[outdial.TrunkID]bool{} // its last call met silence: it is up, but gets one call at a time
			for _, st := range b.s.Snapshot(now) {
				if st.State == failover.Suspect && (st.Group == 0 || st.Group == b.call.Dest.Group) {
					silent[st.Trunk] = silent[st.Trunk] || st.Why == "silence"
				}
				if worst := state[st.Trunk]; (st.Group == 0 || st.Group == b.call.Dest.Group) && st.State > failover.Suspect {
					if worst.State == failover.Up || st.Until.After(worst.Until) {
						state[st.Trunk] = st
					}
				}
			}
			i, choice := b.s.Pick(now, &b.call, b.plan, eligible)
			require.NotEqual(t, -1, i)
			require.NotZero(t, eligible&(1<<i))
			up, low, whole := false, uint8(255), uint8(255)
			for k, c := range b.plan {
				if eligible&(1<<k) != 0 && state[c.Trunk].State == failover.Up {
					up, low = true, min(low, c.Tier)
					if !silent[c.Trunk] {
						whole = min(whole, c.Tier)
					}
				}
			}
			if whole != 255 {
				low = whole
			}
			picked := b.plan[i]
			st := state[picked.Trunk]
			require.Equal(t, up, choice.Why != outdial.WhyLastResort)
			switch choice.Why {
			case outdial.WhyProbe:
				if st.State != failover.Up || !silent[picked.Trunk] {
					require.Contains(t, []failover.State{failover.Out, failover.Probing}, st.State)
				}
				require.False(t, st.State == failover.Out && st.Until.After(now), "its backoff is over")
				require.LessOrEqual(t, picked.Tier, low)
			case outdial.WhyOrder, outdial.WhyWeight:
				require.Equal(t, failover.Up, st.State, st)
				require.Equal(t, low, picked.Tier)
			}
			if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
				b.s.Return(now, &b.call, b.plan, eligible, i, choice)
				return
			}
			a := b.attempt(now, picked.Trunk, choice.Why)
			b.observe(now, outdial.EventStarted, a)
			open = append(open, a)
		}
		t.Repeat(map[string]func(*rapid.T){
			"call": call, "another call": call,
			"fail": func(t *rapid.T) {
				i := some(t)
				a := open[i]
				a.State, a.Result = outdial.AttemptEnded, rapid.SampledFrom(results).Draw(t, "result")
				b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
				finish(i)
			},
			"abandon": func(t *rapid.T) {
				i := some(t)
				a := open[i]
				b.abandon(now, a)
				a.State, a.Result = outdial.AttemptEnded, rapid.SampledFrom(results).Draw(t, "result")
				b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
				finish(i)
			},
			"ring": func(t *rapid.T) {
				i := some(t)
				b.observe(now, outdial.EventProgressed, open[i], outdial.MarkTrying, outdial.MarkProvisional)
				finish(i)
			},
			"advance": func(t *rapid.T) {
				if next := b.s.Advance(now); !next.IsZero() {
					require.True(t, next.After(now))
				}
			},
		})
		replayed := newSelector(t, cfg)
		for i := range b.log {
			replayed.Observe(&b.log[i])
		}
		require.Equal(t, b.s.Snapshot(now), replayed.Snapshot(now))
	})
}

// TestRace: many goroutines at once; at most one probe is out at a time, and all is well in the end.
func TestRace(t *testing.T) {
	b := newBench(t, failover.Config{Jitter: -1}, on(1, 0, 50), on(2, 0, 50), on(3, 1, 0))
	for range 3 {
		b.end(start, 1, 0, ended(outdial.OriginTransport))
	}
	var probes, most, ids atomic.Int64
	var wg sync.WaitGroup
	now := at(time.Minute)
	for g := range 32 {
		wg.Go(func() {
			call := outdial.Call{Dest: outdial.Destination{Group: outdial.GroupID(g % 3)}}
			for n := range 300 {
				i, choice := b.s.Pick(now, &call, b.plan, 7)
				if choice.Why == outdial.WhyProbe {
					if p := probes.Add(1); p > 1 {
						most.Store(p)
					}
					runtime.Gosched()
					probes.Add(-1)
				}
				if n%4 == 0 {
					b.s.Return(now, &call, b.plan, 7, i, choice)
					continue
				}
				a := &outdial.Attempt{
					ID: outdial.AttemptID{Call: outdial.CallID(ids.Add(1)), Leg: 1}, Call: call, Candidate: b.plan[i],
					Choice: choice, Start: now, State: outdial.AttemptEnded, Result: final(486),
				}
				b.s.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: a})
				if n%50 == 0 {
					b.s.Advance(now)
					b.s.Snapshot(now)
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, most.Load(), "one probe at a time")
	for _, st := range b.s.Snapshot(at(2 * time.Minute)) {
		require.Equal(t, failover.Up, st.State)
	}
	require.Zero(t, b.s.Advance(at(2*time.Minute)))
}
