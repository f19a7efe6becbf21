package b2bua_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// A trunk that is a domain, over IPv6 on both sides: SRV names two servers, the first of which answers 503 to everything.
func TestDomainOverIPv6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		w := &world{t: t, network: network}
		listen := func(addr string) *siptest.Conn {
			conn, err := network.Listen(addr)
			require.NoError(t, err)
			return conn
		}
		carrier := func(addr string, s siptest.Script) *siptest.Carrier {
			c, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: listen(addr), Behaviour: siptest.Behaviour{Script: s}})
			require.NoError(t, err)
			return c
		}
		w.first = carrier("[2001:db8:1::1]:5060", siptest.Unavailable(0))
		w.second = carrier("[2001:db8:1::2]:5062", siptest.Answer(0, 0, 0))
		w.caller, err = siptest.StartCaller(siptest.CallerConfig{Conn: listen("[2001:db8::2]:5060")})
		require.NoError(t, err)
		cfg := config("carrier.example", "[2001:db8:1::9]:5060")
		cfg.Dialers[0].Sources = []string{"2001:db8::/64"}
		cfg.Hunting.MaxAttempts, cfg.Failover.PingEvery = 1, -1
		w.run(cfg, b2bua.Options{
			DialerConn: listen("[2001:db8::1]:5060"), CarrierConn: listen("[2001:db8::1]:5080"),
			Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr(map[string]string{"a.example": "2001:db8:1::1", "b.example": "2001:db8:1::2"}[host])}, nil
			},
			ResolveSRV: func(context.Context, string, string, string) ([]*net.SRV, error) {
				return []*net.SRV{{Target: "b.example", Port: 5062, Priority: 2}, {Target: "a.example", Port: 5060, Priority: 1}}, nil
			},
		})
		defer w.close()
		r := w.call(siptest.CallerCall{HangupAfter: time.Second})
		require.Equal(t, []int{100, 180, 200}, r.Codes())
		require.Equal(t, 200, r.ByeCode)
		require.Equal(t, "<sip:[2001:db8::1]:5060>", r.Final.Header("Contact"))
		w.settled()
		require.Equal(t, 1, w.first.Stats().Invites)
		require.Equal(t, 1, w.second.Stats().ByesReceived)
		require.Zero(t, w.first.Stats().Strays+w.second.Stats().Strays)
	})
}
