package outdial_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// The host's BYE ends the conversation; how long its answer took is the far side's. Leave to send early media is a moment of
// the set-up.
func TestByeAndEarlyMedia(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	a := dial(t, s, w.now)
	require.NoError(t, s.Progress(w.tick(time.Second), a.ID, outdial.ProgressOf(183, true)|outdial.MarkEarlyMedia.Of()))
	_, err := s.Answer(w.tick(9*time.Second), a.ID)
	require.NoError(t, err)
	require.NoError(t, s.Progress(w.now, a.ID, outdial.MarkBye.Of()), "not for the host to tell so")
	require.NoError(t, s.End(w.tick(30*time.Second), a.ID, outdial.Result{
		Origin: outdial.OriginCallerHangup, Bye: 2 * time.Second, ByeCode: 200,
	}))
	d, ok := a.Timeline.Duration()
	require.True(t, ok)
	require.Equal(t, 28*time.Second, d)
	early, ok := a.Timeline.At(outdial.MarkEarlyMedia)
	require.True(t, ok)
	require.Equal(t, time.Second, early)

	require.NoError(t, s.Begin(w.now, aCall))
	a = dial(t, s, w.now)
	_, err = s.Answer(w.now, a.ID)
	require.NoError(t, err)
	require.NoError(t, s.End(w.tick(time.Second), a.ID, outdial.Result{Origin: outdial.OriginHost, Bye: time.Hour}))
	d, _ = a.Timeline.Duration()
	require.Zero(t, d, "no BYE before the answer")
}
