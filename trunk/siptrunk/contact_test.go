package siptrunk_test

import (
	"bufio"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// Who answers a request of the carrier's need not say how we are reached: the dialog stays on the transport that it is on.
func TestContactOfAnswers(t *testing.T) {
	opts := siptrunk.InviteOptions{OnRequest: func(_ *siptrunk.Leg, req *sip.Request, tx sip.ServerTransaction) {
		if !req.IsAck() {
			_ = tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
		}
	}}
	overTCP(t, siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}, nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		c := w.invite(opts)
		synctest.Wait()
		conn, err := w.network.DialStream(t.Context(), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddrPort(dialerAddr))
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte(strings.Replace(string(request("INVITE", c, 1, string(offer))), "SIP/2.0/UDP", "SIP/2.0/TCP", 1)))
		require.NoError(t, err)
		require.Equal(t, "<sip:"+dialerAddr+";transport=tcp>", line(readMessage(t, bufio.NewReader(conn)), "Contact"))
		_, err = conn.Write([]byte(strings.Replace(string(request("ACK", c, 1, "")), "SIP/2.0/UDP", "SIP/2.0/TCP", 1)))
		require.NoError(t, err)
		c.Hangup()
		c.wait()
	})
}

// A carrier that has closed the connection of its request is answered where its Via says that it listens, at the address that it has.
func TestResponseWithoutConnection(t *testing.T) {
	var answer chan struct{}
	opts := siptrunk.InviteOptions{OnRequest: func(_ *siptrunk.Leg, req *sip.Request, tx sip.ServerTransaction) {
		<-answer
		_ = tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
	}}
	overTCP(t, siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}, nil, func(t *testing.T, w *world, _ *siptest.StreamConn) {
		answer = make(chan struct{})
		c := w.invite(opts)
		synctest.Wait()
		listener, err := w.network.ListenStream("10.0.0.1:5070")
		require.NoError(t, err)
		defer listener.Close()
		conn, err := w.network.DialStream(t.Context(), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddrPort(dialerAddr))
		require.NoError(t, err)
		info := strings.Replace(string(request("INFO", c, 1, "x")), "SIP/2.0/UDP "+carrierAddr, "SIP/2.0/TCP carrier.example:5070", 1)
		_, err = conn.Write([]byte(info))
		require.NoError(t, err)
		synctest.Wait()
		conn.Close()
		synctest.Wait()
		close(answer)
		again, err := listener.Accept()
		require.NoError(t, err)
		defer again.Close()
		res := readMessage(t, bufio.NewReader(again))
		require.True(t, strings.HasPrefix(res, "SIP/2.0 200 "), res)
		require.Equal(t, "1 INFO", line(res, "CSeq"))
		c.Hangup()
		c.wait()
	})
}
