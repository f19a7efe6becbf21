package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestReplay: whatever happens to trunks and whatever operators order, a replay of the events gives the same health,
// baselines, incidents, flips and drills as living through them did.
func TestReplay(t *testing.T) {
	results := []outdial.Result{
		final(503), final(500), final(486), final(404), final(403), final(503, 34), final(503, 20*time.Second), final(608),
		ended(outdial.OriginNoTrying), ended(outdial.OriginTransport), ended(outdial.OriginCaller), ended(outdial.OriginUnknown),
	}
	rapid.Check(t, func(t *rapid.T) {
		ids := named("a", "b", "c")
		cfg := failover.Config{
			IDs: ids, HardCount: rapid.IntRange(0, 2).Draw(t, "hard"), Seed: 42, ProbeTimeout: 20 * time.Second,
			LaunchFalseAlarm: 0.1, FalseAlarm: 0.001, Trunks: []failover.Trunk{{Name: "a", Baseline: 0.2}},
		}
		b := newBench(t, cfg, on(1, 0, 60), on(2, 0, 40), on(3, 1, 0))
		now := start
		var open []*outdial.Attempt
		take := func(t *rapid.T) *outdial.Attempt {
			if len(open) == 0 {
				t.Skip("none is open")
			}
			i := rapid.IntRange(0, len(open)-1).Draw(t, "attempt")
			a := open[i]
			open = append(open[:i], open[i+1:]...)
			return a
		}
		call := func(t *rapid.T) {
			now = now.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "step")) * time.Millisecond)
			b.call.Dest.Group = outdial.GroupID(rapid.IntRange(0, 2).Draw(t, "group"))
			trunk, why := b.pick(now, rapid.Uint64Range(1, 7).Draw(t, "eligible"))
			if trunk == 0 {
				return
			}
			a := b.attempt(now, trunk, why)
			b.observe(now, outdial.EventStarted, a)
			open = append(open, a)
		}
		order := func(c outdial.Control) {
			c.Actor, c.Reason = "ops", "test"
			if b.s.CheckControl(now, &c) == nil {
				b.control(now, c)
			}
		}
		trunk := rapid.SampledFrom([]string{"a", "b", "c"})
		expires := func(t *rapid.T) time.Time {
			return now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "expires")) * time.Second)
		}
		t.Repeat(map[string]func(*rapid.T){
			"call": call, "another call": call,
			"end": func(t *rapid.T) {
				a := take(t)
				a.State, a.Result = outdial.AttemptEnded, rapid.SampledFrom(results).Draw(t, "result")
				b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
			},
			"fail": func(t *rapid.T) {
				a := take(t)
				a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginTransport)
				b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
			},
			"abandon": func(t *rapid.T) {
				a := take(t)
				b.abandon(now, a)
				a.State, a.Result = outdial.AttemptEnded, rapid.SampledFrom(results).Draw(t, "result")
				b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
			},
			"100": func(t *rapid.T) {
				a := take(t)
				b.observe(now, outdial.EventProgressed, a, outdial.MarkTrying)
				open = append(open, a)
			},
			"ring, answer": func(t *rapid.T) {
				a := take(t)
				b.observe(now, outdial.EventProgressed, a, outdial.MarkTrying, outdial.MarkProvisional)
				a.State = outdial.AttemptAnswered
				b.observe(now, outdial.EventAnswered, a, outdial.MarkAnswer)
				a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginCalleeHangup)
				b.observe(now, outdial.EventEnded, a, outdial.MarkEnd)
			},
			"advance": func(t *rapid.T) {
				if next := b.s.Advance(now); !next.IsZero() {
					require.True(t, next.After(now), "%v is not after %v", next, now)
				}
				b.s.Health(now, 1, 1)
			},
			"hold": func(t *rapid.T) {
				order(outdial.Control{Action: failover.ActionHold, Target: trunk.Draw(t, "trunk"), Expires: expires(t)})
			},
			"release": func(t *rapid.T) {
				order(outdial.Control{Action: failover.ActionRelease, Target: trunk.Draw(t, "trunk")})
			},
			"launch": func(t *rapid.T) {
				order(outdial.Control{Action: failover.ActionLaunch, Target: trunk.Draw(t, "trunk"), Expires: expires(t)})
			},
			"flip": func(t *rapid.T) {
				action := rapid.SampledFrom([]string{failover.ActionFlip, failover.ActionDrill}).Draw(t, "action")
				order(flip(0.5, trunk.Draw(t, "trunk")).Control(action, "", "", expires(t)))
			},
			"revert": func(t *rapid.T) { order(outdial.Control{Action: failover.ActionRevert}) },
		})
		r := b.replayed(cfg)
		require.Equal(t, b.s.Snapshot(now), r.s.Snapshot(now))
		require.Equal(t, b.s.Incidents(now), r.s.Incidents(now))
		require.Equal(t, b.s.Flips(now), r.s.Flips(now))
		require.Equal(t, b.s.Drills(now), r.s.Drills(now))
	})
}
