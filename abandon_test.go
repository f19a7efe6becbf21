package outdial_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

func TestSilentLegAndItsSuccessor(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	silent := dial(t, s, w.now)
	require.NoError(t, s.Abandon(w.tick(time.Second), silent.ID, outdial.Result{Origin: outdial.OriginNoTrying}))
	require.Len(t, w.trunks.held, 1, "an abandoned leg keeps its channel")
	next := dial(t, s, w.now)
	require.Len(t, w.trunks.held, 2)

	action, err := s.Answer(w.tick(200*time.Millisecond), next.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerConnect, action)

	// The silent leg is answered after all.
	action, err = s.Answer(w.tick(time.Second), silent.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerEnd, action)
	require.True(t, silent.Late)
	action, err = s.Answer(w.now, silent.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerEnd, action, "and so is its retransmission")
	require.NoError(t, s.End(w.tick(time.Second), silent.ID, outdial.Result{Origin: outdial.OriginHost}))
	require.Len(t, w.trunks.held, 1)
	require.NoError(t, s.End(w.tick(time.Second), next.ID, outdial.Result{Origin: outdial.OriginCallerHangup}))
	require.True(t, w.clean())

	late := 0
	for _, ev := range w.journal.events {
		if ev.Kind == outdial.EventAnswered && ev.Attempt.Late {
			late++
		}
	}
	require.Equal(t, 1, late)
}

func TestLateAnswerBeforeTheSuccessorAnswers(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	silent := dial(t, s, w.now)
	require.NoError(t, s.Abandon(w.tick(time.Second), silent.ID, outdial.Result{Origin: outdial.OriginNoTrying}))
	next := dial(t, s, w.now)
	action, err := s.Answer(w.tick(time.Millisecond), silent.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerEnd, action)
	action, err = s.Answer(w.tick(time.Millisecond), next.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerConnect, action)
}

// TestAnAbandonedLegStillTells: what an abandoned leg does later can stop hunting, and both its ends are on record.
func TestAnAbandonedLegStillTells(t *testing.T) {
	begin := func(t *testing.T) (*world, *outdial.Session, *outdial.Attempt) {
		w := newWorld(func(c *outdial.Config) { c.MaxWait = time.Minute })
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		a := dial(t, s, w.now)
		require.NoError(t, s.Abandon(w.tick(time.Second), a.ID, outdial.Result{Origin: outdial.OriginNoTrying}))
		require.NoError(t, s.Abandon(w.now, a.ID, carrier(500)), "abandoning twice does nothing")
		return w, s, a
	}
	t.Run("it rings", func(t *testing.T) {
		w, s, a := begin(t)
		require.NoError(t, s.Progress(w.tick(time.Millisecond), a.ID, outdial.ProgressOf(180, false)))
		requireStop(t, s, w.now, outdial.StopProgress)
	})
	t.Run("it is answered", func(t *testing.T) {
		w, s, a := begin(t)
		action, err := s.Answer(w.tick(time.Millisecond), a.ID)
		require.NoError(t, err)
		require.Equal(t, outdial.AnswerConnect, action, "nobody else is under way")
		requireStop(t, s, w.now, outdial.StopAnswered)
	})
	t.Run("it is busy", func(t *testing.T) {
		w, s, a := begin(t)
		require.NoError(t, s.End(w.tick(time.Millisecond), a.ID, carrier(486)))
		requireStop(t, s, w.now, outdial.StopVerdict)
		require.Equal(t, outdial.OriginNoTrying, a.Abandoned.Origin)
		require.Equal(t, uint16(486), a.Result.Code)
		require.True(t, a.WasAbandoned())
		last := w.journal.events[len(w.journal.events)-1]
		require.Equal(t, uint16(486), last.Attempt.Result.Code)
	})
	t.Run("the host hung it up", func(t *testing.T) {
		w, s, a := begin(t)
		require.NoError(t, s.End(w.tick(time.Millisecond), a.ID, outdial.Result{Origin: outdial.OriginHost}))
		require.Equal(t, w.trunk("b"), dial(t, s, w.now).Candidate.Trunk)
	})
	t.Run("it is cancelled", func(t *testing.T) {
		w, s, a := begin(t)
		require.NoError(t, s.End(w.tick(time.Millisecond), a.ID, carrier(487)))
		require.Equal(t, w.trunk("b"), dial(t, s, w.now).Candidate.Trunk, "the answer to our own CANCEL is no word of the callee")
	})
	t.Run("it is answered when it has ended", func(t *testing.T) {
		w, s, a := begin(t)
		require.NoError(t, s.End(w.tick(time.Millisecond), a.ID, outdial.Result{Origin: outdial.OriginHost}))
		action, err := s.Answer(w.tick(time.Millisecond), a.ID)
		require.NoError(t, err)
		require.Equal(t, outdial.AnswerEnd, action)
		requireStop(t, s, w.now, outdial.StopProgress)
	})
	t.Run("it fails", func(t *testing.T) {
		w, s, a := begin(t)
		require.NoError(t, s.End(w.tick(time.Millisecond), a.ID, carrier(503)))
		require.Equal(t, w.trunk("b"), dial(t, s, w.now).Candidate.Trunk)
	})
	t.Run("it rings while the call waits for room", func(t *testing.T) {
		w, s, a := begin(t)
		w.trunks.full[w.trunk("b")] = w.now.Add(10 * time.Second)
		step, err := s.Next(w.now)
		require.NoError(t, err)
		require.Equal(t, outdial.StepWait, step.Kind)
		require.NoError(t, s.Progress(w.tick(time.Second), a.ID, outdial.ProgressOf(180, false)))
		requireStop(t, s, w.tick(10*time.Second), outdial.StopProgress)
	})
	t.Run("its successor is under way, and is answered", func(t *testing.T) {
		w, s, a := begin(t)
		next := dial(t, s, w.now)
		require.NoError(t, s.Progress(w.tick(time.Millisecond), a.ID, outdial.ProgressOf(180, false)))
		action, err := s.Answer(w.tick(time.Second), next.ID)
		require.NoError(t, err)
		require.Equal(t, outdial.AnswerConnect, action)
		requireStop(t, s, w.now, outdial.StopAnswered)
	})
}

func TestVerdictReroute(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.Failover = rerouter{new(testFailover)} })
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.Progress(w.now, a.ID, outdial.ProgressOf(183, true)))
	require.NoError(t, s.End(w.now, a.ID, carrier(503)))
	require.Equal(t, w.trunk("b"), dial(t, s, w.now).Candidate.Trunk)
}

func TestVerdictRerouteOfAnAbandonedLeg(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.Failover = rerouter{new(testFailover)} })
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.Progress(w.now, a.ID, outdial.ProgressOf(183, true)))
	require.NoError(t, s.Abandon(w.now, a.ID, outdial.Result{Origin: outdial.OriginNoProgress}))
	require.NoError(t, s.Progress(w.tick(time.Millisecond), a.ID, outdial.ProgressOf(180, false)))
	require.Equal(t, w.trunk("b"), dial(t, s, w.now).Candidate.Trunk)
}

type rerouter struct{ *testFailover }

func (rerouter) Verdict(*outdial.Attempt) outdial.Verdict { return outdial.VerdictReroute }

// TestWhatRangWasSent: a host that says otherwise is not believed, since a use that the callee saw must stay counted.
func TestWhatRangWasSent(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.Progress(w.now, a.ID, outdial.ProgressOf(180, false)))
	require.NoError(t, s.End(w.now, a.ID, outdial.Result{Origin: outdial.OriginNeverSent}))
	require.True(t, w.clean())
	require.Zero(t, w.clis.undone)
}

func TestNeverSentCostsNothing(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.End(w.now, a.ID, outdial.Result{Origin: outdial.OriginNeverSent}))
	require.True(t, w.clean())
	require.Equal(t, 1, w.trunks.undone)
	require.Equal(t, 1, w.clis.undone)
	require.Equal(t, 1, w.failover.returns)
	require.Equal(t, w.trunk("b"), dial(t, s, w.now).Candidate.Trunk, "what cannot be sent there may be sent elsewhere")
}

func TestDeadline(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	call := aCall
	call.Deadline = w.now.Add(2 * time.Second)
	require.NoError(t, s.Begin(w.now, call))
	a := dial(t, s, w.now)
	require.NoError(t, s.End(w.tick(2*time.Second), a.ID, carrier(503)))
	requireStop(t, s, w.now, outdial.StopDeadline)
}

// TestNothingLeavesAtTheDeadline: a trunk that would hold the INVITE back to the deadline, or let the call wait until then,
// is as good as none.
func TestNothingLeavesAtTheDeadline(t *testing.T) {
	begin := func(t *testing.T, change func(*world)) (*world, *outdial.Session) {
		w := newWorld(func(c *outdial.Config) { c.MaxWait = time.Minute })
		change(w)
		s := w.engine.NewSession()
		call := aCall
		call.Deadline = w.now.Add(2 * time.Second)
		require.NoError(t, s.Begin(w.now, call))
		return w, s
	}
	for name, change := range map[string]func(*world){
		"spaced": func(w *world) { w.trunks.spacing = 2 * time.Second },
		"full": func(w *world) {
			w.trunks.full[w.trunk("a")], w.trunks.full[w.trunk("b")] = w.now.Add(2*time.Second), w.now.Add(3*time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, s := begin(t, change)
			step, err := s.Next(w.now)
			require.Equal(t, outdial.StopNoRoute, step.Stop)
			require.Equal(t, name == "spaced", errors.Is(err, outdial.ErrDeadline))
			require.True(t, w.clean())
		})
	}
	t.Run("just before it", func(t *testing.T) {
		w, s := begin(t, func(w *world) { w.trunks.spacing = 2*time.Second - 1 })
		dial(t, s, w.now)
	})
}

// TestBidsThatWaitedAreOnRecord: whatever ends the wait, the bids that were not placed are events.
func TestBidsThatWaitedAreOnRecord(t *testing.T) {
	for name, end := range map[string]func(*world, *outdial.Session) error{
		"cancel": func(w *world, s *outdial.Session) error { return s.Cancel(w.now) },
		"begin":  func(w *world, s *outdial.Session) error { return s.Begin(w.now, aCall) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(func(c *outdial.Config) { c.MaxWait = time.Minute })
			w.trunks.full[w.trunk("a")] = w.now.Add(time.Second)
			w.trunks.full[w.trunk("b")] = w.now.Add(time.Second)
			s := w.engine.NewSession()
			require.NoError(t, s.Begin(w.now, aCall))
			step, err := s.Next(w.now)
			require.NoError(t, err)
			require.Equal(t, outdial.StepWait, step.Kind)
			require.Empty(t, w.journal.events)
			require.NoError(t, end(w, s))
			require.Equal(t, []outdial.EventKind{outdial.EventRefused, outdial.EventRefused}, w.journal.kinds())
			require.Equal(t, "full", w.journal.events[0].Refusal)
		})
	}
}

func TestNothingOffered(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.Failover = resting{new(testFailover)} })
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	_, err := s.Next(w.now)
	require.ErrorIs(t, err, outdial.ErrNotOffered)
	var no *outdial.NoRouteError
	require.ErrorAs(t, err, &no)
	require.Equal(t, start.Add(time.Minute), no.Again)
	require.Equal(t, []outdial.EventKind{outdial.EventRefused, outdial.EventRefused}, w.journal.kinds())
}

// TestTheRestIsNotOffered: what failover lets rest is a refused bid also when an attempt was made before.
func TestTheRestIsNotOffered(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.Failover = onlyFirst{new(testFailover)} })
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	require.NoError(t, s.End(w.now, dial(t, s, w.now).ID, carrier(503)))
	requireStop(t, s, w.now, outdial.StopExhausted)
	require.Equal(t, []outdial.EventKind{outdial.EventStarted, outdial.EventEnded, outdial.EventRefused}, w.journal.kinds())
	x := s.Explain().Candidates[1]
	require.Equal(t, "refused", x.Fate)
	require.Equal(t, "not_offered", x.Refused.Code)
}

// onlyFirst offers the first candidate of a plan and no other.
type onlyFirst struct{ *testFailover }

func (f onlyFirst) Pick(now time.Time, c *outdial.Call, plan []outdial.Candidate, eligible uint64) (int, outdial.Choice) {
	if eligible&1 == 0 {
		return -1, outdial.Choice{}
	}
	return f.testFailover.Pick(now, c, plan, 1)
}

type resting struct{ *testFailover }

func (resting) Pick(time.Time, *outdial.Call, []outdial.Candidate, uint64) (int, outdial.Choice) {
	return -1, outdial.Choice{Again: start.Add(time.Minute)}
}

func TestCallIDsAreTheEngines(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	call := aCall
	call.ID = 1<<64 - 1
	require.NoError(t, s.Begin(w.now, call))
	first := s.Call().ID
	require.NotEqual(t, call.ID, first)
	require.NoError(t, s.Begin(w.now, call))
	require.Greater(t, s.Call().ID, first)
}
