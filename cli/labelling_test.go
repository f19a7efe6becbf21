package cli_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/internal/race"
)

// TestLabelsComeFirst: labels step up at an instant, and the answers of the labelled numbers halve six hours later, as where an
// engine labels first and callees learn to look away. The pool is told of its labels well before a number is condemned for its
// answers; at the usual share of labels nobody is told anything.
func TestLabelsComeFirst(t *testing.T) {
	if race.Enabled {
		t.Skip("a simulation in one goroutine: there is nothing for the race detector to see")
	}
	for _, step := range []bool{false, true} {
		f := newFleet(t, 60, func(cfg *cli.Config) {
			cfg.Lifecycle.OnMixed, cfg.Lifecycle.OnLabelled = cli.StateActive, cli.StateActive // to see both
		})
		f.rng = rand.New(rand.NewPCG(5, 5))
		const at = 10 * 24 * time.Hour
		var labels, answers time.Duration
		for hour := range 16 * 24 {
			since := time.Duration(hour) * time.Hour
			for i := range 60 {
				f.now = t0.Add(since + time.Duration(i)*time.Minute)
				n, bad := f.cfg.Numbers[i].Number, step && since >= at && i%5 == 0
				if hour%12 == 0 {
					x := &outdial.Label{Number: n, Engine: "hiya", Status: outdial.LabelClean}
					if bad || f.rng.Float64() < .02 {
						x.Status = outdial.LabelLabelled
					}
					f.observe(outdial.Event{Kind: outdial.EventLabelled, Time: f.now, Label: x})
				}
				rate := .3
				if bad && since >= at+6*time.Hour {
					rate = .15
				}
				for range 4 {
					f.answers(n, rate)
				}
			}
			for _, x := range f.g.Notices() {
				switch {
				case x.Kind == cli.NoticeLabels && labels == 0:
					labels = x.Time.Sub(t0) - at
					require.Equal(t, "survey", x.Pool)
				case x.Kind == cli.NoticeQuarantine && answers == 0:
					answers = x.Time.Sub(t0) - at
				}
			}
		}
		if !step {
			require.Zero(t, labels)
			continue
		}
		t.Logf("told of labels after %v, of answers after %v", labels, answers)
		require.Positive(t, labels)
		require.Less(t, labels, 13*time.Hour)
		require.Greater(t, answers, labels)
		require.NotZero(t, answers)
	}
}

// TestLabelsAsUsual: 20,000 observations at the usual share of labels say nothing (seed fixed).
func TestLabelsAsUsual(t *testing.T) {
	f := newFleet(t, 100, func(cfg *cli.Config) {
		cfg.Lifecycle.OnMixed, cfg.Lifecycle.OnLabelled = cli.StateActive, cli.StateActive
	})
	for i := range 20_000 {
		f.now = f.now.Add(time.Minute)
		x := outdial.Label{Number: f.cfg.Numbers[i%100].Number, Engine: "hiya", Status: outdial.LabelClean}
		if f.rng.Float64() < .03 {
			x.Status = outdial.LabelLabelled
		}
		f.g.Observe(&outdial.Event{Kind: outdial.EventLabelled, Time: f.now, Label: &x})
	}
	require.Empty(t, f.g.Notices())
}
