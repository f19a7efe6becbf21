package outdial_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial"
)

var aCall = outdial.Call{Ref: "lead-7", To: 12125550123, From: 19995550100, Mode: outdial.ModePredictive}

func carrier(code uint16) outdial.Result {
	return outdial.Result{Origin: outdial.OriginCarrier, Code: code}
}

func dial(t require.TestingT, s *outdial.Session, now time.Time) *outdial.Attempt {
	step, err := s.Next(now)
	require.NoError(t, err)
	require.Equal(t, outdial.StepDial, step.Kind)
	return step.Attempt
}

func requireStop(t require.TestingT, s *outdial.Session, now time.Time, want outdial.StopReason) {
	step, err := s.Next(now)
	require.NoError(t, err)
	require.Equal(t, outdial.StepStop, step.Kind)
	require.Equal(t, want, step.Stop)
}

func TestAnsweredOnTheSecondTrunk(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	require.NotZero(t, s.Call().ID)
	require.Equal(t, "US/212", w.ids.Groups.Name(s.Call().Dest.Group))

	first := dial(t, s, w.now)
	require.Equal(t, w.trunk("a"), first.Candidate.Trunk)
	require.Equal(t, outdial.Number(13125550100), first.CLI)
	_, err := s.Next(w.now)
	require.ErrorIs(t, err, outdial.ErrAttemptOpen)
	require.NoError(t, s.Progress(w.tick(20*time.Millisecond), first.ID, outdial.ProgressOf(100, false)))
	require.NoError(t, s.End(w.tick(30*time.Millisecond), first.ID, carrier(503)))

	second := dial(t, s, w.now)
	require.Equal(t, w.trunk("b"), second.Candidate.Trunk)
	require.Equal(t, uint8(2), second.ID.Leg)
	require.NoError(t, s.Progress(w.tick(time.Second), second.ID, outdial.ProgressOf(180, false)))
	require.NoError(t, s.Progress(w.tick(time.Second), second.ID, outdial.ProgressOf(180, true)))
	action, err := s.Answer(w.tick(3*time.Second), second.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerConnect, action)
	requireStop(t, s, w.now, outdial.StopAnswered)
	require.False(t, s.Done())
	require.Len(t, w.trunks.held, 1)

	// What comes late moves nothing back.
	require.NoError(t, s.Progress(w.tick(time.Millisecond), second.ID, outdial.ProgressOf(183, true)))
	action, err = s.Answer(w.now, second.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerConnect, action)

	require.NoError(t, s.End(w.tick(time.Minute), second.ID, outdial.Result{Origin: outdial.OriginCalleeHangup}))
	require.NoError(t, s.End(w.tick(time.Minute), second.ID, carrier(500)), "ending twice does nothing")
	require.True(t, s.Done())
	require.True(t, w.clean())

	pdd, ok := second.Timeline.PDD()
	require.True(t, ok)
	require.Equal(t, time.Second, pdd)
	ring, _ := second.Timeline.RingTime()
	require.Equal(t, 4*time.Second, ring)
	talk, _ := second.Timeline.Duration()
	require.Equal(t, time.Minute+time.Millisecond, talk)
	require.Equal(t, outdial.OriginCalleeHangup, second.Result.Origin)

	require.Equal(t, []outdial.EventKind{
		outdial.EventStarted, outdial.EventProgressed, outdial.EventEnded,
		outdial.EventStarted, outdial.EventProgressed, outdial.EventProgressed, outdial.EventAnswered, outdial.EventEnded,
	}, w.journal.kinds())
	require.Len(t, w.watcher.events, 8)
	require.Equal(t, []outdial.Number{0, 13125550100}, w.clis.prev, "the second attempt is told what the first presented")
}

func TestBusyStopsHunting(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.End(w.tick(time.Second), a.ID, carrier(486)))
	requireStop(t, s, w.now, outdial.StopVerdict)
	requireStop(t, s, w.now, outdial.StopVerdict)
	require.True(t, s.Done())
	require.True(t, w.clean())
}

func TestNoAdvanceOnceItRang(t *testing.T) {
	for _, advance := range []bool{false, true} {
		for _, code := range []int{180, 181, 183} {
			w := newWorld(func(c *outdial.Config) { c.AdvanceAfterProgress = advance })
			s := w.engine.NewSession()
			require.NoError(t, s.Begin(w.now, aCall))
			a := dial(t, s, w.now)
			require.NoError(t, s.Progress(w.tick(time.Second), a.ID, outdial.ProgressOf(code, false)))
			require.NoError(t, s.End(w.tick(time.Second), a.ID, carrier(503)))
			if advance {
				require.Equal(t, w.trunk("b"), dial(t, s, w.now).Candidate.Trunk)
				continue
			}
			requireStop(t, s, w.now, outdial.StopProgress)
		}
	}
}

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
		require.Equal(t, outdial.AnswerEnd, action)
		requireStop(t, s, w.now, outdial.StopProgress)
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

type rerouter struct{ *testFailover }

func (rerouter) Verdict(*outdial.Attempt) outdial.Verdict { return outdial.VerdictReroute }

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

func TestCallerGivesUp(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.Abandon(w.tick(time.Second), a.ID, outdial.Result{Origin: outdial.OriginCaller}))
	requireStop(t, s, w.now, outdial.StopCancelled)
	action, err := s.Answer(w.tick(time.Millisecond), a.ID) // the 200 crossed the CANCEL
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerEnd, action)
	require.NoError(t, s.End(w.tick(time.Millisecond), a.ID, outdial.Result{Origin: outdial.OriginHost}))
	require.True(t, s.Done())
	require.True(t, w.clean())
}

func TestCancelGivesEverythingBack(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	silent := dial(t, s, w.now)
	require.NoError(t, s.Abandon(w.tick(time.Second), silent.ID, outdial.Result{Origin: outdial.OriginNoTrying}))
	open := dial(t, s, w.now)
	require.ErrorIs(t, s.Begin(w.now, aCall), outdial.ErrInUse)
	require.NoError(t, s.Cancel(w.tick(time.Second)))
	require.NoError(t, s.Cancel(w.tick(time.Second)))
	require.True(t, s.Done())
	require.True(t, w.clean())
	action, err := s.Answer(w.now, open.ID)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerEnd, action)
	requireStop(t, s, w.now, outdial.StopCancelled)

	old := open.ID
	require.NoError(t, s.Begin(w.tick(time.Second), aCall))
	require.ErrorIs(t, s.End(w.now, old, carrier(500)), outdial.ErrUnknownAttempt, "an id of a former call names nothing")
	_, err = s.Answer(w.now, old)
	require.ErrorIs(t, err, outdial.ErrUnknownAttempt)
}

func TestRefusalsAreUndoneAndNamed(t *testing.T) {
	w := newWorld(nil)
	w.trunks.full[w.trunk("a")] = time.Time{}
	w.clis.none[w.trunk("b")] = true
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	step, err := s.Next(w.now)
	require.Equal(t, outdial.StopNoRoute, step.Stop)
	require.ErrorIs(t, err, errFull)
	require.ErrorIs(t, err, errNoCLI)
	require.Equal(t, []string{"a", "b"}, w.skippedTrunks(err))
	var no *outdial.NoRouteError
	require.ErrorAs(t, err, &no)
	require.Equal(t, outdial.RefusedCapacity, no.Class())
	require.Equal(t, "outdial: no route to +12125550123: a (trunk: no free channel); b (cli: no number may be presented)", err.Error())
	require.True(t, w.clean())
	require.Equal(t, 1, w.trunks.undone)
	require.Equal(t, 2, w.failover.returns)
	require.Equal(t, []outdial.EventKind{outdial.EventRefused, outdial.EventRefused}, w.journal.kinds())
	require.Equal(t, "no_number", w.journal.events[1].Refusal)
	require.Equal(t, outdial.StageCLI, w.journal.events[1].RefusalStage)
	require.Equal(t, w.trunk("b"), w.journal.events[1].Attempt.Candidate.Trunk)
}

func TestAFullTrunkIsPassedOver(t *testing.T) {
	w := newWorld(nil)
	w.trunks.full[w.trunk("a")] = time.Time{}
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.Equal(t, w.trunk("b"), a.Candidate.Trunk)
	require.Equal(t, uint8(1), a.ID.Leg)
	require.NoError(t, s.End(w.now, a.ID, carrier(503)))
	requireStop(t, s, w.now, outdial.StopExhausted)
}

func TestAdmission(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	denied := aCall
	denied.To = 12125550199
	err := s.Begin(w.now, denied)
	require.ErrorIs(t, err, errDeny)
	var no *outdial.NoRouteError
	require.ErrorAs(t, err, &no)
	require.Equal(t, outdial.RefusedByPolicy, no.Class())
	step, again := s.Next(w.now)
	require.Equal(t, outdial.StopNoRoute, step.Stop)
	require.ErrorIs(t, again, errDeny)
	require.Equal(t, []outdial.EventKind{outdial.EventRefused}, w.journal.kinds())
	require.Zero(t, w.journal.events[0].Attempt.ID.Leg)

	require.ErrorIs(t, s.Begin(w.now, outdial.Call{}), outdial.ErrNoCallee)
	w.router.plan = nil
	require.ErrorIs(t, s.Begin(w.now, aCall), outdial.ErrNoCandidates)
}

func TestWaitForRoom(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.MaxWait = 2 * time.Second })
	w.trunks.rate[w.trunk("a")] = w.now.Add(300 * time.Millisecond)
	w.trunks.full[w.trunk("b")] = w.now.Add(time.Second)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	step, err := s.Next(w.now)
	require.NoError(t, err)
	require.Equal(t, outdial.StepWait, step.Kind)
	require.Equal(t, w.now.Add(300*time.Millisecond), step.Until)
	require.True(t, w.clean(), "nothing is held while waiting")
	require.Empty(t, w.journal.events)
	w.now = step.Until
	require.Equal(t, w.trunk("a"), dial(t, s, w.now).Candidate.Trunk)
}

func TestWaitEndsWithTheCallsPatience(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.MaxWait = time.Second })
	w.trunks.full[w.trunk("a")] = w.now.Add(5 * time.Second)
	w.trunks.full[w.trunk("b")] = w.now.Add(3 * time.Second)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	_, err := s.Next(w.now)
	var no *outdial.NoRouteError
	require.ErrorAs(t, err, &no)
	require.Equal(t, w.now.Add(3*time.Second), no.Again)
}

func TestSpacing(t *testing.T) {
	w := newWorld(nil)
	w.trunks.spacing = 40 * time.Millisecond
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	step, err := s.Next(w.now)
	require.NoError(t, err)
	require.Equal(t, w.now.Add(40*time.Millisecond), step.NotBefore)
}

func TestJournalFailure(t *testing.T) {
	t.Run("refuse", func(t *testing.T) {
		var told error
		w := newWorld(func(c *outdial.Config) { c.OnJournalError = func(err error) { told = err } })
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		w.journal.broken = true
		_, err := s.Next(w.now)
		require.ErrorIs(t, err, outdial.ErrJournal)
		require.ErrorIs(t, err, errDisk)
		require.ErrorIs(t, told, errDisk)
		require.True(t, w.clean())
		require.Empty(t, w.watcher.events, "nothing left, so nothing happened")
		w.journal.broken = false
		a := dial(t, s, w.now)
		require.Equal(t, w.trunk("a"), a.Candidate.Trunk, "the attempt cost the candidate nothing")
		w.journal.broken = true
		require.ErrorIs(t, s.End(w.now, a.ID, carrier(503)), outdial.ErrJournal)
		require.True(t, w.clean(), "a fact stands even when it cannot be written")
		require.Equal(t, outdial.EventEnded, w.watcher.events[1].Kind)
	})
	t.Run("place anyway", func(t *testing.T) {
		told := 0
		w := newWorld(func(c *outdial.Config) {
			c.JournalFailure = outdial.PlaceAnyway
			c.OnJournalError = func(error) { told++ }
		})
		w.journal.broken = true
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		dial(t, s, w.now)
		require.Equal(t, 1, told)
		require.Len(t, w.watcher.events, 1)
	})
}

func TestStagesOff(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.Failover, c.Trunks, c.CLIs, c.Journal = nil, nil, nil, nil })
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.Equal(t, aCall.From, a.CLI, "without a CLI stage, Call.From is presented")
	require.NoError(t, s.End(w.now, a.ID, carrier(503)))
	requireStop(t, s, w.now, outdial.StopVerdict)
	require.NoError(t, s.Cancel(w.now))
}

func TestMaxAttempts(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.MaxAttempts = 1 })
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.End(w.now, a.ID, carrier(503)))
	requireStop(t, s, w.now, outdial.StopAttempts)
}

func TestSessionOutOfStep(t *testing.T) {
	var zero outdial.Session
	require.ErrorIs(t, zero.Begin(start, aCall), outdial.ErrNoEngine)
	w := newWorld(nil)
	s := w.engine.NewSession()
	_, err := s.Next(w.now)
	require.ErrorIs(t, err, outdial.ErrNotBegun)
	require.ErrorIs(t, s.Progress(w.now, outdial.AttemptID{}, 0), outdial.ErrUnknownAttempt)
	require.ErrorIs(t, s.Abandon(w.now, outdial.AttemptID{Leg: 1}, outdial.Result{}), outdial.ErrUnknownAttempt)
	require.True(t, s.Done())
	require.NoError(t, s.Cancel(w.now))
}

func TestNewNamesEveryBadField(t *testing.T) {
	twice := new(testFailover)
	_, err := outdial.New(outdial.Config{
		Node: 5000, MaxAttempts: 99, JournalFailure: 7, Failover: twice, Observers: []outdial.Observer{nil, twice},
	})
	for _, field := range []string{"Router", "Node", "MaxAttempts", "JournalFailure", "Observers[0]", "Observers[1]"} {
		require.ErrorContains(t, err, field)
	}
}

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
			rang = rang || a.State != outdial.AttemptEnded
			require.LessOrEqual(t, connected, 1)
		case "end":
			code := rapid.SampledFrom([]uint16{486, 503, 607}).Draw(t, "code")
			require.NoError(t, s.End(now, id, carrier(code)))
			stopped = stopped || a.State != outdial.AttemptEnded && a.State != outdial.AttemptAnswered && code != 503
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
