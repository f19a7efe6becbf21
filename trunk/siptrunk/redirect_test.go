package siptrunk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// TestRedirect: a contact is called if it is allowed, within the attempt; any other one ends it, and so does going round in
// circles.
func TestRedirect(t *testing.T) {
	moved := func(contacts ...string) siptest.Script {
		var headers []siptest.Header
		for _, c := range contacts {
			headers = append(headers, siptest.Header{Name: "Contact", Value: c})
		}
		return siptest.Reject(302, "", headers...)
	}
	const other = "10.0.0.3:5060"
	for name, c := range map[string]struct {
		script  siptest.Script
		allowed []string
		to      string // whom the other one is called for; "" = it is not
	}{
		"allowed":     {moved("<sip:+447000@" + other + ">;q=0.5"), []string{"10.0.0.3"}, "+447000"},
		"the second":  {moved("<sip:a@192.0.2.7>", "sip:b@"+other+"?X-Evil=1"), []string{"10.0.0.0/28"}, "b"},
		"not allowed": {moved("<sip:a@" + other + ">"), []string{"10.0.0.4"}, ""},
		"none is":     {moved("<sip:a@" + other + ">"), nil, ""},
		"a name":      {moved("<sip:a@carrier.example>"), []string{"10.0.0.3"}, ""},
		"no contact":  {moved(), []string{"10.0.0.3"}, ""},
		"in circles":  {moved("<sip:a@" + carrierAddr + ">"), []string{"10.0.0.1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, c.script, func(_ *siptrunk.Config, trunk *siptrunk.Trunk) { trunk.Redirects = c.allowed }, func(t *testing.T, w *world) {
				conn, err := w.network.Listen(other)
				require.NoError(t, err)
				second, err := siptest.StartCarrier(siptest.CarrierConfig{
					Conn: conn, Behaviour: siptest.Behaviour{Script: siptest.Play(siptest.Respond(0, 180), siptest.Respond(100*ms, 200))},
				})
				require.NoError(t, err)
				defer second.Close()
				got := w.invite(siptrunk.InviteOptions{})
				time.Sleep(time.Second)
				got.Hangup()
				end := got.result()
				require.NoError(t, w.carrier.Settle(t.Context()))
				for _, r := range w.carrier.Records() {
					require.True(t, r.Acked)
				}
				if c.to == "" {
					require.Equal(t, outdial.OriginCarrier, end.Origin)
					require.Equal(t, uint16(302), end.Code)
					require.LessOrEqual(t, w.carrier.Stats().Invites, 4)
					require.Zero(t, second.Stats().Invites)
					return
				}
				require.Equal(t, outdial.OriginCallerHangup, end.Origin)
				require.Equal(t, 1, second.Stats().Invites)
				require.Equal(t, 1, second.Stats().ByesReceived)
				require.Equal(t, c.to, second.Records()[0].To)
				require.Zero(t, second.Stats().Channels)
			})
		})
	}
	_, err := siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Trunks: map[outdial.TrunkID]siptrunk.Trunk{
		1: {Addr: "10.0.0.1", Redirects: []string{"carrier.example"}},
	}})
	require.ErrorContains(t, err, `trunk 1: Redirects: "carrier.example"`)
}
