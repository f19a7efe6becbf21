package siptrunk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/outdial/outdial/internal/sipstream"
)

// Listener is what carriers may reach us through beside the first UDP socket: a TCP or TLS listener, or a UDP socket of the other IP family.
type Listener struct {
	Transport Transport // TransportUDP, TransportTCP or TransportTLS
	Addr      string    // "host:port"; port 0 picks a free one
	// Advertise is as Config.Advertise. "" = the host of that, if it is set, with the listener's port; or the listener's address.
	Advertise string
	// TLS is asked for the configuration of every connection that is accepted, so that certificates may change; for TransportTLS. A version
	// below 1.2 is never spoken.
	TLS func() *tls.Config
	// Listener is used instead of one on Addr, and owned by the Dialer; for TCP and TLS.
	Listener net.Listener
}

// Streams bounds the connections of TCP and TLS. Zero is the default, negative is no bound.
type Streams struct {
	MaxConns       int           // that carriers opened; 0 = 4096
	MaxPerSource   int           // … from one address; 0 = 1024
	MaxMessage     int           // bytes; 0 = 64 KiB
	MessageTimeout time.Duration // from a message's first byte to its last, and from a connection's beginning to its first message; 0 = 10 s
	IdleTimeout    time.Duration // without a message in either direction; 0 = 30 min
	ConnectTimeout time.Duration // to open a connection, TLS handshake included; 0 = 2 s
	WriteTimeout   time.Duration // for a peer that does not read; 0 = 5 s
}

// listener is a Listener that is bound.
type listener struct {
	Listener
	local netip.AddrPort
	bound net.Listener // nil = UDP
}

// bind opens the listeners.
func (d *Dialer) bind() error {
	for i, l := range d.cfg.Listeners {
		b, err := l.bind()
		if err != nil {
			return faultIn(i, err)
		}
		if l.Transport == TransportUDP {
			c, err := listenUDP(l.Addr)
			if err != nil {
				return faultIn(i, err)
			}
			d.second = newConn(c)
			if b.local, err = netip.ParseAddrPort(c.LocalAddr().String()); err != nil || family(b.local.Addr()) == family(d.local.Addr()) || b.local.Addr().IsUnspecified() && d.local.Addr().IsUnspecified() {
				return faultIn(i, errors.Join(fault("Addr", "a second UDP socket is for the other IP family"), err))
			}
		}
		d.listeners = append(d.listeners, b)
	}
	return d.name()
}

// bind opens one that is no UDP socket.
func (l Listener) bind() (listener, error) {
	b := listener{Listener: l, bound: l.Listener}
	switch {
	case l.Transport == TransportUDP:
		return b, nil
	case l.Transport != TransportTCP && l.Transport != TransportTLS:
		return b, fault("Transport", "%d: UDP, TCP or TLS is wanted", l.Transport)
	case l.Transport == TransportTLS && l.TLS == nil:
		return b, fault("TLS", "it is needed")
	}
	if b.bound == nil {
		var err error
		if b.bound, err = net.Listen("tcp", l.Addr); err != nil {
			return b, err
		}
	}
	local, err := netip.ParseAddrPort(b.bound.Addr().String())
	b.local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	return b, err
}

// serve accepts connections until the Dialer is closed.
func (l *listener) serve(streams *sipstream.Set) error {
	if l.Transport == TransportTCP {
		return streams.Serve(l.bound, nil)
	}
	return streams.Serve(l.bound, func() *tls.Config { return atLeast12(l.TLS()) })
}

// atLeast12 is a configuration that speaks no version below TLS 1.2.
func atLeast12(cfg *tls.Config) *tls.Config {
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.MinVersion < tls.VersionTLS12 {
		cfg = cfg.Clone()
		cfg.MinVersion = tls.VersionTLS12
	}
	return cfg
}

// newStreams returns the connections of the Dialer.
func (d *Dialer) newStreams() *sipstream.Set {
	c := &d.cfg.Streams
	cfg := sipstream.Config{
		Handle: d.onStream, Admit: d.admitsStream, Lost: d.notWritten, Closed: d.onClosed, Local: d.localAddr,
		MaxConns: c.MaxConns, MaxPerSource: c.MaxPerSource, MaxMessage: c.MaxMessage, MessageTimeout: c.MessageTimeout,
		IdleTimeout: c.IdleTimeout, ConnectTimeout: c.ConnectTimeout, WriteTimeout: c.WriteTimeout,
	}
	if dial := d.cfg.DialStream; dial != nil {
		cfg.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) { return dial(ctx, to) }
	}
	return sipstream.New(cfg)
}

// localAddr is where connections are opened from: carriers know us by the address.
func (d *Dialer) localAddr(to netip.Addr) netip.Addr {
	for i := range d.listeners {
		if a := d.listeners[i].local.Addr(); family(a) == family(to) && !a.IsUnspecified() {
			return a
		}
	}
	if family(d.local.Addr()) == family(to) {
		return d.local.Addr()
	}
	return netip.Addr{}
}

// ListenAddrs returns the addresses of Config.Listeners, in their order.
func (d *Dialer) ListenAddrs() []netip.AddrPort {
	all := make([]netip.AddrPort, len(d.listeners))
	for i := range d.listeners {
		all[i] = d.listeners[i].local
	}
	return all
}

func faultIn(i int, err error) error { return fmt.Errorf("siptrunk: Listeners[%d]: %w", i, err) }
