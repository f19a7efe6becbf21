package siptrunk

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func loopback(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// What sipgo writes suffers no more from another datagram's ICMP error than what this package writes. Nobody reads the
// socket here, so the error of each datagram to the closed port waits for the next write.
func TestWriteToGetsPastErrorsOfOthers(t *testing.T) {
	ours, peer, gone := loopback(t), loopback(t), loopback(t)
	closed := gone.LocalAddr().(*net.UDPAddr).AddrPort()
	require.NoError(t, gone.Close())
	c := newConn(ours)
	c.lost = func([]byte, netip.AddrPort) {}
	for range 50 {
		require.NoError(t, c.send([]byte("anybody?"), closed))
		n, err := c.WriteTo([]byte("200 OK"), peer.LocalAddr())
		require.NoError(t, err)
		require.Equal(t, 6, n)
		require.NoError(t, peer.SetReadDeadline(time.Now().Add(10*time.Second)))
		got := make([]byte, 16)
		n, _, err = peer.ReadFromUDPAddrPort(got)
		require.NoError(t, err)
		require.Equal(t, "200 OK", string(got[:n]))
	}
}

// refusing fails as many writes as there are errors of others.
type refusing struct {
	*net.UDPConn
	left, writes int
}

func (r *refusing) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	r.writes++
	if r.left--; r.left >= 0 {
		return 0, syscall.ECONNREFUSED
	}
	return r.UDPConn.WriteToUDPAddrPort(b, to)
}

func TestSendRetries(t *testing.T) {
	peer := loopback(t).LocalAddr().(*net.UDPAddr).AddrPort()
	for _, tt := range []struct {
		errors, writes int
		ok             bool
	}{{0, 1, true}, {1, 2, true}, {5, 6, true}, {maxPending, maxPending + 1, true}, {1000, maxPending + 1, false}} {
		r := &refusing{UDPConn: loopback(t), left: tt.errors}
		c := newConn(r.UDPConn)
		c.fast, c.lost = r, func([]byte, netip.AddrPort) {}
		err := c.send([]byte("hello"), peer)
		require.Equal(t, tt.ok, err == nil, "%d errors: %v", tt.errors, err)
		require.Equal(t, tt.writes, r.writes, "%d errors", tt.errors)
		if !tt.ok {
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
		}
	}
}
