package main

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/internal/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ms          = time.Millisecond
	carrierAddr = "203.0.113.5:5060"
	mediaAddr   = "203.0.113.6:30000"
	natAddr     = "198.51.100.77"
)

// world is a carrier on a network with fake addresses, in a bubble, and where the host of the probe stands on it.
type world struct {
	t       *testing.T
	network *siptest.Network
	// behind makes the host stand behind a NAT, which keeps one mapping for everything with the same key. nil = it has the address itself.
	behind func(socket, to netip.AddrPort) netip.AddrPort
	taken  map[uint16]bool // ports that cannot be bound
	close  []func()
}

// echo is a carrier's media socket that sends back what comes, by reply.
type echo struct {
	net.PacketConn
	reply func(packet []byte, to net.Addr)
}

func (e *echo) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := e.PacketConn.ReadFrom(b)
	if err == nil {
		e.reply(bytes.Clone(b[:n]), from)
	}
	return n, from, err
}

// inWorld probes a carrier that behaves so, whose media come back by reply (nil = they do not).
func inWorld(t *testing.T, b siptest.Behaviour, reply func(w *world, media net.PacketConn) func([]byte, net.Addr), arrange func(*world), args ...string) (r *report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{Link: siptest.Link{Latency: 20 * ms}})
		require.NoError(t, err)
		w := &world{t: t, network: network}
		media := net.PacketConn(w.socket(mediaAddr))
		if reply != nil {
			media = &echo{media, reply(w, media)}
		}
		carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: w.socket(carrierAddr), Media: media, Behaviour: b})
		require.NoError(t, err)
		w.close = append(w.close, func() { carrier.Close() })
		if arrange != nil {
			arrange(w)
		}
		local := "192.168.1.10:5060"
		if w.behind == nil {
			local = "203.0.113.99:5060"
		}
		opts, err := parseOptions(t.Context(), append([]string{"-to", "sip:echo@" + carrierAddr, "-sip", local}, args...), os.Stderr)
		require.NoError(t, err)
		r, err = (&probe{options: opts, listen: w.listen}).run(t.Context())
		require.NoError(t, err)
		siptest.Drain()
		for _, f := range w.close {
			f()
		}
	})
	return r
}

// sendBack is a plain echo.
func sendBack(_ *world, media net.PacketConn) func([]byte, net.Addr) {
	return func(packet []byte, to net.Addr) { _, _ = media.WriteTo(packet, to) }
}

func (w *world) socket(addr string) *siptest.Conn {
	c, err := w.network.Listen(addr)
	require.NoError(w.t, err)
	return c
}

// peer answers datagrams by a function; nil = it says nothing.
func (w *world) peer(addr string, answer func(request []byte, from netip.AddrPort) []byte) {
	c := w.socket(addr)
	w.close = append(w.close, func() { c.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if b := answer(buf[:n], from); b != nil {
				_, _ = c.WriteToUDPAddrPort(b, from)
			}
		}
	}()
}

// stunServer answers with what it sees.
func (w *world) stunServer(addr string) {
	w.peer(addr, func(request []byte, from netip.AddrPort) []byte { return stunResponse(request, from) })
}

// sipPeer answers OPTIONS with 200 and a Via of its own making.
func (w *world) sipPeer(addr string, via func(sent string, from netip.AddrPort) string) {
	w.peer(addr, func(request []byte, from netip.AddrPort) []byte {
		out := "SIP/2.0 200 OK\r\n"
		for line := range strings.Lines(string(request[bytes.IndexByte(request, '\n')+1:])) {
			switch name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name {
			case "Via":
				out += "Via: " + via(value, from) + "\r\n"
			case "From", "Call-ID", "CSeq", "To":
				out += line
			}
		}
		return []byte(out + "Content-Length: 0\r\n\r\n")
	})
}

func (w *world) listen(at netip.AddrPort) (net.PacketConn, error) {
	if w.taken[at.Port()] {
		return nil, os.ErrPermission
	}
	if w.behind == nil {
		return w.network.Listen(at.String())
	}
	if at.Port() == 0 {
		at = netip.AddrPortFrom(at.Addr(), 41000)
	}
	return &inside{w: w, local: at, outer: map[netip.AddrPort]*siptest.Conn{}, in: make(chan datagram, 64), closed: make(chan struct{})}, nil
}

type datagram struct {
	data []byte
	from net.Addr
}

// inside is a socket behind a NAT, which opens an outer one for every mapping.
type inside struct {
	w      *world
	local  netip.AddrPort
	in     chan datagram
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	outer    map[netip.AddrPort]*siptest.Conn
	deadline time.Time
}

func (c *inside) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(c.local) }
func (c *inside) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *inside) SetWriteDeadline(time.Time) error { return nil }

func (c *inside) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return nil
}

func (c *inside) ReadFrom(b []byte) (int, net.Addr, error) {
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	var late <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		late = t.C
	}
	select {
	case d := <-c.in:
		return copy(b, d.data), d.from, nil
	case <-late:
		return 0, nil, os.ErrDeadlineExceeded
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

func (c *inside) WriteTo(b []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := c.w.behind(c.local, addrPort(to))
	out := c.outer[key]
	if out == nil {
		var err error
		if out, err = c.w.network.Listen(natAddr + ":0"); err != nil {
			return 0, err
		}
		c.outer[key] = out
		go c.read(out)
	}
	return out.WriteTo(b, to)
}

func (c *inside) read(out *siptest.Conn) {
	for {
		buf := make([]byte, 2048)
		n, from, err := out.ReadFrom(buf)
		if err != nil {
			return
		}
		select {
		case c.in <- datagram{buf[:n], from}:
		case <-c.closed:
		}
	}
}

func (c *inside) Close() error {
	c.once.Do(func() { close(c.closed) })
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, out := range c.outer {
		out.Close()
	}
	return nil
}

// loopback is an echo carrier on real sockets.
func loopback(t *testing.T) string {
	media, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{
		Media: &echo{media, sendBack(nil, media)}, Behaviour: siptest.Behaviour{Script: siptest.Answer(ms, ms, 0)},
	})
	require.NoError(t, err)
	t.Cleanup(func() { carrier.Close() })
	return carrier.Addr().String()
}
