package b2bua_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

// noTimer keeps the carrier's side out of it.
func noTimer(c *b2bua.Config) { c.Trunks[0].SessionExpires = -1 }

// The dialer refreshes, by UPDATE or INVITE; when it no longer does, the call ends on both sides.
func TestDialerRefreshes(t *testing.T) {
	asks := []string{"Supported: timer", "Session-Expires: 120"}
	flows(t, noTimer, offerSDP, asks, func(t *testing.T, f *flow) {
		require.Empty(t, header(f.carrier.request, "Session-Expires"))
		f.up()
		require.Equal(t, "120;refresher=uac", header(f.answer, "Session-Expires"))
		require.Equal(t, "timer", header(f.answer, "Require"))
		time.Sleep(60 * time.Second)
		f.dialer.ask("UPDATE", "", append(asks, "Session-Expires: 120;refresher=uac")...)
		require.Equal(t, "120;refresher=uac", header(f.dialer.expect("SIP/2.0 200 "), "Session-Expires"))
		time.Sleep(60 * time.Second)
		f.dialer.ask("INVITE", offerSDP, asks...)
		f.dialer.expect("SIP/2.0 100 ")
		f.carrier.respond(f.carrier.expect("INVITE "), "200 OK", answerSDP, "Contact: <sip:"+f.carrier.local+">")
		f.carrier.expect("ACK ")
		require.Equal(t, "120;refresher=uac", header(f.dialer.expect("SIP/2.0 200 "), "Session-Expires"))
		f.dialer.ask("ACK", "")
		start := time.Now()
		for _, side := range []*peer{f.dialer, f.carrier} {
			bye := side.next(2 * time.Minute)
			require.Equal(t, "Q.850;cause=102", header(bye, "Reason"), bye)
			side.respond(bye, "200 OK", "")
		}
		require.Equal(t, 88*time.Second, time.Since(start))
		f.gone()
		require.EqualValues(t, 1, f.proxy.Stats().Expired)
	})
}

// The proxy refreshes where the dialer wants it to.
func TestProxyRefreshes(t *testing.T) {
	for allow, method := range map[string]string{"INVITE, UPDATE": "UPDATE ", "INVITE, ACK": "INVITE "} {
		t.Run(method, func(t *testing.T) {
			asks := []string{"Supported: timer", "Session-Expires: 120;refresher=uas", "Allow: " + allow}
			flows(t, noTimer, offerSDP, asks, func(t *testing.T, f *flow) {
				f.up()
				require.Equal(t, "120;refresher=uas", header(f.answer, "Session-Expires"))
				require.Empty(t, header(f.answer, "Require"))
				for range 2 {
					got := f.dialer.next(61 * time.Second)
					require.Equal(t, method, got[:len(method)])
					require.Equal(t, "120;refresher=uac", header(got, "Session-Expires"))
					said := ""
					if method == "INVITE " {
						require.Equal(t, answerSDP, body(got), "the session as it is")
						said = offerSDP
					}
					f.dialer.respond(got, "200 OK", said, "Session-Expires: 120;refresher=uac", "Contact: <sip:"+f.dialer.local+">")
					if method == "INVITE " {
						f.dialer.expect("ACK ")
					}
				}
				f.carrier.silent(time.Second)
				f.dialer.respond(f.dialer.next(61*time.Second), "481 Gone", "")
				if method == "INVITE " {
					f.dialer.expect("ACK ")
				}
				over := time.Now()
				for _, side := range []*peer{f.dialer, f.carrier} {
					side.respond(side.expect("BYE "), "200 OK", "")
				}
				require.Less(t, time.Since(over), time.Second, "at once: the dialog is over there")
				f.gone()
			})
		})
	}
}

// A refresh waits for an INVITE that is under way, which may be one by itself.
func TestRefreshWaitsForAnInvite(t *testing.T) {
	asks := []string{"Supported: timer", "Session-Expires: 120;refresher=uas", "Allow: UPDATE"}
	flows(t, noTimer, offerSDP, asks, func(t *testing.T, f *flow) {
		f.up()
		time.Sleep(59 * time.Second)
		f.dialer.ask("INVITE", held)
		f.dialer.expect("SIP/2.0 100 ")
		got := f.carrier.expect("INVITE ")
		f.carrier.respond(got, "100 Trying", "")
		f.dialer.silent(20 * time.Second)
		f.carrier.respond(got, "488 Not Acceptable Here", "")
		f.carrier.expect("ACK ")
		f.dialer.expect("SIP/2.0 488 ")
		f.dialer.ackFailure()
		f.dialer.respond(f.dialer.next(5*time.Second), "200 OK", "", "Session-Expires: 120;refresher=uac")
		f.down()
	})
}

// A proxy on the way may ask for a dialer that knows nothing of session timers: then it is for us to refresh (RFC 4028 §9).
func TestSessionTimerOfAProxyOnTheWay(t *testing.T) {
	flows(t, noTimer, offerSDP, []string{"Session-Expires: 120", "Allow: UPDATE"}, func(t *testing.T, f *flow) {
		f.up()
		require.Equal(t, "120;refresher=uas", header(f.answer, "Session-Expires"))
		require.Empty(t, header(f.answer, "Require"))
		f.dialer.silent(59 * time.Second)
		f.dialer.respond(f.dialer.expect("UPDATE "), "200 OK", "")
		f.down()
	})
}

// A dialer that wants a longer interval than it had agreed upon gets it.
func TestRefreshTooBrief(t *testing.T) {
	asks := []string{"Supported: timer", "Session-Expires: 120;refresher=uas", "Allow: UPDATE"}
	flows(t, noTimer, offerSDP, asks, func(t *testing.T, f *flow) {
		f.up()
		f.dialer.respond(f.dialer.next(61*time.Second), "422 Session Interval Too Small", "", "Min-SE: 600")
		got := f.dialer.expect("UPDATE ")
		require.Equal(t, "600;refresher=uac", header(got, "Session-Expires"))
		f.dialer.respond(got, "200 OK", "", "Session-Expires: 600;refresher=uac")
		f.dialer.silent(299 * time.Second)
		f.dialer.respond(f.dialer.expect("UPDATE "), "200 OK", "", "Session-Expires: 600;refresher=uac")
		f.down()
	})
}

// A dialer that knows nothing of session timers has none; too short an interval is refused.
func TestSessionTimerOfDialers(t *testing.T) {
	flows(t, noTimer, offerSDP, nil, func(t *testing.T, f *flow) {
		f.up()
		require.Empty(t, header(f.answer, "Session-Expires"))
		f.dialer.ask("UPDATE", "", "Session-Expires: 60")
		require.Equal(t, "90", header(f.dialer.expect("SIP/2.0 422 "), "Min-SE"))
		f.dialer.ask("INVITE", held, "x: 60")
		require.Equal(t, "90", header(f.dialer.expect("SIP/2.0 422 "), "Min-SE"))
		f.dialer.ask("ACK", "")
		time.Sleep(2 * time.Hour)
		f.down()
	})
	flows(t, noTimer, offerSDP, []string{"Supported: timer"}, func(t *testing.T, f *flow) {
		f.up()
		require.Equal(t, "1800;refresher=uac", header(f.answer, "Session-Expires"))
		f.down()
	})
	flows(t, noTimer, offerSDP, []string{"Supported: timer", "Min-SE: 3600"}, func(t *testing.T, f *flow) {
		f.up()
		require.Equal(t, "3600;refresher=uac", header(f.answer, "Session-Expires"), "what the dialer has as its least")
		f.down()
	})
	off := func(c *b2bua.Config) { noTimer(c); c.Dialers[0].SessionExpires = -1 }
	flows(t, off, offerSDP, []string{"Supported: timer"}, func(t *testing.T, f *flow) {
		f.up()
		require.Empty(t, header(f.answer, "Session-Expires"))
		f.down()
	})
}

// The carrier's session is refreshed by itself, and one that the carrier lets lapse ends the call.
func TestCarrierSession(t *testing.T) {
	flows(t, nil, offerSDP, nil, func(t *testing.T, f *flow) {
		require.Equal(t, "1800", header(f.carrier.request, "Session-Expires"))
		f.up("Session-Expires: 90;refresher=uas")
		for _, side := range []*peer{f.carrier, f.dialer} {
			bye := side.next(2 * time.Minute)
			require.True(t, len(bye) > 4 && bye[:4] == "BYE ", bye)
			side.respond(bye, "200 OK", "")
		}
		f.gone()
	})
}
