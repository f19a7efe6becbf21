package b2bua_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// An INVITE without an offer: the carrier's answer has the offer, the dialer's ACK the answer.
func TestDelayedOffer(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{SDP: []byte{}})
		require.Equal(t, 200, r.Code())
		require.True(t, r.Final.SDP)
		w.settled()
		rec := w.first.Records()[0]
		require.Empty(t, rec.Body)
		require.True(t, rec.Acked)
	})
}

func TestSessionDescriptionsPassAsTheyAre(t *testing.T) {
	offer := siptest.SDP(netip.MustParseAddrPort("10.0.0.2:40000"))
	answer := siptest.SDP(netip.MustParseAddrPort("10.0.1.1:50000"))
	s := siptest.Play(siptest.Step{Code: 183, SDP: true, Body: answer}, siptest.Step{Code: 200, Body: answer})
	s.Talk = time.Second
	bubble(t, s, siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{SDP: offer})
		require.Equal(t, string(offer), string(w.first.Records()[0].Body))
		require.Equal(t, string(answer), string(r.Final.Body))
		require.Equal(t, []int{100, 183, 200}, r.Codes())
		require.Equal(t, string(answer), string(r.Provisionals[1].Body))
		require.Equal(t, r.Final.ToTag, r.Provisionals[1].ToTag, "early dialog and dialog are one")
		w.settled()
	})
}

// An answer of several parts passes as it is, with its type: the session description is one of them.
func TestMultipart(t *testing.T) {
	const kind = "multipart/mixed;boundary=x"
	body := "--x\r\nContent-Type: application/sdp\r\n\r\n" + string(siptest.SDP(netip.MustParseAddrPort("10.0.1.9:50000"))) +
		"\r\n--x\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\x09\x01\r\n--x--\r\n"
	change := func(c *b2bua.Config) { c.Trunks[0].Address = "10.0.1.9:5060" }
	bubble(t, siptest.Silence(), siptest.Silence(), change, func(t *testing.T, w *world) {
		conn, err := w.network.Listen("10.0.1.9:5060")
		require.NoError(t, err)
		done := make(chan struct{})
		go func() {
			defer close(done)
			gateway(conn, kind, body)
		}()
		r := w.call(siptest.CallerCall{HangupAfter: time.Second})
		require.Equal(t, []int{100, 183, 200}, r.Codes())
		for _, res := range []siptest.Response{r.Provisionals[1], *r.Final} {
			require.Equal(t, kind, res.Header("Content-Type"))
			require.Equal(t, body, string(res.Body))
		}
		w.settled()
		require.NoError(t, conn.Close())
		<-done
	})
}

// gateway answers every INVITE with 183 and 200 that have this body, and everything else with 200.
func gateway(conn net.PacketConn, contentType, body string) {
	buf := make([]byte, 65535)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		msg, err := sip.ParseMessage(buf[:n])
		req, ok := msg.(*sip.Request)
		if err != nil || !ok || req.IsAck() {
			continue
		}
		send := func(code int, phrase, body string) {
			res := sip.NewResponseFromRequest(req, code, phrase, []byte(body))
			res.To().Params.Add("tag", "gateway")
			if body != "" {
				res.AppendHeader(sip.NewHeader("Contact", "<sip:"+conn.LocalAddr().String()+">"))
				res.AppendHeader(sip.NewHeader("Content-Type", contentType))
			}
			_, _ = conn.WriteTo([]byte(res.String()), from)
		}
		if !req.IsInvite() {
			send(200, "OK", "")
			continue
		}
		send(183, "Session Progress", body)
		send(200, "OK", body)
	}
}

// A body whose sender does not say what it is, is a session description. The other side is told so.
func TestBodyWithoutItsType(t *testing.T) {
	flows(t, nil, offerSDP, nil, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		c.respond(c.request, "183 Session Progress", answerSDP, "Content-Type: ")
		require.Equal(t, "application/sdp", header(d.expect("SIP/2.0 183 "), "Content-Type"))
		f.up("Content-Type: ")
		require.Equal(t, "application/sdp", header(f.answer, "Content-Type"))
		c.ask("INVITE", holds, "Content-Type: ")
		got := d.expect("INVITE ")
		require.Equal(t, "application/sdp", header(got, "Content-Type"))
		d.respond(got, "200 OK", held, "Content-Type: ", "Contact: <sip:"+d.local+">")
		d.expect("ACK ")
		require.Equal(t, "application/sdp", header(c.expect("SIP/2.0 200 "), "Content-Type"))
		c.ask("ACK", "")
		d.ask("UPDATE", held, "Content-Type: ")
		got = c.expect("UPDATE ")
		require.Equal(t, "application/sdp", header(got, "Content-Type"))
		c.respond(got, "200 OK", holds, "Content-Type: ", "Contact: <sip:"+c.local+">")
		require.Equal(t, "application/sdp", header(d.expect("SIP/2.0 200 "), "Content-Type"))
		f.down()
	})
}

// What is compressed is refused on both sides: the header field that says so would have to pass with it.
func TestCompressedBodies(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		for _, p := range []*peer{f.dialer, f.carrier} {
			for _, method := range []string{"INVITE", "UPDATE", "INFO"} {
				p.ask(method, held, "Content-Encoding: gzip")
				res := p.next(time.Minute)
				if strings.HasPrefix(res, "SIP/2.0 100 ") {
					res = p.next(time.Minute)
				}
				require.True(t, strings.HasPrefix(res, "SIP/2.0 415 "), res)
				require.Equal(t, "identity", header(res, "Accept-Encoding"))
				if method == "INVITE" {
					p.ackFailure()
				}
			}
		}
		f.dialer.ask("INFO", signal, "Content-Encoding: identity")
		f.carrier.respond(f.carrier.expect("INFO "), "200 OK", "")
		f.dialer.expect("SIP/2.0 200 ")
		f.down()
	})
}
