package siptest_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// exchange sends a hand-made message to the carrier and returns the first line of the answer.
func (w *world) exchange(t *testing.T, msg string) string {
	t.Helper()
	synctest.Wait() // what is on its way for an earlier message is no answer to this one
	defer synctest.Wait()
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
		require.Equal(t, 5, s.Strays)
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

// A carrier takes within a dialog what RFC 3261 §12.2.1.1 makes of it, and nothing else.
func TestStrictDialog(t *testing.T) {
	script := siptest.Play(siptest.Step{Code: 200, Tag: "t"})
	script.RecordRoute = []string{"<sip:in@10.0.0.1:5060;lr>", "<sip:out@10.0.0.1:5060;lr>"}
	within := func(method string, seq int, branch string, replace ...string) string {
		msg := strings.NewReplacer("sip:x@10.0.0.1 SIP", "sip:carrier@10.0.0.1:5060 SIP", "CSeq: 1", fmt.Sprint("CSeq: ", seq),
			"Contact", "Route: <sip:out@10.0.0.1:5060;lr>\r\nRoute: <sip:in@10.0.0.1:5060;lr>\r\nContact").Replace(raw(method, branch, ";tag=t"))
		return strings.NewReplacer(replace...).Replace(msg)
	}
	const gone, bad, late = "SIP/2.0 481 Call/Transaction Does Not Exist", "SIP/2.0 400 Bad Request", "SIP/2.0 500 Server Internal Error"
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: script}, func(t *testing.T, w *world) {
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, raw("INVITE", "1", "")))
		strays := 0
		stray := func() {
			strays++
			require.Equal(t, strays, w.carrier.Stats().Strays)
			require.Zero(t, w.carrier.Stats().ByesReceived)
		}
		for _, replace := range [][]string{
			{"tag=t", "tag=x"}, {"CSeq: 1", "CSeq: 2"}, {"Route: <sip:in@10.0.0.1:5060;lr>\r\n", ""}, {"sip:carrier@", "sip:x@"},
		} {
			w.exchange(t, within("ACK", 1, "2", replace...))
			stray()
			require.False(t, w.carrier.Records()[0].Acked)
		}
		w.exchange(t, within("ACK", 1, "2"))
		require.True(t, w.carrier.Records()[0].Acked)
		require.Equal(t, gone, w.exchange(t, within("INVITE", 2, "3", "tag=t", "tag=x")))
		stray()
		require.Equal(t, late, w.exchange(t, within("INVITE", 1, "4")))
		stray()
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, within("INVITE", 2, "5")))
		require.Empty(t, w.exchange(t, within("ACK", 2, "6")))
		for want, replace := range map[string][]string{gone: {"tag=t", "tag=x"}, late: {"CSeq: 3", "CSeq: 2"}, bad: {"Route: <sip:out@10.0.0.1:5060;lr>\r\n", ""}} {
			require.Equal(t, want, w.exchange(t, within("BYE", 3, "7", replace...)))
			stray()
		}
		require.Equal(t, bad, w.exchange(t, within("BYE", 3, "7", "sip:carrier@", "sip:x@")))
		stray()
		require.Equal(t, 1, w.carrier.Stats().Invites)
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, within("BYE", 3, "8")))
		require.Equal(t, "SIP/2.0 200 OK", w.exchange(t, within("BYE", 3, "8")), "again, if it is repeated")
		require.Equal(t, 1, w.carrier.Stats().ByesReceived)
		require.Equal(t, strays, w.carrier.Stats().Strays)
		time.Sleep(siptest.DrainTime)
		require.Equal(t, gone, w.exchange(t, within("BYE", 3, "8")), "forgotten")
	})
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Play(siptest.Step{Code: 486, Tag: "t"})}, func(t *testing.T, w *world) {
		require.Equal(t, "SIP/2.0 486 Busy Here", w.exchange(t, raw("INVITE", "1", "")))
		w.exchange(t, raw("ACK", "1", ";tag=x"))
		w.exchange(t, within("ACK", 1, "1"))
		require.False(t, w.carrier.Records()[0].Acked)
		require.Equal(t, 2, w.carrier.Stats().Strays)
		w.exchange(t, raw("ACK", "1", ";tag=t"))
		require.True(t, w.carrier.Records()[0].Acked)
	})
}

// A caller tells what the far end does wrong.
func TestFaultsOfTheFarEnd(t *testing.T) {
	s := siptest.Answer(0, 0, time.Second)
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: s}, func(t *testing.T, w *world) {
		routes := []string{"<sip:one@10.0.0.2:5060;lr>", "<sip:two@10.0.0.2:5060;lr>"}
		r := w.call(t, siptest.CallerCall{RecordRoute: routes})
		require.Empty(t, r.Faults)
		require.Equal(t, time.Second, r.EndedAt)
		w.settle(t)
		require.Zero(t, w.carrier.Stats().Strays)
	})
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Silence()}, func(t *testing.T, w *world) {
		const addr = "10.0.0.9:5060"
		conn, err := w.network.Listen(addr)
		require.NoError(t, err)
		done := make(chan struct{})
		go func() { // a far end that knows of none of it
			defer close(done)
			buf := make([]byte, 65535)
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			lines := strings.Split(string(buf[:n]), "\r\n")
			field := func(name string) string {
				for _, l := range lines {
					if v, ok := strings.CutPrefix(l, name+": "); ok {
						return v
					}
				}
				return ""
			}
			dialog := func(via, from, to, cseq string) string {
				return "Via: " + via + "\r\nFrom: " + from + "\r\nTo: " + to + "\r\nCall-ID: " + field("Call-ID") + "\r\nCSeq: " + cseq + "\r\nContent-Length: 0\r\n\r\n"
			}
			theirs, ours := field("From"), field("To")+";tag=t"
			for _, msg := range []string{
				"SIP/2.0 200 OK\r\n" + dialog(field("Via"), theirs, ours, "1 INVITE"),
				"BYE sip:nobody@10.0.0.2:5060 SIP/2.0\r\n" + dialog("SIP/2.0/UDP "+addr+";branch=z9hG4bK9", ours, theirs, "7 BYE"),
			} {
				_, _ = conn.WriteTo([]byte(msg), from)
			}
		}()
		r, err := w.caller.Call(t.Context(), addr, siptest.CallerCall{RecordRoute: []string{"<sip:one@10.0.0.2:5060;lr>"}})
		require.NoError(t, err)
		<-done
		require.NoError(t, conn.Close())
		require.Equal(t, []string{
			"200 to INVITE without rport or received in Via", "200 with Record-Route []", "BYE with Route []", "BYE to sip:nobody@10.0.0.2:5060",
		}, r.Faults)
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
