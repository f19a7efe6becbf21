package siptrunk

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
)

// Linux tells an unconnected UDP socket what ICMP says of its datagrams when it is asked to (ip(7), IP_RECVERR): the
// next call on the socket fails, and the socket's error queue holds the datagram and where it was to go.

// askForICMP asks for it. A kernel that does not know it leaves things as they are: T100 does the work.
func askForICMP(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_RECVERR, 1)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR, 1)
	})
}

// undelivered empties the error queue of c: f gets the beginning of each datagram, as much as ICMP quoted, and its
// destination.
func undelivered(c *net.UDPConn, f func(datagram []byte, to netip.AddrPort)) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	buf, oob := make([]byte, 2048), make([]byte, 512)
	for more := true; more; {
		more = false
		_ = raw.Control(func(fd uintptr) {
			n, oobn, _, from, err := syscall.Recvmsg(int(fd), buf, oob, syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
			if err != nil {
				return
			}
			more = true
			if to, ok := sockaddr(from); ok && hard(oob[:oobn]) {
				f(buf[:n], to)
			}
		})
	}
}

// hard reports whether the control messages tell of a destination that cannot be reached.
func hard(oob []byte) bool {
	msgs, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return false
	}
	for _, m := range msgs {
		if m.Header.Type != syscall.IP_RECVERR && m.Header.Type != syscall.IPV6_RECVERR || len(m.Data) < 4 {
			continue
		}
		switch syscall.Errno(binary.NativeEndian.Uint32(m.Data)) { // ee_errno of struct sock_extended_err
		case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EACCES,
			syscall.ENOPROTOOPT, syscall.EPROTO:
			return true
		}
	}
	return false
}

func sockaddr(sa syscall.Sockaddr) (netip.AddrPort, bool) {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), true
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), true
	}
	return netip.AddrPort{}, false
}
