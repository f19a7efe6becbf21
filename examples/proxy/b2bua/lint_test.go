package b2bua_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// TestFaultsOfMessagesAreTold: a dialer and a carrier on the public network that describe their media by private addresses are told of by name,
// once; those on our own network are not.
func TestFaultsOfMessagesAreTold(t *testing.T) {
	far := "203.0.113.9:5060"
	behind := siptest.SDP(netip.MustParseAddrPort("192.168.1.4:10000"))
	change := func(c *b2bua.Config) {
		office := c.Dialers[0]
		office.Name, office.Sources = "office", []string{"203.0.113.0/24"}
		nat := office
		nat.Name, nat.Sources, nat.NAT = "nat", []string{"203.0.113.10"}, true
		c.Dialers = append(c.Dialers, office, nat)
		c.Trunks[0].Address = "198.51.100.2:5060"
	}
	bubble(t, siptest.Silence(), siptest.Silence(), change, func(t *testing.T, w *world) {
		listen := func(addr string) *siptest.Conn {
			conn, err := w.network.Listen(addr)
			require.NoError(t, err)
			return conn
		}
		script := siptest.Play(siptest.Step{Code: 200, Body: behind})
		carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: listen("198.51.100.2:5060"), Behaviour: siptest.Behaviour{Script: script}})
		require.NoError(t, err)
		defer carrier.Close()
		call := func(from string) {
			caller, err := siptest.StartCaller(siptest.CallerConfig{Conn: listen(from)})
			require.NoError(t, err)
			defer caller.Close()
			r, err := caller.Call(t.Context(), w.proxy.Addr().String(), siptest.CallerCall{To: callee, SDP: behind, HangupAfter: ms})
			require.NoError(t, err)
			require.Equal(t, 200, r.Code())
		}
		call(far)
		call(far)
		call("203.0.113.10:5060")
		w.call(siptest.CallerCall{SDP: behind, HangupAfter: ms})
		w.settled()
		var told []string
		for _, a := range w.proxy.Alerts(0) {
			if a.Source == "sip" {
				told = append(told, a.Dialer+a.Trunk+" "+a.Kind)
				require.Contains(t, a.Text, "192.168.1.4")
			}
		}
		require.ElementsMatch(t, []string{"office media-private", "first media-private", "nat media-private"}, told, "an INVITE is looked at while its call goes on")
	})
}
