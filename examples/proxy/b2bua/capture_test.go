package b2bua_test

import (
	"net"
	"net/netip"
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
