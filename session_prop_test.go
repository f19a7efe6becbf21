package outdial_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
)

// TestSessionProperties runs random hosts against the engine: whatever they do, and in whatever order facts come,
// everything taken is given back exactly once, at most one leg is connected, nothing is dialled after ringing or
// an answer, each trunk is dialled once, and each attempt's events are in order.
func TestSessionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(func(c *outdial.Config) { c.MaxAttempts = rapid.IntRange(1, 8).Draw(t, "attempts") })
		n := rapid.IntRange(1, 10).Draw(t, "trunks")
		w.router.plan = nil
		for i := range n {
			id := w.trunk(string(rune('a' + i)))
			w.router.plan = append(w.router.plan, outdial.Candidate{Trunk: id, Weight: 1})
			switch rapid.IntRange(0, 5).Draw(t, "refusal") {
			case 0:
				w.trunks.full[id] = time.Time{}
			case 1:
				w.trunks.rate[id] = w.now.Add(time.Hour)
			case 2:
				w.clis.none[id] = true
			}
		}
		s := w.engine.NewSession()
		for range rapid.IntRange(1, 3).Draw(t, "calls") {
			playCall(t, w, s)
			require.True(t, w.clean())
		}
	})
}

func playCall(t *rapid.T, w *world, s *outdial.Session) {
	from := len(w.journal.events)
	require.NoError(t, s.Begin(w.now, aCall))
	var ids []outdial.AttemptID
	connected, rang, stopped := 0, false, false
	for range rapid.IntRange(1, 40).Draw(t, "verbs") {
		now := w.tick(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
		verb := rapid.SampledFrom([]string{"next", "next", "progress", "ring", "abandon", "answer", "end", "cancel"}).Draw(t, "verb")
		if verb == "next" || len(ids) == 0 {
			step, err := s.Next(now)
			if step.Kind == outdial.StepRevive {
				require.False(t, rang || stopped || connected > 0, "taken up again after the callee was reached")
				require.Equal(t, outdial.AttemptOpen, step.Attempt.State)
			}
			if errors.Is(err, outdial.ErrAttemptOpen) || step.Kind != outdial.StepDial {
				continue
			}
			require.False(t, rang, "dialled after it rang")
			require.False(t, stopped, "dialled after the callee, or the network for it, said no")
			require.Zero(t, connected, "dialled after an answer")
			for _, a := range s.Attempts()[:len(s.Attempts())-1] {
				require.NotEqual(t, step.Attempt.Candidate.Trunk, a.Candidate.Trunk, "a trunk was dialled twice")
			}
			ids = append(ids, step.Attempt.ID)
			continue
		}
		id := rapid.SampledFrom(ids).Draw(t, "leg")
		a := s.Attempts()[id.Leg-1]
		switch verb {
		case "progress":
			require.NoError(t, s.Progress(now, id, outdial.ProgressOf(100, false)))
		case "ring":
			require.NoError(t, s.Progress(now, id, outdial.ProgressOf(180, false)))
			rang = rang || a.State == outdial.AttemptOpen || a.State == outdial.AttemptAbandoned
		case "abandon":
			require.NoError(t, s.Abandon(now, id, outdial.Result{Origin: outdial.OriginNoTrying}))
		case "answer":
			action, err := s.Answer(now, id)
			require.NoError(t, err)
			if action == outdial.AnswerConnect && a.State != outdial.AttemptAnswered {
				connected++
			}
			rang = true
			require.LessOrEqual(t, connected, 1)
		case "end":
			code := rapid.SampledFrom([]uint16{486, 487, 503, 607}).Draw(t, "code")
			require.NoError(t, s.End(now, id, carrier(code)))
			stopped = stopped || a.State != outdial.AttemptEnded && a.State != outdial.AttemptAnswered && code != 503 &&
				(code != 487 || a.State != outdial.AttemptAbandoned)
		case "cancel":
			require.NoError(t, s.Cancel(now))
		}
	}
	require.NoError(t, s.Cancel(w.now))
	state := map[outdial.AttemptID]outdial.EventKind{}
	for _, ev := range w.journal.events[from:] {
		id := ev.Attempt.ID
		switch ev.Kind {
		case outdial.EventRefused:
			continue
		case outdial.EventStarted:
			require.Zero(t, state[id])
		default:
			require.NotZero(t, state[id], "an event before Started")
			require.NotEqual(t, outdial.EventEnded, state[id], "an event after Ended")
		}
		state[id] = ev.Kind
	}
	for id, kind := range state {
		require.Equal(t, outdial.EventEnded, kind, "attempt %v was never ended", id)
	}
}
