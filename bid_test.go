package outdial_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

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

// TestPlacesAreLeft: a trunk that may keep a call's place learns when the call will not ask again, and not before.
func TestPlacesAreLeft(t *testing.T) {
	w := newWorld(func(c *outdial.Config) { c.MaxWait = 2 * time.Second })
	a, b := w.trunk("a"), w.trunk("b")
	soon, late := w.now.Add(time.Second), w.now.Add(time.Minute)
	begin := func() *outdial.Session {
		w.trunks.left = nil
		s := w.engine.NewSession()
		require.NoError(t, s.Begin(w.now, aCall))
		return s
	}
	t.Run("dialled elsewhere", func(t *testing.T) {
		w.trunks.full = map[outdial.TrunkID]time.Time{a: soon}
		s := begin()
		require.Equal(t, b, dial(t, s, w.now).Candidate.Trunk)
		require.Equal(t, []outdial.TrunkID{a}, w.trunks.left)
		require.NoError(t, s.Cancel(w.now))
		require.Len(t, w.trunks.left, 1)
	})
	t.Run("waits, then dialled", func(t *testing.T) {
		w.trunks.full = map[outdial.TrunkID]time.Time{a: soon, b: soon}
		s := begin()
		step, err := s.Next(w.now)
		require.NoError(t, err)
		require.Equal(t, outdial.StepWait, step.Kind)
		require.Empty(t, w.trunks.left)
		require.Equal(t, a, dial(t, s, soon).Candidate.Trunk)
		require.Equal(t, []outdial.TrunkID{a, b}, w.trunks.left)
		require.NoError(t, s.Cancel(soon))
	})
	t.Run("cancelled", func(t *testing.T) {
		w.trunks.full = map[outdial.TrunkID]time.Time{a: soon, b: soon}
		s := begin()
		_, err := s.Next(w.now)
		require.NoError(t, err)
		require.NoError(t, s.Cancel(w.now))
		require.Equal(t, []outdial.TrunkID{a, b}, w.trunks.left)
	})
	t.Run("too late for the call", func(t *testing.T) {
		w.trunks.full = map[outdial.TrunkID]time.Time{a: late, b: {}}
		_, err := begin().Next(w.now)
		require.Error(t, err)
		require.Equal(t, []outdial.TrunkID{a}, w.trunks.left)
	})
	t.Run("one waits, one is too late", func(t *testing.T) {
		w.trunks.full = map[outdial.TrunkID]time.Time{a: late, b: soon}
		s := begin()
		step, err := s.Next(w.now)
		require.NoError(t, err)
		require.Equal(t, soon, step.Until)
		require.Equal(t, []outdial.TrunkID{a}, w.trunks.left)
		require.NoError(t, s.Begin(w.now, aCall), "the next call in the same session")
		require.Equal(t, []outdial.TrunkID{a, b}, w.trunks.left)
	})
	t.Run("only asked about", func(t *testing.T) {
		w.trunks.full = map[outdial.TrunkID]time.Time{a: soon}
		w.trunks.left = nil
		w.engine.Explain(w.now, aCall)
		require.Empty(t, w.trunks.left)
	})
}
