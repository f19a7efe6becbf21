package main

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// sample is the response of RFC 5769 §2.2.
const sample = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643" +
	"000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"

func TestSTUNSample(t *testing.T) {
	b, err := hex.DecodeString(sample)
	require.NoError(t, err)
	got, err := parseSTUN(b)
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddrPort("192.0.2.1:32853"), got)
	require.True(t, isSTUN(b, stunID(b[8:20])))
	require.False(t, isSTUN(b, stunID{}))
}

// FuzzSTUN: whatever a server answers is an address or an error, and an address that was told is the one that is read.
func FuzzSTUN(f *testing.F) {
	b, _ := hex.DecodeString(sample)
	request := stunRequest(stunID{1, 2, 3})
	for _, seed := range [][]byte{
		nil, request, b, b[:20], b[:40], stunResponse(request, netip.MustParseAddrPort("192.0.2.1:1")), stunResponse(request, netip.MustParseAddrPort("[2001:db8::1]:65535")),
		append([]byte{1, 1, 0, 12}, append(request[4:20:20], 0, 1, 0, 8, 0, 1, 0, 80, 192, 0, 2, 1)...),     // MAPPED-ADDRESS alone
		append([]byte{1, 0x11, 0, 8}, append(request[4:20:20], 0, 9, 0, 4, 0, 0, 4, 20)...),                 // 420
		append([]byte{1, 1, 0, 8}, append(request[4:20:20], 0, 0x20, 0xff, 0xff, 0, 1, 0, 80)...),           // longer than all
		append([]byte{1, 1, 0, 12}, append(request[4:20:20], 0, 0x20, 0, 8, 0, 3, 0, 80, 192, 0, 2, 1)...),  // a family of its own
		append([]byte{1, 1, 0, 12}, append(request[4:20:20], 0, 0x20, 0, 8, 0, 1, 33, 18, 192, 0, 2, 1)...), // port 0
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseSTUN(data)
		require.Equal(t, err == nil, got.IsValid())
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NotZero(t, got.Port())
		again, err := parseSTUN(stunResponse(request, got))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

// FuzzSDP: an answer gives an address that can be sent to, or an error.
func FuzzSDP(f *testing.F) {
	for _, seed := range []string{
		"", string(siptest.SDP(netip.MustParseAddrPort("192.0.2.1:4000"))), string(siptest.SDP(netip.MustParseAddrPort("[2001:db8::1]:4000"))),
		"v=0\nm=audio 4000 RTP/AVP 8 0\nc=IN IP4 192.0.2.1\na=inactive\nm=video 1 RTP/AVP 31\nc=IN IP4 192.0.2.2",
		"c=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0", "c=IN IP4 host.example\nm=audio 1 RTP/AVP 0", "c=IN IP4 0.0.0.0\nm=audio 1 RTP/AVP 0",
		"c=IN IP4 192.0.2.1\nm=audio 1 RTP/AVP 8", "m=video 1 RTP/AVP 0", "c=IN IP4 192.0.2.1\nm=audio 99999 RTP/AVP 0",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseSDP(data)
		require.Equal(t, err == nil, d.addr.IsValid())
		if err != nil {
			return
		}
		require.NotZero(t, d.addr.Port())
		require.False(t, d.addr.Addr().IsUnspecified())
		again, err := parseSDP(siptest.SDP(d.addr))
		require.NoError(t, err)
		require.Equal(t, d.addr, again.addr)
	})
}

func TestSDP(t *testing.T) {
	d, err := parseSDP([]byte("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8 0\r\nc=IN IP4 192.0.2.1\r\na=recvonly\r\nm=audio 5000 RTP/AVP 0\r\na=inactive\r\n"))
	require.NoError(t, err)
	require.Equal(t, description{netip.MustParseAddrPort("192.0.2.1:4000"), "recvonly"}, d)
	for sdp, want := range map[string]string{
		"": "describes no audio", "m=video 1 RTP/AVP 0": "no audio", "c=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0": "refuses",
		"c=IN IP4 192.0.2.1\nm=audio 1 RTP/AVP 8": "does not take PCMU", "m=audio 1 RTP/AVP 0": "no address", "c=IN IP4 0.0.0.0\nm=audio 1 RTP/AVP 0": "at 0.0.0.0",
		"c=IN IP4 192.0.2.1\nm=audio x RTP/AVP 0": "port",
	} {
		_, err := parseSDP([]byte(sdp))
		require.ErrorContains(t, err, want, sdp)
	}
}
