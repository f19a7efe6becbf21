package sipstream

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"
)

// Config is what a [Set] is made from. Of the numbers, zero is the default and negative is none.
type Config struct {
	// Handle takes a message, in the order in which they came through a connection, on that connection's goroutine: until it returns, no
	// other one is read there. It must not keep msg. Required.
	Handle func(c *Conn, msg []byte)
	// Admit reports whether a connection from an address is accepted. nil = any is.
	Admit func(netip.Addr) bool
	// Lost takes a message that was not written to a connection, and why: an error that [ErrConnect] is in says that no connection could be
	// opened. nil = nobody asks. It is called on goroutines of the Set's.
	Lost func(to Peer, msg []byte, err error)
	// Closed is told that a connection which was open is over, after everything that it has to say. nil = nobody asks.
	Closed func(*Conn)
	// Dial opens a connection. nil = TCP from Local.
	Dial func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	// Local is the address that connections are opened from; the zero Addr = what the system chooses.
	Local func(to netip.Addr) netip.Addr

	MaxMessage     int           // bytes; 0 = 64 KiB
	MaxConns       int           // accepted ones; 0 = 4096
	MaxPerSource   int           // accepted ones of one address; 0 = 1024
	MaxDialled     int           // those that Send has opened, and that are open; 0 = 4096
	MaxQueue       int           // bytes that wait for one peer; 0 = 1 MiB
	MessageTimeout time.Duration // 0 = 10 s
	IdleTimeout    time.Duration // 0 = 30 min
	ConnectTimeout time.Duration // of Send, handshake included; 0 = 2 s
	WriteTimeout   time.Duration // 0 = 5 s
}

func (c Config) withDefaults() Config {
	number := func(n *int, def int) {
		switch {
		case *n == 0:
			*n = def
		case *n < 0:
			*n = int(^uint(0) >> 1)
		}
	}
	number(&c.MaxMessage, 64<<10)
	number(&c.MaxConns, 4096)
	number(&c.MaxPerSource, 1024)
	number(&c.MaxDialled, 4096)
	number(&c.MaxQueue, 1<<20)
	const never = 100 * 365 * 24 * time.Hour
	span := func(d *time.Duration, def time.Duration) {
		switch {
		case *d == 0:
			*d = def
		case *d < 0:
			*d = never
		}
	}
	span(&c.MessageTimeout, 10*time.Second)
	span(&c.IdleTimeout, 30*time.Minute)
	span(&c.ConnectTimeout, 2*time.Second)
	span(&c.WriteTimeout, 5*time.Second)
	if c.MaxMessage > 1<<24 {
		c.MaxMessage = 1 << 24 // beyond it nobody means it
	}
	return c
}

// Peer is where a message goes: an address, and how TLS is spoken there; nil = TCP. Peers that are equal share a connection, so a tls.Config
// must be the same one, and not changed any more.
type Peer struct {
	Addr netip.AddrPort
	TLS  *tls.Config
}

// Stats are counts since New, and how many connections are open now.
type Stats struct {
	Open      int
	Accepted  uint64
	Dialled   uint64 // connections that Send opened
	Failed    uint64 // … and could not, or not beside so many
	Strangers uint64 // not accepted: Admit said no
	Excess    uint64 // not accepted: there were too many, of that address or of all
	HalfOpen  uint64 // closed: a message, or the handshake, was not complete in time
	Idle      uint64 // closed: no message went either way for long
	Slow      uint64 // closed: too much waited to be written, or for too long
	Malformed uint64 // closed: what came is no SIP, or cannot be framed
}
