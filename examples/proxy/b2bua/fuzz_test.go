package b2bua

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/internal/siptest"
)

// tap is a socket that keeps what is written.
type tap struct {
	net.PacketConn
	sent [][]byte
}

func (*tap) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(home) }
func (*tap) Close() error        { return nil }

func (w *tap) WriteTo(b []byte, _ net.Addr) (int, error) {
	w.sent = append(w.sent, b)
	return len(b), nil
}

var home = netip.MustParseAddrPort("127.0.0.1:5060")

// FuzzReceive gives a proxy with one call that is up, and has asked the dialer for something, whatever a dialer may send, two datagrams in a row:
// BRANCH stands for that of the request, CALL for the Call-ID. Nothing panics, and what goes out is SIP again: nothing that came in can end a line of it.
func FuzzReceive(f *testing.F) {
	invite, err := siptest.RawInvite("127.0.0.1:7000", home.String(), "+18885550000", "+12125550123")
	if err != nil {
		f.Fatal(err)
	}
	within := func(method string) []byte {
		return []byte(strings.NewReplacer("INVITE", method, "branch=z9hG4bK", "branch=z9hG4bK2", "CSeq: 1", "CSeq: 2",
			"5060>\r\nCall", "5060>;tag=ours\r\nCall").Replace(string(invite)))
	}
	f.Add(invite, invite)
	f.Add([]byte(strings.Replace(string(invite), "INVITE", "ACK", 2)), within("BYE"))
	f.Add(within("UPDATE"), within("REFER"))
	f.Add([]byte(strings.Replace(string(invite), "INVITE", "CANCEL", 2)), invite[:300])
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n\r\n"), []byte("\r\n"))
	for _, lines := range []string{"From: <sip:c@d>;tag=ours\r\nTo: <sip:a@b>;tag=TAG\r\n", "To: <sip:a@b>;tag=TAG\r\n"} {
		for _, status := range []string{"100 A", "200 B", "422 C\r\nMin-SE: 7200", "488 D", "491 E"} {
			f.Add([]byte("SIP/2.0 "+status+"\r\nVia: SIP/2.0/UDP a;branch=BRANCH\r\n"+lines+"Call-ID: CALL\r\nCSeq: 1 INVITE\r\nContact: <sip:x@y>\r\n\r\n"), within("INVITE"))
		}
	}
	cfg, err := Load("x.yaml", []byte("listen: 127.0.0.1:0\ncarrier_listen: 127.0.0.1:0\ndialers: [{name: d, sources: [127.0.0.1]}]\n"+
		"trunks: [{name: a, address: 127.0.0.1}]\nrouting: {rules: [{tiers: [{trunks: [{trunk: a}]}]}]}\n"))
	if err != nil {
		f.Fatal(err)
	}
	wire := &tap{}
	p, err := New(cfg, Options{DialerConn: wire, CarrierConn: &tap{}})
	if err != nil {
		f.Fatal(err)
	}
	defer p.Close()
	p.closing = true // no call begins but the one below
	src := p.admits(home.Addr())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		msg, err := p.parser.ParseSIP(invite)
		if err != nil {
			t.Fatal(err)
		}
		at := place{addr: home, link: p.links[0]}
		r := newRequest(msg.(*sip.Request), at, src)
		c := newCall(p, r, r.dialog())
		p.calls, p.finished = map[string]*call{c.key: c}, finished{}
		c.dialog.accept(time.Now(), response{code: 200, phrase: "OK", tag: "ours"})
		c.dialog.state = confirmed
		c.dialog.ask(time.Now(), sip.INVITE, "application/sdp", []byte("v=0"), nil, func(time.Time, *sip.Response) {})
		fill := strings.NewReplacer("BRANCH", c.dialog.asked[0].branch, "CALL", r.CallID().Value(), "TAG", r.fromTag())
		for _, msg := range [][]byte{a, b} {
			wire.sent, msg = nil, []byte(fill.Replace(string(msg)))
			p.receive(msg, at, src)
			for _, item := range c.in.take(nil) {
				c.handle(item)
			}
			c.tick(time.Now())
			for _, out := range wire.sent {
				if _, err := sip.ParseMessage(out); err != nil {
					t.Fatalf("%v in\n%s", err, out)
				}
			}
		}
	})
}

// FuzzLoad gives the configuration reader whatever stands in a file.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("listen: 127.0.0.1:0\ncli:\n  numbers:\n    - {number: +12125550101}\n"))
	f.Add([]byte("dialers: &a [{name: x, sources: [*a]}]\ntrunks: *a\n"))
	f.Add([]byte("routing: {rules: [{tiers: [{trunks: [{trunk: a}]}]}]}\nday_parts: [null, {days: [1]}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Load("x.yaml", data); err != nil && err.Error() == "" {
			t.Fatal("an error that says nothing")
		}
	})
}
