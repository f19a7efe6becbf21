//go:build !386 && !s390x

package datagram

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/race"
)

func loopback(tb testing.TB) (*net.UDPConn, *socket) {
	tb.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	s, ok := New(c).(*socket)
	require.True(tb, ok, "%T: the tests are to be of this package", New(c))
	return c, s
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func control(t *testing.T, c *net.UDPConn, f func(fd int) error) {
	t.Helper()
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { require.NoError(t, f(int(fd))) }))
}

// What ICMP says of a datagram comes with the next call, as from net.
func TestRefused(t *testing.T) {
	conn, ours := loopback(t)
	gone, _ := loopback(t)
	to := addrOf(gone)
	require.NoError(t, gone.Close())
	control(t, conn, func(fd int) error { return syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_RECVERR, 1) })
	b := make([]byte, 9)
	for _, c := range []Conn{conn, ours} {
		_, err := ours.WriteToUDPAddrPort(b, to)
		require.NoError(t, err)
		_, _, err = c.ReadFromUDPAddrPort(b)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.EqualError(t, err, "read udp4 "+conn.LocalAddr().String()+": recvfrom: connection refused")
		_, err = ours.WriteToUDPAddrPort(b, to)
		require.NoError(t, err)
		_, err = c.WriteToUDPAddrPort(b, to)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.EqualError(t, err, "write udp4 "+conn.LocalAddr().String()+"->"+to.String()+": sendto: connection refused")
	}
}

// A descriptor that others have made blocking does not hold a processor: the calls do not wait.
func TestBlockingDescriptor(t *testing.T) {
	conn, ours := loopback(t)
	control(t, conn, func(fd int) error { return syscall.SetNonblock(fd, false) })
	done := make(chan error, 1)
	go func() {
		_, _, err := ours.ReadFromUDPAddrPort(make([]byte, 9))
		done <- err
	}()
	require.NoError(t, conn.SetReadDeadline(time.Now()))
	require.ErrorIs(t, <-done, os.ErrDeadlineExceeded)
}

// Signals in the middle of calls are nobody's error.
func TestSignals(t *testing.T) {
	conn, ours := loopback(t)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	defer signal.Stop(got)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			}
		}
	}()
	b := make([]byte, 32<<10)
	for range 500 {
		_, err := ours.WriteToUDPAddrPort(b, addrOf(conn))
		require.NoError(t, err)
		_, _, err = ours.ReadFromUDPAddrPort(b)
		require.NoError(t, err)
	}
	close(stop)
	<-stopped
	<-got
}

// TestSockaddr reads and writes the kernel's form of addresses beside the structures of package syscall.
func TestSockaddr(t *testing.T) {
	var s sockaddr
	require.EqualValues(t, syscall.SizeofSockaddrInet4, s.put(netip.MustParseAddrPort("192.0.2.1:5060"), false))
	require.Equal(t, [4]byte{192, 0, 2, 1}, (*syscall.RawSockaddrInet4)(unsafe.Pointer(&s)).Addr)
	a, scope := s.get()
	require.Equal(t, netip.MustParseAddrPort("192.0.2.1:5060"), a)
	require.Zero(t, scope)
	require.EqualValues(t, syscall.SizeofSockaddrInet4, s.put(netip.MustParseAddrPort("[::ffff:192.0.2.1]:5060"), false))
	a, _ = s.get()
	require.Equal(t, netip.MustParseAddrPort("192.0.2.1:5060"), a)

	require.EqualValues(t, syscall.SizeofSockaddrInet6, s.put(netip.MustParseAddrPort("192.0.2.1:5060"), true))
	a, _ = s.get()
	require.Equal(t, netip.MustParseAddrPort("[::ffff:192.0.2.1]:5060"), a)
	require.EqualValues(t, syscall.SizeofSockaddrInet6, s.put(netip.MustParseAddrPort("[2001:db8::1]:5060"), true))
	six := (*syscall.RawSockaddrInet6)(unsafe.Pointer(&s))
	require.Equal(t, netip.MustParseAddr("2001:db8::1").As16(), six.Addr)
	require.Zero(t, six.Flowinfo)
	six.Scope_id = 7
	a, scope = s.get()
	require.Equal(t, netip.MustParseAddrPort("[2001:db8::1]:5060"), a)
	require.EqualValues(t, 7, scope)

	a, scope = (&sockaddr{}).get()
	require.Zero(t, a, "nothing is admitted by an address that the kernel has not given")
	require.Zero(t, scope)
}

func TestZone(t *testing.T) {
	all, err := net.Interfaces()
	require.NoError(t, err)
	none := uint32(1)
	for _, i := range all {
		require.Equal(t, i.Name, zone(uint32(i.Index)))
		none = max(none, uint32(i.Index)+1)
	}
	require.Regexp(t, "^[0-9]+$", zone(none+1000))
}

// again runs this test in a process of its own.
func again(t *testing.T, name string, attr *syscall.SysProcAttr) (output string, err error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+name+"$", "-test.v")
	cmd.Env = append(os.Environ(), "OUTDIAL_DATAGRAM_CHILD="+name)
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func isChild(name string) bool { return os.Getenv("OUTDIAL_DATAGRAM_CHILD") == name }

// The race detector, which does not see what the kernel does, is told: a buffer that is touched while a read or a write has it is a race.
func TestRaceIsSeen(t *testing.T) {
	if !race.Enabled {
		t.Skip("needs -race")
	}
	if !isChild("TestRaceIsSeen") {
		out, err := again(t, "TestRaceIsSeen", nil)
		require.Error(t, err)
		require.Equal(t, 2, strings.Count(out, "WARNING: DATA RACE"), out)
		require.Contains(t, out, "ReadFromUDPAddrPort()")
		require.Contains(t, out, "WriteToUDPAddrPort()")
		return
	}
	conn, ours := loopback(t)
	in, out := make([]byte, 9), make([]byte, 9)
	done := make(chan struct{}, 1) // not a lock: nothing orders what both do before they send and receive
	go func() {
		in[3], out[3] = 1, 1
		done <- struct{}{}
	}()
	_, _ = ours.WriteToUDPAddrPort(out, addrOf(conn))
	_, _, _ = ours.ReadFromUDPAddrPort(in)
	<-done
}

// ip runs a command of iproute2 in a namespace of the test's own.
func ip(t *testing.T, args string) {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		t.Skipf("no network of one's own here: ip %s: %v %s", args, err, out)
	}
}

// inNamespace runs the rest of a test in a network of its own, where there may be one.
func inNamespace(t *testing.T) (there bool) {
	t.Helper()
	if isChild(t.Name()) {
		return true
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip(err)
	}
	out, err := again(t, t.Name(), &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	})
	if out == "" && err != nil || strings.Contains(out, "--- SKIP") {
		t.Skip("no network of one's own here: ", err, out)
	}
	require.NoError(t, err, out)
	require.Contains(t, out, "--- PASS: "+t.Name())
	return false
}

// awaitLocal waits until what is sent to a new address arrives: the kernel has its route a moment after the address.
func awaitLocal(t *testing.T, addr string) {
	t.Helper()
	c, err := net.ListenPacket("udp6", "[::]:0")
	require.NoError(t, err)
	to := netip.AddrPortFrom(netip.MustParseAddr(addr), addrOf(c.(*net.UDPConn)).Port())
	for until := time.Now().Add(time.Minute); ; {
		_, _ = c.WriteTo(nil, net.UDPAddrFromAddrPort(to))
		require.NoError(t, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		if _, _, err = c.ReadFrom(nil); err == nil || time.Now().After(until) {
			break
		}
	}
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

// TestZones has link-local addresses both ways: the name of the interface is part of the source, and says where an answer goes.
func TestZones(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ip(t, "link set lo up")
	ip(t, "address add fe80::1/64 dev lo nodad")
	awaitLocal(t, "fe80::1%lo")
	a, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.ParseIP("fe80::1"), Zone: "lo"})
	require.NoError(t, err)
	b, err := net.ListenUDP("udp", nil)
	require.NoError(t, err)
	ours, theirs := New(a).(*socket), New(b).(*socket)
	require.NoError(t, b.SetReadDeadline(time.Now().Add(10*time.Second)))
	to := netip.AddrPortFrom(netip.MustParseAddr("fe80::1%lo"), addrOf(b).Port())
	buf := make([]byte, 9)
	for i := range 3 {
		n, err := ours.WriteToUDPAddrPort([]byte("hello"), to)
		require.NoError(t, err)
		require.Equal(t, 5, n)
		n, from, err := theirs.ReadFromUDPAddrPort(buf)
		require.NoError(t, err)
		require.Equal(t, "hello", string(buf[:n]))
		require.Equal(t, netip.AddrPortFrom(netip.MustParseAddr("fe80::1%lo"), addrOf(a).Port()), from)
		require.True(t, theirs.scoped.Load(), i)
	}
	for _, zone := range []string{"", "nosuch"} {
		to := netip.AddrPortFrom(to.Addr().WithZone(zone), to.Port())
		_, want := a.WriteToUDPAddrPort(buf, to)
		_, got := ours.WriteToUDPAddrPort(buf, to)
		require.Equal(t, fmt.Sprint(want), fmt.Sprint(got))
	}
}

// TestFullBuffer fills the buffer of a socket with datagrams for a host that does not answer ARP: a write waits for room, until its
// deadline, as in net.
func TestFullBuffer(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ip(t, "link add name near type veth peer name far")
	ip(t, "address add 192.0.2.1/24 dev near")
	ip(t, "link set near up")
	ip(t, "link set far up")
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)})
	require.NoError(t, err)
	require.NoError(t, conn.SetWriteBuffer(1))
	ours, to := New(conn).(*socket), netip.MustParseAddrPort("192.0.2.2:9")
	for _, c := range []Conn{ours, conn} {
		require.NoError(t, conn.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
		writes := 0
		for ; err == nil; writes++ {
			require.Less(t, writes, 100, "the buffer has no end")
			_, err = c.WriteToUDPAddrPort(make([]byte, 1400), to)
		}
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.EqualError(t, err, "write udp4 "+conn.LocalAddr().String()+"->192.0.2.2:9: i/o timeout")
		err = nil
	}
}
