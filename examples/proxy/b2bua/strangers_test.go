package b2bua

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/internal/siptest"
)

// flood is a socket to which so many datagrams have come, each from another address, and which is closed then.
type flood struct {
	tap
	datagram []byte
	left     int
}

func (f *flood) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	if f.left--; f.left < 0 {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	from := netip.AddrFrom4([4]byte{11, byte(f.left >> 16), byte(f.left >> 8), byte(f.left)})
	return copy(b, f.datagram), netip.AddrPortFrom(from, 5060), nil
}

func (f *flood) WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error) {
	panic("a stranger is answered")
}

// flooded serves n datagrams of strangers, beside as many dialers as a large site has.
func flooded(tb testing.TB) (serve func(n int), dropped func() int) {
	invite, err := siptest.RawInvite("11.0.0.1:5060", home.String(), "+18885550000", "+12125550123")
	require.NoError(tb, err)
	var known sources
	for i := range 100 {
		known = append(known, network{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24), &source{}})
	}
	f := &flood{datagram: invite}
	w, err := newWire(f, "")
	require.NoError(tb, err)
	return func(n int) {
		f.left = n
		err := w.serve(known.find, func([]byte, netip.AddrPort, *source) { panic("a stranger is heard") })
		require.ErrorIs(tb, err, net.ErrClosed)
	}, func() int { return int(w.strangers.Load()) }
}

// A datagram of a stranger costs a look at where it came from, and is counted: nothing is kept of it, nobody is answered.
func TestStrangersCostNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	serve, dropped := flooded(t)
	once := testing.AllocsPerRun(10, func() { serve(0) })
	require.Zero(t, dropped())
	require.Equal(t, once, testing.AllocsPerRun(10, func() { serve(1000) }), "the buffer alone")
	require.Equal(t, 11*1000, dropped())
}

// BenchmarkStrangers is a datagram of an address that no dialer has, beside a hundred that dialers have, without the kernel's part.
func BenchmarkStrangers(b *testing.B) {
	serve, dropped := flooded(b)
	b.ReportAllocs()
	b.ResetTimer()
	serve(b.N)
	require.Equal(b, b.N, dropped())
}
