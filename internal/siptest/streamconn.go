package siptest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A StreamConn lets a [Carrier] or a [Caller] speak SIP over TCP or TLS: it is a net.PacketConn whose datagrams are messages on connections.
// What is written to an address goes through the connection with it, or one that is opened; a connection that ends is forgotten. It is
// a far end for tests: it trusts what it reads. Safe for concurrent use.
type StreamConn struct {
	listener  net.Listener
	transport string
	dial      func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	in        chan streamed
	closed    chan struct{}
	tasks     sync.WaitGroup
	accepted  atomic.Int64

	mu    sync.Mutex
	ended bool
	conns map[netip.AddrPort]net.Conn
	// sentBy is where to answer when the connection is over that a request came through (RFC 3261 §18.2.2).
	sentBy map[netip.AddrPort]netip.AddrPort
}

type streamed struct {
	from netip.AddrPort
	msg  []byte
}

// StreamConfig configures a [StreamConn].
type StreamConfig struct {
	// Listener accepts connections, and is owned by the StreamConn from now on. nil means TCP on 127.0.0.1 with a port that the kernel picks.
	Listener net.Listener
	// Dial opens a connection; nil means TCP.
	Dial func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	// Server and Client, when they are set, speak TLS over the connections that are accepted and opened.
	Server, Client *tls.Config
}

// NewStreamConn begins to accept.
func NewStreamConn(cfg StreamConfig) (*StreamConn, error) {
	if cfg.Listener == nil {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		cfg.Listener = l
	}
	s := &StreamConn{
		listener: cfg.Listener, transport: "TCP", dial: cfg.Dial, in: make(chan streamed, 1024), closed: make(chan struct{}),
		conns: map[netip.AddrPort]net.Conn{}, sentBy: map[netip.AddrPort]netip.AddrPort{},
	}
	if s.dial == nil {
		s.dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", to.String())
		}
	}
	if cfg.Server != nil || cfg.Client != nil {
		s.transport = "TLS"
	}
	if cfg.Client != nil {
		plain := s.dial
		s.dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			c, err := plain(ctx, to)
			if err != nil {
				return nil, err
			}
			return tls.Client(c, cfg.Client), nil
		}
	}
	s.tasks.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			if cfg.Server != nil {
				c = tls.Server(c, cfg.Server)
			}
			s.add(c)
		}
	})
	return s, nil
}

// Accepted is how many connections were accepted so far.
func (s *StreamConn) Accepted() int { return int(s.accepted.Load()) }

// CloseConns closes the connections, and goes on accepting: as a far end that was restarted, or closes what is idle.
func (s *StreamConn) CloseConns() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	clear(s.conns)
}

// add reads a connection until it ends.
func (s *StreamConn) add(c net.Conn) {
	from, err := addrPort(c.RemoteAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.ended {
		c.Close()
		return
	}
	s.conns[from] = c
	s.tasks.Go(func() {
		defer s.remove(from, c)
		r := bufio.NewReaderSize(c, 128<<10)
		for {
			msg, err := nextMessage(r)
			if err != nil {
				return
			}
			s.noteSentBy(from, msg)
			select {
			case s.in <- streamed{from, msg}:
			case <-s.closed:
				return
			}
		}
	})
}

func (s *StreamConn) noteSentBy(from netip.AddrPort, msg []byte) {
	_, via, _ := strings.Cut(string(msg), "\r\nVia: ")
	_, via, _ = strings.Cut(via, " ")
	host, _, _ := strings.Cut(via, ";")
	if to, err := netip.ParseAddrPort(host); err == nil && !bytes.HasPrefix(msg, []byte("SIP/2.0 ")) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sentBy[from] = to
	}
}

func (s *StreamConn) remove(from netip.AddrPort, c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns[from] == c {
		delete(s.conns, from)
	}
}

// nextMessage reads a message.
func nextMessage(r *bufio.Reader) ([]byte, error) {
	var msg bytes.Buffer
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line == "\r\n" && msg.Len() == 0 {
			continue // a keep-alive
		}
		msg.WriteString(line)
		if line == "\r\n" {
			break
		}
		if name, value, ok := strings.Cut(line, ":"); ok && (strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "l")) {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return nil, err
			}
		}
	}
	_, err := io.CopyN(&msg, r, int64(length))
	return msg.Bytes(), err
}

// ReadFrom implements net.PacketConn.
func (s *StreamConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case m := <-s.in:
		return copy(b, m.msg), net.TCPAddrFromAddrPort(m.from), nil
	case <-s.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn. It waits for the peer.
func (s *StreamConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, err := addrPort(addr)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	c := s.conns[to]
	if at, ok := s.sentBy[to]; ok && c == nil {
		to = at
		c = s.conns[to]
	}
	s.mu.Unlock()
	if c == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if c, err = s.dial(ctx, to); err != nil {
			return 0, err
		}
		s.add(c)
	}
	return c.Write(b)
}

// Close closes everything, and waits for what it started.
func (s *StreamConn) Close() error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.ended = true
	close(s.closed)
	for _, c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	err := s.listener.Close()
	s.tasks.Wait()
	return err
}

// LocalAddr is the address of the listener.
func (s *StreamConn) LocalAddr() net.Addr { return s.listener.Addr() }

// SetDeadline does nothing, and neither do the others.
func (s *StreamConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (s *StreamConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (s *StreamConn) SetWriteDeadline(time.Time) error { return nil }
