package outdial_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the expected output in testdata")

// golden compares got with a file of testdata, or writes it under -rewrite.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestRecover(t *testing.T) {
	w := newWorld(nil)
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	first := dial(t, s, w.now)
	require.NoError(t, s.Abandon(w.tick(time.Second), first.ID, outdial.Result{Origin: outdial.OriginNoTrying}))
	second := dial(t, s, w.now)
	_, err := s.Answer(w.tick(time.Second), second.ID)
	require.NoError(t, err)
	ended := w.engine.NewSession()
	require.NoError(t, ended.Begin(w.now, aCall))
	a := dial(t, ended, w.now)
	require.NoError(t, ended.End(w.now, a.ID, carrier(486)))

	// The process dies. The next one has the same journal, a clock that was set back, and observers that know nothing.
	after := newWorld(func(c *outdial.Config) { c.Journal = w.journal })
	r, err := after.engine.Recover(start.Add(-time.Hour))
	require.NoError(t, err)
	require.Equal(t, outdial.Recovery{Events: 6, LastSeq: 6, Unknown: 2}, r)
	require.Len(t, after.watcher.events, 8)
	for i, ev := range after.watcher.events {
		require.Equal(t, i < 6, ev.Replay)
		require.Zero(t, ev.Attempt.Channel)
	}
	for i, ev := range after.watcher.events[6:] {
		require.Equal(t, outdial.EventEnded, ev.Kind)
		require.EqualValues(t, i+1, ev.Attempt.ID.Leg, "in order")
		require.Equal(t, outdial.OriginUnknown, ev.Attempt.Result.Origin)
	}
	require.Equal(t, outdial.OriginNoTrying, after.watcher.events[6].Attempt.Abandoned.Origin)
	_, err = after.engine.Recover(start)
	require.ErrorContains(t, err, "begun already")

	next := after.engine.NewSession()
	require.NoError(t, next.Begin(after.now, aCall))
	require.Greater(t, next.Call().ID, a.ID.Call, "call ids go on where the journal ends")

	third := newWorld(func(c *outdial.Config) { c.Journal = w.journal })
	r, err = third.engine.Recover(start)
	require.NoError(t, err)
	require.Zero(t, r.Unknown, "what was closed stays closed")
}

func TestRecoverLeavesOtherNodesAlone(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.Node = 7 })
	s := w.engine.NewSession()
	require.NoError(t, s.Begin(w.now, aCall))
	dial(t, s, w.now)
	other := newWorld(func(c *outdial.Config) { c.Journal, c.Node = w.journal, 8 })
	r, err := other.engine.Recover(start)
	require.NoError(t, err)
	require.Zero(t, r.Unknown)
}

// TestRecoverKnowsRefusedCalls: the id of a call that was only refused is not issued again either.
func TestRecoverKnowsRefusedCalls(t *testing.T) {
	w := newWorld(nil)
	w.router.plan = nil
	s := w.engine.NewSession()
	for range 10 {
		require.ErrorIs(t, s.Begin(w.now, aCall), outdial.ErrNoCandidates)
	}
	next := newWorld(func(c *outdial.Config) { c.Journal = w.journal })
	_, err := next.engine.Recover(start)
	require.NoError(t, err)
	again := next.engine.NewSession()
	require.NoError(t, again.Begin(start, aCall))
	require.Greater(t, again.Call().ID, s.Call().ID)
}

func TestControlIsAChoice(t *testing.T) {
	drain := outdial.Control{Actor: "op", Action: "trunk.drain", Target: "a", Reason: "maintenance"}
	w := newWorld(nil)
	err := w.engine.Control(w.now, outdial.Control{Action: "trunk.drain", Value: strings.Repeat("x", 256)})
	for _, want := range []string{"Actor: required", "Reason: required", "Value: 256 bytes are more than 255"} {
		require.ErrorContains(t, err, want)
	}
	require.Empty(t, w.journal.events)
	w.journal.broken = true
	require.ErrorIs(t, w.engine.Control(w.now, drain), outdial.ErrJournal)
	require.Empty(t, w.watcher.events, "a change that could not be written is not made")

	w = newWorld(func(c *outdial.Config) { c.Observers = append(c.Observers, checker{}) })
	require.ErrorIs(t, w.engine.Control(w.now, drain), errUnknown)
	require.Empty(t, w.journal.events)
}

var errUnknown = errors.New("no such trunk")

type checker struct{}

func (checker) Observe(*outdial.Event)                         {}
func (checker) CheckControl(time.Time, *outdial.Control) error { return errUnknown }

// staff is whatever a stage that observes nothing may be.
type staff struct {
	outdial.Plan
	asked, advanced int
}

func (s *staff) CheckControl(time.Time, *outdial.Control) error {
	s.asked++
	return nil
}

func (s *staff) Advance(time.Time) time.Time {
	s.advanced++
	return time.Time{}
}

func (*staff) Network(time.Time, outdial.Number) outdial.NetworkID { return 0 }

func TestStagesThatDoNotObserve(t *testing.T) {
	router, networks := new(staff), new(staff)
	e, err := outdial.New(outdial.Config{Router: router, Networks: networks})
	require.NoError(t, err)
	require.NoError(t, e.Control(start, outdial.Control{Actor: "op", Action: "x.y", Reason: "test"}))
	e.Advance(start)
	require.Equal(t, []int{1, 1, 1, 1}, []int{router.asked, router.advanced, networks.asked, networks.advanced})
}

// TestTextsOfALabel: what is live is what comes back from a journal.
func TestTextsOfALabel(t *testing.T) {
	w := newWorld(nil)
	long := strings.Repeat("é", 200)
	require.NoError(t, w.engine.Label(w.now, outdial.Label{Number: 13125550100, Engine: "a", Category: long}))
	got := w.watcher.events[len(w.watcher.events)-1].Label.Category
	require.Equal(t, strings.Repeat("é", 127), got)
}

// TestExplainBeforeRecover: to ask is not to call.
func TestExplainBeforeRecover(t *testing.T) {
	w := newWorld(nil)
	w.engine.Explain(w.now, aCall)
	_, err := w.engine.Recover(w.now)
	require.NoError(t, err)
	require.NoError(t, w.engine.NewSession().Begin(w.now, aCall))
	_, err = w.engine.Recover(w.now)
	require.ErrorContains(t, err, "calls have begun")
}

func TestDispositionOfNothing(t *testing.T) {
	w := newWorld(nil)
	require.ErrorContains(t, w.engine.Dispose(w.now, nil, outdial.Disposition{}), "an attempt with its ID")
	require.ErrorContains(t, w.engine.Dispose(w.now, new(outdial.Attempt), outdial.Disposition{}), "an attempt with its ID")
	require.Empty(t, w.journal.events)
}

func TestRecoverRefusesAnEventWithoutItsAttempt(t *testing.T) {
	w := newWorld(nil)
	w.journal.events = append(w.journal.events, outdial.Event{Kind: outdial.EventStarted, Seq: 1})
	_, err := w.engine.Recover(w.now)
	require.ErrorContains(t, err, "event 1: started without an attempt")
}

// learner is a Router that learns from events.
type learner struct {
	outdial.Plan
	seen []outdial.EventKind
}

func (l *learner) Observe(ev *outdial.Event) { l.seen = append(l.seen, ev.Kind) }

func TestARouterMayObserve(t *testing.T) {
	l := &learner{Plan: outdial.Plan{{Trunk: 1}}}
	e, err := outdial.New(outdial.Config{Router: l})
	require.NoError(t, err)
	require.NoError(t, e.Control(start, outdial.Control{Actor: "op", Action: "routing.avoid", Reason: "test"}))
	require.Equal(t, []outdial.EventKind{outdial.EventControl}, l.seen)

	_, err = outdial.New(outdial.Config{Router: l, Observers: []outdial.Observer{l}})
	require.ErrorContains(t, err, "is a stage already")
}

func TestFactsAboutTheWorld(t *testing.T) {
	w := newWorld(nil)
	id := outdial.AttemptID{Call: 7, Leg: 1}
	require.NoError(t, w.engine.Dispose(w.now, &outdial.Attempt{ID: id}, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman}))
	require.NoError(t, w.engine.Label(w.now, outdial.Label{Number: 13125550100, Engine: "x", Status: outdial.LabelLabelled}))
	require.NoError(t, w.engine.Control(w.now, outdial.Control{Actor: "op", Action: "trunk.drain", Target: "a", Reason: "test"}))
	require.Equal(t, []outdial.EventKind{outdial.EventDisposed, outdial.EventLabelled, outdial.EventControl}, w.journal.kinds())
	require.Equal(t, id, w.watcher.events[0].Attempt.ID)
	require.Equal(t, "a", w.watcher.events[2].Control.Target)
}

func TestCallIDsOfNodes(t *testing.T) {
	seen := map[outdial.CallID]bool{}
	for node := range uint16(3) {
		w := newWorld(func(c *outdial.Config) { c.Node = node })
		s := w.engine.NewSession()
		for range 100 {
			require.NoError(t, s.Begin(start, aCall))
			require.False(t, seen[s.Call().ID])
			seen[s.Call().ID] = true
		}
	}
}

func TestExplain(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.Explain = true })
	w.router.plan = append(w.router.plan, outdial.Candidate{Trunk: w.trunk("c"), Carrier: w.ids.Carriers.ID("gamma"), Tier: 2})
	w.trunks.full[w.trunk("a")] = w.now.Add(time.Minute)
	call := aCall
	call.Program = w.ids.Programs.ID("spring")

	would, err := json.MarshalIndent(w.engine.Explain(w.now, call), "", "  ")
	require.NoError(t, err)
	golden(t, "testdata/explain_would.json", string(would)+"\n")
	require.Empty(t, w.journal.events)
	require.Empty(t, w.watcher.events)
	require.True(t, w.clean())
	require.Equal(t, w.failover.picks, w.failover.returns, "a rehearsal costs no turn")

	s := w.engine.NewSession()
	require.Equal(t, "none", s.Explain().Outcome)
	require.NoError(t, s.Begin(w.now, call))
	a := dial(t, s, w.now)
	require.NoError(t, s.End(w.now, a.ID, outdial.Result{Origin: outdial.OriginCarrier, Code: 486, Phrase: "Busy Here", Cause: outdial.Cause{Value: 17, Location: outdial.LocationUser}}))
	requireStop(t, s, w.now, outdial.StopVerdict)
	did, err := json.MarshalIndent(s.Explain(), "", "  ")
	require.NoError(t, err)
	golden(t, "testdata/explain_did.json", string(did)+"\n")

	denied := call
	denied.To = 12125550199
	x := w.engine.Explain(w.now, denied)
	require.Equal(t, "no_route", x.Outcome)
	require.Equal(t, "denied", x.Refused.Code)
}

// TestHotPathAllocatesNothing runs a whole call: one failed attempt, a second that is answered and ends.
func TestHotPathAllocatesNothing(t *testing.T) {
	w := newWorld(func(c *outdial.Config) {
		c.Failover, c.Trunks, c.CLIs, c.Journal, c.Observers = new(testFailover), nil, nil, nil, nil
		c.Networks = networkOf{aCall.To: 1}
	})
	s := w.engine.NewSession()
	play := func() {
		if s.Begin(w.now, aCall) != nil {
			t.Fail()
		}
		step, _ := s.Next(w.now)
		_ = s.Progress(w.now, step.Attempt.ID, outdial.ProgressOf(100, false))
		_ = s.End(w.now, step.Attempt.ID, carrier(503))
		step, _ = s.Next(w.now)
		_ = s.Progress(w.now, step.Attempt.ID, outdial.ProgressOf(180, false))
		_, _ = s.Answer(w.now, step.Attempt.ID)
		if s.End(w.now, step.Attempt.ID, outdial.Result{Origin: outdial.OriginCallerHangup}) != nil || !s.Done() {
			t.Fail()
		}
	}
	play()
	require.Zero(t, testing.AllocsPerRun(200, play))
}
