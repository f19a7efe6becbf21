package sipstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
)

// dial opens the connection, and reads it until it is over.
func (c *Conn) dial() {
	s := c.set
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.ConnectTimeout)
	nc, err := s.connect(ctx, c.peer)
	cancel()
	if err != nil {
		s.stats.failed.Add(1)
		c.mu.Lock()
		c.closed, c.cause = true, fmt.Errorf("%w to %s: %w", ErrConnect, c.peer.Addr, err)
		c.mu.Unlock()
		c.over(false)
		return
	}
	s.stats.dialled.Add(1)
	if !c.attach(nc) {
		c.hangUp()
	}
	c.mu.Lock()
	waits := !c.writing && len(c.queue) > 0 // else Send has seen to it
	c.writing = c.writing || waits
	c.mu.Unlock()
	if waits {
		s.tasks.Go(c.flush) // this goroutine is a task too, so that Close still waits
	}
	c.read()
}

// connect opens a connection, and does the handshake where there is one.
func (s *Set) connect(ctx context.Context, to Peer) (net.Conn, error) {
	dial := s.cfg.Dial
	if dial == nil {
		dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			var d net.Dialer
			if s.cfg.Local != nil {
				if a := s.cfg.Local(to.Addr()); a.IsValid() && !a.IsUnspecified() {
					d.LocalAddr = &net.TCPAddr{IP: a.AsSlice(), Zone: a.Zone()}
				}
			}
			return d.DialContext(ctx, "tcp", to.String())
		}
	}
	nc, err := dial(ctx, to.Addr)
	if err != nil || to.TLS == nil {
		return nc, err
	}
	t := tls.Client(nc, to.TLS)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return t, nil
}

// serverTLS puts TLS over the connection; the handshake is part of what the first message has time for.
func (c *Conn) serverTLS(cfg *tls.Config) {
	ctx, cancel := context.WithTimeout(c.set.ctx, c.set.cfg.MessageTimeout)
	defer cancel()
	t := tls.Server(c.nc, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		counter := &c.set.stats.malformed
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			counter = &c.set.stats.halfOpen
		}
		counter.Add(1)
		c.fail(err)
		return
	}
	c.attach(t)
}
