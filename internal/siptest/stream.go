package siptest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
)

// Streams of a [Network] are for TCP what its Conns are for UDP. Of its faults, partitions and refusals concern them: one that is refused fails
// at once, one that is parted or swallowed waits for its context. What is sent arrives at once and in order.

// ListenStream binds a listener to addr, such as "10.0.0.1:5060".
func (n *Network) ListenStream(addr string) (net.Listener, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("siptest: listen address: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if ap.Port() == 0 || n.streams[ap] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(ap), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &streamListener{network: n, addr: ap, waiting: make(chan net.Conn, 128), closed: make(chan struct{})}
	n.streams[ap] = l
	return l, nil
}

// DialStream opens a connection from an address, whose port the network picks, to a listener.
func (n *Network) DialStream(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	n.nextPort = max(n.nextPort+1, 1024)
	local := netip.AddrPortFrom(from, n.nextPort)
	l := n.streams[to]
	refused := l == nil || slices.ContainsFunc(n.refused, func(p pattern) bool { return p.matches(to) })
	parted := slices.ContainsFunc(n.cuts, func(r rule) bool { return r.matches(local, to) || r.matches(to, local) })
	n.mu.Unlock()
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	switch {
	case parted:
		<-ctx.Done()
		return fail(ctx.Err())
	case refused:
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	near, far := net.Pipe()
	select {
	case l.waiting <- &streamEnd{far, to, local}:
		return &streamEnd{near, local, to}, nil
	case <-l.closed:
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

type streamListener struct {
	network *Network
	addr    netip.AddrPort
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// Accept implements net.Listener.
func (l *streamListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close implements net.Listener: it unbinds the address, and closes what nobody accepted.
func (l *streamListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		delete(l.network.streams, l.addr)
		l.network.mu.Unlock()
		for {
			select {
			case c := <-l.waiting:
				c.Close()
			default:
				return
			}
		}
	})
	return nil
}

// Addr implements net.Listener.
func (l *streamListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// streamEnd is one end of a connection.
type streamEnd struct {
	net.Conn
	local, remote netip.AddrPort
}

// LocalAddr implements net.Conn.
func (s *streamEnd) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(s.local) }

// RemoteAddr implements net.Conn.
func (s *streamEnd) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }
