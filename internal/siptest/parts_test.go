package siptest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDigest(t *testing.T) {
	// RFC 2617 section 3.5.
	require.Equal(t, "6629fae49393a05397450978507c4ef1", digestResponse(map[string]string{
		"username": "Mufasa", "realm": "testrealm@host.com", "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
		"uri": "/dir/index.html", "qop": "auth", "nc": "00000001", "cnonce": "0a4f113b",
	}, "Circle Of Life", "GET"))

	carrier := &Auth{User: "u", Password: "p", Realm: "a, b"}
	for _, proxy := range []bool{false, true} {
		carrier.Proxy = proxy
		_, challenge := carrier.challenge("n1")
		h, ok := (&Auth{User: "u", Password: "p"}).authorize(challenge, "INVITE", "sip:x")
		require.True(t, ok)
		require.Equal(t, proxy, h.Name == "Proxy-Authorization")
		require.True(t, carrier.verify(h.Value, "INVITE", "n1"))
		require.False(t, carrier.verify(h.Value, "BYE", "n1"))
		require.False(t, carrier.verify(h.Value, "INVITE", "n2"))
		h, _ = (&Auth{User: "u", Password: "q"}).authorize(challenge, "INVITE", "sip:x")
		require.False(t, carrier.verify(h.Value, "INVITE", "n1"))
	}
	// Without qop, as RFC 2069 had it.
	h, ok := carrier.authorize(Header{"WWW-Authenticate", `Digest realm="a, b", nonce="n1", opaque="o"`}, "INVITE", "sip:x")
	require.True(t, ok)
	require.Contains(t, h.Value, `opaque="o"`)
	require.True(t, carrier.verify(h.Value, "INVITE", "n1"))
	for _, bad := range []string{"", "Basic x", "Digest", `Digest realm="x"`} {
		_, ok = carrier.authorize(Header{"WWW-Authenticate", bad}, "INVITE", "sip:x")
		require.False(t, ok, bad)
		require.False(t, carrier.verify(bad, "INVITE", "n1"), bad)
	}
}

func TestMediaAddr(t *testing.T) {
	for _, a := range []string{"10.0.0.1:4000", "[2001:db8::1]:9"} {
		got, ok := MediaAddr(SDP(netip.MustParseAddrPort(a)))
		require.True(t, ok)
		require.Equal(t, a, got.String())
	}
	for name, x := range map[string]struct{ sdp, want string }{
		"stream's own address": {"c=IN IP4 1.1.1.1\nm=audio 7 RTP/AVP 0\nc=IN IP4 2.2.2.2\n", "2.2.2.2:7"},
		"another stream after": {"c=IN IP4 1.1.1.1\r\nm=audio 7/2 RTP/AVP 0\r\nm=video 9 RTP/AVP 96\r\nc=IN IP4 3.3.3.3\r\n", "1.1.1.1:7"},
		"multicast":            {"c=IN IP4 224.2.1.1/127\nm=audio 7 RTP/AVP 0\n", "224.2.1.1:7"},
		"rejected":             {"c=IN IP4 1.1.1.1\nm=audio 0 RTP/AVP 0\n", ""},
		"a name":               {"c=IN IP4 host.example\nm=audio 7 RTP/AVP 0\n", ""},
		"no audio":             {"c=IN IP4 1.1.1.1\nm=video 7 RTP/AVP 0\n", ""},
		"empty":                {"", ""},
	} {
		got, ok := MediaAddr([]byte(x.sdp))
		require.Equal(t, x.want != "", ok, name)
		if ok {
			require.Equal(t, x.want, got.String(), name)
		}
	}
}

func FuzzMediaAddr(f *testing.F) {
	f.Add(SDP(netip.MustParseAddrPort("10.0.0.1:4000")))
	f.Fuzz(func(t *testing.T, sdp []byte) {
		a, ok := MediaAddr(sdp)
		if !ok {
			return
		}
		again, ok := MediaAddr(SDP(a))
		if !ok || again.Port() != a.Port() || again.Addr().Unmap() != a.Addr().Unmap() {
			t.Fatalf("%v does not survive: %v %v", a, again, ok)
		}
	})
}

func FuzzDigestParams(f *testing.F) {
	f.Add(`Digest realm="a, b", nonce=n, qop="auth,auth-int"`)
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := digestParams(s); ok && p == nil {
			t.Fatal("no map")
		}
		(&Auth{User: "u"}).authorize(Header{"WWW-Authenticate", s}, "INVITE", "sip:x")
	})
}

func TestUserOf(t *testing.T) {
	for in, want := range map[string]string{
		`"A \" <b>" <sip:+15551234@h>`:           "+15551234",
		`"A" <sip:+15551234@h;user=phone>;tag=x`: "+15551234",
		`<tel:+15551234;phone-context=x>`:        "+15551234",
		`sip:bob;x=y@h`:                          "bob",
		`<sip:h>`:                                "",
		``:                                       "",
	} {
		require.Equal(t, want, userOf(in), in)
	}
}

func TestBackoff(t *testing.T) {
	at := func(cap time.Duration) (sum []time.Duration, end time.Duration) {
		b := backoff{cap: cap}
		for {
			d, more := b.next()
			end += d
			if !more {
				return sum, end
			}
			sum = append(sum, end)
		}
	}
	sum, end := at(0) // RFC 3261 section 17.1.1.2
	require.Equal(t, []time.Duration{500e6, 1500e6, 3500e6, 7500e6, 15500e6, 31500e6}, sum)
	require.Equal(t, 32*time.Second, end)
	sum, end = at(T2) // sections 17.1.2.2 and 13.3.1.4
	require.Equal(t, []time.Duration{500e6, 1500e6, 3500e6, 7500e6, 11500e6, 15500e6, 19500e6, 23500e6, 27500e6, 31500e6}, sum)
	require.Equal(t, 32*time.Second, end)
}

func TestWindowIsHalfOpen(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var w window
	require.Equal(t, 1, w.add(t0))
	require.Equal(t, 2, w.add(t0.Add(999*time.Millisecond)))
	require.Equal(t, 2, w.add(t0.Add(time.Second)))
	require.Equal(t, 0, w.count(t0.Add(2*time.Second)))
}
