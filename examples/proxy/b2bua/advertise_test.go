package b2bua

import (
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

func TestSentBy(t *testing.T) {
	for _, tt := range []struct{ advertise, local, want string }{
		{"", "10.0.0.1:5070", "10.0.0.1:5070"},
		{"", "[2001:db8::7]:5070", "[2001:db8::7]:5070"},
		{"203.0.113.1", "0.0.0.0:5070", "203.0.113.1:5070"},
		{"203.0.113.1:5060", "0.0.0.0:5070", "203.0.113.1:5060"},
		{"sip.example.com", "0.0.0.0:5070", "sip.example.com:5070"},
		{"sip.example.com:5060", "0.0.0.0:5070", "sip.example.com:5060"},
		{"2001:db8::1", "[::]:5070", "[2001:db8::1]:5070"},
		{"[2001:db8::1]", "[::]:5070", "[2001:db8::1]:5070"},
		{"[2001:db8::1]:5060", "[::]:5070", "[2001:db8::1]:5060"},
		{"::ffff:203.0.113.1", "0.0.0.0:5070", "203.0.113.1:5070"},
	} {
		got, err := sentBy(tt.advertise, netip.MustParseAddrPort(tt.local))
		require.NoError(t, err, tt.advertise)
		require.Equal(t, tt.want, got)
	}
	_, err := sentBy("", netip.MustParseAddrPort("[::]:5070"))
	require.ErrorContains(t, err, "required")
}

func TestHostPortRefuses(t *testing.T) {
	for _, s := range []string{
		"a b>;x", "a>", "a b:5060", "host:0", "host:65536", "host:sip", ":5060", "0.0.0.0", "[::]:5060", "[host]", "[203.0.113.1]",
		"[2001:db8::1", "2001:db8::g", "fe80::1%eth0", "[fe80::1%eth0]:5060", "-host", "host-", "sip:host", "user@host", "höst", "a\r\nb",
	} {
		_, _, err := hostPort(s)
		require.Error(t, err, s)
	}
}

// An INVITE that has been here is recognised by what Via names, in IPv6 too.
func TestLoopedIPv6(t *testing.T) {
	msg, err := newParser().ParseSIP([]byte("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK2\r\n" +
		"Via: SIP/2.0/UDP [2001:db8::1]:5080;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"))
	require.NoError(t, err)
	r := newRequest(msg.(*sip.Request), over(home.String(), "UDP"), &source{})
	require.True(t, (&Proxy{names: []string{"[2001:db8::9]:5070", "[2001:db8::1]:5080"}}).looped(r))
	require.False(t, (&Proxy{names: []string{"[2001:db8::9]:5070", "[2001:db8::2]:5080"}}).looped(r))
}
