package siptrunk

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

const answerHead = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1;rport=5060;received=10.0.0.2\r\n"

const answerTail = "From: <sip:+13035550100@10.0.0.2>;tag=1\r\nTo: <sip:+12125550123@10.0.0.1:5060>;tag=2\r\nCall-ID: abc\r\n" +
	"CSeq: 1 INVITE\r\nUser-Agent: carrier\r\nAllow: INVITE, ACK, CANCEL, BYE\r\n"

func parse(t testing.TB, text string) *sip.Response {
	t.Helper()
	msg, err := newResponseParser().ParseSIP([]byte(text))
	require.NoError(t, err)
	require.True(t, usable(msg.(*sip.Response)))
	return msg.(*sip.Response)
}

func udpTo(addr string) hop { return hop{addr: netip.MustParseAddrPort(addr), transport: TransportUDP} }

func TestTargetOf(t *testing.T) {
	trunk := target{uri: "sip:+12125550123@10.0.0.1:5060", dst: udpTo("10.0.0.1:5060")}
	for _, tt := range []struct {
		name, headers string
		want          target
	}{
		{"nothing", "", trunk},
		{
			"a contact", "Contact: \"C, x\" <sip:abc@10.0.0.7:5070;transport=udp>;expires=60\r\n",
			target{uri: "sip:abc@10.0.0.7:5070;transport=udp", dst: udpTo("10.0.0.7:5070")},
		},
		{"a contact with a name", "m: <sip:abc@gw.example>\r\n", target{uri: "sip:abc@gw.example", dst: trunk.dst}},
		{
			"loose routes", "Record-Route: <sip:10.0.0.8;lr>,<sip:p2.example;lr;x=1>\r\nRecord-Route: <sip:10.0.0.9:5080;lr>\r\nContact: <sip:abc@10.0.0.7>\r\n",
			target{
				uri: "sip:abc@10.0.0.7", routes: []string{"<sip:10.0.0.9:5080;lr>", "<sip:p2.example;lr;x=1>", "<sip:10.0.0.8;lr>"},
				dst: udpTo("10.0.0.9:5080"),
			},
		},
		{
			"a strict router first", "Record-Route: <sip:10.0.0.8;lr>\r\nRecord-Route: <sip:10.0.0.9>\r\nContact: <sip:abc@10.0.0.7>\r\n",
			target{
				uri: "sip:10.0.0.9", routes: []string{"<sip:10.0.0.8;lr>", "<sip:abc@10.0.0.7>"},
				dst: udpTo("10.0.0.9:5060"), strict: true,
			},
		},
		{"IPv6", "Contact: <sip:abc@[2001:db8::1]:5070>\r\n", target{uri: "sip:abc@[2001:db8::1]:5070", dst: udpTo("[2001:db8::1]:5070")}},
		{"another scheme", "Contact: <tel:+12125550123>\r\n", trunk},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, targetOf(parse(t, answerHead+tt.headers+answerTail+"Content-Length: 0\r\n\r\n"), trunk))
		})
	}
}

// The transport of a dialog is what a Contact says, but that TLS is neither left nor entered by one.
func TestTransportOfAContact(t *testing.T) {
	at := func(tr Transport) hop { return hop{addr: netip.MustParseAddrPort("10.0.0.1:5060"), transport: tr} }
	for _, tt := range []struct {
		base Transport
		uri  string
		want Transport // 0 = it leads nowhere
	}{
		{TransportUDP, "sip:a@10.0.0.7", TransportUDP},
		{TransportUDP, "sip:a@10.0.0.7;transport=TCP", TransportTCP},
		{TransportTCP, "sip:a@10.0.0.7", TransportTCP},
		{TransportTCP, "sip:a@10.0.0.7;transport=udp", TransportUDP},
		{TransportTLS, "sip:a@10.0.0.7;transport=udp", TransportTLS},
		{TransportTLS, "sip:a@10.0.0.7;transport=tcp", TransportTLS},
		{TransportTLS, "sips:a@10.0.0.7", TransportTLS},
		{TransportUDP, "sips:a@10.0.0.7", 0},
		{TransportTCP, "sip:a@10.0.0.7;transport=tls", 0},
	} {
		got, ok := hopOf(tt.uri, at(tt.base))
		require.Equal(t, tt.want != 0, ok, "%s from %s", tt.uri, tt.base)
		require.Equal(t, tt.want, got.transport, "%s from %s", tt.uri, tt.base)
		if ok {
			require.Equal(t, tt.want.defaultPort(), got.addr.Port())
		}
	}
}

func TestURIIn(t *testing.T) {
	for v, want := range map[string]string{
		`<sip:p.example;lr>`:                     "sip:p.example;lr",
		` <sip:p.example;lr>;x=">"`:              "sip:p.example;lr",
		`Proxy One <sip:p.example>`:              "sip:p.example",
		`"a <b> c" <sip:p.example;lr>`:           "sip:p.example;lr",
		`"a \" <sip:x@y> \\" <sip:p.example;lr>`: "sip:p.example;lr",
		`"<sip:x@y>`:                             "",
		`"a\`:                                    "",
		`<sip:p.example`:                         "",
		`sip:p.example`:                          "sip:p.example",
		``:                                       "",
	} {
		require.Equal(t, want, uriIn(v), v)
	}
}

func FuzzURIIn(f *testing.F) {
	f.Add("a <b>", "sip:p.example;lr")
	f.Add(`\`, "sip:p")
	f.Fuzz(func(t *testing.T, name, uri string) {
		uriIn(name)
		if strings.ContainsAny(uri, "<>") {
			t.Skip()
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" <` + uri + ">;x=1"
		if got := uriIn(quoted); got != uri {
			t.Fatalf("%q: %q, not %q", quoted, got, uri)
		}
	})
}

func TestAdmits(t *testing.T) {
	rs := &routes{sources: map[netip.AddrPort]struct{}{}}
	for _, s := range []string{"192.0.2.1", "192.0.2.2:5060", "198.51.100.0/29", "2001:db8::/64"} {
		require.NoError(t, rs.addSource(s))
	}
	for addr, want := range map[string]bool{
		"192.0.2.1:1": true, "192.0.2.2:5060": true, "192.0.2.2:5061": false, "192.0.2.3:5060": false, "198.51.100.7:9": true,
		"198.51.100.8:9": false, "[2001:db8::5]:5060": true, "[2001:db8:1::5]:5060": false,
	} {
		require.Equal(t, want, rs.admits(netip.MustParseAddrPort(addr)), addr)
	}
	require.Error(t, rs.addSource("example.com"))
}

func TestStaleNonceIsAnsweredOnceMore(t *testing.T) {
	d, err := New(Config{ListenAddr: "127.0.0.1:0"})
	require.NoError(t, err)
	defer d.Close()
	l := &Leg{d: d, route: &route{Trunk: Trunk{Username: "u", Password: "p"}}}
	challenge := func(code int, values ...string) *sip.Response {
		res := sip.NewResponse(code, "")
		name := map[int]string{401: "WWW-Authenticate", 407: "Proxy-Authenticate"}[code]
		for _, v := range values {
			res.AppendHeader(sip.NewHeader(name, v))
		}
		return res
	}
	const uri = "sip:+12125550123@10.0.0.1:5060;user=phone"
	c := &credentials{}
	require.True(t, l.authorize(c, sip.INVITE, uri, challenge(407, `Digest realm="p", nonce="1", qop="auth"`)))
	require.Contains(t, c.proxy, `uri="`+uri+`"`)
	require.True(t, l.authorize(c, sip.INVITE, uri, challenge(401, `Digest realm="s", nonce="2", algorithm=XYZ`, `Digest realm="s", nonce="2"`)),
		"the challenge that can be answered")
	require.Len(t, c.lines(nil), 2, "both stay")
	require.False(t, l.authorize(c, sip.INVITE, uri, challenge(401, `Digest realm="s", nonce="3"`)), "refused")
	require.True(t, l.authorize(c, sip.INVITE, uri, challenge(401, `Digest realm="s", nonce="4", stale=TRUE`)))
	require.True(t, l.authorize(c, sip.INVITE, uri, challenge(407, `Digest realm="p", nonce="5", stale="true"`)))
	require.False(t, l.authorize(c, sip.INVITE, uri, challenge(407, `Digest realm="p", nonce="6", stale=true`)), "not for ever")
	require.False(t, l.authorize(&credentials{}, sip.INVITE, uri, challenge(401, `Basic realm="s"`)))
	require.False(t, l.authorize(&credentials{}, sip.INVITE, uri, challenge(403)))
}

// What one answered attempt costs in messages: two written (INVITE, ACK), three read (100, 180, 200).
func BenchmarkMessages(b *testing.B) {
	p := newResponseParser()
	responses := make([][]byte, 0, 3)
	for _, line := range []string{"SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"} {
		responses = append(responses, []byte(line+answerHead[len("SIP/2.0 200 OK"):]+"Contact: <sip:abc@10.0.0.7:5070>\r\n"+answerTail+"Content-Length: 0\r\n\r\n"))
	}
	m := message{
		method: "INVITE", uri: "sip:+12125550123@10.0.0.1:5060", maxForwards: 70, from: "<sip:+13035550100@10.0.0.2>;tag=1",
		to: "<sip:+12125550123@10.0.0.1:5060>", callID: "abc", cseq: 1, contact: true, contentType: "application/sdp",
		lines: []string{"P-Asserted-Identity: <sip:+13035550100@10.0.0.2>\r\n"}, body: make([]byte, 200),
	}
	us := newSelf(TransportUDP, "10.0.0.2:5060")
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.branch = newBranch()
			m.render(us, us, "outdial")
			m.render(us, us, "outdial")
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, r := range responses {
				if _, err := p.ParseSIP(r); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	full := sip.NewParser()
	b.Run("read-default-parser", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, r := range responses {
				if _, err := full.ParseSIP(r); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
