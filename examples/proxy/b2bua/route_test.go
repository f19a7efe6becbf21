package b2bua_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// Proxies in front of the dialer see all of the dialog, and so do those in front of the carrier. Both far ends hold the
// proxy to that: the harness demands that a call has no faults.
func TestRouteSets(t *testing.T) {
	s := siptest.Answer(0, time.Second, 2*time.Second)
	s.RecordRoute = []string{"<sip:in@10.0.1.1:5060;lr>", "<sip:out@10.0.1.1:5060;lr>"}
	bubble(t, s, siptest.Silence(), nil, func(t *testing.T, w *world) {
		routes := []string{"<sip:edge@10.0.0.2:5060;lr>", "<sip:core@10.0.0.2:5060;lr>"}
		r := w.call(siptest.CallerCall{RecordRoute: routes})
		require.Equal(t, []int{100, 180, 200}, r.Codes())
		require.Equal(t, siptest.CarrierSide, r.EndedBy)
		r = w.call(siptest.CallerCall{RecordRoute: routes, HangupAfter: time.Second})
		require.Equal(t, 200, r.ByeCode)
		w.settled()
		require.Equal(t, 1, w.first.Stats().ByesReceived)
		require.Zero(t, w.first.Stats().Strays)
	})
}
