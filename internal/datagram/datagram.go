// Package datagram reads and writes UDP datagrams without an allocation each and, on Linux, without waking the scheduler's monitor.
//
// What is gained: before a system call the Go runtime notes that the thread may block, and wakes its monitor thread (sysmon) by another
// system call if that has gone to sleep, which it does whenever all processors were idle a moment ago. The monitor then looks around every
// 20 µs, on the processor of somebody else, until all is idle again. A server that has some thousand datagrams a second, and a gap
// between most of them, pays for that with every one.
//
// Why it may be left out: a call on a socket that does not block comes back by itself. The calls here ask the kernel not to wait
// (MSG_DONTWAIT), whatever the descriptor was set to, so that waiting is left to the runtime's poller, as package net does it, with
// the same deadlines and the same end by Close. What remains is that the goroutine keeps its processor (P) for the length of the call:
// a copy of the datagram and its way through the kernel, some microseconds as a rule, some tens for the largest on the loopback
// interface, where the sender does the receiver's part too. For that long it cannot be preempted: a stop of the world (garbage
// collection) waits for it, as it waits for any stretch of assembly, and with GOMAXPROCS=1 no other goroutine runs. Neither is worse than it
// was by much: the monitor takes a processor away from a thread in a system call after 20 µs at the earliest, and the processor of a thread
// that the kernel has put aside is lost for a while in a system call as it is in any code. A call that could wait for a device or
// another machine must not be made this way.
package datagram

import (
	"net"
	"net/netip"
)

// Conn is a socket that needs no allocation for the address of a datagram. Its methods are those of *net.UDPConn, safe for concurrent use.
type Conn interface {
	// ReadFromUDPAddrPort reads one datagram; what does not fit in b is lost. On a socket for both families the source may be IPv4-mapped.
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	// WriteToUDPAddrPort writes b as one datagram.
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (n int, err error)
}

// New returns the lightest way to read and write c, with the results and errors of c's own methods: system calls for a *net.UDPConn where they
// are known, the methods of c where it has them, else ReadFrom and WriteTo. Deadlines, Close and all else stay with c.
func New(c net.PacketConn) Conn {
	switch c := c.(type) {
	case *net.UDPConn:
		return direct(c)
	case Conn:
		return c
	}
	return converted{c}
}

// converted is a socket that is not the kernel's.
type converted struct{ net.PacketConn }

func (c converted) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, addr, err := c.ReadFrom(b)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	if u, ok := addr.(*net.UDPAddr); ok {
		return n, u.AddrPort(), nil
	}
	from, err := netip.ParseAddrPort(addr.String())
	return n, from, err
}

func (c converted) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return c.WriteTo(b, net.UDPAddrFromAddrPort(to))
}
