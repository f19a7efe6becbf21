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
