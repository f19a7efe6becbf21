package b2bua_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

func TestDrain(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		calls := make(chan *siptest.CallResult, 2)
		go func() { calls <- w.call(siptest.CallerCall{}) }()
		time.Sleep(100 * ms)
		require.NoError(t, w.first.SetBehaviour(siptest.Behaviour{Script: siptest.RingForever(0)}))
		go func() { calls <- w.call(siptest.CallerCall{}) }()
		time.Sleep(100 * ms)
		w.stop()
		time.Sleep(100 * ms)
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 503, r.Code())
		require.Equal(t, "30", r.Final.Header("Retry-After"))
		o, err := w.caller.Request(t.Context(), w.proxy.Addr().String(), "OPTIONS")
		require.NoError(t, err)
		require.Equal(t, 503, o.Code)
		require.NoError(t, <-w.ran)
		w.ran <- nil
		a, b := <-calls, <-calls
		if a.Code() != 200 {
			a, b = b, a
		}
		require.Equal(t, 200, a.Code())
		require.Equal(t, siptest.CarrierSide, a.EndedBy, "BYE after the drain timeout")
		require.GreaterOrEqual(t, a.EndedAt, 2*time.Second)
		require.Equal(t, 503, b.Code(), "what was being set up is refused")
		for _, rec := range w.first.Records() {
			require.False(t, rec.EndedAt.IsZero())
		}
	})
}
