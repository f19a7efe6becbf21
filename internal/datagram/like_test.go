package datagram_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/datagram"
)

// kinds are the sockets that there are: of one family, of both, and what a name without a family comes to.
var kinds = []struct{ network, addr string }{
	{"udp4", "127.0.0.1:0"},
	{"udp4", ":0"},
	{"udp6", "[::1]:0"},
	{"udp6", "[::]:0"},
	{"udp", "127.0.0.1:0"},
	{"udp", "[::1]:0"},
	{"udp", ":0"},
}

func listen(tb testing.TB, network, addr string) *net.UDPConn {
	tb.Helper()
	at, err := net.ResolveUDPAddr(network, addr)
	require.NoError(tb, err)
	c, err := net.ListenUDP(network, at)
	if err != nil && at.IP.To4() == nil && at.IP != nil {
		tb.Skip("no IPv6 here: ", err)
	}
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

// sameError compares all that a caller can see of what the two say of the same socket.
func sameError(t *testing.T, want, got error, what string) {
	t.Helper()
	if want == nil {
		require.NoError(t, got, what)
		return
	}
	require.EqualError(t, got, want.Error(), what)
	for _, target := range []error{
		net.ErrClosed, os.ErrDeadlineExceeded, syscall.ECONNREFUSED, syscall.EMSGSIZE, syscall.EINVAL, syscall.ENETUNREACH, syscall.EACCES,
		syscall.EAFNOSUPPORT,
	} {
		require.Equal(t, errors.Is(want, target), errors.Is(got, target), "%s: %v", what, target)
	}
	var w, g *net.OpError
	if !errors.As(want, &w) {
		return
	}
	require.ErrorAs(t, got, &g, what)
	require.Equal(t, []any{w.Op, w.Net, w.Source, w.Timeout()}, []any{g.Op, g.Net, g.Source, g.Timeout()}, what)
	require.Equal(t, fmt.Sprint(w.Addr), fmt.Sprint(g.Addr), what)
	require.IsType(t, w.Err, g.Err, what)
}

// TestWriteLikeNet sends to all sorts of addresses, from all sorts of sockets, what is short, long and too long: once by net and once by this
// package, from the same socket. What arrives, and what is said when nothing can, is the same.
func TestWriteLikeNet(t *testing.T) {
	four, six := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp6", "[::1]:0")
	for addrOf(four).Port() == addrOf(six).Port() {
		four = listen(t, "udp4", "127.0.0.1:0")
	}
	peers := map[uint16]*net.UDPConn{addrOf(four).Port(): four, addrOf(six).Port(): six}
	to := []netip.AddrPort{
		{},
		netip.AddrPortFrom(netip.Addr{}, 5060),
		netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:0"), netip.MustParseAddrPort("255.255.255.255:9"),
		netip.MustParseAddrPort("[::1%nosuch]:9"), netip.MustParseAddrPort("[::ffff:127.0.0.1%nosuch]:9"),
		netip.AddrPortFrom(netip.IPv4Unspecified(), addrOf(four).Port()), netip.AddrPortFrom(netip.IPv6Unspecified(), addrOf(six).Port()),
		addrOf(four), addrOf(six), netip.AddrPortFrom(netip.AddrFrom16(addrOf(four).Addr().As16()), addrOf(four).Port()),
	}
	for _, kind := range kinds {
		t.Run(kind.network+" "+kind.addr, func(t *testing.T) {
			conn := listen(t, kind.network, kind.addr)
			ours := datagram.New(conn)
			sent := 0
			for _, to := range to {
				for _, size := range []int{0, 1, 1200, 65507, 65508, 65527, 65528, 70000} {
					b := bytes.Repeat([]byte{byte(size)}, size)
					what := fmt.Sprintf("%d bytes to %v", size, to)
					wantN, want := conn.WriteToUDPAddrPort(b, to)
					gotN, got := ours.WriteToUDPAddrPort(b, to)
					sameError(t, want, got, what)
					require.Equal(t, wantN, gotN, what)
					if peer := peers[to.Port()]; peer != nil && want == nil {
						a, fromA := receive(t, peer)
						b, fromB := receive(t, peer)
						require.True(t, len(a) == size && bytes.Equal(a, b), what)
						require.Equal(t, fromA, fromB, what)
						sent++
					}
				}
			}
			require.GreaterOrEqual(t, sent, 4, "nothing has arrived")
			require.NoError(t, conn.Close())
			_, want := conn.WriteToUDPAddrPort(nil, addrOf(four))
			_, got := ours.WriteToUDPAddrPort(nil, addrOf(four))
			sameError(t, want, got, "closed")
			require.ErrorIs(t, got, net.ErrClosed)
		})
	}
}

func receive(t *testing.T, c *net.UDPConn) (data []byte, from netip.AddrPort) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	b := make([]byte, 1<<16)
	n, from, err := c.ReadFromUDPAddrPort(b)
	require.NoError(t, err)
	return b[:n], from
}

// TestReadLikeNet sends everything twice: one copy is read by net, the other by this package, into a buffer that is ample, too short, or none.
func TestReadLikeNet(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.network+" "+kind.addr, func(t *testing.T) {
			conn := listen(t, kind.network, kind.addr)
			ours := datagram.New(conn)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
			at, read := addrOf(conn), 0
			for _, from := range []string{"127.0.0.1", "::1"} {
				network := "udp6"
				if from == "127.0.0.1" {
					network = "udp4"
				}
				peer := listen(t, network, net.JoinHostPort(from, "0"))
				to := netip.AddrPortFrom(netip.MustParseAddr(from), at.Port())
				for _, size := range []int{0, 1, 1200, 65507} {
					data := bytes.Repeat([]byte{'a' + byte(size)}, size)
					if at.Addr() != to.Addr() && !at.Addr().IsUnspecified() || kind.network == "udp4" && network == "udp6" || kind.network == "udp6" && network == "udp4" {
						continue
					}
					for _, room := range []int{-1, 0, 5, 1200, 1 << 16} {
						a, b := make([]byte, max(0, room)), make([]byte, max(0, room))
						if room < 0 {
							a, b = nil, nil
						}
						for range 2 {
							_, err := peer.WriteToUDPAddrPort(data, to)
							require.NoError(t, err)
						}
						wantN, wantFrom, want := conn.ReadFromUDPAddrPort(a)
						gotN, gotFrom, got := ours.ReadFromUDPAddrPort(b)
						what := fmt.Sprintf("%d bytes from %s into %d", size, from, room)
						require.NoError(t, want, what)
						require.NoError(t, got, what)
						require.Equal(t, wantN, gotN, what)
						require.Equal(t, wantFrom, gotFrom, what)
						require.True(t, bytes.Equal(a, b), what)
						read++
					}
				}
			}
			require.NotZero(t, read)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(-time.Second)))
			_, _, want := conn.ReadFromUDPAddrPort(make([]byte, 9))
			_, _, got := ours.ReadFromUDPAddrPort(make([]byte, 9))
			sameError(t, want, got, "deadline")
			require.ErrorIs(t, got, os.ErrDeadlineExceeded)
			require.NoError(t, conn.Close())
			_, _, want = conn.ReadFromUDPAddrPort(make([]byte, 9))
			_, _, got = ours.ReadFromUDPAddrPort(make([]byte, 9))
			sameError(t, want, got, "closed")
			require.ErrorIs(t, got, net.ErrClosed)
		})
	}
}

// TestNotDirect shows what is left to net, and what is not a socket of the kernel's.
func TestNotDirect(t *testing.T) {
	peer := listen(t, "udp4", "127.0.0.1:0")
	dialled, err := net.DialUDP("udp4", nil, peer.LocalAddr().(*net.UDPAddr))
	require.NoError(t, err)
	t.Cleanup(func() { _ = dialled.Close() })
	require.Same(t, dialled, datagram.New(dialled))
	_, err = datagram.New(dialled).WriteToUDPAddrPort([]byte("x"), addrOf(peer))
	require.ErrorIs(t, err, net.ErrWriteToConnected)

	closed := listen(t, "udp4", "127.0.0.1:0")
	require.NoError(t, closed.Close())
	_, err = datagram.New(closed).WriteToUDPAddrPort([]byte("x"), addrOf(peer))
	require.ErrorIs(t, err, net.ErrClosed)

	own := struct{ *net.UDPConn }{peer}
	require.Equal(t, own, datagram.New(own), "it may have methods of its own")
}

// plain has no methods but those of net.PacketConn; its addresses are texts if it says so.
type plain struct {
	net.PacketConn
	texts bool
}

type text string

func (text) Network() string  { return "text" }
func (a text) String() string { return string(a) }

func (p plain) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.PacketConn.ReadFrom(b)
	if err == nil && p.texts {
		return n, text(from.String()), nil
	}
	return n, from, err
}

func TestConverted(t *testing.T) {
	for _, texts := range []bool{false, true} {
		a, b := listen(t, "udp4", "127.0.0.1:0"), listen(t, "udp4", "127.0.0.1:0")
		ours := datagram.New(plain{a, texts})
		n, err := ours.WriteToUDPAddrPort([]byte("hello"), addrOf(b))
		require.NoError(t, err)
		require.Equal(t, 5, n)
		data, from := receive(t, b)
		require.Equal(t, "hello", string(data))
		require.Equal(t, addrOf(a), from)
		_, err = b.WriteToUDPAddrPort([]byte("hi"), addrOf(a))
		require.NoError(t, err)
		buf := make([]byte, 9)
		require.NoError(t, a.SetReadDeadline(time.Now().Add(10*time.Second)))
		n, from, err = ours.ReadFromUDPAddrPort(buf)
		require.NoError(t, err)
		require.Equal(t, "hi", string(buf[:n]))
		require.Equal(t, addrOf(b), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		require.NoError(t, a.Close())
		_, from, err = ours.ReadFromUDPAddrPort(buf)
		require.ErrorIs(t, err, net.ErrClosed)
		require.Zero(t, from)
	}
}
