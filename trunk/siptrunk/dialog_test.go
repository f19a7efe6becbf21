package siptrunk_test

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// response is what the carrier says to a request of ours.
func response(req, status string, more ...string) []byte {
	head, _, _ := strings.Cut(req, "\r\n\r\n")
	b := "SIP/2.0 " + status + "\r\n"
	for _, line := range strings.Split(head, "\r\n")[1:] {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "To", "Call-ID", "CSeq":
			b += line + "\r\n"
		}
	}
	return []byte(b + strings.Join(append(more, "Content-Length: 0\r\n\r\n"), "\r\n"))
}

// line is a header line of a message, without its end; "" = there is none.
func line(msg, name string) string {
	_, rest, ok := strings.Cut(msg, "\r\n"+name+": ")
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// catch keeps what we send with one of the methods from the carrier, and collects all requests that we send.
func (w *world) catch(methods ...string) *[]string {
	var sent []string
	w.watch(func(from, _ netip.AddrPort, payload []byte) bool {
		if from.String() != dialerAddr || bytes.HasPrefix(payload, []byte("SIP/2.0")) {
			return false
		}
		w.mu.Lock()
		sent = append(sent, string(payload))
		w.mu.Unlock()
		for _, m := range methods {
			if bytes.HasPrefix(payload, []byte(m+" ")) {
				return true
			}
		}
		return false
	})
	return &sent
}

// since is what was sent after the first seen ones; nothing that is sent meanwhile disturbs it.
func (w *world) since(sent *[]string, seen *int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	more := slices.Clone((*sent)[*seen:])
	*seen = len(*sent)
	return more
}

// An answered leg, and requests within its dialog on both sides.
func inDialog(t *testing.T, opts siptrunk.InviteOptions, f func(t *testing.T, w *world, c *call)) {
	t.Helper()
	bubble(t, siptest.Answer(0, 0, 0), nil, func(t *testing.T, w *world) {
		c := w.invite(opts)
		synctest.Wait()
		f(t, w, c)
		w.network.SetFilter(nil)
		c.Hangup()
		c.wait()
		time.Sleep(siptest.DrainTime) // sipgo's transactions
	})
}

// do sends a request within the dialog, and returns where its outcome will be.
func (c *call) do(t *testing.T, method sip.RequestMethod) chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(t.Context(), method, "", offer, siptrunk.Header{Name: "X-Why", Value: "hold"})
		done <- err
	}()
	synctest.Wait()
	return done
}

func TestRefusedReinvite(t *testing.T) {
	inDialog(t, siptrunk.InviteOptions{}, func(t *testing.T, w *world, c *call) {
		sent := w.catch("INVITE", "ACK")
		done := c.do(t, sip.INVITE)
		invite := (*sent)[0]
		require.NotEmpty(t, line(invite, "Contact"))
		require.Equal(t, "hold", line(invite, "X-Why"))
		w.fromCarrier(response(invite, "488 Not Acceptable Here"))
		require.NoError(t, <-done)
		ack := (*sent)[1]
		require.True(t, strings.HasPrefix(ack, "ACK "+strings.Fields(invite)[1]+" SIP/2.0\r\n"))
		for _, name := range []string{"Via", "From", "To", "Call-ID"} {
			require.Equal(t, line(invite, name), line(ack, name), "RFC 3261 §17.1.1.3")
		}
		require.Equal(t, strings.Replace(line(invite, "CSeq"), "INVITE", "ACK", 1), line(ack, "CSeq"))
		for _, name := range []string{"Contact", "Content-Type", "Allow", "X-Why"} {
			require.Empty(t, line(ack, name), "%s says nothing in an ACK", name)
		}
		require.True(t, strings.HasSuffix(ack, "\r\nContent-Length: 0\r\n\r\n"))
	})
}

// Who moves says so with the Contact of a request or response that refreshes the target (RFC 3261 §12.2, RFC 3311 §5).
func TestTargetRefresh(t *testing.T) {
	const moved = "sip:moved@10.0.0.1:5070"
	theirs := func(method, body string) func(*testing.T, *world, *call, *[]string) {
		return func(_ *testing.T, w *world, c *call, _ *[]string) {
			w.fromCarrier(bytes.Replace(request(method, c, 1, body), []byte("Contact: <sip:"+carrierAddr), []byte("Contact: <"+moved), 1))
		}
	}
	ours := func(method sip.RequestMethod, status string) func(*testing.T, *world, *call, *[]string) {
		return func(t *testing.T, w *world, c *call, sent *[]string) {
			done := c.do(t, method)
			w.fromCarrier(response((*sent)[0], status, "Contact: <"+moved+">"))
			require.NoError(t, <-done)
		}
	}
	answer := func(code int) func(*siptrunk.Leg, *sip.Request, sip.ServerTransaction) {
		return func(_ *siptrunk.Leg, req *sip.Request, tx sip.ServerTransaction) {
			_ = tx.Respond(sip.NewResponseFromRequest(req, 100, "Trying", nil))
			_ = tx.Respond(sip.NewResponseFromRequest(req, code, "", nil))
		}
	}
	for _, tt := range []struct {
		name      string
		onRequest func(*siptrunk.Leg, *sip.Request, sip.ServerTransaction)
		refresh   func(*testing.T, *world, *call, *[]string)
		moves     bool
	}{
		{"UPDATE", nil, theirs("UPDATE", ""), true},
		{"UPDATE with an offer, which is refused", nil, theirs("UPDATE", "v=0\r\n"), false},
		{"INFO", nil, theirs("INFO", ""), false},
		{"UPDATE that the host accepts", answer(200), theirs("UPDATE", "v=0\r\n"), true},
		{"INVITE that the host accepts", answer(200), theirs("INVITE", "v=0\r\n"), true},
		{"INVITE that the host refuses", answer(488), theirs("INVITE", "v=0\r\n"), false},
		{"our UPDATE", nil, ours(sip.UPDATE, "200 OK"), true},
		{"our UPDATE, refused", nil, ours(sip.UPDATE, "488 Not Acceptable Here"), false},
		{"our INVITE", nil, ours(sip.INVITE, "200 OK"), true},
		{"our INFO", nil, ours(sip.INFO, "200 OK"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inDialog(t, siptrunk.InviteOptions{OnRequest: tt.onRequest}, func(t *testing.T, w *world, c *call) {
				sent := w.catch("INVITE", "UPDATE", "ACK", "INFO")
				tt.refresh(t, w, c, sent)
				to := carrierAddr
				w.watch(func(_, dst netip.AddrPort, payload []byte) bool {
					if bytes.HasPrefix(payload, []byte("BYE ")) {
						*sent, to = []string{string(payload)}, dst.String()
					}
					return false
				})
				c.Hangup()
				synctest.Wait()
				bye := (*sent)[0]
				require.Equal(t, tt.moves, strings.HasPrefix(bye, "BYE "+moved+" SIP/2.0\r\n"), bye)
				require.Equal(t, tt.moves, to == "10.0.0.1:5070", to)
			})
		})
	}
}

// One INVITE at a time within a dialog (RFC 3261 §14).
func TestInvitesMeet(t *testing.T) {
	t.Run("ours first", func(t *testing.T) {
		inDialog(t, siptrunk.InviteOptions{}, func(t *testing.T, w *world, c *call) {
			sent := w.catch("INVITE", "ACK")
			done := c.do(t, sip.INVITE)
			require.ErrorIs(t, <-c.do(t, sip.INVITE), siptrunk.ErrPending)
			require.Len(t, *sent, 1)
			statuses := w.statuses()
			w.fromCarrier(request("INVITE", c, 1, "v=0\r\n"))
			w.fromCarrier(request("ACK", c, 1, ""))
			require.Equal(t, []string{"491 Request Pending / 1 INVITE"}, retransmitted(statuses()))
			w.fromCarrier(response((*sent)[0], "200 OK"))
			require.NoError(t, <-done)
			require.NoError(t, <-c.do(t, sip.INVITE), "the first one is over")
		})
	})
	t.Run("theirs first", func(t *testing.T) {
		var reply func()
		opts := siptrunk.InviteOptions{OnRequest: func(_ *siptrunk.Leg, req *sip.Request, tx sip.ServerTransaction) {
			if req.IsAck() {
				return
			}
			wait := make(chan struct{})
			reply = func() { close(wait) }
			<-wait
			_ = tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
		}}
		inDialog(t, opts, func(t *testing.T, w *world, c *call) {
			var refusal string
			w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
				if bytes.HasPrefix(payload, []byte("SIP/2.0 500")) {
					refusal = string(payload)
				}
				return false
			})
			w.fromCarrier(request("INVITE", c, 1, "v=0\r\n"))
			w.fromCarrier(request("INVITE", c, 2, "v=0\r\n"))
			w.fromCarrier(request("ACK", c, 2, ""))
			require.Equal(t, "2 INVITE", line(refusal, "CSeq"))
			require.Regexp(t, `^(\d|10)$`, line(refusal, "Retry-After"))
			require.ErrorIs(t, <-c.do(t, sip.INVITE), siptrunk.ErrPending)
			reply()
			synctest.Wait()
			w.fromCarrier(request("ACK", c, 1, ""))
			w.fromCarrier(request("INVITE", c, 3, "v=0\r\n"))
			require.NotNil(t, reply)
			reply()
			synctest.Wait()
			w.fromCarrier(request("ACK", c, 3, ""))
			require.NoError(t, <-c.do(t, sip.INVITE))
		})
	})
}

// The carrier hangs up while our INVITE is under way: it answers that INVITE all the same, and wants its ACK.
func TestReinviteOutlivesTheDialog(t *testing.T) {
	inDialog(t, siptrunk.InviteOptions{}, func(t *testing.T, w *world, c *call) {
		sent := w.catch("INVITE", "ACK")
		done := c.do(t, sip.INVITE)
		invite := (*sent)[0]
		w.fromCarrier(response(invite, "100 Trying"))
		w.fromCarrier(request("BYE", c, 1, ""))
		c.wait()
		require.Len(t, *sent, 1)
		for range 2 {
			w.fromCarrier(response(invite, "487 Request Terminated"))
		}
		require.NoError(t, <-done)
		require.Len(t, *sent, 3, "each is acknowledged")
		for _, ack := range (*sent)[1:] {
			require.True(t, strings.HasPrefix(ack, "ACK "))
			require.Equal(t, line(invite, "Via"), line(ack, "Via"))
		}
	})
	inDialog(t, siptrunk.InviteOptions{}, func(t *testing.T, w *world, c *call) {
		sent := w.catch("INVITE")
		done := c.do(t, sip.INVITE)
		w.fromCarrier(response((*sent)[0], "100 Trying"))
		start := time.Now()
		w.fromCarrier(request("BYE", c, 1, ""))
		require.ErrorIs(t, <-done, siptrunk.ErrNoResponse)
		require.Equal(t, siptest.TimeoutB, time.Since(start), "it is not waited for longer than for any other transaction")
		synctest.Wait()
		require.Equal(t, siptrunk.Stats{}, w.dialer.Stats())
	})
}

// Every attempt is a call of its own for whoever sees it.
func TestIdentifiersAreNew(t *testing.T) {
	bubble(t, siptest.Busy(0), nil, func(t *testing.T, w *world) {
		sent := w.catch()
		seen := map[string]bool{}
		for range 10 {
			*sent = nil
			w.invite(siptrunk.InviteOptions{}).wait()
			invite := (*sent)[0]
			_, tag, _ := strings.Cut(line(invite, "From"), ";tag=")
			_, branch, _ := strings.Cut(line(invite, "Via"), ";branch=")
			for _, id := range []string{tag, branch, line(invite, "Call-ID")} {
				require.NotEmpty(t, id)
				require.False(t, seen[id], "%s again", id)
				seen[id] = true
			}
		}
	})
}

// The proxies in front of the carrier see all of the dialog; the carrier holds us to that.
func TestRouteSet(t *testing.T) {
	s := siptest.Answer(0, 0, 0)
	s.RecordRoute = []string{"<sip:in@10.0.0.1:5060;lr>", "<sip:out@10.0.0.1:5060;lr>"}
	bubble(t, s, nil, func(t *testing.T, w *world) {
		c := w.invite(siptrunk.InviteOptions{})
		synctest.Wait()
		require.True(t, w.carrier.Records()[0].Acked)
		res, err := c.Do(t.Context(), sip.INVITE, "", offer)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode)
		c.Hangup()
		c.wait()
		st := w.carrier.Stats()
		require.Equal(t, 1, st.ByesReceived)
		require.Zero(t, st.Strays)
	})
}
