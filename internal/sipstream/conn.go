package sipstream

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is one connection. Its methods are safe for concurrent use.
type Conn struct {
	// Note is the host's, and to be touched in Config.Handle alone.
	Note any

	set      *Set
	peer     Peer
	accepted bool
	active   atomic.Int64 // when a message last went either way, in nanoseconds since since
	since    time.Time

	mu      sync.Mutex // guards what follows; a few lines each time
	quiet   *sync.Cond // writing has become false
	raw     net.Conn   // nil = being dialled
	nc      net.Conn   // raw, or TLS over it; the goroutine that reads sets it
	queue   []item
	queued  int // bytes of the queue
	writing bool
	closed  bool  // takes no more messages
	cause   error // why it was closed
	state   *tls.ConnectionState
}

// item is a message that waits.
type item struct {
	msg  []byte
	back Peer // where it goes when the connection is over before it was written; without an address = nowhere
}

func newConn(s *Set, to Peer, accepted bool) *Conn {
	c := &Conn{set: s, peer: to, accepted: accepted, since: time.Now()}
	c.quiet = sync.NewCond(&c.mu)
	return c
}

// Peer is the far end: of a connection that was accepted, without a tls.Config.
func (c *Conn) Peer() Peer { return c.peer }

// Remote is the far end's address.
func (c *Conn) Remote() netip.AddrPort { return c.peer.Addr }

// Local is our end's address; the zero AddrPort while there is no connection.
func (c *Conn) Local() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw == nil {
		return netip.AddrPort{}
	}
	return addrOf(c.raw.LocalAddr())
}

// Accepted reports whether the far end opened the connection.
func (c *Conn) Accepted() bool { return c.accepted }

// TLS is what the handshake agreed upon; nil = TCP.
func (c *Conn) TLS() *tls.ConnectionState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Open reports whether Send would take a message.
func (c *Conn) Open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed
}

// attach makes nc the connection, and reports whether it is still wanted.
func (c *Conn) attach(nc net.Conn) bool {
	raw := nc
	var state *tls.ConnectionState
	if t, ok := nc.(*tls.Conn); ok {
		s := t.ConnectionState()
		raw, state = t.NetConn(), &s
	}
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw, c.nc, c.state = raw, nc, state
	return !c.closed
}

// Send queues a message, which it keeps; false = the connection is over, and nothing will be said of the message.
func (c *Conn) Send(msg []byte) bool { return c.send(item{msg: msg}) }

func (c *Conn) send(m item) bool {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false
	}
	c.queue = append(c.queue, m)
	c.queued += len(m.msg)
	if c.queued > c.set.cfg.MaxQueue {
		c.mu.Unlock()
		c.fail(ErrSlow)
		return true
	}
	idle := c.raw != nil && !c.writing
	c.writing = c.writing || idle
	c.mu.Unlock()
	if idle && !c.set.start(c.flush) {
		c.mu.Lock()
		c.writing = false
		c.quiet.Broadcast()
		c.mu.Unlock()
		c.fail(ErrClosed)
	}
	return true
}

// Close closes the connection.
func (c *Conn) Close() { c.fail(ErrClosed) }

// fail ends the connection: the goroutine that reads it does the rest.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = err
	}
	c.closed = true
	c.mu.Unlock()
	c.hangUp()
}

// hangUp closes what is below TLS: its farewell would wait for a peer that does not read.
func (c *Conn) hangUp() {
	c.mu.Lock()
	raw := c.raw
	c.mu.Unlock()
	if raw != nil {
		_ = raw.Close()
	}
}

// finish ends the connection when what waits is written, or soon.
func (c *Conn) finish() {
	c.mu.Lock()
	c.closed = true
	if c.cause == nil {
		c.cause = ErrClosed
	}
	raw, writing := c.raw, c.writing
	c.mu.Unlock()
	if raw != nil && writing {
		_ = raw.SetWriteDeadline(time.Now().Add(farewell)) // flush closes it then
		return
	}
	c.hangUp()
}

// farewell is how long what waits may take to be written when the Set is closed.
const farewell = 200 * time.Millisecond

// flush writes what waits.
func (c *Conn) flush() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.writing = false
			c.quiet.Broadcast()
			closed := c.closed
			c.mu.Unlock()
			if closed {
				c.hangUp()
			}
			return
		}
		msgs, nc, closing := c.queue, c.nc, c.closed
		c.queue = nil
		c.mu.Unlock()
		if !closing {
			_ = nc.SetWriteDeadline(time.Now().Add(c.set.cfg.WriteTimeout))
		}
		done, err := c.write(nc, msgs)
		c.mu.Lock()
		for _, m := range msgs[:done] {
			c.queued -= len(m.msg)
		}
		if err != nil {
			c.queue = append(msgs[done:], c.queue...)
			c.writing = false
			c.quiet.Broadcast()
		}
		c.mu.Unlock()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = ErrSlow
			}
			c.fail(err)
			return
		}
		c.touch()
	}
}

// write writes messages, and returns how many are through. Several go in one write, as far as they are short.
func (c *Conn) write(nc net.Conn, msgs []item) (done int, err error) {
	const together = 16 << 10
	for done < len(msgs) {
		n, size := done+1, len(msgs[done].msg)
		for n < len(msgs) && size+len(msgs[n].msg) <= together {
			size += len(msgs[n].msg)
			n++
		}
		b := msgs[done].msg
		if n > done+1 {
			b = make([]byte, 0, size)
			for _, m := range msgs[done:n] {
				b = append(b, m.msg...)
			}
		}
		if _, err := nc.Write(b); err != nil {
			return done, err
		}
		done = n
	}
	return done, nil
}

func (c *Conn) touch() { c.active.Store(int64(time.Since(c.since))) }

// pong answers a ping (RFC 5626 §4.4.1).
var pong = []byte("\r\n")

// read hands the messages to the host until the connection is over.
func (c *Conn) read() {
	defer c.over(true)
	cfg := &c.set.cfg
	r := newReader(nil, cfg.MaxMessage)
	in := &patient{c: c, r: r, fresh: c.accepted, begun: c.since}
	r.from = in
	c.touch()
	for {
		msg, err := r.next()
		for range min(r.takePings(), 8) {
			c.Send(pong)
		}
		if err != nil {
			c.count(err, in)
			c.fail(err)
			return
		}
		c.touch()
		if msg != nil {
			in.fresh, in.begun = false, time.Time{}
			cfg.Handle(c, msg)
		}
	}
}

// count counts why a connection that was read has come to its end.
func (c *Conn) count(err error, in *patient) {
	c.mu.Lock()
	already := c.cause
	c.mu.Unlock()
	switch {
	case already != nil:
	case errors.Is(err, errTooLong), errors.Is(err, errNotSIP), errors.Is(err, errNoLength), errors.Is(err, errLength):
		c.set.stats.malformed.Add(1)
	case in.late, errors.Is(err, io.ErrUnexpectedEOF):
		c.set.stats.halfOpen.Add(1)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.set.stats.idle.Add(1)
	}
}

// over says what became of what waited, and forgets the connection.
func (c *Conn) over(wasOpen bool) {
	c.mu.Lock()
	for c.writing { // the goroutine that writes sees the same end
		c.quiet.Wait()
	}
	c.closed = true
	left, cause := c.queue, c.cause
	c.queue, c.queued = nil, 0
	c.mu.Unlock()
	c.hangUp()
	if errors.Is(cause, ErrSlow) {
		c.set.stats.slow.Add(1)
	}
	if cause == nil || wasOpen && !errors.Is(cause, ErrSlow) {
		cause = ErrClosed
	}
	c.Note = nil
	c.mu.Lock()
	c.raw, c.nc = nil, nil // a Conn that somebody keeps shall not keep buffers
	c.mu.Unlock()
	c.set.remove(c)
	for _, m := range left {
		if m.back.Addr.IsValid() && !errors.Is(cause, ErrSlow) {
			c.set.Send(m.back, m.msg)
			continue
		}
		c.set.lost(c.peer, m.msg, cause)
	}
	if wasOpen && c.set.cfg.Closed != nil {
		c.set.cfg.Closed(c)
	}
}
