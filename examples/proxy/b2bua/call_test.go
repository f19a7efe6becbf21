package b2bua_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

func TestAnsweredBySecondTrunk(t *testing.T) {
	bubble(t, siptest.Unavailable(0), siptest.Answer(100*ms, time.Second, 2*time.Second), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{})
		require.Equal(t, []int{100, 180, 200}, r.Codes())
		require.Equal(t, 1100*ms, r.AnsweredAt)
		require.Equal(t, siptest.CarrierSide, r.EndedBy)
		require.Zero(t, r.FinalRetransmits)
		w.settled()
		first, second := w.first.Stats(), w.second.Stats()
		require.Equal(t, 1, first.Invites)
		require.Equal(t, 1, second.Invites)
		require.Equal(t, 1, second.Acks)
		require.Zero(t, first.Strays+second.Strays)
		require.NotEqual(t, w.first.Records()[0].CallID, w.second.Records()[0].CallID)
		require.NotEqual(t, r.CallID, w.second.Records()[0].CallID)
		rec := w.second.Records()[0]
		require.Equal(t, cli, rec.From)
		require.Equal(t, cli, rec.PAI)
		require.Equal(t, callee, rec.To)
	})
}
