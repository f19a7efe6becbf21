package b2bua_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// A peer is a far end that a test writes by hand, message by message.
type peer struct {
	t     *testing.T
	conn  *siptest.Conn
	local string
	proxy string // where its messages go

	request string // the INVITE between it and the proxy
	us, him string // From and To of requests of its own within the dialog
	target  string // their Request-URI
	seq     int
}

func (w *world) peer(local, proxy string) *peer {
	w.t.Helper()
	conn, err := w.network.Listen(local)
	require.NoError(w.t, err)
	return &peer{t: w.t, conn: conn, local: local, proxy: proxy, seq: 1}
}

func (p *peer) send(msg string) {
	p.t.Helper()
	_, err := p.conn.WriteToUDPAddrPort([]byte(msg), netip.MustParseAddrPort(p.proxy))
	require.NoError(p.t, err)
}

// expect returns the next message, which has to begin like this.
func (p *peer) expect(start string) string {
	p.t.Helper()
	msg := p.next(time.Minute)
	require.True(p.t, strings.HasPrefix(msg, start), "%s: want %q, got:\n%s", p.local, start, msg)
	return msg
}

// silent waits, and demands that nothing comes.
func (p *peer) silent(wait time.Duration) {
	p.t.Helper()
	require.Empty(p.t, p.next(wait), p.local)
}

func (p *peer) next(wait time.Duration) string {
	p.t.Helper()
	require.NoError(p.t, p.conn.SetReadDeadline(time.Now().Add(wait)))
	buf := make([]byte, 65535)
	n, _, err := p.conn.ReadFrom(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

// respond answers a request, with header lines; a line that begins a body ends them.
func (p *peer) respond(req, status, body string, lines ...string) {
	p.t.Helper()
	msg := "SIP/2.0 " + status + "\r\n"
	head, _, _ := strings.Cut(req, "\r\n\r\n")
	for _, l := range strings.Split(head, "\r\n")[1:] {
		switch name, _, _ := strings.Cut(l, ":"); name {
		case "To":
			if !strings.Contains(l, ";tag=") && !strings.HasPrefix(status, "100") {
				l += ";tag=callee"
			}
			fallthrough
		case "Via", "From", "Call-ID", "CSeq", "Record-Route":
			msg += l + "\r\n"
		}
	}
	p.send(withBody(msg, body, lines))
}

// tagged is a request as a fork with this To tag answers it.
func tagged(req, tag string) string {
	return strings.Replace(req, "\r\nCall-ID", ";tag="+tag+"\r\nCall-ID", 1)
}

// withBody ends a message; the line "Content-Type: " leaves that header field out.
func withBody(head, body string, lines []string) string {
	for _, l := range lines {
		head += l + "\r\n"
	}
	if body != "" && !strings.Contains(head, "\r\nContent-Type: ") {
		head += "Content-Type: application/sdp\r\n"
	}
	head = strings.Replace(head, "Content-Type: \r\n", "", 1)
	return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// ask sends a request within the dialog, and returns it.
func (p *peer) ask(method, body string, lines ...string) string {
	p.t.Helper()
	if method != "ACK" {
		p.seq++
	}
	msg := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"+
		"CSeq: %d %s\r\nContact: <sip:%s>\r\n", method, p.target, p.local, method, p.seq, p.us, p.him, header(p.request, "Call-ID"), p.seq, method, p.local)
	msg = withBody(msg, body, lines)
	p.send(msg)
	return msg
}

// ackFailure acknowledges the failure of the last INVITE of its own: the ACK belongs to that transaction.
func (p *peer) ackFailure() {
	p.t.Helper()
	p.send(fmt.Sprintf("ACK %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKINVITE%d;rport\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: %d ACK\r\nContent-Length: 0\r\n\r\n", p.target, p.local, p.seq, p.us, p.him, header(p.request, "Call-ID"), p.seq))
	synctest.Wait()
}

func contact(msg string) string { return strings.Trim(header(msg, "Contact"), "<>") }

const (
	offerSDP  = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
	answerSDP = "v=0\r\no=- 1 1 IN IP4 10.0.1.9\r\ns=-\r\nc=IN IP4 10.0.1.9\r\nt=0 0\r\nm=audio 50000 RTP/AVP 0\r\n"
)

// A flow is one call between a dialer and a carrier that are both written by hand.
type flow struct {
	*world
	dialer, carrier *peer
	answer          string // the 200 that the dialer has
}

// begin sends the dialer's INVITE, and returns the flow when the carrier has it.
func (w *world) begin(body string, lines ...string) *flow {
	w.t.Helper()
	f := &flow{world: w, dialer: w.peer("10.0.0.2:7000", proxyAddr), carrier: w.peer("10.0.1.9:5060", "10.0.0.1:5080")}
	head, _, _ := strings.Cut(string(invite(w.t)), "Content-")
	f.dialer.request = withBody(head, body, lines)
	f.dialer.send(f.dialer.request)
	f.dialer.expect("SIP/2.0 100 ")
	f.carrier.request = f.carrier.expect("INVITE ")
	return f
}

// up answers the call, with header lines of the carrier's.
func (f *flow) up(lines ...string) {
	f.t.Helper()
	d, c := f.dialer, f.carrier
	c.respond(c.request, "200 OK", answerSDP, append(lines, "Contact: <sip:"+c.local+">")...)
	f.answer = d.expect("SIP/2.0 200 ")
	c.us, c.him, c.target = header(c.request, "To")+";tag=callee", header(c.request, "From"), contact(c.request)
	d.us, d.him, d.target = header(d.request, "From"), header(f.answer, "To"), contact(f.answer)
	d.ask("ACK", "")
	c.expect("ACK ")
	synctest.Wait()
}

// down hangs up from the dialer's side, and closes the sockets.
func (f *flow) down() {
	f.t.Helper()
	f.dialer.ask("BYE", "")
	f.dialer.expect("SIP/2.0 200 ")
	f.carrier.respond(f.carrier.expect("BYE "), "200 OK", "")
	f.gone()
}

// gone waits until nothing is left of the call, and closes the sockets.
func (f *flow) gone() {
	f.t.Helper()
	f.settled()
	time.Sleep(siptest.DrainTime) // transactions of the carrier's requests
	require.NoError(f.t, f.dialer.conn.Close())
	require.NoError(f.t, f.carrier.conn.Close())
}

// flows runs f on a call that has reached the carrier.
func flows(t *testing.T, change func(*b2bua.Config), body string, lines []string, f func(t *testing.T, f *flow)) {
	t.Helper()
	to := func(c *b2bua.Config) {
		c.Trunks[0].Address = "10.0.1.9:5060"
		c.Failover.PingEvery = -1
		if change != nil {
			change(c)
		}
	}
	bubble(t, siptest.Silence(), siptest.Silence(), to, func(t *testing.T, w *world) { f(t, w.begin(body, lines...)) })
}

// answered runs f on a call that is up.
func answered(t *testing.T, f func(t *testing.T, f *flow)) {
	t.Helper()
	flows(t, nil, offerSDP, nil, func(t *testing.T, fl *flow) {
		fl.up()
		f(t, fl)
	})
}
