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
	rapid.Check(t, func(t *rapid.T) {
		w := newLife(t)
		t.Repeat(w.actions())
		r := w.b.replayed(w.cfg)
		require.Equal(t, w.b.s.Snapshot(w.now), r.s.Snapshot(w.now))
		require.Equal(t, w.b.s.Incidents(w.now), r.s.Incidents(w.now))
		require.Equal(t, w.b.s.Flips(w.now), r.s.Flips(w.now))
		require.Equal(t, w.b.s.Drills(w.now), r.s.Drills(w.now))
	})
}

// life is a bench on which anything may happen.
type life struct {
	b    *bench
	cfg  failover.Config
	now  time.Time
	open []*outdial.Attempt
}

func newLife(t *rapid.T) *life {
	ids := named("a", "b", "c")
	ids.Groups.Add("near", "far")
	w := &life{now: start, cfg: failover.Config{
		IDs: ids, HardCount: rapid.IntRange(0, 2).Draw(t, "hard"), Seed: 42, ProbeTimeout: 20 * time.Second,
		LaunchFalseAlarm: 0.1, FalseAlarm: 0.001, Trunks: []failover.Trunk{{Name: "a", Baseline: 0.2}, {Name: "c", Gated: true}},
	}}
	w.b = newBench(t, w.cfg, on(1, 0, 60), on(2, 0, 40), on(3, 1, 0))
	return w
}

func (w *life) take(t *rapid.T) *outdial.Attempt {
	if len(w.open) == 0 {
		t.Skip("none is open")
	}
	i := rapid.IntRange(0, len(w.open)-1).Draw(t, "attempt")
	a := w.open[i]
	w.open = append(w.open[:i], w.open[i+1:]...)
	return a
}

func (w *life) call(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "step")) * time.Millisecond)
	w.b.call.Dest.Group = outdial.GroupID(rapid.IntRange(0, 2).Draw(t, "group"))
	w.b.call.ID = w.b.last + 1
	trunk, why := w.b.pick(w.now, rapid.Uint64Range(1, 7).Draw(t, "eligible"))
	if trunk == 0 {
		return
	}
	a := w.b.attempt(w.now, trunk, why)
	w.b.observe(w.now, outdial.EventStarted, a)
	w.open = append(w.open, a)
}

func (w *life) order(c outdial.Control) {
	c.Actor, c.Reason = "ops", "test"
	if w.b.s.CheckControl(w.now, &c) == nil {
		w.b.control(w.now, c)
	}
}

func (w *life) expires(t *rapid.T) time.Time {
	return w.now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "expires")) * time.Second)
}

// actions are what may happen.
func (w *life) actions() map[string]func(*rapid.T) {
	results := []outdial.Result{
		final(503), final(500), final(486), final(404), final(403), final(503, 34), final(503, 20*time.Second), final(608),
		ended(outdial.OriginNoTrying), ended(outdial.OriginTransport), ended(outdial.OriginCaller), ended(outdial.OriginUnknown),
	}
	b := w.b
	trunk := rapid.SampledFrom([]string{"a", "b", "c"})
	return map[string]func(*rapid.T){
		"call": w.call, "another call": w.call,
		"end": func(t *rapid.T) {
			a := w.take(t)
			a.State, a.Result = outdial.AttemptEnded, rapid.SampledFrom(results).Draw(t, "result")
			b.observe(w.now, outdial.EventEnded, a, outdial.MarkEnd)
		},
		"fail": func(t *rapid.T) {
			a := w.take(t)
			a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginTransport)
			b.observe(w.now, outdial.EventEnded, a, outdial.MarkEnd)
		},
		"abandon": func(t *rapid.T) {
			a := w.take(t)
			b.abandon(w.now, a)
			a.State, a.Result = outdial.AttemptEnded, rapid.SampledFrom(results).Draw(t, "result")
			b.observe(w.now, outdial.EventEnded, a, outdial.MarkEnd)
		},
		"100": func(t *rapid.T) {
			a := w.take(t)
			b.observe(w.now, outdial.EventProgressed, a, outdial.MarkTrying)
			w.open = append(w.open, a)
		},
		"ring, answer": func(t *rapid.T) {
			a := w.take(t)
			b.observe(w.now, outdial.EventProgressed, a, outdial.MarkTrying, outdial.MarkProvisional)
			a.State = outdial.AttemptAnswered
			b.observe(w.now, outdial.EventAnswered, a, outdial.MarkAnswer)
			a.State, a.Result = outdial.AttemptEnded, ended(outdial.OriginCalleeHangup)
			b.observe(w.now, outdial.EventEnded, a, outdial.MarkEnd)
		},
		"advance": func(t *rapid.T) {
			if next := b.s.Advance(w.now); !next.IsZero() {
				require.True(t, next.After(w.now), "%v is not after %v", next, w.now)
			}
			b.s.Health(w.now, 1, 1)
		},
		"hold": func(t *rapid.T) {
			w.order(outdial.Control{Action: failover.ActionHold, Target: trunk.Draw(t, "trunk"), Expires: w.expires(t)})
		},
		"release": func(t *rapid.T) {
			w.order(outdial.Control{Action: failover.ActionRelease, Target: trunk.Draw(t, "trunk")})
		},
		"launch": func(t *rapid.T) {
			w.order(outdial.Control{Action: failover.ActionLaunch, Target: trunk.Draw(t, "trunk"), Expires: w.expires(t)})
		},
		"test": func(t *rapid.T) {
			action := rapid.SampledFrom([]string{failover.ActionPass, failover.ActionFail}).Draw(t, "action")
			w.order(outdial.Control{Action: action, Target: trunk.Draw(t, "trunk"), Expires: w.expires(t)})
		},
		"flip": func(t *rapid.T) {
			action := rapid.SampledFrom([]string{failover.ActionFlip, failover.ActionDrill}).Draw(t, "action")
			f := flip(0.5, trunk.Draw(t, "trunk"))
			f.Group = rapid.SampledFrom([]string{"", "near"}).Draw(t, "group")
			f.Over = time.Duration(rapid.IntRange(0, 1).Draw(t, "over")) * time.Minute
			w.order(f.Control(action, "", "", w.expires(t)))
		},
		"revert": func(*rapid.T) { w.order(outdial.Control{Action: failover.ActionRevert}) },
	}
}
