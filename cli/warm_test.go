package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// replayOf is a governor that has been told of the fleet's events by its journal.
func (f *fleet) replayOf() *cli.Governor {
	g := mustNew(f.t, f.cfg)
	for _, ev := range f.events {
		ev.Replay = true
		g.Observe(&ev)
	}
	return g
}

// stages counts what the rules did to a ramp.
func stages(g *cli.Governor, reason string) (n int) {
	for _, e := range g.Audit(0) {
		if e.Reason == reason {
			n++
		}
	}
	return n
}

// TestWarmingByWhatLeft: what is reserved and taken back moves no number along its ramp, up or down, so that a replay of what
// left gives the same stage.
func TestWarmingByWhatLeft(t *testing.T) {
	f := newFleet(t, 1, func(cfg *cli.Config) {
		cfg.Numbers[0].State = cli.StateWarming
		cfg.Lifecycle.Ramp = []int{10, 20, 40}
		cfg.Limits = cli.Limits{Caps: []cli.Cap{{100, 24 * time.Hour}}, Spacing: -1}
	})
	n := f.cfg.Numbers[0].Number
	for range 10 {
		f.call(n, busy, 0)
	}
	tryAndUndo := func() {
		p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(700, f.rng.IntN(90_000))), &outdial.Candidate{}, 0)
		require.NoError(t, err)
		f.g.Undo(f.now, p.Lease)
	}
	f.now = f.now.Add(23*time.Hour + 59*time.Minute + 59*time.Second)
	f.now = f.now.Add(time.Second)
	tryAndUndo()
	require.Zero(t, stages(f.g, "a stage up"), "nothing left the host")
	f.now = f.now.Add(20 * 24 * time.Hour)
	for range 3 {
		tryAndUndo()
	}
	require.Zero(t, stages(f.g, "idle: a stage back"))
	require.Equal(t, f.replayOf().Snapshot(f.now).Pools[0].States, f.g.Snapshot(f.now).Pools[0].States)
}

// TestWarmingByFewCalls: where a stage's cap is one call, one call within the stage is what it takes, and none does not do.
func TestWarmingByFewCalls(t *testing.T) {
	f := newFleet(t, 1, func(cfg *cli.Config) {
		cfg.Numbers[0].State = cli.StateWarming
		cfg.Lifecycle.Ramp = []int{10, 40}
		cfg.Limits = cli.Limits{Caps: []cli.Cap{{5, 24 * time.Hour}}, Spacing: -1}
	})
	n := f.cfg.Numbers[0].Number
	f.call(n, busy, 0)
	f.now = f.now.Add(3 * 24 * time.Hour)
	f.call(n, outdial.Result{Origin: outdial.OriginNeverSent}, 0)
	require.Zero(t, stages(f.g, "a stage up"), "it never left")
	f.call(n, busy, 0)
	require.Equal(t, 1, stages(f.g, "a stage up"))
	require.Equal(t, 1, stages(f.replayOf(), "a stage up"))
}

// TestRestEndsByTheClock: a rest ends when it ends, whoever asks then or later: what is told of the number afterwards finds it on
// trial, live and in a replay, in which nobody asks.
func TestRestEndsByTheClock(t *testing.T) {
	f := newFleet(t, 30, func(cfg *cli.Config) { cfg.Lifecycle.RetireAfter = -1 })
	n := f.cfg.Numbers[0].Number
	label := func(s outdial.LabelStatus) {
		f.observe(outdial.Event{Kind: outdial.EventLabelled, Time: f.now, Label: &outdial.Label{Number: n, Engine: "x", Status: s, TTL: time.Hour}})
	}
	label(outdial.LabelLabelled)
	require.Equal(t, cli.StateQuarantined, f.state(n))
	f.now = f.now.Add(22 * 24 * time.Hour)
	f.g.Advance(f.now)
	require.Equal(t, cli.StateRehab, f.state(n))
	f.now = f.now.Add(time.Hour)
	label(outdial.LabelLabelled)
	require.Equal(t, cli.StateQuarantined, f.state(n))
	back := f.replayOf()
	s, _ := back.Number(f.now, n)
	require.Equal(t, cli.StateQuarantined, s.State)
	f.now = f.now.Add(20*24*time.Hour + 12*time.Hour)
	f.g.Advance(f.now)
	back.Advance(f.now)
	s, _ = back.Number(f.now, n)
	require.Equal(t, cli.StateQuarantined, s.State, "it rests anew")
	require.Equal(t, cli.StateQuarantined, f.state(n))
	live, replayed := f.g.Audit(0), back.Audit(0)
	require.Equal(t, live, replayed)
}

// TestRestsEndBeforeTheNextIsCounted: of two numbers that may rest, those whose rest is over do not count, also where nobody has
// asked since.
func TestRestsEndBeforeTheNextIsCounted(t *testing.T) {
	f := newFleet(t, 10, func(cfg *cli.Config) { cfg.Lifecycle.MaxResting, cfg.Lifecycle.MaxDaily = 10, 100 })
	label := func(i int) {
		f.observe(outdial.Event{Kind: outdial.EventLabelled, Time: f.now, Label: &outdial.Label{
			Number: f.cfg.Numbers[i].Number, Engine: "x", Status: outdial.LabelLabelled, TTL: time.Hour,
		}})
	}
	label(0)
	f.now = f.now.Add(22 * 24 * time.Hour)
	label(1)
	require.Equal(t, cli.StateQuarantined, f.state(f.cfg.Numbers[1].Number))
}
