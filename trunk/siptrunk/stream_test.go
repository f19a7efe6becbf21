package siptrunk_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// overTCP is a world whose carrier takes TCP, and whose dialer has a listener for it.
func overTCP(t *testing.T, b siptest.Behaviour, change func(*siptrunk.Config, *siptrunk.Trunk), f func(t *testing.T, w *world, far *siptest.StreamConn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		far := farEnd(t, network, carrierAddr)
		carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: far, Behaviour: b})
		require.NoError(t, err)
		conn, err := network.Listen(dialerAddr)
		require.NoError(t, err)
		w := &world{t: t, network: network, carrier: carrier}
		w.run(siptrunk.Config{Conn: conn, Listeners: []siptrunk.Listener{tcpListener(t, network)}, DialStream: dialing(network)}, carrierAddr,
			func(c *siptrunk.Config, tr *siptrunk.Trunk) {
				tr.Transport = siptrunk.TransportTCP
				if change != nil {
					change(c, tr)
				}
			})
		defer w.close()
		f(t, w, far)
	})
}

func farEnd(t *testing.T, network *siptest.Network, addr string) *siptest.StreamConn {
	t.Helper()
	l, err := network.ListenStream(addr)
	require.NoError(t, err)
	far, err := siptest.NewStreamConn(siptest.StreamConfig{Listener: l, Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return network.DialStream(ctx, netip.MustParseAddrPort(addr).Addr(), to)
	}})
	require.NoError(t, err)
	return far
}

func tcpListener(t *testing.T, network *siptest.Network) siptrunk.Listener {
	t.Helper()
	l, err := network.ListenStream(dialerAddr)
	require.NoError(t, err)
	return siptrunk.Listener{Transport: siptrunk.TransportTCP, Listener: l}
}

func dialing(network *siptest.Network) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return network.DialStream(ctx, netip.MustParseAddrPort(dialerAddr).Addr(), to)
	}
}

func header(r siptest.Record, name string) string {
	for _, h := range r.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// Calls over TCP share a connection, whoever hangs up, and name it in Via, Contact and the Request-URI.
func TestTCP(t *testing.T) {
	for name, hold := range map[string]time.Duration{"the callee hangs up": time.Second, "we hang up": 0} {
		t.Run(name, func(t *testing.T) {
			overTCP(t, siptest.Behaviour{Script: siptest.Answer(ms, ms, hold)}, nil, func(t *testing.T, w *world, far *siptest.StreamConn) {
				for range 3 {
					answered := (*call).Hangup
					if hold > 0 {
						answered = nil
					}
					c := w.inviteWith(siptrunk.InviteOptions{}, answered)
					want := outdial.OriginCallerHangup
					if hold > 0 {
						want = outdial.OriginCalleeHangup
					}
					require.Equal(t, want, c.result().Origin)
				}
				require.Equal(t, 1, far.Accepted())
				require.NoError(t, w.carrier.Settle(t.Context()))
				for _, r := range w.carrier.Records() {
					require.True(t, r.Acked)
					require.Contains(t, header(r, "Via"), "SIP/2.0/TCP 10.0.0.2:5060;")
					require.Equal(t, "<sip:10.0.0.2:5060;transport=tcp>", header(r, "Contact"))
				}
				s := w.dialer.Stats()
				require.EqualValues(t, 1, s.Dialled)
				require.LessOrEqual(t, s.Conns, 2, "the carrier opens one for its BYEs")
			})
		})
	}
}

// A carrier that has closed the connection in between gets another one, and so does a request that crosses the end.
func TestTCPConnectionOver(t *testing.T) {
	overTCP(t, siptest.Behaviour{Script: siptest.Busy(ms)}, nil, func(t *testing.T, w *world, far *siptest.StreamConn) {
		for n := 1; n <= 3; n++ {
			require.EqualValues(t, 486, w.invite(siptrunk.InviteOptions{}).result().Code)
			require.Equal(t, n, far.Accepted())
			far.CloseConns()
			synctest.Wait()
		}
	})
	t.Run("a silent carrier closes it", func(t *testing.T) {
		overTCP(t, siptest.Behaviour{Script: siptest.Silence()}, nil, func(t *testing.T, w *world, far *siptest.StreamConn) {
			c := w.invite(siptrunk.InviteOptions{})
			synctest.Wait()
			far.CloseConns()
			synctest.Wait()
			require.Equal(t, 2, far.Accepted(), "the INVITE is sent again")
			far.CloseConns()
			r := c.result()
			require.Equal(t, outdial.OriginTransport, r.Origin, "and given up")
			require.Less(t, time.Since(c.start), time.Second)
			require.Equal(t, 1, w.carrier.Stats().Invites, "it is the same request")
		})
	})
	t.Run("while it rings", func(t *testing.T) {
		overTCP(t, siptest.Behaviour{Script: siptest.Answer(ms, 5*time.Second, 0)}, nil, func(t *testing.T, w *world, far *siptest.StreamConn) {
			c := w.inviteWith(siptrunk.InviteOptions{}, (*call).Hangup)
			time.Sleep(time.Second)
			far.CloseConns()
			require.Equal(t, outdial.OriginCallerHangup, c.result().Origin, "the answer comes over a connection that the carrier opens")
			require.EqualValues(t, 1, w.dialer.Stats().Accepted)
		})
	})
}

// Where no connection can be opened, that is known: at once where it is refused, at T100 or the end of the attempt where it is not answered.
func TestTCPNoConnection(t *testing.T) {
	overTCP(t, siptest.Behaviour{Script: siptest.Busy(0)}, nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		require.NoError(t, w.network.SetRefused(carrierAddr, true))
		c := w.invite(siptrunk.InviteOptions{})
		require.Equal(t, outdial.OriginTransport, c.result().Origin)
		require.Zero(t, time.Since(c.start))
		_, _, err := w.dialer.Ping(t.Context(), 1)
		require.ErrorIs(t, err, siptrunk.ErrUnreachable)
		require.NoError(t, w.network.SetRefused(carrierAddr, false))
		require.EqualValues(t, 486, w.invite(siptrunk.InviteOptions{}).result().Code)
		code, _, err := w.dialer.Ping(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, 200, code)

		require.NoError(t, w.network.Cut("10.0.0.2", "10.0.0.1"))
		require.Equal(t, 486, int(w.invite(siptrunk.InviteOptions{}).result().Code), "what is open is not concerned")
	})
	for name, last := range map[string]bool{"one of several attempts": false, "the last one": true} {
		t.Run(name, func(t *testing.T) {
			overTCP(t, siptest.Behaviour{Script: siptest.Busy(0)}, nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
				require.NoError(t, w.network.Cut("10.0.0.2", "10.0.0.1"))
				a := attempt()
				a.Last = last
				c := w.inviteAttempt(a, siptrunk.InviteOptions{}, nil)
				want := []string{"0s progress invite", "1s abandon no_trying", "2s end no_trying"}
				if last {
					want = []string{"0s progress invite", "2s end transport"}
				}
				require.Equal(t, want, c.trace())
				require.EqualValues(t, 1, w.dialer.Stats().Failed)
			})
		})
	}
}

// A carrier that takes connections and reads nothing keeps nobody else's calls.
func TestTCPPeerThatDoesNotRead(t *testing.T) {
	overTCP(t, siptest.Behaviour{Script: siptest.Busy(ms)}, nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		stuck, err := w.network.ListenStream("10.0.0.3:5060")
		require.NoError(t, err)
		go func() { // it accepts, and that is all
			for {
				if _, err := stuck.Accept(); err != nil {
					return
				}
			}
		}()
		defer stuck.Close()
		require.NoError(t, w.dialer.SetTrunks(map[outdial.TrunkID]siptrunk.Trunk{
			1: {Addr: carrierAddr, Transport: siptrunk.TransportTCP}, 2: {Addr: "10.0.0.3:5060", Transport: siptrunk.TransportTCP},
		}))
		var held []*call
		for range 100 {
			a := attempt()
			a.Candidate.Trunk = 2
			held = append(held, w.inviteAttempt(a, siptrunk.InviteOptions{}, nil))
		}
		start := time.Now()
		for range 20 {
			require.EqualValues(t, 486, w.invite(siptrunk.InviteOptions{}).result().Code)
		}
		require.LessOrEqual(t, time.Since(start), 20*2*ms)
		for _, c := range held {
			require.Equal(t, outdial.OriginNoTrying, c.result().Origin)
		}
		require.NotZero(t, w.dialer.Stats().Slow)
	})
}

// An INVITE that is too large for a datagram goes over TCP where the trunk takes that, and by UDP where it does not after all.
func TestLargeInvite(t *testing.T) {
	large := siptrunk.InviteOptions{Headers: []siptrunk.Header{{Name: "Identity", Value: strings.Repeat("x", 1200)}}}
	for _, tt := range []struct {
		name     string
		opts     siptrunk.InviteOptions
		limit    int
		tcp      bool
		refused  bool
		overTCP  int // of two calls
		overUDP  int
		attempts int // to connect
	}{
		{"small", siptrunk.InviteOptions{}, 0, true, false, 0, 2, 0},
		{"large", large, 0, true, false, 2, 0, 1},
		{"large, and the trunk takes no TCP", large, 0, false, false, 0, 2, 0},
		{"large, with a higher limit", large, 4000, true, false, 0, 2, 0},
		{"large, without a limit", large, -1, true, false, 0, 2, 0},
		{"large, and TCP is refused: it is not tried twice", large, 0, true, true, 0, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, siptest.Behaviour{Script: siptest.Answer(ms, ms, 0)}, func(c *siptrunk.Config, tr *siptrunk.Trunk) {
					tr.TCP, tr.UDPLimit = tt.tcp, tt.limit
				})
				// the same, with streams: the network is made by newWorld
				network := w.network
				w.stop()
				require.NoError(t, <-w.ran)
				conn, err := network.Listen(dialerAddr)
				require.NoError(t, err)
				dialled := 0
				w.run(siptrunk.Config{Conn: conn, DialStream: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
					dialled++
					return dialing(network)(ctx, to)
				}}, carrierAddr, func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.TCP, tr.UDPLimit = tt.tcp, tt.limit })
				defer w.close()
				stream, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: farEnd(t, network, carrierAddr), Behaviour: siptest.Behaviour{Script: siptest.Answer(ms, ms, 0)}})
				require.NoError(t, err)
				if tt.refused {
					require.NoError(t, stream.Close())
				}
				for range 2 {
					c := w.inviteWith(tt.opts, (*call).Hangup)
					require.Equal(t, outdial.OriginCallerHangup, c.result().Origin)
				}
				if !tt.refused {
					require.NoError(t, stream.Settle(t.Context()))
					for _, r := range stream.Records() {
						require.True(t, r.Acked)
						require.Contains(t, header(r, "Via"), "SIP/2.0/TCP ")
						require.Equal(t, "<sip:"+dialerAddr+">", header(r, "Contact"), "the dialog is one over UDP all the same")
					}
					require.Equal(t, tt.overTCP, stream.Stats().Answered)
					require.NoError(t, stream.Close())
				}
				require.Equal(t, tt.overUDP, w.carrier.Stats().Answered)
				require.Equal(t, tt.attempts, dialled)
			})
		})
	}
}

// TLS on sockets of the kernel's, over IPv4 and IPv6: the carrier's certificate is verified, ours is shown.
func TestTLS(t *testing.T) {
	authority, err := siptest.NewAuthority("carriers")
	require.NoError(t, err)
	stranger, err := siptest.NewAuthority("somebody else")
	require.NoError(t, err)
	theirs, err := authority.Issue("carrier", "127.0.0.1", "::1", "carrier.example")
	require.NoError(t, err)
	ours, err := authority.Issue("outdial", "127.0.0.1")
	require.NoError(t, err)
	server := &tls.Config{Certificates: []tls.Certificate{theirs}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()}
	client := &tls.Config{Certificates: []tls.Certificate{ours}, RootCAs: authority.Pool()}
	named := client.Clone()
	named.ServerName = "other.example"
	for _, tt := range []struct {
		name, listen string
		client       *tls.Config
		server       *tls.Config
		want         outdial.Origin
	}{
		{"IPv4", "127.0.0.1:0", client, server, outdial.OriginCallerHangup},
		{"IPv6", "[::1]:0", client, server, outdial.OriginCallerHangup},
		{"another authority", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{ours}, RootCAs: stranger.Pool()}, server, outdial.OriginTransport},
		{"another name", "127.0.0.1:0", named, server, outdial.OriginTransport},
		{"the carrier speaks TLS 1.1 at most", "127.0.0.1:0", client, &tls.Config{Certificates: []tls.Certificate{theirs}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, outdial.OriginTransport},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", tt.listen)
			if err != nil {
				t.Skip("no such address here: ", err)
			}
			far, err := siptest.NewStreamConn(siptest.StreamConfig{Listener: l, Server: tt.server})
			require.NoError(t, err)
			carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: far, Behaviour: siptest.Behaviour{Script: siptest.Answer(ms, ms, 0)}})
			require.NoError(t, err)
			w := &world{t: t, carrier: carrier}
			w.run(siptrunk.Config{ListenAddr: tt.listen}, carrier.Addr().String(), func(_ *siptrunk.Config, tr *siptrunk.Trunk) {
				tr.Transport, tr.TLS, tr.T100, tr.PDDTimer = siptrunk.TransportTLS, tt.client, patience, patience
			})
			defer w.close()
			secure := siptrunk.InviteOptions{Secure: true}
			require.Equal(t, tt.want, w.inviteWith(secure, (*call).Hangup).result().Origin)
			if tt.want != outdial.OriginTransport {
				require.NoError(t, carrier.Settle(t.Context()))
				r := carrier.Records()[0]
				require.Contains(t, header(r, "Via"), "SIP/2.0/TLS ")
				require.True(t, strings.HasPrefix(header(r, "Contact"), "<sips:"))
			}
		})
	}
	t.Run("sips without TLS", func(t *testing.T) {
		bubble(t, siptest.Busy(0), nil, func(t *testing.T, w *world) {
			_, err := w.dialer.Invite(t.Context(), attempt(), siptrunk.InviteOptions{Offer: offer, Secure: true}, nil)
			require.ErrorIs(t, err, siptrunk.ErrNotSecure)
		})
	})
}

// Who listens takes requests of known addresses alone, and closes what says nothing.
func TestTCPListener(t *testing.T) {
	change := func(c *siptrunk.Config, _ *siptrunk.Trunk) {
		c.Streams = siptrunk.Streams{MaxPerSource: 2, MessageTimeout: 5 * time.Second}
	}
	overTCP(t, siptest.Behaviour{Script: siptest.Busy(0)}, change, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		dial := func(from string) net.Conn {
			c, err := w.network.DialStream(t.Context(), netip.MustParseAddr(from), netip.MustParseAddrPort(dialerAddr))
			require.NoError(t, err)
			return c
		}
		ended := func(c net.Conn) bool {
			_, err := c.Read(make([]byte, 1))
			return err != nil
		}
		require.True(t, ended(dial("10.9.9.9")), "a stranger")
		idle, asking, third := dial("10.0.0.1"), dial("10.0.0.1"), dial("10.0.0.1")
		require.True(t, ended(third), "too many")
		ask := "OPTIONS sip:10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n" +
			"Call-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
		for i := range len(ask) { // a byte at a time
			_, err := io.WriteString(asking, ask[i:i+1])
			require.NoError(t, err)
		}
		buf := make([]byte, 4096)
		n, err := asking.Read(buf)
		require.NoError(t, err)
		require.Contains(t, string(buf[:n]), "SIP/2.0 200 OK")
		require.True(t, ended(idle), "nothing came in time")
		require.NoError(t, asking.Close())
		synctest.Wait()
		s := w.dialer.Stats()
		require.EqualValues(t, 2, s.Unwelcome)
		require.EqualValues(t, 1, s.HalfOpen)
		require.Zero(t, s.Conns)
	})
}

// One Dialer reaches carriers of both IP families over UDP, and is reached by them.
func TestBothFamilies(t *testing.T) {
	conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	six, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: conn, Behaviour: siptest.Behaviour{Script: siptest.Answer(ms, ms, 20*ms)}})
	require.NoError(t, err)
	defer six.Close()
	w := realWorld(t, siptest.Behaviour{Script: siptest.Answer(ms, ms, 20*ms)}, func(c *siptrunk.Config, _ *siptrunk.Trunk) {
		c.Listeners = []siptrunk.Listener{{Transport: siptrunk.TransportUDP, Addr: "[::1]:0"}}
	})
	defer w.close()
	require.NoError(t, w.dialer.SetTrunks(map[outdial.TrunkID]siptrunk.Trunk{
		1: {Addr: w.carrier.Addr().String(), T100: patience, PDDTimer: patience}, 2: {Addr: six.Addr().String(), T100: patience, PDDTimer: patience},
	}))
	for trunk, c := range map[outdial.TrunkID]*siptest.Carrier{1: w.carrier, 2: six} {
		a := attempt()
		a.Candidate.Trunk = trunk
		require.Equal(t, outdial.OriginCalleeHangup, w.inviteAttempt(a, siptrunk.InviteOptions{}, nil).result().Origin)
		require.NoError(t, c.Settle(t.Context()))
		require.True(t, c.Records()[0].ByeAnswered)
		require.Contains(t, header(c.Records()[0], "Contact"), map[outdial.TrunkID]string{1: "127.0.0.1:", 2: "[::1]:"}[trunk])
	}
	_, err = siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Listeners: []siptrunk.Listener{{Transport: siptrunk.TransportUDP, Addr: "127.0.0.1:0"}}})
	require.ErrorContains(t, err, "the other IP family")
	_, err = siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Listeners: []siptrunk.Listener{{Transport: siptrunk.TransportTLS, Addr: "127.0.0.1:0"}}})
	require.ErrorContains(t, err, "Listeners[0]: TLS")
}
