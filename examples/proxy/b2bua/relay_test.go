package b2bua_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

func body(msg string) string {
	_, b, _ := strings.Cut(msg, "\r\n\r\n")
	return b
}

const (
	held   = "v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendonly\r\n"
	holds  = "v=0\r\no=- 1 2 IN IP4 10.0.1.9\r\ns=-\r\nc=IN IP4 10.0.1.9\r\nt=0 0\r\nm=audio 50000 RTP/AVP 0\r\na=recvonly\r\n"
	signal = "Signal=5\r\nDuration=160\r\n"
)

// Hold: an INVITE within the call passes, in both directions, and so does its answer.
func TestHoldByTheDialer(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		re := d.ask("INVITE", held)
		d.expect("SIP/2.0 100 ")
		got := c.expect("INVITE ")
		require.Equal(t, held, body(got))
		require.NotContains(t, strings.TrimSuffix(got, held), "10.0.0.2", "nothing of the dialer's but the session description")
		c.respond(got, "180 Ringing", "")
		d.send(re) // a copy
		d.expect("SIP/2.0 100 ")
		c.respond(got, "200 OK", holds, "Contact: <sip:"+c.local+">")
		c.expect("ACK ")
		ok := d.expect("SIP/2.0 200 ")
		require.Equal(t, holds, body(ok))
		require.Equal(t, d.him, header(ok, "To"))
		require.Equal(t, ok, d.expect("SIP/2.0 200 "), "again, for want of the ACK")
		d.ask("ACK", "")
		d.silent(40 * time.Second)
		f.down()
	})
}

func TestHoldByTheCarrier(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		c.ask("INVITE", holds)
		got := d.expect("INVITE ")
		require.Equal(t, holds, body(got))
		require.NotContains(t, strings.TrimSuffix(got, holds), "10.0.1.9")
		require.NotContains(t, got, "X-")
		require.Equal(t, got, d.expect("INVITE "), "again, for want of an answer")
		d.respond(got, "100 Trying", "")
		c.expect("SIP/2.0 100 ")
		d.respond(got, "200 OK", held, "Contact: <sip:"+d.local+">")
		ack := d.expect("ACK ")
		d.respond(got, "200 OK", held, "Contact: <sip:"+d.local+">")
		require.Equal(t, ack, d.expect("ACK "), "for a copy too")
		ok := c.expect("SIP/2.0 200 ")
		require.Equal(t, held, body(ok))
		require.Equal(t, ok, c.expect("SIP/2.0 200 "), "again, for want of the ACK")
		c.ask("ACK", "")
		c.silent(40 * time.Second)
		f.down()
	})
}

// A carrier that never acknowledges the answer to its INVITE: the call ends on both sides (RFC 3261 §13.3.1.4).
func TestUnacknowledgedReinvite(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		c.ask("INVITE", holds)
		d.respond(d.expect("INVITE "), "200 OK", held, "Contact: <sip:"+d.local+">")
		d.expect("ACK ")
		var msg string
		for msg = c.next(time.Minute); strings.HasPrefix(msg, "SIP/2.0 200 "); msg = c.next(time.Minute) {
		}
		require.True(t, strings.HasPrefix(msg, "BYE "), msg)
		c.respond(msg, "200 OK", "")
		d.respond(d.expect("BYE "), "200 OK", "")
		f.gone()
	})
	answered(t, func(t *testing.T, f *flow) { // nor the dialer
		d, c := f.dialer, f.carrier
		d.ask("INVITE", held)
		d.expect("SIP/2.0 100 ")
		c.respond(c.expect("INVITE "), "200 OK", holds, "Contact: <sip:"+c.local+">")
		c.expect("ACK ")
		var msg string
		for msg = d.next(time.Minute); strings.HasPrefix(msg, "SIP/2.0 200 "); msg = d.next(time.Minute) {
		}
		require.True(t, strings.HasPrefix(msg, "BYE "), msg)
		d.respond(msg, "200 OK", "")
		c.respond(c.expect("BYE "), "200 OK", "")
		f.gone()
		require.EqualValues(t, 1, f.proxy.Stats().Lost)
	})
}

// An INVITE without an offer: the answer has the offer, and the ACK the answer.
func TestDelayedOfferWithinTheCall(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		d.ask("INVITE", "")
		d.expect("SIP/2.0 100 ")
		got := c.expect("INVITE ")
		require.Empty(t, body(got))
		c.respond(got, "200 OK", holds, "Contact: <sip:"+c.local+">")
		require.Equal(t, holds, body(d.expect("SIP/2.0 200 ")))
		c.silent(400 * ms)
		d.ask("ACK", held)
		require.Equal(t, held, body(c.expect("ACK ")))

		c.ask("INVITE", "")
		got = d.expect("INVITE ")
		require.Empty(t, body(got))
		d.respond(got, "200 OK", held, "Contact: <sip:"+d.local+">")
		require.Equal(t, held, body(c.expect("SIP/2.0 200 ")))
		d.silent(400 * ms)
		c.ask("ACK", holds)
		require.Equal(t, holds, body(d.expect("ACK ")))
		f.down()
	})
}

// Refusals pass, but for what concerns the hop to the carrier alone.
func TestRefusedReinvites(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		for from, to := range map[string]string{
			"488 Not Here": "488 Not Here", "491 Request Pending": "491 Request Pending", "503 Service Unavailable": "500 Server Internal Error",
			"401 Unauthorized": "502 Bad Gateway", "302 Moved Temporarily": "502 Bad Gateway",
		} {
			re := d.ask("INVITE", held)
			d.expect("SIP/2.0 100 ")
			got := c.expect("INVITE ")
			c.respond(got, from, "", "Retry-After: 7", "Warning: 399 10.0.1.9 \"x\"")
			require.Equal(t, header(got, "Via"), header(c.expect("ACK "), "Via"))
			res := d.expect("SIP/2.0 " + to)
			require.Equal(t, "7", header(res, "Retry-After"))
			require.NotContains(t, res, "10.0.1.9")
			d.send(re) // the response was lost
			d.expect("SIP/2.0 " + to)
			d.ackFailure()

			c.ask("INVITE", holds)
			got = d.expect("INVITE ")
			d.respond(got, from, "")
			require.Equal(t, header(got, "Via"), header(d.expect("ACK "), "Via"))
			c.expect("SIP/2.0 " + to)
			c.ackFailure()
		}
		d.silent(40 * time.Second)
		f.down()
	})
}

// INVITEs that meet (RFC 3261 §14): who asks while the other side asks gets 491, who asks twice 500.
func TestGlare(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		d.ask("INVITE", held)
		d.expect("SIP/2.0 100 ")
		theirs := c.expect("INVITE ")
		c.ask("INVITE", holds)
		c.expect("SIP/2.0 491 ")
		c.ackFailure()
		c.ask("UPDATE", holds)
		c.expect("SIP/2.0 491 ")
		first := d.seq
		d.ask("INVITE", held)
		require.NotEmpty(t, header(d.expect("SIP/2.0 500 "), "Retry-After"))
		d.ackFailure()
		d.ask("UPDATE", held)
		d.expect("SIP/2.0 500 ")
		c.respond(theirs, "200 OK", holds, "Contact: <sip:"+c.local+">")
		c.expect("ACK ")
		d.expect("SIP/2.0 200 ")
		last := d.seq
		d.seq = first
		d.ask("ACK", "")
		d.seq = last

		c.ask("INVITE", holds)
		got := d.expect("INVITE ")
		d.ask("INVITE", held)
		d.expect("SIP/2.0 491 ")
		d.ackFailure()
		d.respond(got, "491 Request Pending", "")
		d.expect("ACK ")
		c.expect("SIP/2.0 491 ")
		c.ackFailure()
		f.down()
	})
}

// DTMF and the like, and UPDATE with a session description, pass in both directions; REFER does not.
func TestInfoAndUpdate(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		for _, way := range [][2]*peer{{f.dialer, f.carrier}, {f.carrier, f.dialer}} {
			from, to := way[0], way[1]
			req := from.ask("INFO", signal, "Content-Type: application/dtmf-relay")
			got := to.expect("INFO ")
			require.Equal(t, signal, body(got))
			require.Equal(t, "application/dtmf-relay", header(got, "Content-Type"))
			from.send(req) // a copy, while it is not answered
			from.silent(100 * ms)
			to.respond(got, "200 OK", "")
			res := from.expect("SIP/2.0 200 ")
			from.send(req)
			require.Equal(t, res, from.expect("SIP/2.0 200 "))

			from.ask("UPDATE", held)
			got = to.expect("UPDATE ")
			require.Equal(t, held, body(got))
			to.respond(got, "200 OK", holds, "Contact: <sip:"+to.local+">")
			require.Equal(t, holds, body(from.expect("SIP/2.0 200 ")))

			for method, status := range map[string]string{"UPDATE": "200", "INFO": "200", "OPTIONS": "200", "REFER": "403", "MESSAGE": "405", "NOTIFY": "405"} {
				from.ask(method, "")
				from.expect("SIP/2.0 " + status)
			}
			to.silent(time.Second)
		}
		f.down()
	})
}

// A request that is never answered is given up, and the call goes on until somebody ends it.
func TestUnansweredRequests(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		f.dialer.ask("INFO", signal)
		for range 11 {
			f.carrier.expect("INFO ")
		}
		f.dialer.silent(5 * time.Second) // RFC 4320 §4.2: no 408, which would come too late
		f.carrier.ask("INFO", signal)
		for range 11 {
			f.dialer.expect("INFO ")
		}
		f.carrier.silent(5 * time.Second)
		f.carrier.ask("INVITE", holds)
		for range 7 {
			f.dialer.expect("INVITE ")
		}
		f.carrier.expect("SIP/2.0 100 ")
		f.carrier.expect("SIP/2.0 408 ")
		f.carrier.ackFailure()
		f.down()
	})
}

// The dialer hangs up while requests are under way: what is open is answered.
func TestByeEndsRequests(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		c.ask("INFO", signal)
		d.expect("INFO ")
		d.ask("INVITE", held)
		d.expect("SIP/2.0 100 ")
		theirs := c.expect("INVITE ")
		d.ask("BYE", "")
		d.expect("SIP/2.0 200 ")
		d.expect("SIP/2.0 487 ")
		got := []string{c.next(time.Second), c.next(time.Second)}
		if strings.HasPrefix(got[0], "SIP/2.0 487 ") {
			got[0], got[1] = got[1], got[0]
		}
		require.True(t, strings.HasPrefix(got[0], "BYE "), got[0])
		require.True(t, strings.HasPrefix(got[1], "SIP/2.0 487 "), got[1])
		c.respond(got[0], "200 OK", "")
		c.respond(theirs, "487 Request Terminated", "")
		c.expect("ACK ")
		f.gone()
	})
}

// Reliable provisional responses of the carrier are acknowledged; the dialer has them as they are without 100rel.
func TestReliableCarrier(t *testing.T) {
	flows(t, func(c *b2bua.Config) { c.Trunks[0].Reliable = true }, offerSDP, nil, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		require.Equal(t, "timer, 100rel", header(c.request, "Supported"))
		for range 2 {
			c.respond(c.request, "183 Session Progress", answerSDP, "Require: 100rel", "RSeq: 1", "Contact: <sip:"+c.local+">")
		}
		prack := c.expect("PRACK ")
		require.Equal(t, "1 1 INVITE", header(prack, "RAck"))
		c.respond(prack, "200 OK", "")
		early := d.expect("SIP/2.0 183 ")
		require.Equal(t, answerSDP, body(early))
		require.NotContains(t, early, "100rel")
		require.Empty(t, header(early, "RSeq"))
		d.silent(time.Second)
		f.up()
		f.down()
	})
}
