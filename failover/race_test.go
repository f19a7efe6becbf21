package failover_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestEverythingAtOnce: calls, operators, OPTIONS, readers and checkpoints at the same time. What was counted is the sum of what was
// told, no order outlives its end, and what was saved last is what is known.
func TestEverythingAtOnce(t *testing.T) {
	ids := named("a", "b", "c")
	cfg := failover.Config{IDs: ids, Trunks: []failover.Trunk{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	b := newBench(t, cfg, on(1, 0, 60), on(2, 0, 40), on(3, 1, 0))
	var clock, calls atomic.Int64
	var wg, callers sync.WaitGroup
	over := make(chan struct{})
	until := func(f func(now time.Time)) {
		wg.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					f(at(time.Duration(clock.Load())))
				}
			}
		})
	}
	tell := func(now time.Time, c outdial.Control) {
		if b.s.CheckControl(now, &c) == nil {
			b.s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: &c})
		}
	}
	until(func(now time.Time) {
		tell(now, flip(0.3, "b").Control(failover.ActionFlip, "", "", now.Add(time.Second)))
		tell(now, flip(0.3, "c").Control(failover.ActionDrill, "", "", now.Add(time.Second)))
		tell(now, outdial.Control{Action: failover.ActionHold, Target: "c", Expires: now.Add(time.Second)})
		tell(now, outdial.Control{Action: failover.ActionLaunch, Target: "a", Expires: now.Add(time.Second)})
		tell(now, outdial.Control{Action: failover.ActionRelease, Target: "c"})
		tell(now, outdial.Control{Action: failover.ActionRevert})
	})
	until(func(now time.Time) {
		due, _ := b.s.DuePings(now, nil)
		for _, trunk := range due {
			b.s.Pinged(now, trunk, 200)
		}
		b.s.Health(now, 1, 2)
		b.s.Advance(now)
	})
	until(func(now time.Time) {
		kept, err := b.s.Save(1)
		if err != nil {
			t.Error(err)
		}
		b.s.Snapshot(now)
		b.s.Incidents(now)
		b.s.Drills(now)
		b.s.Alarms(now, start)
		if err := newSelector(t, cfg).Restore(kept); err != nil {
			t.Error(err)
		}
	})
	results := []outdial.Result{final(486), final(486), final(486), final(500), ended(outdial.OriginNoTrying), final(503, time.Second)}
	for g := range 8 {
		callers.Go(func() {
			call := outdial.Call{Dest: outdial.Destination{Group: outdial.GroupID(g % 3)}}
			for n := range 400 {
				now := at(time.Duration(clock.Add(int64(10 * time.Millisecond))))
				call.ID = outdial.CallID(g*1000 + n + 1)
				i, choice := b.s.Pick(now, &call, b.plan, 7)
				if n%5 == 0 {
					b.s.Return(now, &call, b.plan, 7, i, choice)
					continue
				}
				a := &outdial.Attempt{
					ID: outdial.AttemptID{Call: call.ID, Leg: 1}, Call: call, Candidate: b.plan[i], Choice: choice, Start: now,
					State: outdial.AttemptOpen,
				}
				b.s.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: a})
				a.State, a.Result = outdial.AttemptEnded, results[(n+g)%len(results)]
				b.s.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: a})
				calls.Add(1)
			}
		})
	}
	callers.Wait()
	close(over)
	wg.Wait()

	now := at(time.Duration(clock.Load()))
	tell(now, outdial.Control{Action: failover.ActionRevert})
	require.Empty(t, b.s.Flips(now))
	told := uint64(0)
	for _, st := range b.s.Snapshot(now) {
		if st.Group == 0 {
			told += st.Healthy + st.Failed
			require.Zero(t, st.Open)
		}
	}
	suspends := uint64(0)
	for g := range 8 {
		for n := range 400 {
			if n%5 != 0 && (n+g)%len(results) == 5 {
				suspends++
			}
		}
	}
	require.Equal(t, uint64(calls.Load()), told+suspends, "each call counts once; a Retry-After counts for nothing")
	r := restored(t, cfg, save(t, b.s))
	require.Equal(t, b.s.Incidents(now), r.Incidents(now))
	require.Equal(t, b.s.Drills(now), r.Drills(now))
}
