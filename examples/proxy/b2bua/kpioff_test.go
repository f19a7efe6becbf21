package b2bua_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// With KPI off a call goes as it goes otherwise, and nothing of it is counted.
func TestKPIOff(t *testing.T) {
	for _, off := range []bool{false, true} {
		bubble(t, siptest.Answer(0, 10*ms, 0), siptest.Silence(), func(c *b2bua.Config) { c.KPI.Off = off }, func(t *testing.T, w *world) {
			r := w.call(siptest.CallerCall{HangupAfter: 100 * ms})
			require.Equal(t, 200, r.Final.Code)
			w.settled()
			counted := 0
			for range w.proxy.Meter().Snapshot(time.Now()) {
				counted++
			}
			require.Equal(t, !off, counted > 0)
		})
	}
}
