package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

var update = flag.Bool("update", false, "write the golden report")

func answering() siptest.Behaviour {
	return siptest.Behaviour{Script: siptest.Answer(300*ms, 500*ms, 0)}
}

// TestReport: a host with a public address, and everything well. The file has the ports, the kind of NAT and the result.
func TestReport(t *testing.T) {
	r := inWorld(t, answering(), sendBack, func(w *world) {
		w.stunServer("198.51.100.1:3478")
		w.stunServer("198.51.100.2:3478")
	}, "-stun", "198.51.100.1,198.51.100.2:3478", "-rtp", "10000-10009")
	require.Empty(t, r.findings)
	require.Equal(t, 250, r.call.audio.sent)
	require.Equal(t, 250, r.call.audio.echoed())
	require.Equal(t, 40*ms, r.call.audio.quantile(0.95))
	text := r.markdown()
	if *update {
		require.NoError(t, os.WriteFile("testdata/network.md", text, 0o644))
	}
	want, err := os.ReadFile("testdata/network.md")
	require.NoError(t, err)
	require.Equal(t, string(want), string(text))
}

// byKey are the three kinds of mapping of RFC 4787 §4.1.
var (
	independent = func(netip.AddrPort, netip.AddrPort) netip.AddrPort { return netip.AddrPort{} }
	byAddr      = func(_, to netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(to.Addr(), 0) }
	byAddrPort  = func(_, to netip.AddrPort) netip.AddrPort { return to }
)

// TestNATIsNamed: three kinds of NAT, named by what a carrier and STUN servers see. Behind each one, what our messages name is found.
func TestNATIsNamed(t *testing.T) {
	const private = "The carrier sees in our INVITE contact-private"
	for name, tc := range map[string]struct {
		behind func(_, to netip.AddrPort) netip.AddrPort
		args   []string
		want   string

		dependent bool
	}{
		"independent":         {independent, []string{"-stun", "198.51.100.1:3478"}, "endpoint-independent mapping", false},
		"by address":          {byAddr, []string{"-stun", "198.51.100.1:3478,198.51.100.1:3479"}, "address-dependent mapping", true},
		"by address and port": {byAddrPort, []string{"-stun", "198.51.100.1:3478,198.51.100.1:3479"}, "address-and-port-dependent mapping", true},
		"by one of the two":   {byAddr, []string{"-stun", "198.51.100.1:3478"}, "address-dependent or address-and-port-dependent mapping", true},
		"asked over SIP":      {independent, []string{"-second", "sip:198.51.100.1:5060"}, "endpoint-independent mapping", false},
		"one place only":      {byAddrPort, nil, "NAT, kind of mapping unknown", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := inWorld(t, answering(), sendBack, func(w *world) {
				w.behind = tc.behind
				w.stunServer("198.51.100.1:3478")
				w.stunServer("198.51.100.1:3479")
				w.sipPeer("198.51.100.1:5060", func(sent string, from netip.AddrPort) string {
					return strings.Replace(sent, "rport", "received="+from.Addr().String()+";rport="+port(from), 1)
				})
			}, tc.args...)
			require.Equal(t, tc.want, r.nat.name)
			require.Equal(t, natAddr, r.nat.public.Addr().String())
			require.Equal(t, tc.dependent, r.nat.dependent)
			require.True(t, found(r, private), "%v", r.findings)
			require.True(t, found(r, "The carrier sees in our INVITE media-private"))
			require.Equal(t, r.nat.dependent, found(r, "a port that one place learns does not lead here from another"))
			require.Contains(t, string(r.markdown()), "no, 5060 is seen as ")
			require.Equal(t, 250, r.call.audio.echoed(), "the carrier answers to where audio comes from")
		})
	}
}

func port(a netip.AddrPort) string { _, p, _ := net.SplitHostPort(a.String()); return p }

// found says whether a finding says so.
func found(r *report, text string) bool {
	for _, f := range r.findings {
		if strings.Contains(f.what, text) && f.fix != "" {
			return true
		}
	}
	return false
}

// TestFindings: each fault of the network or the carrier gives its own finding, and no other.
func TestFindings(t *testing.T) {
	script := func(s siptest.Script) siptest.Behaviour { return siptest.Behaviour{Script: s} }
	mute := answering()
	mute.Options = -1
	media := answering()
	media.Script.Media = &siptest.Media{}
	for name, tc := range map[string]struct {
		carrier siptest.Behaviour
		reply   func(*world, net.PacketConn) func([]byte, net.Addr)
		arrange func(*world)
		args    []string
		want    []string
	}{
		"one-way audio": {answering(), nil, nil, nil, []string{"One-way audio: 250 packets were sent to 203.0.113.6:30000, and none came back"}},
		"busy":          {script(siptest.Busy(100 * ms)), nil, nil, nil, []string{"not answered: 486"}},
		"503":           {script(siptest.Unavailable(0)), nil, nil, nil, []string{"not answered: 503"}},
		"cause":         {script(siptest.Reject(404, "Not here", siptest.Reason(1, "gone"))), nil, nil, nil, []string{"404 Not here, Q.850 1"}},
		"no response":   {script(siptest.Silence()), nil, nil, nil, []string{"nothing at all came back"}},
		"100 alone":     {script(siptest.TryingOnly()), nil, nil, nil, []string{"100 came, and nothing beyond it"}},
		"rings on":      {script(siptest.RingForever(100 * ms)), nil, nil, nil, []string{"it rang, and nobody answered"}},
		"no OPTIONS":    {mute, sendBack, nil, nil, []string{"does not answer OPTIONS, but calls"}},
		"no echo":       {media, nil, nil, nil, []string{"but none of ours"}},
		"hangs up": {
			script(siptest.Answer(100*ms, 100*ms, 2*time.Second)), sendBack, nil, nil, []string{"hung up after 2.0 s"},
		},
		"loss": {answering(), func(w *world, c net.PacketConn) func([]byte, net.Addr) {
			n := 0
			return func(b []byte, to net.Addr) {
				if n++; n%10 != 0 {
					_, _ = c.WriteTo(b, to)
				}
			}
		}, nil, nil, []string{"10.0 % of the packets did not come back"}},
		"far away": {answering(), sendBack, func(w *world) {
			w.network.SetLink("203.0.113.99", "203.0.113.6", siptest.Link{Latency: 400 * ms})
		}, nil, []string{"The round trip takes 420.0 ms"}},
		"jitter": {answering(), sendBack, func(w *world) {
			w.network.SetLink("203.0.113.6", "203.0.113.99", siptest.Link{Latency: 20 * ms, Reorder: 0.3, ReorderBy: 200 * ms})
		}, nil, []string{"The jitter is"}},
		"from elsewhere": {answering(), func(w *world, c net.PacketConn) func([]byte, net.Addr) {
			other := w.socket("203.0.113.7:30000")
			w.close = append(w.close, func() { other.Close() })
			return func(b []byte, to net.Addr) { _, _ = other.WriteTo(b, to) }
		}, nil, nil, []string{"RTP came from 203.0.113.7:30000, but the answer says 203.0.113.6:30000"}},
		"ports taken": {answering(), sendBack, func(w *world) {
			w.taken = map[uint16]bool{10000: true, 10001: true, 10004: true}
		}, []string{"-rtp", "10000-10009"}, []string{"3 of 10 RTP ports cannot be bound: 10000-10001, 10004 (permission denied)"}},
		"no rport": {answering(), sendBack, func(w *world) {
			w.sipPeer("203.0.113.8:5060", func(sent string, _ netip.AddrPort) string { return strings.TrimSuffix(sent, ";rport") })
		}, []string{"-second", "sip:203.0.113.8"}, []string{"its Via has no rport"}},
		"SIP ALG": {answering(), sendBack, func(w *world) {
			w.sipPeer("203.0.113.8:5060", func(sent string, from netip.AddrPort) string {
				return strings.Replace(strings.Replace(sent, from.String(), "10.9.9.9:1", 1), "rport", "received=203.0.113.99;rport=5060", 1)
			})
		}, []string{"-second", "sip:203.0.113.8:5060"}, []string{"Our Via came back from sip:203.0.113.8:5060 as 10.9.9.9:1"}},
		"STUN is silent": {answering(), sendBack, nil, []string{"-stun", "198.51.100.1", "-wait", "3s"}, []string{"STUN server 198.51.100.1: no answer within 3s"}},
		"STUN is broken": {answering(), sendBack, func(w *world) {
			w.peer("198.51.100.1:3478", func(request []byte, from netip.AddrPort) []byte { return stunResponse(request, from)[:24] })
		}, []string{"-stun", "198.51.100.1"}, []string{"a STUN message of 24 bytes says that it has 32"}},
		"wrong address advertised": {
			answering(), sendBack, func(w *world) { w.behind = independent },
			[]string{"-advertise", "198.51.100.78"},
			[]string{"-advertise is 198.51.100.78, but 198.51.100.77 is seen"},
		},
		"advertised": {answering(), sendBack, func(w *world) { w.behind = independent }, []string{"-advertise", natAddr}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := inWorld(t, tc.carrier, tc.reply, tc.arrange, tc.args...)
			for _, want := range tc.want {
				require.True(t, found(r, want), "%v", r.findings)
			}
			require.Len(t, r.findings, len(tc.want), "%v", r.findings)
			text := string(r.markdown())
			for _, section := range []string{"## Ports", "## NAT\n\nType: **", "## Echo test call", "## Findings"} {
				require.Contains(t, text, section)
			}
			for _, want := range tc.want {
				require.Contains(t, text, want)
			}
		})
	}
}

// TestNobodyThere: neither OPTIONS nor the call is answered: two findings, and what is not known is called so.
func TestNobodyThere(t *testing.T) {
	r := inWorld(t, siptest.Behaviour{Script: siptest.Silence(), Options: -1}, nil, nil)
	require.Len(t, r.findings, 2)
	require.Equal(t, "unknown", r.nat.name)
	require.True(t, found(r, "OPTIONS to sip:echo@203.0.113.5:5060: no answer within 8s"))
}

// TestCommand runs the whole program on real sockets.
func TestCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "network.md")
	var out, errs bytes.Buffer
	code := command(t.Context(), []string{"-to", "sip:echo@" + loopback(t), "-seconds", "1", "-wait", "30s", "-o", file}, &out, &errs)
	require.Empty(t, errs.String())
	require.Contains(t, []int{0, 2}, code, "a busy machine may lose packets or jitter")
	require.Equal(t, code == 0, strings.HasPrefix(out.String(), "pass; see "))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	masked := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(string(text), "HERE")
	for _, want := range []string{"| SIP, local | HERE |", "| RTP of the test call, local | HERE |", "Type: **no NAT**", "| answered | yes, 200 after ", "| packets sent | 50 |"} {
		require.Contains(t, masked, want)
	}

	require.Equal(t, 0, command(t.Context(), []string{"-h"}, &out, &errs))
	require.Contains(t, out.String(), "-advertise")
	busy, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer busy.Close()
	require.Equal(t, 1, command(t.Context(), []string{"-to", "sip:a@127.0.0.1", "-sip", busy.LocalAddr().String()}, &out, &errs))
	require.Contains(t, errs.String(), "preflight: -sip: ")
}

func TestWrongFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                                         "-to: it is needed",
		"-to tel:+12125550123":                     "-to: \"tel:+12125550123\" is not a URI",
		"-to sips:a@127.0.0.1":                     "is not a URI",
		"-to sip:127.0.0.1":                        "no user part",
		"-to sip:a@127.0.0.1;transport=tcp":        "only UDP",
		"-to sip:a%20b@127.0.0.1":                  "other characters",
		"-to sip:a@127.0.0.1 -seconds 0":           "-seconds: 0 is not in 1..120",
		"-to sip:a@127.0.0.1 -wait -1s":            "-wait: -1s",
		"-to sip:a@127.0.0.1 -rtp 20-10":           "-rtp: ",
		"-to sip:a@127.0.0.1 -rtp 10":              "-rtp: ",
		"-to sip:a@127.0.0.1 -stun 127.0.0.1:x":    "-stun: ",
		"-to sip:a@127.0.0.1 -advertise me":        "-advertise: ",
		"-to sip:a@127.0.0.1 -from 12":             "-from: ",
		"-to sip:a@127.0.0.1 -sip 5060":            "-sip: ",
		"-to sip:a@127.0.0.1 -sip 0.0.0.0:5060":    "-sip: ",
		"-to sip:a@127.0.0.1 -sip :15 -rtp 10-20":  "within -rtp",
		"-to sip:a@127.0.0.1 -second x":            "-second: ",
		"-to sip:a@127.0.0.1 -nonsense":            "not defined",
		"-to sip:a@127.0.0.1 -rtp 0-1 -from 1 and": "-rtp: ",
	} {
		var out, errs bytes.Buffer
		require.Equal(t, 1, command(t.Context(), strings.Fields(args), &out, &errs), args)
		require.Contains(t, errs.String(), want, args)
		require.Empty(t, out.String())
	}
}

// TestEchoIsKnown: an echo is known by its samples, wherever they begin; what others send is not.
func TestEchoIsKnown(t *testing.T) {
	a := audio{sent: 1000}
	copy(a.mark[:], quiet[4:])
	for i := range uint16(1000) {
		whole := a.packet(i, i, 0, 1)
		for cut := range 100 {
			packet := append(bytes.Clone(whole[:12]), whole[12+cut:]...)
			got, ok := a.index(packet)
			require.True(t, ok)
			require.Equal(t, int(i), got)
		}
	}
	for _, b := range [][]byte{nil, make([]byte, 12), append(make([]byte, 12), a.mark[:]...), a.packet(1000, 0, 0, 1)} {
		_, ok := a.index(b)
		require.False(t, ok)
	}
}

func stunResponse(request []byte, seen netip.AddrPort) []byte {
	addr := seen.Addr().AsSlice()
	b := append([]byte{0x01, 0x01, 0, byte(8 + len(addr))}, request[4:20]...)
	b = append(b, 0x00, 0x20, 0, byte(4+len(addr)), 0, byte(map[int]int{4: 1, 16: 2}[len(addr)]))
	b = binary.BigEndian.AppendUint16(b, seen.Port()^0x2112)
	for i, c := range addr {
		b = append(b, c^request[4+i])
	}
	return b
}
