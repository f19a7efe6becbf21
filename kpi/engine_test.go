package kpi_test

import (
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// inOrder takes the candidates one after the other and always goes on.
type inOrder struct{}

func (inOrder) Pick(_ time.Time, _ *outdial.Call, _ []outdial.Candidate, eligible uint64) (int, outdial.Choice) {
	return bits.TrailingZeros64(eligible), outdial.Choice{Probability: 1}
}

func (inOrder) Return(time.Time, *outdial.Call, []outdial.Candidate, uint64, int, outdial.Choice) {}
func (inOrder) Verdict(*outdial.Attempt) outdial.Verdict                                          { return outdial.VerdictAdvance }
func (inOrder) Observe(*outdial.Event)                                                            {}

// What a meter sees of an engine's sessions: a hunt past a 503, and one past a silent leg that answers too late.
func TestMeterBehindAnEngine(t *testing.T) {
	m := newMeter(t, kpi.Config{})
	e, err := outdial.New(outdial.Config{
		Router: outdial.Plan{{Trunk: 1}, {Trunk: 2}}, Failover: inOrder{}, Observers: []outdial.Observer{m},
	})
	require.NoError(t, err)
	s := e.NewSession()
	to, err := outdial.ParseNumber("+12125550123")
	require.NoError(t, err)
	now := t0
	dial := func() outdial.AttemptID {
		step, err := s.Next(now)
		require.NoError(t, err)
		require.Equal(t, outdial.StepDial, step.Kind)
		return step.Attempt.ID
	}
	connect := func(id outdial.AttemptID) {
		require.NoError(t, s.Progress(now.Add(2*time.Second), id, outdial.ProgressOf(180, false)))
		action, err := s.Answer(now.Add(8*time.Second), id)
		require.NoError(t, err)
		require.Equal(t, outdial.AnswerConnect, action)
	}

	require.NoError(t, s.Begin(now, outdial.Call{To: to}))
	first := dial()
	require.NoError(t, s.End(now, first, outdial.Result{Origin: outdial.OriginCarrier, Code: 503}))
	second := dial()
	connect(second)
	require.NoError(t, s.End(now.Add(68*time.Second), second, outdial.Result{Origin: outdial.OriginCallerHangup}))

	require.NoError(t, s.Begin(now, outdial.Call{To: to}))
	silent := dial()
	require.NoError(t, s.Abandon(now.Add(time.Second), silent, outdial.Result{Origin: outdial.OriginNoTrying}))
	second = dial()
	connect(second)
	action, err := s.Answer(now.Add(9*time.Second), silent)
	require.NoError(t, err)
	require.Equal(t, outdial.AnswerEnd, action)
	require.NoError(t, s.End(now.Add(9*time.Second), silent, outdial.Result{Origin: outdial.OriginHost}))

	now = now.Add(2 * time.Minute)
	total := cell(t, m, now, kpi.Key{})
	require.Equal(t, kpi.Ratio{K: 2, N: 2}, total.ABR())
	require.Equal(t, kpi.Ratio{K: 2, N: 4}, total.ASR())
	require.Equal(t, kpi.Ratio{K: 3, N: 4}, total.NER())
	require.EqualValues(t, 1, total.LateAnswers)
	require.EqualValues(t, 1, total.Ended, "the other conversation still lasts")
	acd, _ := total.ACD()
	require.Equal(t, time.Minute, acd)
	require.Zero(t, total.Open())
	require.Equal(t, kpi.Ratio{K: 0, N: 2}, cell(t, m, now, kpi.Key{View: kpi.ByTrunk, Trunk: 1}).ASR())
	require.Equal(t, kpi.Ratio{K: 2, N: 2}, cell(t, m, now, kpi.Key{View: kpi.ByTrunk, Trunk: 2}).ASR())
}
