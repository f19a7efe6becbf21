//go:build !386 && !s390x

package datagram

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
)

// socket is a *net.UDPConn that is not connected, by raw system calls. On 386 and s390x, where Go knows but one system call for all that
// sockets do (socketcall), there is none.
type socket struct {
	udp    *net.UDPConn
	raw    syscall.RawConn
	v6     bool        // the family of the socket; it may carry IPv4 too
	scoped atomic.Bool // a source had a zone
	net    string      // for errors
	in     call
	out    call
}

// direct returns c itself where it is closed, or is connected: net has its own errors for that.
func direct(c *net.UDPConn) Conn {
	// No address, so nothing is sent. The error tells what net knows of the socket, and says nowhere else.
	_, err := c.WriteToUDPAddrPort(nil, netip.AddrPort{})
	var op *net.OpError
	if !errors.As(err, &op) || errors.Is(err, net.ErrWriteToConnected) {
		return c
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return c
	}
	s := &socket{udp: c, raw: raw, net: op.Net}
	var own syscall.Sockaddr
	if err := raw.Control(func(fd uintptr) { own, _ = syscall.Getsockname(int(fd)) }); err != nil || own == nil {
		return c
	}
	_, s.v6 = own.(*syscall.SockaddrInet6)
	s.in.try, s.out.try = s.in.receive, s.out.send
	return s
}

func (s *socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	if s.scoped.Load() {
		return s.udp.ReadFromUDPAddrPort(b)
	}
	n, from, scope, err := s.in.read(s.raw, b)
	if err != nil {
		return 0, netip.AddrPort{}, s.failed("read", nil, err)
	}
	if scope != 0 {
		// The name of an interface is dear to look up, and may change. net keeps the names: it reads the next ones.
		s.scoped.Store(true)
		from = netip.AddrPortFrom(from.Addr().WithZone(zone(scope)), from.Port())
	}
	return n, from, nil
}

func (s *socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	a := to.Addr()
	if a.Zone() != "" || !a.Is4() && !a.Is4In6() && !(s.v6 && a.Is6()) {
		return s.udp.WriteToUDPAddrPort(b, to) // net knows the zones, and what to say of an address that cannot be
	}
	if err := s.out.write(s.raw, b, to, s.v6); err != nil {
		return 0, s.failed("write", addr{to}, err)
	}
	return len(b), nil
}

// failed is err as net puts it. What the poller says comes as an error of net's already, under another name.
func (s *socket) failed(what string, to net.Addr, err error) error {
	if op, ok := err.(*net.OpError); ok {
		err = op.Err
	}
	return &net.OpError{Op: what, Net: s.net, Source: s.udp.LocalAddr(), Addr: to, Err: err}
}

// addr is the destination in an error.
type addr struct{ netip.AddrPort }

func (addr) Network() string { return "udp" }

// zone is the name of an interface, or its number where it has none (any more).
func zone(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(index), 10)
}
