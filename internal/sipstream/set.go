package sipstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrConnect is in the error of a message for which no connection could be opened.
	ErrConnect = errors.New("sipstream: no connection")
	// ErrClosed is in the error of a message that the Set was closed over, or that waited when the peer closed the connection.
	ErrClosed = errors.New("sipstream: the connection was closed")
	// ErrSlow is in the error of a message whose peer does not read.
	ErrSlow = errors.New("sipstream: the peer does not read")
)

// Set is the connections of one side. Make it with New, and Close it. All methods are safe for concurrent use.
type Set struct {
	cfg   Config
	ctx   context.Context // ends with the Set
	stop  context.CancelFunc
	tasks sync.WaitGroup

	mu        sync.Mutex // guards what follows; a few lines each time
	closed    bool
	conns     map[*Conn]struct{}
	byPeer    map[Peer]*Conn
	bySource  map[netip.Addr]int // accepted ones
	accepted  int
	dialled   int
	listeners []net.Listener

	stats counters
}

type counters struct {
	accepted, dialled, failed, strangers, excess, halfOpen, idle, slow, malformed atomic.Uint64
}

// New returns a Set without connections.
func New(cfg Config) *Set {
	s := &Set{
		cfg: cfg.withDefaults(), conns: map[*Conn]struct{}{}, byPeer: map[Peer]*Conn{}, bySource: map[netip.Addr]int{},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Serve accepts connections until the Set or l is closed, and returns nil then. With server, which is asked for every connection, it
// speaks TLS. The Set closes l.
func (s *Set) Serve(l net.Listener, server func() *tls.Config) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	for failures := 0; ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			failures = 0
		case errors.Is(err, net.ErrClosed), s.ctx.Err() != nil:
			return nil
		default: // too many open files, as a rule: connections that end make room
			failures++
			pause := time.NewTimer(min(time.Duration(failures)*5*time.Millisecond, time.Second))
			select {
			case <-pause.C:
			case <-s.ctx.Done():
				pause.Stop()
				return nil
			}
			continue
		}
		s.accept(nc, server)
	}
}

// accept takes a connection, or closes it.
func (s *Set) accept(nc net.Conn, server func() *tls.Config) {
	from := addrOf(nc.RemoteAddr())
	if s.cfg.Admit != nil && !s.cfg.Admit(from.Addr()) {
		s.stats.strangers.Add(1)
		abort(nc)
		return
	}
	c := newConn(s, Peer{Addr: from}, true)
	c.attach(nc)
	s.mu.Lock()
	if s.closed || s.accepted >= s.cfg.MaxConns || s.bySource[from.Addr()] >= s.cfg.MaxPerSource {
		s.mu.Unlock()
		s.stats.excess.Add(1)
		abort(nc)
		return
	}
	s.accepted++
	s.bySource[from.Addr()]++
	s.conns[c] = struct{}{}
	s.tasks.Add(1)
	s.mu.Unlock()
	s.stats.accepted.Add(1)
	go func() {
		defer s.tasks.Done()
		if server != nil {
			c.serverTLS(server())
		}
		c.read()
	}()
}

// abort closes a connection that nothing was read from, without the waiting state that would keep its port.
func abort(nc net.Conn) {
	if t, ok := nc.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = nc.Close()
}

// Send sends a message, through the connection that there is to the peer or one that is opened for it. It does not wait, and keeps msg. What
// becomes of it, Lost and Closed tell.
func (s *Set) Send(to Peer, msg []byte) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			s.lost(to, msg, fmt.Errorf("%w: %s", ErrClosed, to.Addr))
			return
		}
		c := s.byPeer[to]
		if c == nil {
			if s.dialled >= s.cfg.MaxDialled {
				s.mu.Unlock()
				s.stats.failed.Add(1)
				s.lost(to, msg, fmt.Errorf("%w to %s: there are too many", ErrConnect, to.Addr))
				return
			}
			s.dialled++
			c = newConn(s, to, false)
			c.queue, c.queued = append(c.queue, item{msg: msg}), len(msg) // before it is opened: that may fail at once, and is not tried twice
			s.byPeer[to] = c
			s.conns[c] = struct{}{}
			s.tasks.Go(c.dial)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if c.Send(msg) {
			return
		}
		s.forget(c) // it is about to end: the next round makes another one
	}
}

// Reply sends a message through a connection, which the far end may have closed: then, and when that ends before the message was written, it goes
// to back, as Send does it. RFC 3261 §18.2.2 has a response go to where its request came from, and the port of the Via's sent-by. It keeps msg.
func (s *Set) Reply(c *Conn, msg []byte, back Peer) {
	if !c.send(item{msg, back}) {
		s.Send(back, msg)
	}
}

func (s *Set) lost(to Peer, msg []byte, err error) {
	if s.cfg.Lost != nil {
		s.cfg.Lost(to, msg, err)
	}
}

// forget lets nobody send through a connection any more.
func (s *Set) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byPeer[c.peer] == c {
		delete(s.byPeer, c.peer)
	}
}

// remove forgets a connection that is over.
func (s *Set) remove(c *Conn) {
	s.forget(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if !c.accepted {
		s.dialled--
	} else {
		s.accepted--
		from := c.peer.Addr.Addr()
		if s.bySource[from]--; s.bySource[from] == 0 {
			delete(s.bySource, from)
		}
	}
}

// start runs f on a goroutine that Close waits for; false when the Set is closed.
func (s *Set) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.tasks.Go(f)
	return true
}

// Close stops accepting, writes what waits for a moment, closes every connection, and waits until everything that the Set started is over.
func (s *Set) Close() error {
	s.mu.Lock()
	s.closed = true
	listeners := s.listeners
	s.listeners = nil
	conns := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	var errs []error
	for _, l := range listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	s.stop()
	for _, c := range conns {
		c.finish()
	}
	s.tasks.Wait()
	return errors.Join(errs...)
}

// Stats returns the counts.
func (s *Set) Stats() Stats {
	s.mu.Lock()
	open := len(s.conns)
	s.mu.Unlock()
	c := &s.stats
	return Stats{
		Open: open, Accepted: c.accepted.Load(), Dialled: c.dialled.Load(), Failed: c.failed.Load(), Strangers: c.strangers.Load(),
		Excess: c.excess.Load(), HalfOpen: c.halfOpen.Load(), Idle: c.idle.Load(), Slow: c.slow.Load(), Malformed: c.malformed.Load(),
	}
}

func addrOf(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
