//go:build !386 && !s390x

package datagram

import (
	"encoding/binary"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// call is one direction of a socket, with the arguments and results of its system call. All who read take turns, and all who write, as they do in
// net; so one is enough, it lies on the heap, where nothing moves, and there is nothing to allocate.
type call struct {
	turn sync.Mutex
	try  func(fd uintptr) (done bool) // receive or send, bound once
	b    []byte
	addr sockaddr
	size uint32 // of addr
	n    int
	err  syscall.Errno
}

func (c *call) read(raw syscall.RawConn, b []byte) (n int, from netip.AddrPort, scope uint32, err error) {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.b = b
	err = raw.Read(c.try)
	c.b = nil
	if err == nil && c.err != 0 {
		err = os.NewSyscallError("recvfrom", c.err)
	}
	if err != nil {
		return 0, from, 0, err
	}
	written(b[:c.n])
	from, scope = c.addr.get()
	return c.n, from, scope, nil
}

func (c *call) write(raw syscall.RawConn, b []byte, to netip.AddrPort, v6 bool) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	read(b)
	c.b = b
	c.size = c.addr.put(to, v6)
	err := raw.Write(c.try)
	c.b = nil
	if err == nil && c.err != 0 {
		err = os.NewSyscallError("sendto", c.err)
	}
	return err
}

// The pointers become numbers in the call itself, and not before: that is what keeps the memory alive and in its place until it returns.

func (c *call) receive(fd uintptr) (done bool) {
	for {
		c.addr, c.size = sockaddr{}, uint32(len(c.addr))
		n, _, err := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(c.b))), uintptr(len(c.b)), syscall.MSG_DONTWAIT,
			uintptr(unsafe.Pointer(&c.addr)), uintptr(unsafe.Pointer(&c.size)))
		if err != syscall.EINTR {
			c.n, c.err = int(n), err
			return err != syscall.EAGAIN
		}
	}
}

func (c *call) send(fd uintptr) (done bool) {
	for {
		_, _, err := syscall.RawSyscall6(syscall.SYS_SENDTO, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(c.b))), uintptr(len(c.b)), syscall.MSG_DONTWAIT,
			uintptr(unsafe.Pointer(&c.addr)), uintptr(c.size))
		if err != syscall.EINTR {
			c.err = err
			return err != syscall.EAGAIN
		}
	}
}

// sockaddr is a sockaddr_in or a sockaddr_in6: family, port, and for IPv4 the address; for IPv6 flow, address and scope.
type sockaddr [syscall.SizeofSockaddrInet6]byte

// get returns the address without its zone. It is the zero value for a family that is neither.
func (s *sockaddr) get() (a netip.AddrPort, scope uint32) {
	port := binary.BigEndian.Uint16(s[2:])
	switch binary.NativeEndian.Uint16(s[:]) {
	case syscall.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s[4:])), port), 0
	case syscall.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(s[8:])), port), binary.NativeEndian.Uint32(s[24:])
	}
	return netip.AddrPort{}, 0
}

// put takes a valid address without a zone, and for a socket of IPv4 none but of that. It returns the size.
func (s *sockaddr) put(a netip.AddrPort, v6 bool) (size uint32) {
	*s = sockaddr{}
	binary.BigEndian.PutUint16(s[2:], a.Port())
	if v6 {
		binary.NativeEndian.PutUint16(s[:], syscall.AF_INET6)
		ip := a.Addr().As16()
		copy(s[8:], ip[:])
		return syscall.SizeofSockaddrInet6
	}
	binary.NativeEndian.PutUint16(s[:], syscall.AF_INET)
	ip := a.Addr().As4()
	copy(s[4:], ip[:])
	return syscall.SizeofSockaddrInet4
}
