package b2bua_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

// BenchmarkCall is a whole call over loopback sockets: INVITE 100 180 200 ACK, BYE 200, with routing, caller IDs, KPI
// and the journal on. Eight calls are under way at any time. cpu-µs/call is the CPU time of the process for a call, in
// which the far ends below, that only copy header lines, have their share: the same calls without a proxy between them are
// BenchmarkCall/direct.
func BenchmarkCall(b *testing.B) {
	b.Run("direct", func(b *testing.B) {
		uas := newBenchCallee(b)
		benchCalls(b, uas.LocalAddr().String())
	})
	for _, tt := range []struct {
		name   string
		change func(*b2bua.Config)
		log    *slog.Logger
	}{
		{"plain", func(c *b2bua.Config) { c.CLI = nil }, nil},
		{"all", func(c *b2bua.Config) { c.Journal.Dir = b.TempDir() }, nil},
		{"all,remembered", func(c *b2bua.Config) { // for the page: the decision of each call that is over
			c.Journal.Dir, c.Admin.Listen = b.TempDir(), "127.0.0.1:0"
		}, nil},
		{"all,copied", func(c *b2bua.Config) { // to a HEP collector that is not there
			c.Journal.Dir, c.HEP.Collector = b.TempDir(), "127.0.0.1:9"
		}, nil},
		{"all,logged", func(c *b2bua.Config) { c.Journal.Dir = b.TempDir() }, slog.New(slog.NewTextHandler(sink{}, nil))},
	} {
		b.Run(tt.name, func(b *testing.B) {
			uas := newBenchCallee(b)
			cfg := config(uas.LocalAddr().String(), "127.0.0.1:9")
			cfg.Listen, cfg.CarrierListen, cfg.DrainTimeout = "127.0.0.1:0", "127.0.0.1:0", -1
			cfg.MaxCalls = 1 << 20
			cfg.Trunks[0].Channels, cfg.Trunks[0].T100, cfg.Trunks[0].PDD = -1, time.Minute, time.Minute
			tt.change(&cfg)
			p, err := b2bua.New(cfg, b2bua.Options{Logger: tt.log})
			require.NoError(b, err)
			ctx, stop := context.WithCancel(context.Background())
			ran := make(chan error, 1)
			go func() { ran <- p.Run(ctx) }()
			benchCalls(b, p.Addr().String())
			stop()
			require.NoError(b, <-ran)
			require.EqualValues(b, b.N, p.Stats().Answered)
		})
	}
}

// sink is a file that takes no time.
type sink struct{}

func (sink) Write(b []byte) (int, error) { return len(b), nil }

// benchCalls places b.N calls to target.
func benchCalls(b *testing.B, target string) {
	to := netip.MustParseAddrPort(target)
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	require.NoError(b, err)
	defer conn.Close()
	local := conn.LocalAddr().String()
	const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
	send := func(format string, args ...any) {
		_, err := conn.WriteToUDPAddrPort(fmt.Appendf(nil, format, args...), to)
		require.NoError(b, err)
	}
	begun := 0
	invite := func() {
		if begun == b.N {
			return
		}
		begun++
		send("INVITE sip:+12125550123@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKi%d\r\nFrom: <sip:+18885550000@%s>;tag=d%d\r\n"+
			"To: <sip:+12125550123@%s>\r\nCall-ID: %d@bench\r\nCSeq: 1 INVITE\r\nContact: <sip:dialer@%s>\r\nMax-Forwards: 70\r\n"+
			"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", target, local, begun, local, begun, target, begun, local, len(sdp), sdp)
	}
	buf := make([]byte, 65535)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for range 8 {
		invite()
	}
	for done := 0; done < b.N; {
		n, _, err := conn.ReadFromUDPAddrPort(buf)
		require.NoError(b, err)
		msg := buf[:n]
		id, _, _ := bytes.Cut(benchHeader(msg, "Call-ID: "), []byte("@"))
		call, err := strconv.Atoi(string(id))
		require.NoError(b, err)
		within := func(method string, seq int) {
			send("%s sip:callee@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d\r\nFrom: <sip:+18885550000@%s>;tag=d%d\r\n"+
				"To: %s\r\nCall-ID: %d@bench\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
				method, target, local, method, call, local, call, benchHeader(msg, "To: "), call, seq, method)
		}
		switch {
		case bytes.HasPrefix(msg, []byte("SIP/2.0 1")):
		case !bytes.HasPrefix(msg, []byte("SIP/2.0 200")):
			b.Fatalf("%s", msg)
		case bytes.Contains(msg, []byte("CSeq: 1 INVITE")):
			within("ACK", 1)
			within("BYE", 2)
		default:
			done++
			invite()
		}
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1e3/float64(b.N), "cpu-µs/call")
}

// newBenchCallee answers INVITE with 100, 180 and 200, and BYE with 200, until the benchmark is over.
func newBenchCallee(b *testing.B) *net.UDPConn {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	require.NoError(b, err)
	gone := make(chan struct{})
	b.Cleanup(func() {
		_ = conn.Close()
		<-gone
	})
	local := conn.LocalAddr().String()
	go func() {
		defer close(gone)
		in, out := make([]byte, 65535), make([]byte, 0, 4096)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(in)
			if err != nil {
				return
			}
			msg := in[:n]
			respond := func(status, tag, rest string) {
				out = fmt.Appendf(out[:0], "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s", status,
					benchHeader(msg, "Via: "), benchHeader(msg, "From: "), benchHeader(msg, "To: "), tag, benchHeader(msg, "Call-ID: "),
					benchHeader(msg, "CSeq: "), rest)
				_, _ = conn.WriteToUDPAddrPort(out, from)
			}
			const none = "Content-Length: 0\r\n\r\n"
			switch {
			case bytes.HasPrefix(msg, []byte("INVITE ")):
				respond("100 Trying", "", none)
				respond("180 Ringing", ";tag=callee", "Contact: <sip:callee@"+local+">\r\n"+none)
				respond("200 OK", ";tag=callee", "Contact: <sip:callee@"+local+">\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n")
			case bytes.HasPrefix(msg, []byte("BYE ")):
				respond("200 OK", "", none)
			}
		}
	}()
	return conn
}

// benchHeader is the value of the first header line that begins with name.
func benchHeader(msg []byte, name string) []byte {
	_, rest, _ := bytes.Cut(msg, []byte("\r\n"+name))
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return value
}

// cpuTime is what the process has used of the processors so far.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
