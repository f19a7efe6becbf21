package b2bua_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

const proxyAddr = "10.0.0.1:5060"

// raw sends payload from addr and returns the first thing that comes back, or "".
func (w *world) raw(addr string, payload []byte) string {
	w.t.Helper()
	synctest.Wait() // what is on its way to addr for an earlier message is no answer to this one
	conn, err := w.network.Listen(addr)
	require.NoError(w.t, err)
	defer conn.Close()
	b, err := siptest.ExchangeRaw(w.t.Context(), conn, proxyAddr, payload, time.Second)
	require.NoError(w.t, err)
	return string(b)
}

// invite is the text of an INVITE from the dialer, with the given replacements.
func invite(t *testing.T, replace ...string) []byte {
	t.Helper()
	b, err := siptest.RawInvite("10.0.0.2:7000", proxyAddr, "+18885550000", callee)
	require.NoError(t, err)
	s := strings.NewReplacer(replace...).Replace(string(b))
	return []byte(s)
}

func status(answer string) string {
	line, _, _ := strings.Cut(answer, "\r\n")
	return strings.TrimPrefix(line, "SIP/2.0 ")
}

func TestUnknownSource(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		for range 3 {
			require.Empty(t, w.raw("10.66.0.6:5060", invite(t)), "not a word")
		}
		require.Equal(t, b2bua.Stats{Strangers: 3}, w.proxy.Stats())
		require.Zero(t, w.first.Stats().Invites)
	})
}

// What is answered before a call begins.
func TestScreening(t *testing.T) {
	for _, tt := range []struct {
		name    string
		replace []string
		want    string
		with    string // a header line of the answer
	}{
		{"hops used up", []string{"Max-Forwards: 70", "Max-Forwards: 0"}, "483 Too Many Hops", ""},
		{"an extension is required", []string{"Max-Forwards: 70", "Max-Forwards: 70\r\nRequire: 100rel, timer, replaces"}, "420 Bad Extension", "Unsupported: 100rel, replaces"},
		{"been here", []string{"Max-Forwards: 70", "Via: SIP/2.0/UDP 10.0.0.1:5080;branch=z9hG4bKx\r\nMax-Forwards: 70"}, "482 Loop Detected", ""},
		{"a method that is not the CSeq's", []string{"1 INVITE", "1 BYE"}, "400 Bad Request", ""},
		{"no From tag", []string{";tag=", ";other="}, "400 Missing From Tag", ""},
		{"another version", []string{"INVITE sip", "INVITE sip", " SIP/2.0\r\nVia", " SIP/3.0\r\nVia"}, "505 Version Not Supported", ""},
		{"sips", []string{"INVITE sip:", "INVITE sips:"}, "416 Unsupported URI Scheme", ""},
		{"not a session description", []string{"application/sdp", "text/plain"}, "415 Unsupported Media Type", "Accept: application/sdp"},
		{"a body that is compressed", []string{"Content-Type: ", "Content-Encoding: gzip\r\nContent-Type: "}, "415 Unsupported Media Type", "Accept-Encoding: identity"},
		{"in the short form", []string{"Content-Type: ", "e: deflate\r\nContent-Type: "}, "415 Unsupported Media Type", "Accept-Encoding: identity"},
		{"a body that is too short", []string{"Content-Length: ", "Content-Length: 9"}, "400 Bad Request", ""},
		{"subscribe", []string{"INVITE sip", "SUBSCRIBE sip", "1 INVITE", "1 SUBSCRIBE"}, "405 Method Not Allowed", "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO"},
		{"refer", []string{"INVITE sip", "REFER sip", "1 INVITE", "1 REFER"}, "403 Forbidden", ""},
		{"options", []string{"INVITE sip", "OPTIONS sip", "1 INVITE", "1 OPTIONS"}, "200 OK", "Accept: application/sdp"},
		{"options that go no further", []string{"INVITE sip", "OPTIONS sip", "1 INVITE", "1 OPTIONS", "Max-Forwards: 70", "Max-Forwards: 0"}, "200 OK", "Accept: application/sdp"},
		{"a BYE to nobody", []string{"INVITE sip", "BYE sip", "1 INVITE", "1 BYE"}, "481 Call/Transaction Does Not Exist", ""},
		{"a CANCEL of nothing", []string{"INVITE sip", "CANCEL sip", "1 INVITE", "1 CANCEL"}, "481 Call/Transaction Does Not Exist", ""},
		{"an ACK of nothing", []string{"INVITE sip", "ACK sip", "1 INVITE", "1 ACK"}, "", ""},
		{"an unknown dialog", []string{callee + "@10.0.0.1:5060>\r\n", callee + "@10.0.0.1:5060>;tag=x\r\n"}, "481 Call/Transaction Does Not Exist", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
				msg := invite(t, tt.replace...)
				answer := w.raw("10.0.0.2:7000", msg)
				require.Equal(t, tt.want, status(answer))
				if tt.with != "" {
					require.Contains(t, answer, tt.with+"\r\n")
				}
				if answer != "" {
					require.Contains(t, answer, ";tag=", "every answer has a To tag")
					before := w.proxy.Stats().Rejected
					require.Equal(t, answer, w.raw("10.0.0.2:7000", msg), "a copy gets the same")
					require.Equal(t, before, w.proxy.Stats().Rejected, "and nothing else")
				}
				require.Zero(t, w.first.Stats().Invites)
				require.Zero(t, w.proxy.Live())
			})
		})
	}
}

// What cannot be answered is dropped, and counted.
func TestMalformed(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		valid := invite(t)
		bad := [][]byte{
			[]byte("hello"), []byte("INVITE\r\n\r\n"), []byte("SIP/2.0 200 OK\r\n\r\n"), []byte("\x00\x01\x02\x03\x04\x05"),
			invite(t, "CSeq: 1 INVITE", "CSeq: INVITE"), valid[:100],
		}
		for _, h := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			bad = append(bad, siptest.WithoutHeader(valid, h))
		}
		for i, b := range bad {
			require.Empty(t, w.raw("10.0.0.2:7000", b), "message %d", i)
		}
		require.Equal(t, uint64(len(bad)), w.proxy.Stats().Malformed)
		require.Empty(t, w.raw("10.0.0.2:7000", []byte("\r\n\r\n")), "a keep-alive is no error")
		require.Equal(t, uint64(len(bad)), w.proxy.Stats().Malformed)
		require.Equal(t, 200, w.call(siptest.CallerCall{}).Code(), "and the next call is served")
		w.settled()
	})
}

// Without rport the answer goes to the Via's port; behind NAT, as configured, to where the request came from.
func TestWhereAnswersGo(t *testing.T) {
	for name, nat := range map[string]bool{"by the Via": false, "behind NAT": true} {
		t.Run(name, func(t *testing.T) {
			change := func(c *b2bua.Config) { c.Dialers[0].NAT = nat }
			bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
				msg := invite(t, "INVITE sip", "OPTIONS sip", "1 INVITE", "1 OPTIONS", ";rport", "")
				answer := w.raw("10.0.0.2:7001", msg) // the Via says 7000
				require.Equal(t, nat, answer != "")
			})
		})
	}
}

// Of a dialer whose Via names another host than the one that it sends from, the answer says which that was (RFC 3261 §18.2.1), and with rport the
// port too (RFC 3581 §4).
func TestReceived(t *testing.T) {
	for name, x := range map[string]struct{ via, want string }{
		"its own address": {"10.0.0.2:7000", "10.0.0.2:7000;branch="},
		"another one":     {"10.0.0.9:7000", "received=10.0.0.2"},
		"a name":          {"pbx.example:7000", "received=10.0.0.2"},
		"rport":           {"10.0.0.9:9999;rport", "received=10.0.0.2"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, siptest.Silence(), siptest.Silence(), nil, func(t *testing.T, w *world) {
				msg := invite(t, "INVITE sip", "OPTIONS sip", "1 INVITE", "1 OPTIONS", ";rport", "", "UDP 10.0.0.2:7000", "UDP "+x.via)
				via := header(w.raw("10.0.0.2:7000", msg), "Via")
				require.Contains(t, via, x.want)
				require.Equal(t, strings.Contains(x.want, "received"), strings.Contains(via, "received"))
				require.Equal(t, strings.Contains(x.via, "rport"), strings.Contains(via, ";rport=7000"))
			})
		})
	}
}

// The same INVITE on two ways, and another INVITE of the same call while the first one goes on.
func TestMergedRequest(t *testing.T) {
	bubble(t, siptest.TryingOnly(), siptest.Silence(), nil, func(t *testing.T, w *world) {
		first := invite(t)
		require.Equal(t, "100 Trying", status(w.raw("10.0.0.2:7000", first)))
		other := strings.Replace(string(first), "branch=z9hG4bK", "branch=z9hG4bKother", 1)
		require.Equal(t, "482 Merged Request", status(w.raw("10.0.0.2:7000", []byte(other))))
		next := strings.NewReplacer("branch=z9hG4bK", "branch=z9hG4bKnext", "CSeq: 1 ", "CSeq: 2 ").Replace(string(first))
		answer := w.raw("10.0.0.2:7000", []byte(next))
		require.Equal(t, "500 Call In Progress", status(answer))
		require.Contains(t, answer, "Retry-After: 1\r\n")
		time.Sleep(ms)
		require.Equal(t, 1, w.first.Stats().Invites)
		require.Equal(t, uint64(2), w.proxy.Stats().Rejected)
	})
}

// More calls than max_calls are refused for want of our own room.
func TestTooManyCalls(t *testing.T) {
	change := func(c *b2bua.Config) { c.MaxCalls = 1 }
	bubble(t, siptest.Answer(0, 0, 2*time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
		done := make(chan *siptest.CallResult, 1)
		go func() { done <- w.call(siptest.CallerCall{}) }()
		time.Sleep(100 * ms)
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 503, r.Code())
		require.Equal(t, "5", r.Final.Header("Retry-After"))
		require.Equal(t, 200, (<-done).Code())
		w.settled()
	})
}
