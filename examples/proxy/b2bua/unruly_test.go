package b2bua_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A response that lacks what a response has to have harms nobody.
func TestResponseWithoutFrom(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		c.ask("INVITE", holds)
		got := d.expect("INVITE ")
		msg := "SIP/2.0 488 No\r\n"
		for _, name := range []string{"Via", "To", "Call-ID", "CSeq"} {
			msg += name + ": " + header(got, name) + "\r\n"
		}
		d.send(msg + "Content-Length: 0\r\n\r\n")
		ack := d.expect("ACK ")
		for _, name := range []string{"Via", "From", "To"} {
			require.Equal(t, header(got, name), header(ack, name))
		}
		c.expect("SIP/2.0 488 ")
		c.ackFailure()
		f.down()
	})
}

// Responses that belong to nothing, and those that come too late, change nothing: another method, transaction or Call-ID than that of the INVITE, and
// whatever follows the answer.
func TestResponsesThatDoNotBelong(t *testing.T) {
	flows(t, nil, offerSDP, nil, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		for _, other := range [][2]string{{"1 INVITE", "1 BYE"}, {"1 INVITE", "1 CANCEL"}, {"1 INVITE", "1 PRACK"}, {"=z9hG4bK", "=z9hG4bKx"}, {"Call-ID: ", "Call-ID: x"}} {
			req := strings.Replace(c.request, other[0], other[1], 1)
			require.NotEqual(t, req, c.request)
			for _, status := range []string{"200 OK", "180 Ringing", "486 Busy Here", "407 Who"} {
				c.respond(req, status, answerSDP, "Contact: <sip:"+c.local+">")
			}
		}
		d.silent(100 * ms)
		c.silent(100 * ms)
		f.up()
		for range 3 {
			for _, status := range []string{"100 Trying", "180 Ringing", "486 Busy Here", "401 Who", "302 There"} {
				c.respond(c.request, status, "")
			}
		}
		d.silent(time.Second)
		for msg := c.next(ms); msg != ""; msg = c.next(ms) {
			require.True(t, strings.HasPrefix(msg, "ACK "), msg) // it quiets who repeats a final response, whichever
		}
		f.down()
	})
}

// One side may send as much as it likes: what waits for the other one's answer is bounded.
func TestManyRequestsAtOnce(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		for _, from := range []*peer{f.dialer, f.carrier} {
			refused := 0
			for range 100 {
				from.ask("INFO", signal)
				synctest.Wait() // in their order
			}
			for msg := from.next(100 * ms); msg != ""; msg = from.next(100 * ms) {
				if strings.HasPrefix(msg, "INFO ") { // the other side's
					continue
				}
				require.True(t, strings.HasPrefix(msg, "SIP/2.0 500 Too Many"), msg)
				require.NotEmpty(t, header(msg, "Retry-After"))
				refused++
			}
			require.Equal(t, 100-32, refused)
			time.Sleep(time.Minute)
		}
		for _, p := range []*peer{f.dialer, f.carrier} { // what was repeated in vain
			for p.next(ms) != "" {
			}
		}
		f.carrier.ask("INFO", signal) // and there is room again
		f.dialer.respond(f.dialer.expect("INFO "), "200 OK", "")
		f.carrier.expect("SIP/2.0 200 ")
		f.down()
	})
}

// An INVITE of the carrier's that overtakes its own ACK waits, and the call goes on.
func TestInviteBeforeItsAck(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		c.ask("INVITE", holds)
		d.respond(d.expect("INVITE "), "200 OK", held, "Contact: <sip:"+d.local+">")
		d.expect("ACK ")
		c.expect("SIP/2.0 200 ")
		c.ask("INVITE", holds)
		c.expect("SIP/2.0 491 ")
		c.ackFailure()
		c.seq--
		c.ask("ACK", "")
		c.seq++
		c.silent(40 * time.Second)
		d.silent(ms)
		c.ask("INVITE", holds)
		d.respond(d.expect("INVITE "), "200 OK", held, "Contact: <sip:"+d.local+">")
		d.expect("ACK ")
		c.expect("SIP/2.0 200 ")
		c.ask("ACK", "")
		f.down()
	})
}

// An answer to a carrier may be larger than a datagram of 1,500 bytes.
func TestLargeAnswerToTheCarrier(t *testing.T) {
	answered(t, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		long := held + strings.Repeat("a=candidate:1 1 UDP 2130706431 192.0.2.1 40000 typ host\r\n", 50)
		c.ask("INVITE", holds)
		d.respond(d.expect("INVITE "), "200 OK", long, "Contact: <sip:"+d.local+">")
		d.expect("ACK ")
		require.Equal(t, long, body(c.expect("SIP/2.0 200 ")))
		c.ask("ACK", "")
		c.ask("UPDATE", holds)
		d.respond(d.expect("UPDATE "), "200 OK", long, "Contact: <sip:"+d.local+">")
		require.Equal(t, long, body(c.expect("SIP/2.0 200 ")))
		f.down()
	})
}
