package b2bua_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// far is a far end on TCP of an in-memory network.
func far(t *testing.T, network *siptest.Network, addr string) *siptest.StreamConn {
	t.Helper()
	l, err := network.ListenStream(addr)
	require.NoError(t, err)
	c, err := siptest.NewStreamConn(siptest.StreamConfig{Listener: l, Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return network.DialStream(ctx, netip.MustParseAddrPort(addr).Addr(), to)
	}})
	require.NoError(t, err)
	return c
}

// bubbleTCP is bubble with TCP on both sides. The proxy is 10.0.0.1:5060 for dialers, and :5080 for carriers.
func bubbleTCP(t *testing.T, first, second siptest.Script, change func(*b2bua.Config), f func(t *testing.T, w *world, dialer *siptest.StreamConn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		w := &world{t: t, network: network}
		carrier := func(addr string, s siptest.Script) *siptest.Carrier {
			c, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: far(t, network, addr), Behaviour: siptest.Behaviour{Script: s}})
			require.NoError(t, err)
			return c
		}
		w.first, w.second = carrier("10.0.1.1:5060", first), carrier("10.0.1.2:5060", second)
		dialer := far(t, network, "10.0.0.2:5060")
		w.caller, err = siptest.StartCaller(siptest.CallerConfig{Conn: dialer})
		require.NoError(t, err)
		cfg := config("10.0.1.1:5060", "10.0.1.2:5060")
		cfg.Listeners = []b2bua.Listener{{Transport: "tcp", Address: "10.0.0.1:5060"}}
		cfg.CarrierListeners = []b2bua.Listener{{Transport: "tcp", Address: "10.0.0.1:5080"}}
		for i := range cfg.Trunks {
			cfg.Trunks[i].Transport = "tcp"
		}
		if change != nil {
			change(&cfg)
		}
		udp := func(addr string) *siptest.Conn {
			conn, err := network.Listen(addr)
			require.NoError(t, err)
			return conn
		}
		w.run(cfg, b2bua.Options{
			DialerConn: udp("10.0.0.1:5060"), CarrierConn: udp("10.0.0.1:5080"), ListenStream: network.ListenStream,
			DialStream: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				return network.DialStream(ctx, netip.MustParseAddr("10.0.0.1"), to)
			},
		})
		defer w.close()
		f(t, w, dialer)
	})
}

// Over TCP on both sides: who hangs up, failover, a failure, a CANCEL. Nothing is sent twice.
func TestTCPCalls(t *testing.T) {
	for _, tt := range []struct {
		name          string
		first, second siptest.Script
		call          siptest.CallerCall
		code          int
		firsts        int
	}{
		{"the dialer hangs up", siptest.Answer(10*ms, 20*ms, 0), siptest.Silence(), siptest.CallerCall{HangupAfter: time.Second}, 200, 1},
		{"the callee hangs up", siptest.Answer(10*ms, 20*ms, time.Second), siptest.Silence(), siptest.CallerCall{}, 200, 1},
		{"the second trunk", siptest.Reject(503, ""), siptest.Answer(10*ms, 20*ms, 0), siptest.CallerCall{HangupAfter: time.Second}, 200, 1},
		{"a silent trunk", siptest.Silence(), siptest.Answer(10*ms, 20*ms, 0), siptest.CallerCall{HangupAfter: time.Second}, 200, 1},
		{"busy", siptest.Busy(10 * ms), siptest.Silence(), siptest.CallerCall{}, 486, 1},
		{"cancelled", siptest.RingForever(10 * ms), siptest.Silence(), siptest.CallerCall{CancelAfter: time.Second}, 487, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubbleTCP(t, tt.first, tt.second, nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
				for range 2 {
					r := w.call(tt.call)
					require.Equal(t, tt.code, r.Code())
					w.settled()
				}
				require.Equal(t, 2*tt.firsts, w.first.Stats().Invites)
				for _, r := range w.first.Records() {
					for _, h := range r.Headers {
						require.NotContains(t, h.Value, "10.0.0.2", "%s: nothing of the dialer", h.Name)
						if h.Name == "Contact" {
							require.Equal(t, "<sip:10.0.0.1:5080;transport=tcp>", h.Value)
						}
					}
				}
				require.Zero(t, w.proxy.Stats().Repeated)
			})
		})
	}
}

// An answer is repeated until its ACK comes, over a connection too (RFC 3261 §13.3.1.4): a proxy on the way may have lost it.
func TestTCPAnswerNeverAcknowledged(t *testing.T) {
	bubbleTCP(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		r := w.call(siptest.CallerCall{NoAck: true})
		require.Equal(t, 200, r.Code())
		require.Equal(t, 10, r.FinalRetransmits)
		require.Equal(t, 32*time.Second, r.EndedAt)
		w.settled()
		require.Equal(t, siptest.CallerSide, w.first.Records()[0].EndedBy)
		require.EqualValues(t, 1, w.proxy.Stats().Lost)
	})
}

// A dialer that has closed its connection gets what concerns its call where its Contact says.
func TestTCPDialerReconnects(t *testing.T) {
	bubbleTCP(t, siptest.Answer(10*ms, 2*time.Second, 2*time.Second), siptest.Silence(), nil, func(t *testing.T, w *world, dialer *siptest.StreamConn) {
		time.AfterFunc(time.Second, dialer.CloseConns) // while it rings
		time.AfterFunc(2500*ms, dialer.CloseConns)     // during the call
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 200, r.Code())
		w.settled()
		require.Positive(t, dialer.Accepted())
		require.Zero(t, w.proxy.Stats().Lost)
	})
}

// A trunk whose connection cannot be opened is as one that is down: the next one gets the call, and failover is told.
func TestTCPTrunkDown(t *testing.T) {
	quiet := func(c *b2bua.Config) { c.Failover.PingEvery = -1 } // an OPTIONS would have opened a connection before it is refused
	bubbleTCP(t, siptest.Busy(0), siptest.Answer(10*ms, 20*ms, 0), quiet, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		require.NoError(t, w.network.SetRefused("10.0.1.1:5060", true))
		for range 8 {
			require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: ms}).Code())
		}
		require.Zero(t, w.first.Stats().Invites)
		require.Equal(t, 8, w.second.Stats().Answered)
		id := w.proxy.IDs().Trunks.ID("first")
		require.Less(t, w.proxy.Failover().Health(time.Now(), id, 0), 1.0, "it rests")
		w.settled()
	})
}

// Connections that say nothing, or no SIP, are closed and counted, and are no more than the configuration allows; of strangers none is accepted.
func TestTCPBounds(t *testing.T) {
	change := func(c *b2bua.Config) { c.Streams = b2bua.Streams{MaxPerSource: 3, MessageTimeout: 5 * time.Second} }
	bubbleTCP(t, siptest.Answer(0, 0, 0), siptest.Silence(), change, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		dial := func(from string) net.Conn {
			c, err := w.network.DialStream(t.Context(), netip.MustParseAddr(from), netip.MustParseAddrPort("10.0.0.1:5060"))
			require.NoError(t, err)
			return c
		}
		ends := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
		ends(dial("10.9.9.9"))
		a, b := dial("10.0.0.2"), dial("10.0.0.2")
		_, _ = io.WriteString(b, "INVITE sip:")
		c := dial("10.0.0.2")
		ends(dial("10.0.0.2"))
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n")
		ends(c)
		ends(a)
		ends(b)
		synctest.Wait()
		s := w.proxy.Stats()
		require.EqualValues(t, 1, s.Strangers)
		require.EqualValues(t, 1, s.Excess)
		require.EqualValues(t, 2, s.HalfOpen)
		require.EqualValues(t, 1, s.Malformed)
		require.Zero(t, s.Conns)
		require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: ms}).Code())
		w.settled()
	})
}

// files writes certificates where a configuration names them.
type files struct {
	dir       string
	authority *siptest.Authority
}

func (f files) issue(t *testing.T, file, name string, hosts ...string) tls.Certificate {
	t.Helper()
	c, err := f.authority.Issue(name, hosts...)
	require.NoError(t, err)
	f.write(t, file, c)
	return c
}

func (f files) write(t *testing.T, file string, c tls.Certificate) {
	t.Helper()
	cert, key, err := siptest.PEM(c)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, file+".pem"), cert, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, file+".key"), key, 0o600))
}

// TLS on sockets of the kernel's, on both sides: dialers are who their certificate says, carriers get ours, and all of it reloads.
func TestTLSCalls(t *testing.T) {
	for _, local := range []string{"127.0.0.1", "::1"} {
		t.Run(local, func(t *testing.T) { testTLSCalls(t, local) })
	}
}

func testTLSCalls(t *testing.T, local string) {
	at := net.JoinHostPort(local, "0")
	probe, err := net.Listen("tcp", at)
	if err != nil {
		t.Skip("no such address here: ", err)
	}
	require.NoError(t, probe.Close())
	authority, err := siptest.NewAuthority("everybody")
	require.NoError(t, err)
	f := files{t.TempDir(), authority}
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "ca.pem"), authority.PEM(), 0o600))
	f.issue(t, "proxy", "proxy", local)
	pbx := f.issue(t, "pbx", "pbx", "pbx.example")
	other := f.issue(t, "other", "other", "other.example")
	stranger, err := siptest.NewAuthority("somebody")
	require.NoError(t, err)
	selfSigned, err := stranger.Issue("pinned")
	require.NoError(t, err)
	sum := sha256.Sum256(selfSigned.Certificate[0])
	carrierCert := f.issue(t, "carrier", "carrier", local)

	asked := make(chan string, 100)
	l, err := net.Listen("tcp", at)
	require.NoError(t, err)
	carrierEnd, err := siptest.NewStreamConn(siptest.StreamConfig{Listener: l, Server: &tls.Config{
		Certificates: []tls.Certificate{carrierCert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool(),
		VerifyConnection: func(s tls.ConnectionState) error { asked <- s.PeerCertificates[0].Subject.CommonName; return nil },
	}})
	require.NoError(t, err)
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: carrierEnd, Behaviour: siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}})
	require.NoError(t, err)
	defer carrier.Close()

	text := func(names string) []byte {
		return fmt.Appendf(nil, `
listen: %[1]q
carrier_listen: %[1]q
listeners: [{transport: tls, address: %[1]q}, {transport: tcp, address: %[1]q}]
carrier_listeners: [{transport: tls, address: %[1]q}]
tls: {certificate: proxy.pem, key: proxy.key, ca: ca.pem}
carrier_tls: {certificate: proxy.pem, key: proxy.key, ca: ca.pem}
drain_timeout: -1s
dialers:
  - {name: pbx, tls: {names: [%[2]s], fingerprints: ["%[3]X"]}, program: sales}
trunks: [{name: first, carrier: one, transport: tls, address: %[4]q, t100: 30s, pdd: 30s, channels: 100, cps: -1}]
routing: {rules: [{tiers: [{strategy: priority, trunks: [{trunk: first}]}]}]}
cli:
  pools: [{name: sales, program: sales, limits: {caps: [], spacing: -1s}}]
  numbers: [{number: %[5]q, pool: sales, evidence: contract 7}]
  callee: []
`, at, names, sum, carrier.Addr().String(), cli)
	}
	load := func(names string) b2bua.Config {
		cfg, err := b2bua.Load(filepath.Join(f.dir, "outdial.yaml"), text(names))
		require.NoError(t, err)
		return cfg
	}
	w := &world{t: t}
	w.proxy, err = b2bua.New(load("pbx.example"), b2bua.Options{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- w.proxy.Run(ctx) }()
	defer func() {
		stop()
		require.NoError(t, <-ran)
	}()

	// call places a call over TLS and returns its code, 0 where the connection was not taken.
	call := func(target string, client *tls.Config) (code int) {
		t.Helper()
		own, err := net.Listen("tcp", at)
		require.NoError(t, err)
		conn, err := siptest.NewStreamConn(siptest.StreamConfig{Listener: own, Client: client})
		require.NoError(t, err)
		caller, err := siptest.StartCaller(siptest.CallerConfig{Conn: conn})
		require.NoError(t, err)
		defer caller.Close()
		limit, cancel := context.WithTimeout(t.Context(), time.Second)
		if client != nil && len(client.Certificates) > 0 {
			cancel()
			limit, cancel = context.WithTimeout(t.Context(), 30*time.Second)
		}
		defer cancel()
		r, err := caller.Call(limit, target, siptest.CallerCall{To: callee, HangupAfter: ms})
		if err != nil {
			return 0
		}
		return r.Code()
	}
	secure, plain := w.proxy.Addrs()[0].String(), w.proxy.Addrs()[1].String()
	as := func(c ...tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: c, RootCAs: authority.Pool(), ServerName: local}
	}
	require.Equal(t, 200, call(secure, as(pbx)), "a name")
	require.Equal(t, "proxy", <-asked, "the carrier is shown our certificate")
	require.Equal(t, 200, call(secure, as(selfSigned)), "a fingerprint")
	strangers := func() uint64 { return w.proxy.Stats().Strangers }
	require.Zero(t, strangers())
	require.Zero(t, call(secure, as()), "no certificate")
	require.Zero(t, call(plain, nil), "no TLS")
	require.NotZero(t, strangers())

	require.NoError(t, w.proxy.Reload(load("other.example")))
	require.Equal(t, 200, call(secure, as(other)), "by the new configuration")
	f.issue(t, "proxy", "proxy renewed", local)
	require.NoError(t, w.proxy.Reload(load("other.example")))
	state := handshake(t, secure, as(other))
	require.Equal(t, "proxy renewed", state.PeerCertificates[0].Subject.CommonName)
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "proxy.pem"), []byte("nonsense"), 0o600))
	_, err = b2bua.Load(filepath.Join(f.dir, "outdial.yaml"), text("pbx.example"))
	require.ErrorContains(t, err, "tls")
	require.Equal(t, 200, call(secure, as(other)), "what was in force stays")
	old := as(other)
	old.MaxVersion = tls.VersionTLS11
	c, err := tls.Dial("tcp", secure, old)
	if err == nil {
		c.Close()
	}
	require.Error(t, err, "TLS 1.1")
}

func handshake(t *testing.T, addr string, cfg *tls.Config) tls.ConnectionState {
	t.Helper()
	c, err := tls.Dial("tcp", addr, cfg)
	require.NoError(t, err)
	defer c.Close()
	return c.ConnectionState()
}

// sips: promises TLS on every hop: it is refused where the dialer's own is none, and leaves by no other trunk.
func TestSIPS(t *testing.T) {
	bubbleTCP(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		c, err := w.network.DialStream(t.Context(), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddrPort("10.0.0.1:5060"))
		require.NoError(t, err)
		defer c.Close()
		raw, err := siptest.RawInvite("10.0.0.2:5060", "10.0.0.1:5060", cli, callee)
		require.NoError(t, err)
		_, err = c.Write([]byte(strings.Replace(string(raw), "INVITE sip:", "INVITE sips:", 1)))
		require.NoError(t, err)
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		require.NoError(t, err)
		require.Contains(t, string(buf[:n]), "SIP/2.0 416 ")
		require.Zero(t, w.first.Stats().Invites)
	})
}

// A message of 64 KiB is one like any other; its byte more is the end of the connection.
func TestLongMessage(t *testing.T) {
	bubbleTCP(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		for over, want := range map[int]string{0: "SIP/2.0 200 OK", 1: ""} {
			c, err := w.network.DialStream(t.Context(), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddrPort("10.0.0.1:5060"))
			require.NoError(t, err)
			head := "OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bKlong" + fmt.Sprint(over) + "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n" +
				"Call-ID: long\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nX: %s\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("b", 1000)
			go fmt.Fprintf(c, head, strings.Repeat("x", 64<<10+over-len(head)+2)) //nolint:errcheck // it may be cut off
			buf := make([]byte, 4096)
			n, _ := c.Read(buf)
			require.Contains(t, string(buf[:n]), want)
			require.Equal(t, want == "", n == 0)
			c.Close()
		}
	})
}
