package b2bua_test

import (
	"net"
	"net/netip"
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
