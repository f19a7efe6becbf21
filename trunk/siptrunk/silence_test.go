package siptrunk_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// TestSilenceOfMany: five INVITEs that wait for an address which says nothing are not all lost: each is given up at half of T100, and not
// repeated. One, or a few, or those since which anything has come from there, get all of it.
func TestSilenceOfMany(t *testing.T) {
	const apart = 50 * ms
	for name, c := range map[string]struct {
		calls   int
		heard   int // this call, from 1, reaches the carrier; 0 = none
		t100    time.Duration
		last    bool
		abandon []time.Duration // after the INVITE of each; zero = it is answered
		sent    int             // INVITEs of a call that is given up
	}{
		"four":               {calls: 4, abandon: slices.Repeat([]time.Duration{time.Second}, 4), sent: 2},
		"five":               {calls: 5, abandon: slices.Repeat([]time.Duration{500 * ms}, 5), sent: 1},
		"a longer T100":      {calls: 5, t100: 3 * time.Second, abandon: slices.Repeat([]time.Duration{1500 * ms}, 5), sent: 2},
		"no T100":            {calls: 5, t100: -1, abandon: slices.Repeat([]time.Duration{8 * time.Second}, 5), sent: 5},
		"the last attempts":  {calls: 5, last: true, abandon: slices.Repeat([]time.Duration{8 * time.Second}, 5), sent: 5},
		"somebody is there":  {calls: 6, heard: 6, abandon: []time.Duration{time.Second, time.Second, time.Second, time.Second, time.Second, 0}, sent: 2},
		"... and is no more": {calls: 8, heard: 3, abandon: []time.Duration{time.Second, time.Second, 0, 500 * ms, 500 * ms, 500 * ms, 500 * ms, 500 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, siptest.Answer(0, time.Second, time.Hour), func(_ *siptrunk.Config, k *siptrunk.Trunk) { k.T100, k.PDDTimer = c.t100, 8*time.Second }, func(t *testing.T, w *world) {
				invites := map[string]int{} // by Call-ID
				var heard string
				w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
					if !bytes.HasPrefix(payload, []byte("INVITE")) {
						return false
					}
					_, rest, _ := bytes.Cut(payload, []byte("\r\nCall-ID: "))
					id, _, _ := bytes.Cut(rest, []byte("\r\n"))
					if invites[string(id)]++; len(invites) == c.heard && heard == "" {
						heard = string(id)
					}
					return string(id) != heard
				})
				var calls []*call
				for range c.calls {
					a := attempt()
					a.Last = c.last
					calls = append(calls, w.inviteAttempt(a, siptrunk.InviteOptions{}, nil))
					time.Sleep(apart)
				}
				time.Sleep(9 * time.Second)
				for i, k := range calls {
					var at time.Duration
					for _, ev := range k.all() {
						if ev.Kind == outdial.ReportAbandon && at == 0 {
							at = ev.Time.Sub(k.start)
						}
					}
					require.Equal(t, c.abandon[i], at, "call %d", i+1)
					if c.sent > 0 && k.CallID() != heard {
						require.Equal(t, c.sent, invites[k.CallID()], "call %d", i+1)
					}
					k.Hangup()
				}
			})
		})
	}
}
