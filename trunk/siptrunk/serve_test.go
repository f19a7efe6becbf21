package siptrunk_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

func TestDigest(t *testing.T) {
	for _, tt := range []struct {
		name, password string
		auth           siptest.Auth
		script         siptest.Script
		want           outdial.Origin
		code           uint16
		invites        int // that left
	}{
		{"401", "secret", siptest.Auth{User: "u", Password: "secret"}, siptest.Answer(0, 0, time.Second), outdial.OriginCalleeHangup, 0, 2},
		{"407", "secret", siptest.Auth{User: "u", Password: "secret", Proxy: true}, siptest.Answer(0, 0, time.Second), outdial.OriginCalleeHangup, 0, 2},
		{"then busy", "secret", siptest.Auth{User: "u", Password: "secret"}, siptest.Busy(0), outdial.OriginCarrier, 486, 2},
		{"wrong password", "guess", siptest.Auth{User: "u", Password: "secret"}, siptest.Busy(0), outdial.OriginCarrier, 401, 2},
		{"wrong password, 407", "guess", siptest.Auth{User: "u", Password: "secret", Proxy: true}, siptest.Busy(0), outdial.OriginCarrier, 407, 2},
		{"none", "", siptest.Auth{User: "u", Password: "secret"}, siptest.Busy(0), outdial.OriginCarrier, 401, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, siptest.Behaviour{Script: tt.script, Auth: &tt.auth}, func(_ *siptrunk.Config, tr *siptrunk.Trunk) {
					if tt.password != "" {
						tr.Username, tr.Password = "u", tt.password
					}
				})
				defer w.close()
				invites, authorized := 0, 0
				w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
					if bytes.HasPrefix(payload, []byte("INVITE")) {
						invites++
						require.Contains(t, string(payload), fmt.Sprintf("CSeq: %d INVITE\r\n", invites))
					}
					if bytes.HasPrefix(payload, []byte("ACK")) && bytes.Contains(payload, []byte("uthorization: Digest")) {
						authorized++
					}
					return false
				})
				c := w.invite(siptrunk.InviteOptions{})
				r := c.result()
				require.Equal(t, tt.want, r.Origin)
				require.Equal(t, tt.code, r.Code)
				require.Equal(t, tt.invites, invites)
				require.Equal(t, tt.code == 0, authorized == 1, "RFC 3261 §13.2.2.4: in the ACK of a 2xx alone")
				require.NoError(t, w.carrier.Settle(t.Context()))
				require.Equal(t, 1, w.carrier.Stats().Invites, "one call, whatever it took")
			})
		})
	}
}

// request is a request of the carrier within the dialog of a leg.
func request(method string, c *call, seq int, body string) []byte {
	ev := answerOf(c)
	res := ev.Response
	from, to := res.To().Value(), res.From().Value()
	ct := ""
	if body != "" {
		ct = "Content-Type: application/sdp\r\n"
	}
	return fmt.Appendf(nil, "%s sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, dialerAddr, carrierAddr, method, seq, from, to, c.CallID(), seq, method, carrierAddr, ct, len(body), body)
}

func answerOf(c *call) siptrunk.Event {
	for _, ev := range c.all() {
		if ev.Kind == outdial.ReportAnswer {
			return ev
		}
	}
	panic("no answer yet")
}

// statuses collects the status lines that the dialer sends.
func (w *world) statuses() func() []string {
	var lines []string
	w.watch(func(from, _ netip.AddrPort, payload []byte) bool {
		if from.String() == dialerAddr && bytes.HasPrefix(payload, []byte("SIP/2.0 ")) {
			head, _, _ := strings.Cut(string(payload), "\r\n")
			_, rest, _ := strings.Cut(string(payload), "CSeq: ")
			cseq, _, _ := strings.Cut(rest, "\r\n")
			lines = append(lines, head[len("SIP/2.0 "):]+" / "+cseq)
		}
		return false
	})
	return func() []string {
		w.network.SetFilter(nil)
		synctest.Wait()
		return lines
	}
}

func TestRequestsOfTheCarrier(t *testing.T) {
	const sdp = "v=0\r\n"
	bubble(t, siptest.Answer(0, 0, 0), nil, func(t *testing.T, w *world) {
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		statuses := w.statuses()
		w.fromCarrier(request("OPTIONS", c, 0, "")) // RFC 3261 §12.2.2: no number is too low for the first request
		w.fromCarrier(request("INFO", c, 0, ""))
		w.fromCarrier(request("OPTIONS", c, 10, ""))
		w.fromCarrier(request("INVITE", c, 11, sdp))
		w.fromCarrier(request("UPDATE", c, 12, sdp))
		w.fromCarrier(request("UPDATE", c, 13, ""))
		w.fromCarrier(request("INFO", c, 14, ""))
		w.fromCarrier(request("INFO", c, 9, "")) // out of order
		w.fromCarrier(request("REFER", c, 15, ""))
		outside := func(method string) []byte {
			return bytes.Replace(request(method, c, 16, ""), []byte(answerOf(c).Response.From().Value()), []byte("<sip:x@y>"), 1)
		}
		for _, method := range []string{"INVITE", "OPTIONS", "BYE", "REGISTER"} {
			w.fromCarrier(outside(method))
		}
		w.fromCarrier(bytes.Replace(request("BYE", c, 17, ""), []byte(c.CallID()), []byte("nobody"), 1))
		w.fromCarrier(bytes.Replace(request("BYE", c, 18, ""), []byte(answerOf(c).ToTag), []byte("forged"), 1))
		ours := answerOf(c).Response.From().Value()
		w.fromCarrier(bytes.Replace(request("BYE", c, 21, ""), []byte(ours), []byte(ours+"x"), 1))
		w.fromCarrier(bytes.Replace(request("INFO", c, 19, ""), []byte("CSeq: 19 INFO"), []byte("CSeq: 19 BYE"), 1))
		require.Equal(t, []string{
			"200 OK / 0 OPTIONS", "500 CSeq Out Of Order / 0 INFO", "200 OK / 10 OPTIONS", "488 Not Acceptable Here / 11 INVITE", "488 Not Acceptable Here / 12 UPDATE",
			"200 OK / 13 UPDATE", "200 OK / 14 INFO", "500 CSeq Out Of Order / 9 INFO", "405 Method Not Allowed / 15 REFER",
			"403 Forbidden / 16 INVITE", "200 OK / 16 OPTIONS", "481 Call/Transaction Does Not Exist / 16 BYE",
			"405 Method Not Allowed / 16 REGISTER", "481 Call/Transaction Does Not Exist / 17 BYE",
			"481 Call/Transaction Does Not Exist / 18 BYE", "481 Call/Transaction Does Not Exist / 21 BYE", "400 Bad Request / 19 BYE",
		}, retransmitted(statuses()))
		require.Equal(t, 1, w.dialer.Live())
		w.fromCarrier(bytes.Replace(request("BYE", c, 20, ""), []byte("Max-F"), []byte("Reason: Q.850;cause=31;text=\"a, b\"\r\nMax-F"), 1))
		require.Equal(t, outdial.Result{Origin: outdial.OriginCalleeHangup, Cause: outdial.Cause{Value: 31}}, c.result())
		last := c.all()[len(c.all())-1]
		require.Equal(t, sip.BYE, last.Request.Method)
		time.Sleep(siptest.DrainTime)
	})
}

// retransmitted drops repetitions of the same status: sipgo repeats a rejected INVITE for want of an ACK.
func retransmitted(lines []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, l := range lines {
		if !seen[l] {
			out = append(out, l)
		}
		seen[l] = true
	}
	return out
}

func TestOnRequest(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), nil, func(t *testing.T, w *world) {
		var got []string
		c := w.invite(siptrunk.InviteOptions{OnRequest: func(l *siptrunk.Leg, req *sip.Request, tx sip.ServerTransaction) {
			got = append(got, l.ID().String()+" "+string(req.Method)+" "+string(req.Body()))
			if !req.IsAck() {
				require.NoError(t, tx.Respond(sip.NewResponseFromRequest(req, 202, "Accepted", nil)))
			}
		}})
		synctest.Wait()
		statuses := w.statuses()
		w.fromCarrier(request("INFO", c, 1, "dtmf"))
		w.fromCarrier(request("INVITE", c, 2, "hold"))
		w.fromCarrier(request("ACK", c, 2, "sdp"))
		require.Equal(t, []string{"7-1 INFO dtmf", "7-1 INVITE hold", "7-1 ACK sdp"}, got)
		require.Equal(t, []string{"202 Accepted / 1 INFO", "202 Accepted / 2 INVITE"}, statuses())
		c.Hangup()
		c.wait()
		time.Sleep(siptest.DrainTime)
	})
}

func TestDo(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), nil, func(t *testing.T, w *world) {
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		acks := 0
		w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
			if bytes.HasPrefix(payload, []byte("ACK")) {
				acks++
			}
			return false
		})
		res, err := c.Do(t.Context(), sip.INVITE, "", offer)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode)
		synctest.Wait()
		require.Equal(t, 1, acks)
		res, err = c.Do(t.Context(), sip.INFO, "application/dtmf-relay", []byte("Signal=1\r\n"))
		require.NoError(t, err)
		require.Equal(t, 405, res.StatusCode)
		_, err = c.Do(t.Context(), sip.BYE, "", nil)
		require.ErrorIs(t, err, siptrunk.ErrMethod)
		_, err = c.Do(t.Context(), sip.INFO, "", nil, siptrunk.Header{Name: "X-Why", Value: "a\r\nb: c"})
		require.ErrorContains(t, err, "control character")

		require.NoError(t, w.network.Cut(carrierAddr, dialerAddr))
		start := time.Now()
		_, err = c.Do(t.Context(), sip.INFO, "", nil)
		require.ErrorIs(t, err, siptrunk.ErrNoResponse)
		require.Equal(t, siptest.TimeoutB, time.Since(start))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Do(ctx, sip.INFO, "", nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, w.network.Heal(carrierAddr, dialerAddr))

		c.Hangup()
		c.wait()
		_, err = c.Do(t.Context(), sip.INFO, "", nil)
		require.ErrorIs(t, err, siptrunk.ErrNoDialog)
	})
}

func TestManualAck(t *testing.T) {
	bubble(t, siptest.Answer(0, time.Second, 0), nil, func(t *testing.T, w *world) {
		var acks []string
		w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
			if bytes.HasPrefix(payload, []byte("ACK")) {
				_, body, _ := strings.Cut(string(payload), "\r\n\r\n")
				acks = append(acks, body)
			}
			return false
		})
		c := w.inviteWith(siptrunk.InviteOptions{ManualAck: true}, func(c *call) {
			time.AfterFunc(700*ms, func() { c.Ack("", []byte("answer")) })
			time.AfterFunc(5*time.Second, c.Hangup)
		})
		c.wait()
		require.Equal(t, []string{"answer"}, acks)
		require.Equal(t, 1, w.carrier.Records()[0].FinalRetransmits)

		c = w.invite(siptrunk.InviteOptions{ManualAck: true})
		require.Equal(t, outdial.OriginHost, c.result().Origin, "an answer that nobody acknowledges is ended")
		require.Equal(t, 29*time.Second, time.Since(c.start))
	})
}
