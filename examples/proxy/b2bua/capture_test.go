package b2bua_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/hep"
	"github.com/outdial/outdial/internal/siptest"
)

// A collector gets every message of both sides of a call, under one correlation though each leg has a Call-ID of its own.
func TestCapture(t *testing.T) {
	collector, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer collector.Close()
	require.NoError(t, collector.(*net.UDPConn).SetReadBuffer(1<<20))
	var w *world
	t.Run("call", func(t *testing.T) { // its end is the end of the world
		w = loopback(t, siptest.Reject(503, "Full"), siptest.Answer(0, 0, 0), func(c *b2bua.Config) {
			c.HEP = b2bua.HEP{Collector: collector.LocalAddr().String(), Agent: 2001, Key: "secret", Node: "edge-1"}
		})
		require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: 20 * ms}).Code())
	})
	stats := w.proxy.Captured()
	require.Zero(t, stats.Dropped+stats.Failed)
	seen, correlations, legs := map[string][]string{}, map[string]bool{}, map[string]bool{}
	names := map[netip.AddrPort]string{
		w.proxy.Addr(): "proxy", w.proxy.CarrierAddr(): "proxy", w.caller.Addr(): "dialer", w.first.Addr(): "first", w.second.Addr(): "second",
	}
	buf := make([]byte, 65535)
	for range stats.Sent { // they are in the socket: it is the loopback interface
		n, _, err := collector.ReadFrom(buf)
		require.NoError(t, err)
		p, id, err := hep.Parse(buf[:n])
		require.NoError(t, err)
		require.Equal(t, hep.Identity{Agent: 2001, Key: "secret", Node: "edge-1"}, id)
		require.Equal(t, hep.UDP, p.Transport)
		text := string(p.Payload)
		what, _, _ := strings.Cut(text, " sip:")
		what, _, _ = strings.Cut(strings.TrimPrefix(what, "SIP/2.0 "), " ")
		path := names[p.From] + "→" + names[p.To]
		seen[path] = append(seen[path], what)
		if what == "OPTIONS" || strings.Contains(text, "OPTIONS\r\n") {
			continue
		}
		correlations[p.Correlation] = true
		_, id2, _ := strings.Cut(text, "Call-ID: ")
		id2, _, _ = strings.Cut(id2, "\r\n")
		legs[id2] = true
	}
	require.Len(t, correlations, 1)
	require.Len(t, legs, 3, "the dialer's dialog and two legs")
	require.Subset(t, seen["dialer→proxy"], []string{"INVITE", "ACK", "BYE"})
	require.Subset(t, seen["proxy→dialer"], []string{"100", "200"})
	require.Subset(t, seen["proxy→first"], []string{"INVITE", "ACK"})
	require.Subset(t, seen["first→proxy"], []string{"503"})
	require.Subset(t, seen["proxy→second"], []string{"INVITE", "ACK", "BYE"})
	require.Subset(t, seen["second→proxy"], []string{"200"})
	require.NotContains(t, seen, "→")
}

// Over TCP and TLS too: in clear, once each, between the addresses that the messages went between.
func TestCaptureOfStreams(t *testing.T) {
	for _, transport := range []string{"tcp", "tls"} {
		t.Run(transport, func(t *testing.T) { testCaptureOfStreams(t, transport) })
	}
}

func testCaptureOfStreams(t *testing.T, transport string) {
	collector, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer collector.Close()
	require.NoError(t, collector.(*net.UDPConn).SetReadBuffer(1<<20))
	authority, err := siptest.NewAuthority("everybody")
	require.NoError(t, err)
	f := files{t.TempDir(), authority}
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "ca.pem"), authority.PEM(), 0o600))
	f.issue(t, "proxy", "proxy", "127.0.0.1")
	end := func(name string) siptest.StreamConfig {
		if transport == "tcp" {
			return siptest.StreamConfig{}
		}
		own := f.issue(t, name, name, "127.0.0.1")
		return siptest.StreamConfig{
			Server: &tls.Config{Certificates: []tls.Certificate{own}},
			Client: &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: authority.Pool(), ServerName: "127.0.0.1"},
		}
	}
	w := &world{t: t}
	carrier := func(name string, s siptest.Script) *siptest.Carrier {
		conn, err := siptest.NewStreamConn(end(name))
		require.NoError(t, err)
		c, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: conn, Behaviour: siptest.Behaviour{Script: s}})
		require.NoError(t, err)
		return c
	}
	w.first, w.second = carrier("first", siptest.Reject(503, "Full")), carrier("second", siptest.Answer(0, 0, 0))
	conn, err := siptest.NewStreamConn(end("dialer"))
	require.NoError(t, err)
	w.caller, err = siptest.StartCaller(siptest.CallerConfig{Conn: conn})
	require.NoError(t, err)
	cfg, err := b2bua.Load(filepath.Join(f.dir, "outdial.yaml"), fmt.Appendf(nil, `
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
listeners: [{transport: %[1]s, address: "127.0.0.1:0"}]
carrier_listeners: [{transport: %[1]s, address: "127.0.0.1:0"}]
tls: {certificate: proxy.pem, key: proxy.key, ca: ca.pem}
carrier_tls: {certificate: proxy.pem, key: proxy.key, ca: ca.pem}
hep: {collector: %[2]q, agent: 7}
dialers: [{name: test, sources: [127.0.0.1], program: sales}]
trunks:
  - {name: first, carrier: one, transport: %[1]s, address: %[3]q, t100: 30s, pdd: 30s, channels: 10, cps: -1}
  - {name: second, carrier: two, transport: %[1]s, address: %[4]q, t100: 30s, pdd: 30s, channels: 10, cps: -1}
routing: {rules: [{tiers: [{strategy: priority, trunks: [{trunk: first}, {trunk: second}]}]}]}
failover: {ping_every: -1s}
cli:
  pools: [{name: sales, program: sales, limits: {caps: [], spacing: -1s}}]
  numbers: [{number: %[5]q, pool: sales, evidence: contract 7}]
  callee: []
`, transport, collector.LocalAddr().String(), w.first.Addr().String(), w.second.Addr().String(), cli))
	require.NoError(t, err)
	w.run(cfg, b2bua.Options{})
	r, err := w.caller.Call(t.Context(), w.proxy.Addrs()[0].String(), siptest.CallerCall{To: callee, HangupAfter: 20 * ms})
	require.NoError(t, err)
	require.Equal(t, 200, r.Code())
	w.close()

	names := map[netip.AddrPort]string{
		w.proxy.Addrs()[0]: "proxy", w.proxy.CarrierAddrs()[0]: "proxy", w.first.Addr(): "first", w.second.Addr(): "second",
	}
	name := func(a netip.AddrPort) string {
		if n := names[a]; n != "" {
			return n
		}
		return "dialer" // the port of its connection
	}
	seen, dialers, correlations := map[string]map[string]int{}, map[netip.AddrPort]bool{}, map[string]bool{}
	buf := make([]byte, 65535)
	stats := w.proxy.Captured()
	require.Zero(t, stats.Dropped+stats.Failed)
	for range stats.Sent {
		n, _, err := collector.ReadFrom(buf)
		require.NoError(t, err)
		p, _, err := hep.Parse(buf[:n])
		require.NoError(t, err)
		require.Equal(t, hep.TCP, p.Transport)
		what := string(p.Payload[:bytes.IndexByte(p.Payload, '\r')])
		what, _, _ = strings.Cut(strings.TrimPrefix(what, "SIP/2.0 "), " ")
		from, to := name(p.From), name(p.To)
		for end, a := range map[string]netip.AddrPort{from: p.From, to: p.To} {
			if end == "dialer" {
				dialers[a] = true
			}
		}
		if seen[from+"→"+to] == nil {
			seen[from+"→"+to] = map[string]int{}
		}
		cseq := header(string(p.Payload), "CSeq")
		seen[from+"→"+to][what+" "+cseq[strings.IndexByte(cseq, ' ')+1:]]++
		correlations[p.Correlation] = true
	}
	require.Len(t, correlations, 1)
	require.Len(t, dialers, 1, "the end of the connection, in both directions")
	require.Equal(t, map[string]int{"INVITE INVITE": 1, "ACK ACK": 1, "BYE BYE": 1}, seen["dialer→proxy"])
	require.Equal(t, 1, seen["proxy→dialer"]["100 INVITE"])
	require.Equal(t, 1, seen["proxy→dialer"]["200 BYE"])
	require.Equal(t, map[string]int{"INVITE INVITE": 1, "ACK ACK": 1}, seen["proxy→first"])
	require.Equal(t, 1, seen["first→proxy"]["503 INVITE"])
	require.Equal(t, map[string]int{"INVITE INVITE": 1, "ACK ACK": 1, "BYE BYE": 1}, seen["proxy→second"])
	require.Equal(t, 1, seen["second→proxy"]["200 BYE"])
}

// A collector that is not there, and one that cannot be, cost no call.
func TestCaptureWithoutACollector(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:9", "collector.invalid:9060"} {
		w := loopback(t, siptest.Answer(0, 0, 0), siptest.Silence(), func(c *b2bua.Config) { c.HEP = b2bua.HEP{Collector: addr, Queue: 1} })
		require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: ms}).Code())
	}
}

func TestCaptureIsChecked(t *testing.T) {
	cfg := config("127.0.0.1:1", "127.0.0.1:2")
	cfg.HEP = b2bua.HEP{Collector: "homer", Queue: -1}
	err := cfg.Validate()
	require.ErrorContains(t, err, "hep.collector: ")
	require.ErrorContains(t, err, "hep.queue: ")
}
