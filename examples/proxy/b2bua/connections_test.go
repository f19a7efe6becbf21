package b2bua_test

import (
	"bufio"
	"context"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// metric returns the values of a metric by its labels, joined by a blank.
func (w *world) metric(name string) map[string]float64 {
	w.t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(w.proxy.Metrics()...)
	families, err := reg.Gather()
	require.NoError(w.t, err)
	values := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			values[strings.Join(labels, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return values
}

// Connections are counted where operators look: how many there are, who opened them, which were refused, and why the proxy closed others.
func TestConnectionMetrics(t *testing.T) {
	change := func(c *b2bua.Config) {
		c.Streams = b2bua.Streams{MaxPerSource: 2, MessageTimeout: 5 * time.Second, IdleTimeout: time.Minute}
		c.Failover.PingEvery = -1
	}
	bubbleTCP(t, siptest.Answer(0, 0, 0), siptest.Silence(), change, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: ms}).Code())
		require.Equal(t, map[string]float64{"side=carriers": 1, "side=dialers": 1}, w.metric("outdial_sip_connections"))
		dial := func(from string) io.ReadWriteCloser {
			c, err := w.network.DialStream(t.Context(), netip.MustParseAddr(from), netip.MustParseAddrPort("10.0.0.1:5060"))
			require.NoError(t, err)
			return c
		}
		dial("10.9.9.9")
		synctest.Wait()
		half, excess := dial("10.0.0.2"), dial("10.0.0.2")
		_, _ = io.Copy(io.Discard, excess)
		_, _ = io.Copy(io.Discard, half)
		synctest.Wait() // it counts no more for its source
		wrong := dial("10.0.0.2")
		_, _ = io.WriteString(wrong, "GET / HTTP/1.1\r\n")
		_, _ = io.Copy(io.Discard, wrong)
		require.NoError(t, w.network.SetRefused("10.0.1.2:5060", true))
		w.settled()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		opened := w.metric("outdial_sip_connections_opened_total")
		require.Equal(t, map[string]float64{"by=peer side=carriers": 0, "by=us side=carriers": 1, "by=peer side=dialers": 3, "by=us side=dialers": 0}, opened)
		require.Equal(t, map[string]float64{
			"side=carriers why=unreachable": 0, "side=carriers why=unwelcome": 0, "side=dialers why=unreachable": 0, "side=dialers why=unwelcome": 2,
		}, w.metric("outdial_sip_connections_refused_total"))
		closed := w.metric("outdial_sip_connections_closed_total")
		require.Equal(t, map[string]float64{"idle": 1, "half_open": 1, "slow": 0, "malformed": 1}, map[string]float64{
			"idle": closed["side=dialers why=idle"], "half_open": closed["side=dialers why=half_open"], "slow": closed["side=dialers why=slow"],
			"malformed": closed["side=dialers why=malformed"],
		})
		require.Len(t, closed, 8)
		require.Zero(t, w.metric("outdial_sip_connections")["side=dialers"])
		require.Len(t, w.metric("outdial_proxy_carrier_messages_dropped_total"), 4)
	})
}

// A request that was lost with the dialer's connection is sent once more, over another one.
func TestRequestCrossesTheEnd(t *testing.T) {
	change := func(c *b2bua.Config) { c.Failover.PingEvery = -1 }
	bubbleTCP(t, siptest.Answer(0, 0, 2*time.Second), siptest.Silence(), change, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		listener, err := w.network.ListenStream("10.0.0.2:7000")
		require.NoError(t, err)
		defer listener.Close()
		conn, err := w.network.DialStream(t.Context(), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddrPort("10.0.0.1:5060"))
		require.NoError(t, err)
		raw, err := siptest.RawInvite("10.0.0.2:7000", "10.0.0.1:5060", cli, callee)
		require.NoError(t, err)
		invite := strings.Replace(string(raw), "SIP/2.0/UDP", "SIP/2.0/TCP", 1)
		_, err = io.WriteString(conn, invite)
		require.NoError(t, err)
		in := bufio.NewReader(conn)
		next := func(in *bufio.Reader, start string) string {
			for {
				msg := readMessage(t, in)
				if strings.HasPrefix(msg, start) {
					return msg
				}
			}
		}
		ok := next(in, "SIP/2.0 200 ")
		head, _, _ := strings.Cut(invite, "Content-")
		_, err = io.WriteString(conn, withBody(strings.NewReplacer("INVITE ", "ACK ", "1 INVITE", "1 ACK", "To: "+header(invite, "To"), "To: "+header(ok, "To"), "branch=z9hG4bK", "branch=z9hG4bKa").Replace(head), "", nil))
		require.NoError(t, err)
		bye := next(in, "BYE ")
		require.NoError(t, conn.Close()) // it was on its way when the dialer closed
		start := time.Now()
		again, err := listener.Accept()
		require.NoError(t, err)
		defer again.Close()
		require.Equal(t, bye, next(bufio.NewReader(again), "BYE "))
		require.LessOrEqual(t, time.Since(start), 4*time.Second)
		answer := "SIP/2.0 200 OK\r\n"
		for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			answer += name + ": " + header(bye, name) + "\r\n"
		}
		_, err = io.WriteString(again, answer+"Content-Length: 0\r\n\r\n")
		require.NoError(t, err)
		w.settled()
		require.Less(t, time.Since(start), 5*time.Second)
	})
}

// readMessage reads a SIP message off a connection.
func readMessage(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	head := ""
	for !strings.HasSuffix(head, "\r\n\r\n") {
		l, err := r.ReadString('\n')
		require.NoError(t, err)
		head += l
	}
	n, err := strconv.Atoi(header(head, "Content-Length"))
	require.NoError(t, err)
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	require.NoError(t, err)
	return head + string(body)
}

// After a load over TCP, whoever opens and closes the connections, memory and goroutines are what they were.
func TestMemoryAfterLoadOverTCP(t *testing.T) {
	change := func(c *b2bua.Config) { c.Failover.PingEvery = -1 }
	bubbleTCP(t, siptest.Answer(ms, ms, 0), siptest.Silence(), change, func(t *testing.T, w *world, dialer *siptest.StreamConn) {
		load := func() {
			results := make(chan *siptest.CallResult, 100)
			for i := range cap(results) {
				call := siptest.CallerCall{To: callee, HangupAfter: time.Second}
				if i%3 == 0 {
					call.CancelAfter = ms / 2
				}
				go func() {
					r, err := w.caller.Call(context.Background(), w.proxy.Addr().String(), call)
					if err != nil {
						t.Error(err)
					}
					results <- r
				}()
				time.Sleep(5 * ms)
				if i%25 == 24 {
					dialer.CloseConns()
				}
			}
			for range cap(results) {
				<-results
			}
			w.settled()
			time.Sleep(siptest.DrainTime)
			synctest.Wait()
		}
		load()
		load()
		memory, goroutines := heap(), siptest.Goroutines()
		for range 4 {
			load()
		}
		require.LessOrEqual(t, siptest.Goroutines(), goroutines+4, "the connections of the last calls")
		require.Less(t, heap(), memory+memory/20+(1<<20))
		require.Zero(t, w.first.Stats().Channels)
	})
}
