package siptest_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// exchange sends a hand-made message to the carrier and returns the first line of the answer.
func (w *world) exchange(t *testing.T, msg string) string {
	t.Helper()
	conn, err := w.network.Listen("10.0.0.9:5060")
	require.NoError(t, err)
	defer conn.Close()
	got, err := siptest.ExchangeRaw(t.Context(), conn, carrierAddr, []byte(msg), time.Second)
	require.NoError(t, err)
	line, _, _ := strings.Cut(string(got), "\r\n")
	return line
}

// raw is a request with the given method, branch and To parameters, always of the same call.
func raw(method, branch, to string) string {
	return fmt.Sprintf("%s sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK%s\r\nFrom: <sip:+15551@10.0.0.9>;tag=f\r\n"+
		"To: <sip:x@10.0.0.1>%s\r\nCall-ID: raw\r\nCSeq: 1 %s\r\nContact: <sip:a@10.0.0.9:5060>\r\nContent-Length: 0\r\n\r\n", method, branch, to, method)
}

func TestStrays(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{}, func(t *testing.T, w *world) {
		require.Equal(t, "SIP/2.0 481 Call/Transaction Does Not Exist", w.exchange(t, raw("BYE", "1", ";tag=x")))
		require.Equal(t, "SIP/2.0 481 Call/Transaction Does Not Exist", w.exchange(t, raw("CANCEL", "2", "")))
		require.Equal(t, "SIP/2.0 481 Call/Transaction Does Not Exist", w.exchange(t, raw("PRACK", "3", ";tag=x")))
		require.Equal(t, "SIP/2.0 481 Call/Transaction Does Not Exist", w.exchange(t, raw("INVITE", "4", ";tag=x")))
		require.Empty(t, w.exchange(t, raw("ACK", "5", ";tag=x")))
		require.Equal(t, "SIP/2.0 405 Method Not Allowed", w.exchange(t, raw("SUBSCRIBE", "6", "")))
		require.Equal(t, "SIP/2.0 400 Bad Request", w.exchange(t, strings.Replace(raw("BYE", "7", ""), "1 BYE", "1 INVITE", 1)))
		s := w.carrier.Stats()
		require.Equal(t, 3, s.Strays)
		require.Zero(t, s.Invites)
	})
}

func TestSameCallIDAgain(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Play(siptest.Respond(0, 180), siptest.Respond(10*time.Second, 486))}, func(t *testing.T, w *world) {
		require.Equal(t, "SIP/2.0 180 Ringing", w.exchange(t, raw("INVITE", "1", "")))
		require.Equal(t, "SIP/2.0 180 Ringing", w.exchange(t, raw("INVITE", "1", "")), "a retransmission gets the last response")
		require.Equal(t, "SIP/2.0 482 Loop Detected", w.exchange(t, raw("INVITE", "2", "")), "a merged request")
		time.Sleep(time.Minute)
		require.Equal(t, "SIP/2.0 180 Ringing", w.exchange(t, raw("INVITE", "3", "")), "a second attempt of a serial fork is a call of its own")
		s := w.carrier.Stats()
		require.Equal(t, 2, s.Invites)
		require.Equal(t, 1, s.InviteRetransmits)
		require.Equal(t, 1, s.Busy)
		require.Equal(t, 1, s.Unacked)
		require.Equal(t, map[string]int{"+15551": 2}, s.ByFrom)
	})
}

func TestReinvite(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Play(siptest.Respond(0, 200))}, func(t *testing.T, w *world) {
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, raw("INVITE", "1", "")))
		require.Empty(t, w.exchange(t, raw("ACK", "2", ";tag=x")))
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, raw("INVITE", "3", ";tag=x")))
		require.Equal(t, 1, w.carrier.Stats().Invites)
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, raw("BYE", "4", ";tag=x")))
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, raw("BYE", "4", ";tag=x")), "again, if it is repeated")
		require.Equal(t, 1, w.carrier.Stats().ByesReceived)
		time.Sleep(siptest.DrainTime)
		require.Equal(t, "SIP/2.0 481 Call/Transaction Does Not Exist", w.exchange(t, raw("BYE", "4", ";tag=x")), "forgotten")
	})
}

func TestChallengeNobodyAnswers(t *testing.T) {
	auth := &siptest.Auth{User: "a", Password: "b"}
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Answer(0, 0, 0), Auth: auth}, func(t *testing.T, w *world) {
		require.Equal(t, 401, w.call(t, siptest.CallerCall{}).Code())
		w.settle(t)
		siptest.Drain()
		r := w.carrier.Records()[0]
		require.Equal(t, 401, r.Code)
		require.True(t, r.Acked)
		require.False(t, r.EndedAt.IsZero())
		require.Equal(t, 1, w.carrier.Stats().Failed)
	})
}

func TestTalkEndsBeforeAck(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Answer(0, 0, 100*ms)}, func(t *testing.T, w *world) {
		lost := 0
		w.network.SetFilter(func(_, _ netip.AddrPort, p []byte) bool {
			if strings.HasPrefix(string(p), "ACK ") {
				lost++
				return lost <= 2
			}
			return false
		})
		r := w.call(t, siptest.CallerCall{})
		require.Equal(t, 1500*ms, r.EndedAt, "BYE waits for the ACK, RFC 3261 section 15")
		require.Equal(t, siptest.CarrierSide, r.EndedBy)
		w.network.SetFilter(nil)
	})
}

// A second 2xx of another dialog, as from behind a forking proxy, is acknowledged and hung up.
func TestCallerRefusesSecondAnswer(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{}, func(t *testing.T, w *world) {
		conn, err := w.network.Listen("10.0.0.9:5060")
		require.NoError(t, err)
		var seen []string
		served := make(chan struct{})
		go func() {
			defer close(served)
			buf := make([]byte, 4096)
			for {
				n, from, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				lines := strings.Split(string(buf[:n]), "\r\n")
				seen = append(seen, strings.Fields(lines[0])[0])
				if !strings.HasPrefix(lines[0], "INVITE") {
					continue
				}
				for _, tag := range []string{"one", "two", "one"} {
					res := "SIP/2.0 200 OK\r\n"
					for _, l := range lines {
						for _, name := range []string{"Via:", "From:", "Call-ID:", "CSeq:"} {
							if strings.HasPrefix(l, name) {
								res += l + "\r\n"
							}
						}
						if strings.HasPrefix(l, "To:") {
							res += l + ";tag=" + tag + "\r\n"
						}
					}
					_, _ = conn.WriteTo([]byte(res+"Contact: <sip:10.0.0.9:5060>\r\nContent-Length: 0\r\n\r\n"), from)
				}
			}
		}()
		r, err := w.caller.Call(t.Context(), "10.0.0.9:5060", siptest.CallerCall{HangupAfter: time.Second})
		require.NoError(t, err)
		require.Equal(t, 1, r.OtherAnswers)
		require.Equal(t, 1, r.FinalRetransmits)
		require.Equal(t, "one", r.Final.ToTag)
		conn.Close()
		<-served
		require.Equal(t, []string{"INVITE", "ACK", "ACK", "BYE", "ACK", "BYE"}, seen[:6])
	})
}
