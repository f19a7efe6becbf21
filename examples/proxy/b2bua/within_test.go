package b2bua_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// A talk is a call of a dialer that writes its messages itself, at 10.0.0.2:7000.
type talk struct {
	w      *world
	conn   *siptest.Conn
	head   string // of the INVITE, up to its body
	to     string // its To
	answer string // the final response
	tagged string // the To of that
}

// talk places a call, and acknowledges its answer.
func (w *world) talk(replace ...string) *talk {
	w.t.Helper()
	conn, err := w.network.Listen("10.0.0.2:7000")
	require.NoError(w.t, err)
	d := &talk{w: w, conn: conn}
	first := string(invite(w.t, replace...))
	d.head, _, _ = strings.Cut(first, "Content-")
	d.answer = d.exchange(first)
	for strings.HasPrefix(status(d.answer), "1") {
		d.answer = d.read()
	}
	d.to, d.tagged = header(first, "To"), header(d.answer, "To")
	if strings.HasPrefix(status(d.answer), "2") {
		require.Empty(w.t, d.exchange(d.within("ACK", "1", "ack", "")))
	}
	return d
}

func (d *talk) close() { require.NoError(d.w.t, d.conn.Close()) }

// exchange returns what comes back first, or "".
func (d *talk) exchange(msg string) string {
	d.w.t.Helper()
	b, err := siptest.ExchangeRaw(d.w.t.Context(), d.conn, proxyAddr, []byte(msg), time.Second)
	require.NoError(d.w.t, err)
	return string(b)
}

// read returns the next message.
func (d *talk) read() string {
	d.w.t.Helper()
	buf := make([]byte, 65535)
	n, _, err := d.conn.ReadFrom(buf)
	require.NoError(d.w.t, err)
	return string(buf[:n])
}

// within is a request within the dialog, whose branch is the INVITE's with branch before it.
func (d *talk) within(method, seq, branch, body string, lines ...string) string {
	s := strings.NewReplacer("INVITE sip", method+" sip", "CSeq: 1 INVITE", "CSeq: "+seq+" "+method,
		"branch=z9hG4bK", "branch=z9hG4bK"+branch, "To: "+d.to, "To: "+d.tagged).Replace(d.head)
	for _, l := range lines {
		s += l + "\r\n"
	}
	if body == "" {
		return s + "Content-Length: 0\r\n\r\n"
	}
	return s + "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n" + body
}

// header is a header line of a message, without its end; "" = there is none.
func header(msg, name string) string {
	_, rest, ok := strings.Cut(msg, "\r\n"+name+": ")
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// What a dialer may send within a call, to a carrier that understands little; relay_test.go has what passes.
func TestWithinDialog(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		d := w.talk()
		defer d.close()
		require.Equal(t, "200 OK", status(d.answer))
		const gone = "481 Call/Transaction Does Not Exist"
		for _, x := range []struct{ method, seq, body, want string }{
			{"UPDATE", "3", "", "200 OK"},
			{"UPDATE", "4", "x", "405 Method Not Allowed"},
			{"INFO", "5", "", "200 OK"},
			{"INFO", "6", "x", "405 Method Not Allowed"},
			{"REFER", "7", "", "403 Forbidden"},
			{"MESSAGE", "8", "", "405 Method Not Allowed"},
			{"UPDATE", "3", "", "500 CSeq Out Of Order"},
		} {
			branch := x.method + x.seq + x.want[:min(len(x.want), 1)]
			require.Equal(t, x.want, status(d.exchange(d.within(x.method, x.seq, branch, x.body))), x.method+x.seq)
		}
		other := strings.Replace(d.within("BYE", "9", "o", ""), ";tag="+tag(d.tagged), ";tag=other", 1)
		require.Equal(t, gone, status(d.exchange(other)), "of a dialog that was never there")
		require.Equal(t, "200 OK", status(d.exchange(d.within("OPTIONS", "9", "p", ""))), "the call goes on")
		bye := d.within("BYE", "10", "j", "", `Reason: Q.850;cause=16;text="done"`)
		require.Equal(t, "200 OK", status(d.exchange(bye)))
		require.Equal(t, "200 OK", status(d.exchange(bye)), "a copy of the BYE")
		require.Equal(t, gone, status(d.exchange(d.within("BYE", "11", "k", ""))))
		w.settled()
		require.Equal(t, 1, w.first.Stats().ByesReceived)
		require.Contains(t, w.first.Records()[0].ByeHeaders, siptest.Header{Name: "Reason", Value: "Q.850;cause=16"},
			"the carrier learns why")
	})
}

// tag is the tag of a To.
func tag(to string) string {
	_, t, _ := strings.Cut(to, ";tag=")
	return t
}

// A dialer that moves says so with the Contact of an UPDATE: the BYE goes there (RFC 3311 §5.2).
func TestTargetRefresh(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 5*time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		d := w.talk("Contact: <sip:+18885550000@10.0.0.2:7000>", "Contact: <sip:old@10.0.0.2:7000>")
		defer d.close()
		moved := func(method, seq, body, to string) string {
			msg := d.within(method, seq, method+seq, body)
			return strings.Replace(msg, "Contact: <sip:old@10.0.0.2:7000>", "Contact: <sip:"+to+">", 1)
		}
		require.Equal(t, "200 OK", status(d.exchange(moved("UPDATE", "2", "", "new@10.0.0.2:7007"))))
		require.Equal(t, "405 Method Not Allowed", status(d.exchange(moved("UPDATE", "3", "x", "refused@10.0.0.2:7000"))))
		require.Equal(t, "200 OK", status(d.exchange(moved("INFO", "4", "", "info@10.0.0.2:7000"))))
		require.Equal(t, "200 OK", status(d.exchange(strings.Replace(d.within("UPDATE", "5", "c", ""), "Contact", "X-Contact", 1))))
		conn, err := w.network.Listen("10.0.0.2:7007")
		require.NoError(t, err)
		buf := make([]byte, 65535)
		n, _, err := conn.ReadFrom(buf)
		require.NoError(t, err)
		bye := string(buf[:n])
		require.True(t, strings.HasPrefix(bye, "BYE sip:new@10.0.0.2:7007 SIP/2.0\r\n"), bye)
		require.NoError(t, conn.Close())
		w.settled()
	})
}

// What a CANCEL does not match it does not cancel (RFC 3261 §9.2).
func TestCancelOfAnotherTransaction(t *testing.T) {
	bubble(t, siptest.Play(siptest.Respond(0, 180)), siptest.Silence(), nil, func(t *testing.T, w *world) {
		first := string(invite(t))
		require.Equal(t, "100 Trying", status(w.raw("10.0.0.2:7000", []byte(first))))
		synctest.Wait()
		head, _, _ := strings.Cut(first, "Content-")
		cancel := func(replace ...string) string {
			msg := strings.NewReplacer(append(replace, "INVITE", "CANCEL")...).Replace(head) + "Content-Length: 0\r\n\r\n"
			return status(w.raw("10.0.0.2:7000", []byte(msg)))
		}
		to := header(first, "To")
		require.Equal(t, "481 Call/Transaction Does Not Exist", cancel("branch=z9hG4bK", "branch=z9hG4bKx", to, to+";tag=1"))
		require.Equal(t, "481 Call/Transaction Does Not Exist", cancel("branch=z9hG4bK", "branch=z9hG4bKy"))
		time.Sleep(time.Second)
		require.Zero(t, w.proxy.Stats().Cancelled)
		require.Equal(t, "200 OK", cancel())
		w.settled()
		require.EqualValues(t, 1, w.proxy.Stats().Cancelled)
	})
}

// A CANCEL that comes after the answer gets the answer's tag (RFC 3261 §9.2).
func TestTagOfALateCancel(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 3*time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		d := w.talk()
		defer d.close()
		ok := d.exchange(strings.NewReplacer("INVITE", "CANCEL").Replace(d.head) + "Content-Length: 0\r\n\r\n")
		require.Equal(t, "200 OK", status(ok))
		require.Equal(t, d.tagged, header(ok, "To"))
		w.settled()
	})
}

// How long the way took is for the dialer to see (RFC 3261 §8.2.6.1).
func TestTimestamp(t *testing.T) {
	bubble(t, siptest.Busy(0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		with := invite(t, "Max-Forwards: 70", "Max-Forwards: 70\r\nTimestamp: 54.3")
		trying := w.raw("10.0.0.2:7000", with)
		require.Equal(t, "100 Trying", status(trying))
		require.Equal(t, "54.3", header(trying, "Timestamp"))
		require.Empty(t, header(w.raw("10.0.0.2:7000", with), "Timestamp"), "the final response does not tell")
		w.settled()
	})
}

// Before the answer the carrier may refresh its side, and no more: the dialer has no reliable response yet, so that nothing can be offered to it (RFC
// 3311 §5.1). What it is refused leaves the call as it was.
func TestUpdateBeforeTheAnswer(t *testing.T) {
	flows(t, func(c *b2bua.Config) { c.Trunks[0].Reliable = true }, offerSDP, nil, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		c.respond(c.request, "183 Session Progress", answerSDP, "Require: 100rel", "RSeq: 1", "Contact: <sip:"+c.local+">")
		c.respond(c.expect("PRACK "), "200 OK", "")
		d.expect("SIP/2.0 183 ")
		c.us, c.him, c.target = header(c.request, "To")+";tag=callee", header(c.request, "From"), contact(c.request)
		c.ask("UPDATE", holds)
		c.expect("SIP/2.0 488 ")
		c.ask("UPDATE", "")
		require.NotEmpty(t, header(c.expect("SIP/2.0 200 "), "Contact"))
		c.ask("BYE", "")
		c.expect("SIP/2.0 481 ") // the callee does not send one (RFC 3261 §15)
		d.silent(ms)
		f.up()
		f.down()
	})
}

// A dialer that moves within the call says so in its Contact, in an answer too: what is asked of it next goes there (RFC 3261 §12.2.1.2).
func TestDialerMovesInItsAnswer(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c, moved := f.dialer, f.carrier, f.peer("10.0.0.2:7100", proxyAddr)
		c.ask("INVITE", holds)
		d.respond(d.expect("INVITE "), "200 OK", held, "Contact: <sip:new@"+moved.local+">")
		require.True(t, strings.HasPrefix(moved.expect("ACK "), "ACK sip:new@"+moved.local+" "))
		c.expect("SIP/2.0 200 ")
		c.ask("ACK", "")
		c.ask("UPDATE", holds)
		moved.respond(moved.expect("UPDATE sip:new@"), "200 OK", held, "Contact: <sip:d@"+d.local+">")
		c.expect("SIP/2.0 200 ")
		c.ask("INFO", signal)
		d.respond(d.expect("INFO sip:d@"+d.local), "200 OK", "")
		c.expect("SIP/2.0 200 ")
		require.NoError(t, moved.conn.Close())
		f.down()
	})
}

// Requests that end here need no hops; only what is to go on does (RFC 3261 §16.3).
func TestNoHopsWithinTheCall(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		for _, p := range []*peer{f.dialer, f.carrier} {
			for _, m := range []string{"OPTIONS", "INFO", "UPDATE"} {
				msg := p.ask(m, "")
				p.expect("SIP/2.0 200 ")
				p.seq++
				p.send(strings.NewReplacer("Max-Forwards: 70", "Max-Forwards: 0", "branch=z9hG4bK", "branch=z9hG4bKn", fmt.Sprintf("CSeq: %d ", p.seq-1), fmt.Sprintf("CSeq: %d ", p.seq)).Replace(msg))
				p.expect("SIP/2.0 200 ")
			}
		}
		f.down()
	})
}
