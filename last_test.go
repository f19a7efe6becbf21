package outdial_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

// TestLast: an attempt knows whether there is anybody left to hunt on to.
func TestLast(t *testing.T) {
	lasts := func(t *testing.T, change func(*outdial.Config)) (lasts []bool) {
		w := newWorld(change)
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		for {
			step, err := s.Next(w.now)
			require.NoError(t, err)
			if step.Kind != outdial.StepDial {
				return lasts
			}
			lasts = append(lasts, step.Attempt.Last)
			require.NoError(t, s.End(w.tick(time.Second), step.Attempt.ID, carrier(503)))
		}
	}
	every := lasts(t, nil)
	require.Greater(t, len(every), 1)
	for i, last := range every {
		require.Equal(t, i == len(every)-1, last, "attempt %d of %d", i+1, len(every))
	}
	require.Equal(t, []bool{true}, lasts(t, func(c *outdial.Config) { c.MaxAttempts = 1 }), "as many as there may be")
	require.Equal(t, []bool{true}, lasts(t, func(c *outdial.Config) { c.Failover = nil }), "nobody says to go on")
}

// TestToRedirectAndToAuthenticateAdvance: what the dialer has not done within the attempt, hunting makes up for.
func TestToRedirectAndToAuthenticateAdvance(t *testing.T) {
	for _, v := range []outdial.Verdict{outdial.VerdictRedirect, outdial.VerdictAuthenticate} {
		w := newWorld(func(c *outdial.Config) { c.Failover = verdict{new(testFailover), v} })
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		require.NoError(t, s.End(w.now, dial(t, s, w.now).ID, carrier(302)))
		a := dial(t, s, w.now)
		require.Equal(t, w.trunk("b"), a.Candidate.Trunk)
		require.NoError(t, s.Progress(w.now, a.ID, outdial.ProgressOf(180, false)))
		require.NoError(t, s.End(w.now, a.ID, carrier(302)))
		requireStop(t, s, w.now, outdial.StopProgress)
	}
}

type verdict struct {
	*testFailover
	is outdial.Verdict
}

func (v verdict) Verdict(*outdial.Attempt) outdial.Verdict { return v.is }

// TestRevive: which leg is taken up again when nobody else can be taken, and which are not.
func TestRevive(t *testing.T) {
	silent := outdial.Result{Origin: outdial.OriginNoTrying}
	begin := func(t *testing.T, attempts int) (*world, *outdial.Session) {
		w := newWorld(func(c *outdial.Config) { c.MaxAttempts = attempts })
		w.router.plan = append(w.router.plan, outdial.Candidate{Trunk: w.trunk("c"), Tier: 2, Weight: 1})
		w.trunks.full[w.trunk("c")] = time.Time{}
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		return w, s
	}
	abandon := func(t *testing.T, w *world, s *outdial.Session, why outdial.Result) outdial.AttemptID {
		id := dial(t, s, w.now).ID
		require.NoError(t, s.Abandon(w.tick(time.Second), id, why))
		return id
	}
	revived := func(t *testing.T, w *world, s *outdial.Session) outdial.AttemptID {
		step, err := s.Next(w.now)
		require.NoError(t, err)
		require.Equal(t, outdial.StepRevive, step.Kind)
		require.Equal(t, outdial.AttemptOpen, step.Attempt.State)
		require.True(t, step.Attempt.Last)
		require.Zero(t, step.Attempt.Abandoned)
		return step.Attempt.ID
	}
	t.Run("the latest of two, then the other", func(t *testing.T) {
		w, s := begin(t, 0)
		first, second := abandon(t, w, s, silent), abandon(t, w, s, silent)
		require.Equal(t, second, revived(t, w, s))
		require.NoError(t, s.End(w.tick(time.Second), second, carrier(503)))
		require.Equal(t, first, revived(t, w, s))
		action, err := s.Answer(w.tick(time.Second), first)
		require.NoError(t, err)
		require.Equal(t, outdial.AnswerConnect, action)
		require.False(t, s.Attempts()[0].Late)
		require.Equal(t, outdial.StopAnswered, s.Stopped())
	})
	t.Run("when there may be no more attempts", func(t *testing.T) {
		w, s := begin(t, 2)
		first := abandon(t, w, s, silent)
		second := dial(t, s, w.now)
		require.True(t, second.Last)
		require.NoError(t, s.End(w.tick(time.Second), second.ID, carrier(503)))
		require.Equal(t, first, revived(t, w, s))
		require.NoError(t, s.Abandon(w.tick(time.Second), first, silent))
		requireStop(t, s, w.now, outdial.StopAttempts)
	})
	t.Run("one that rings is an open leg that rings", func(t *testing.T) {
		w, s := begin(t, 0)
		first := abandon(t, w, s, silent)
		require.NoError(t, s.End(w.tick(time.Second), dial(t, s, w.now).ID, carrier(503)))
		require.Equal(t, first, revived(t, w, s))
		require.NoError(t, s.Progress(w.now, first, outdial.ProgressOf(180, false)))
		require.Equal(t, outdial.StopNone, s.Stopped(), "it is the one that is waited for")
		require.NoError(t, s.End(w.now, first, carrier(503)))
		requireStop(t, s, w.now, outdial.StopProgress)
	})
	for name, c := range map[string]struct {
		why  outdial.Result
		then func(*world, *outdial.Session, outdial.AttemptID) error
	}{
		"a trunk that never rang": {outdial.Result{Origin: outdial.OriginNoProgress}, nil},
		"a leg that is being cancelled": {silent, func(w *world, s *outdial.Session, id outdial.AttemptID) error {
			return s.Progress(w.now, id, outdial.ProgressOf(100, false))
		}},
		"a leg that is over": {silent, func(w *world, s *outdial.Session, id outdial.AttemptID) error {
			return s.End(w.now, id, silent)
		}},
	} {
		t.Run("not "+name, func(t *testing.T) {
			w, s := begin(t, 0)
			id := abandon(t, w, s, c.why)
			if c.then != nil {
				require.NoError(t, c.then(w, s, id))
			}
			require.NoError(t, s.End(w.tick(time.Second), dial(t, s, w.now).ID, carrier(503)))
			requireStop(t, s, w.now, outdial.StopExhausted)
		})
	}
	t.Run("not after the call's deadline", func(t *testing.T) {
		w := newWorld(nil)
		s := w.engine.NewSession()
		call := aCall
		call.Deadline = w.now.Add(1500 * time.Millisecond)
		require.NoError(t, s.Begin(w.now, call))
		abandon(t, w, s, silent)
		second := dial(t, s, w.now).ID
		require.NoError(t, s.End(w.tick(time.Second), second, carrier(503)))
		requireStop(t, s, w.now, outdial.StopDeadline)
	})
}

// TestSilentLegAnswersMeanwhile: a leg that was abandoned for its silence is answered in time as long as no other has left: while the
// next one's trunk has no room, or its calls are spaced. Where another is under way, one of the two is late.
func TestSilentLegAnswersMeanwhile(t *testing.T) {
	silent := outdial.Result{Origin: outdial.OriginNoTrying}
	begin := func(t *testing.T, change func(*world)) (*world, *outdial.Session, outdial.AttemptID) {
		w := newWorld(func(c *outdial.Config) { c.MaxWait = time.Minute })
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		id := dial(t, s, w.now).ID
		change(w)
		require.NoError(t, s.Abandon(w.tick(time.Second), id, silent))
		return w, s, id
	}
	answer := func(t *testing.T, w *world, s *outdial.Session, id outdial.AttemptID) outdial.AnswerAction {
		action, err := s.Answer(w.now, id)
		require.NoError(t, err)
		again, err := s.Answer(w.now, id)
		require.NoError(t, err)
		require.Equal(t, action, again)
		return action
	}
	full := func(w *world) { w.trunks.full[w.trunk("b")] = w.now.Add(2 * time.Second) }

	t.Run("while there is no room", func(t *testing.T) {
		w, s, id := begin(t, full)
		step, err := s.Next(w.now)
		require.NoError(t, err)
		require.Equal(t, outdial.StepWait, step.Kind)
		require.Equal(t, outdial.AnswerConnect, answer(t, w, s, id))
		a := s.Attempts()[0]
		require.False(t, a.Late)
		require.True(t, a.WasAbandoned())
		require.Zero(t, a.Abandoned)
		requireStop(t, s, w.now, outdial.StopAnswered)
		require.Equal(t, outdial.EventRefused, w.journal.events[len(w.journal.events)-2].Kind, "the bid that waited")
		require.NoError(t, s.End(w.now, id, outdial.Result{Origin: outdial.OriginCalleeHangup}))
		require.True(t, s.Done())
		require.True(t, w.clean())
	})
	t.Run("while the next is spaced", func(t *testing.T) {
		w, s, id := begin(t, func(w *world) { w.trunks.spacing = 2 * time.Second })
		step, err := s.Next(w.now)
		require.NoError(t, err)
		require.Equal(t, outdial.StepDial, step.Kind)
		require.True(t, step.NotBefore.After(w.now))
		require.Equal(t, outdial.AnswerConnect, answer(t, w, s, id))
		require.NoError(t, s.End(w.now, step.Attempt.ID, outdial.Result{Origin: outdial.OriginNeverSent}))
		require.NoError(t, s.End(w.now, id, outdial.Result{Origin: outdial.OriginCalleeHangup}))
		require.True(t, w.clean())
	})
	t.Run("not when the next has left", func(t *testing.T) {
		w, s, id := begin(t, func(w *world) { w.trunks.spacing = 2 * time.Second })
		step, err := s.Next(w.now)
		require.NoError(t, err)
		w.tick(2 * time.Second)
		require.Equal(t, outdial.AnswerEnd, answer(t, w, s, id))
		require.Equal(t, outdial.AnswerConnect, answer(t, w, s, step.Attempt.ID))
	})
	t.Run("between two attempts", func(t *testing.T) {
		w, s, id := begin(t, func(*world) {})
		require.NoError(t, s.End(w.now, dial(t, s, w.now).ID, carrier(503)))
		require.Equal(t, outdial.AnswerConnect, answer(t, w, s, id))
	})
	t.Run("not when it is being cancelled", func(t *testing.T) {
		w, s, id := begin(t, full)
		require.NoError(t, s.Progress(w.now, id, outdial.ProgressOf(100, false)))
		require.Equal(t, outdial.AnswerEnd, answer(t, w, s, id))
		requireStop(t, s, w.now, outdial.StopProgress)
	})
	t.Run("not when the caller has given up", func(t *testing.T) {
		w, s, id := begin(t, full)
		require.NoError(t, s.Cancel(w.now))
		require.Equal(t, outdial.AnswerEnd, answer(t, w, s, id))
	})
}
