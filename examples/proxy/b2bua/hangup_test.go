package b2bua_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

func TestHangup(t *testing.T) {
	t.Run("by the dialer", func(t *testing.T) {
		bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
			r := w.call(siptest.CallerCall{HangupAfter: 3 * time.Second})
			require.Equal(t, 200, r.ByeCode)
			w.settled()
			rec := w.first.Records()[0]
			require.Equal(t, siptest.CallerSide, rec.EndedBy)
			require.WithinDuration(t, rec.FinalAt.Add(3*time.Second), rec.EndedAt, 0)
		})
	})
	t.Run("by the callee", func(t *testing.T) {
		s := siptest.Answer(0, 0, 3*time.Second)
		s.ByeHeaders = []siptest.Header{siptest.Reason(16, "")}
		bubble(t, s, siptest.Silence(), nil, func(t *testing.T, w *world) {
			r := w.call(siptest.CallerCall{})
			require.Equal(t, siptest.CarrierSide, r.EndedBy)
			require.Contains(t, r.ByeHeaders, siptest.Header{Name: "Reason", Value: "Q.850;cause=16"})
			w.settled()
			require.True(t, w.first.Records()[0].ByeAnswered)
		})
	})
}

// The ACK of the dialer is lost for ever: the answer is repeated for 64·T1, then both sides are hung up.
func TestAnswerNeverAcknowledged(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{NoAck: true})
		require.Equal(t, 200, r.Code())
		require.Equal(t, 32*time.Second, r.EndedAt)
		require.Equal(t, 10, r.FinalRetransmits)
		w.settled()
		rec := w.first.Records()[0]
		require.True(t, rec.Acked, "the carrier is not left in doubt")
		require.Equal(t, siptest.CallerSide, rec.EndedBy)
		require.Equal(t, uint64(1), w.proxy.Stats().Lost)
	})
}

// The callee hangs up before the dialer's ACK has come: BYE waits for it (RFC 3261 §15).
func TestByeWaitsForAck(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 100*ms), siptest.Silence(), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetLink("10.0.0.2", "10.0.0.1:5060", siptest.Link{Latency: 400 * ms}))
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 800*ms, r.EndedAt)
		w.settled()
	})
}
