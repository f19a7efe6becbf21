package b2bua

import (
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

// over is a place that is reached over a transport.
func over(addr, transport string) place {
	k := &link{transport: transport}
	if transport == "UDP" {
		k.wire = &wire{}
	}
	return place{addr: netip.MustParseAddrPort(addr), link: k}
}

// Where the BYE towards a dialer goes: RFC 3261 §12.1.1 and §12.2.1.1.
func TestTarget(t *testing.T) {
	const from = "10.0.0.2:7000"
	for _, tt := range []struct {
		name, headers string
		nat           bool
		uri           string
		routes        []string
		to            string
	}{
		{"nothing", "", false, "sip:" + from, nil, from},
		{"a contact", "Contact: <sip:d@10.0.0.3:7001>\r\n", false, "sip:d@10.0.0.3:7001", nil, "10.0.0.3:7001"},
		{"a name", "Contact: <sip:d@pbx.example>\r\n", false, "sip:d@pbx.example", nil, from},
		{"behind NAT", "Contact: <sip:d@192.168.0.3:7001>\r\n", true, "sip:d@192.168.0.3:7001", nil, from},
		{
			"loose routers", "Record-Route: <sip:10.0.0.8:5070;lr>,<sip:10.0.0.9;lr>\r\nContact: <sip:d@10.0.0.3>\r\n", false,
			"sip:d@10.0.0.3",
			[]string{"<sip:10.0.0.8:5070;lr>", "<sip:10.0.0.9;lr>"},
			"10.0.0.8:5070",
		},
		{
			"a strict router first", "Record-Route: <sip:10.0.0.8:5070>\r\nRecord-Route: <sip:10.0.0.9;lr>\r\nContact: <sip:d@10.0.0.3>\r\n", false,
			"sip:10.0.0.8:5070",
			[]string{"<sip:10.0.0.9;lr>", "<sip:d@10.0.0.3>"},
			"10.0.0.8:5070",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			msg, err := newParser().ParseSIP([]byte("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:7000;branch=z9hG4bK2\r\n" +
				"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" + tt.headers + "\r\n"))
			require.NoError(t, err)
			d := newDialog(nil, newRequest(msg.(*sip.Request), over(from, "UDP"), &source{nat: tt.nat}))
			for range 2 { // asking changes nothing
				uri, routes, to := d.target()
				require.Equal(t, tt.uri, uri)
				require.Equal(t, tt.routes, routes)
				require.Equal(t, tt.to, to.addr.String())
			}
		})
	}
}

// An early dialog is of an attempt and of a tag of its carrier's, which two carriers may choose alike; so many of them have a tag of their own.
func TestTagsOfEarlyDialogs(t *testing.T) {
	d := dialog{own: "own"}
	a, b, c := d.tagFor(1, "x"), d.tagFor(2, "x"), d.tagFor(1, "y")
	require.NotEqual(t, a, b)
	require.NotEqual(t, a, c)
	require.NotEqual(t, b, c)
	for range 40 {
		d.tagFor(1, randomHex(8))
	}
	require.Equal(t, "own", d.tagFor(1, "one more"))
	require.Equal(t, a, d.tagFor(1, "x"), "those that are known stay")
	require.True(t, d.knows(b))
	require.False(t, d.knows("x"))
	d.state, d.tag = accepted, a
	require.False(t, d.knows(b), "the others are over with the answer")
	require.False(t, d.knows("own"))
}
