package siptrunk

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/internal/datagram"
)

// conn stands between the socket and sipgo. It reads for sipgo, and keeps from it: failures of single datagrams,
// which would end the listener; datagrams of strangers, which would fill its connection pool; and responses, which
// go straight to their legs, in the order in which they came.
type conn struct {
	net.PacketConn
	fast    datagram.Conn // the same socket
	udp     *net.UDPConn  // nil = not a socket of the kernel's, which would learn of ICMP errors
	admits  func(netip.AddrPort) bool
	deliver func(*sip.Response, time.Time)
	lost    func(datagram []byte, to netip.AddrPort)
	failed  func(error)
	trace   func(sent bool, remote netip.AddrPort, data []byte) // nil = nobody asks
	parser  *sip.Parser

	closed                         atomic.Bool
	dropped, malformed, readErrors atomic.Uint64
}

func newConn(inner net.PacketConn) *conn {
	c := &conn{PacketConn: inner, fast: datagram.New(inner), parser: newResponseParser()}
	if c.udp, _ = inner.(*net.UDPConn); c.udp != nil {
		askForICMP(c.udp)
	}
	return c
}

// newResponseParser returns a parser that reads what every response is asked for, and leaves the rest as text.
func newResponseParser() *sip.Parser {
	all, some := sip.DefaultHeadersParser(), map[string]sip.HeaderParser{}
	for _, name := range []string{"via", "v", "call-id", "i", "cseq", "content-length", "l", "record-route"} {
		some[name] = all[name]
	}
	return sip.NewParser(sip.WithHeadersParsers(some))
}

// ReadFrom returns the next request from a known source. It fails only when the socket is closed.
func (c *conn) ReadFrom(b []byte) (int, net.Addr, error) {
	for failures := 0; ; {
		n, from, err := c.read(b)
		switch {
		case err == nil:
			failures = 0
		case c.closed.Load(), errors.Is(err, net.ErrClosed):
			return 0, nil, net.ErrClosed
		default:
			c.readErrors.Add(1)
			c.failed(err)
			// One failure is one datagram's, as a rule a late ICMP error. A socket that does nothing but fail
			// must not take the processor with it; a busy trunk that is unreachable must not slow the others down.
			if c.collectLost() {
				failures = 0
				continue
			}
			if failures++; failures > 16 {
				time.Sleep(min(time.Duration(failures)*time.Millisecond, 100*time.Millisecond))
			}
			continue
		}
		if !c.admits(from) {
			c.dropped.Add(1)
			continue
		}
		if c.trace != nil {
			c.trace(false, from, b[:n])
		}
		if !bytes.HasPrefix(b[:n], []byte("SIP/2.0 ")) {
			return n, net.UDPAddrFromAddrPort(from), nil
		}
		at := time.Now()
		msg, err := c.parser.ParseSIP(b[:n])
		res, ok := msg.(*sip.Response)
		if err != nil || !ok || !usable(res) {
			c.malformed.Add(1)
			continue
		}
		cameFrom(res, from)
		c.deliver(res, at)
	}
}

// cameFrom notes the source of an answer. Of other responses nobody asks.
func cameFrom(res *sip.Response, from netip.AddrPort) {
	if res.IsSuccess() && res.CSeq().MethodName == sip.INVITE {
		res.SetSource(from.String())
	}
}

// usable reports whether a response has what it is matched by, and a To that can be sent back.
func usable(res *sip.Response) bool {
	return res.CallID() != nil && res.CSeq() != nil && res.Via() != nil && res.To() != nil && validValue(res.To().Value()) &&
		res.StatusCode >= 100 && res.StatusCode <= 699
}

func (c *conn) read(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.fast.ReadFromUDPAddrPort(b)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

// WriteTo sends what sipgo answers to a carrier.
func (c *conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	a, ok := addr.(*net.UDPAddr)
	if !ok {
		return c.PacketConn.WriteTo(b, addr)
	}
	to := a.AddrPort()
	if err := c.send(b, netip.AddrPortFrom(to.Addr().Unmap(), to.Port())); err != nil {
		return 0, err
	}
	return len(b), nil
}

// maxPending bounds how many errors of other datagrams a write gets past.
const maxPending = 8

// send writes one datagram. An error may be what ICMP said of another one, which must not be blamed on this: the write
// is tried again when the errors that wait are out of the way.
func (c *conn) send(b []byte, to netip.AddrPort) error {
	err := c.write(b, to)
	for tries := 0; err != nil && tries < maxPending && c.udp != nil && !c.closed.Load(); tries++ {
		c.collectLost()
		err = c.write(b, to)
	}
	if err == nil && c.trace != nil {
		c.trace(true, to, b)
	}
	return err
}

// collectLost reports the datagrams that the network gave back, and whether there were any.
func (c *conn) collectLost() (some bool) {
	if c.udp != nil {
		undelivered(c.udp, func(datagram []byte, to netip.AddrPort) {
			some = true
			c.lost(datagram, to)
		})
	}
	return some
}

func (c *conn) write(b []byte, to netip.AddrPort) error {
	_, err := c.fast.WriteToUDPAddrPort(b, to)
	return err
}

// Close closes the socket; a second Close does nothing.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.PacketConn.Close()
}
