package siptest

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxDatagram is the largest payload of a UDP datagram over IPv4.
const maxDatagram = 65507

type packet struct {
	from    netip.AddrPort
	payload []byte // shared between duplicates, never written
}

// A Conn is one socket of a [Network]. It is a net.PacketConn whose addresses are *net.UDPAddr, and has
// the two AddrPort methods of *net.UDPConn. Safe for concurrent use.
type Conn struct {
	network  *Network
	addr     netip.AddrPort
	queue    chan packet
	faults   chan error
	closed   chan struct{}
	once     sync.Once
	deadline deadline
}

var _ net.PacketConn = (*Conn)(nil)

func newConn(n *Network, addr netip.AddrPort, queue int) *Conn {
	return &Conn{
		network: n, addr: addr,
		queue: make(chan packet, queue), faults: make(chan error, 16), closed: make(chan struct{}),
		deadline: deadline{passed: make(chan struct{})},
	}
}

// ReadFrom waits for a datagram; what does not fit into b is cut off, as by recvfrom. After Close it
// returns net.ErrClosed, after the deadline os.ErrDeadlineExceeded.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDPAddrPort is ReadFrom without the allocation of an address.
func (c *Conn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	passed := c.deadline.wait()
	select {
	case <-c.closed:
		return 0, netip.AddrPort{}, c.opError("read", net.ErrClosed)
	case <-passed:
		return 0, netip.AddrPort{}, c.opError("read", os.ErrDeadlineExceeded)
	default:
	}
	select {
	case p := <-c.queue:
		return copy(b, p.payload), p.from, nil
	case err := <-c.faults:
		return 0, netip.AddrPort{}, c.opError("read", err)
	case <-c.closed:
		return 0, netip.AddrPort{}, c.opError("read", net.ErrClosed)
	case <-passed:
		return 0, netip.AddrPort{}, c.opError("read", os.ErrDeadlineExceeded)
	}
}

// WriteTo sends b to addr, whose String must be an IP address and port. It never blocks: a full receiver loses the datagram.
func (c *Conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	var to netip.AddrPort
	if u, ok := addr.(*net.UDPAddr); ok {
		to = u.AddrPort()
	} else {
		var err error
		if to, err = netip.ParseAddrPort(addr.String()); err != nil {
			return 0, c.opError("write", err)
		}
	}
	return c.WriteToUDPAddrPort(b, to)
}

// WriteToUDPAddrPort is WriteTo with a value for the address.
func (c *Conn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.closed:
		return 0, c.opError("write", net.ErrClosed)
	default:
	}
	if len(b) > maxDatagram {
		return 0, c.opError("write", os.NewSyscallError("sendto", syscall.EMSGSIZE))
	}
	if err := c.network.send(c.addr, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// FailRead makes one read return err, as a real socket reports a late ICMP error between two datagrams.
// More than 16 unread failures are dropped.
func (c *Conn) FailRead(err error) {
	select {
	case c.faults <- err:
	default:
	}
}

// Close unbinds the address and wakes the readers. A second Close returns net.ErrClosed.
func (c *Conn) Close() error {
	err := c.opError("close", net.ErrClosed)
	c.once.Do(func() {
		close(c.closed)
		c.network.unbind(c.addr)
		err = nil
	})
	return err
}

// LocalAddr returns the *net.UDPAddr that the socket is bound to.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

// SetDeadline is SetReadDeadline: writes never wait.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline bounds pending and later reads; the zero time means no bound.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.deadline.set(t)
	return nil
}

// SetWriteDeadline does nothing: writes never wait.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Addr: c.LocalAddr(), Err: err}
}

// A deadline closes a channel when its time has come, as in net.Pipe.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed chan struct{}
}

func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.passed // the callback only closes this channel: it is closed or about to be
	}
	d.timer = nil
	select {
	case <-d.passed:
		d.passed = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	passed := d.passed
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(passed) })
		return
	}
	close(passed)
}
