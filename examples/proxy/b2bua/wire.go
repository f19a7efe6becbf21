package b2bua

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial/internal/datagram"
)

// socketBuffer is asked for on sockets of our own: the usual 208 KiB drop bursts.
const socketBuffer = 4 << 20

// maxDatagram is more than UDP over IPv4 carries.
const maxDatagram = 65535

// wire is the socket towards the dialers. What comes from anywhere but a configured source is dropped unread and
// unanswered: an answer would tell a scanner that somebody is there, and could be aimed at a third party under a
// forged address. What fails for one datagram concerns that datagram only.
type wire struct {
	conn  net.PacketConn
	fast  datagram.Conn // the same socket
	local netip.AddrPort
	tap   func(sent bool, local, remote netip.AddrPort, data []byte) // nil = nobody asks; it must not keep data

	closed                            atomic.Bool
	strangers, readErrors, sendErrors atomic.Uint64
}

// newWire takes conn over, or listens on addr when conn is nil.
func newWire(conn net.PacketConn, addr string) (*wire, error) {
	if conn == nil {
		a, err := net.ResolveUDPAddr("udp", addr)
		if err != nil {
			return nil, err
		}
		c, err := net.ListenUDP("udp", a)
		if err != nil {
			return nil, err
		}
		// The kernel may grant less; that is no reason to fail.
		_ = c.SetReadBuffer(socketBuffer)
		_ = c.SetWriteBuffer(socketBuffer)
		conn = c
	}
	w := &wire{conn: conn, fast: datagram.New(conn)}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w.local = unmapped(local)
	return w, nil
}

// serve hands every datagram of a known source to handle, which must not keep it, until the socket is closed. It
// returns nil then.
func (w *wire) serve(admits func(netip.Addr) *source, handle func(b []byte, from netip.AddrPort, src *source)) error {
	buf := make([]byte, maxDatagram)
	for failures := 0; ; {
		n, from, err := w.read(buf)
		switch {
		case err == nil:
			failures = 0
		case w.closed.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// One failure is one datagram's, as a rule a late ICMP error. A socket that does nothing but fail must
			// not take the processor with it.
			w.readErrors.Add(1)
			if failures++; failures > 16 {
				time.Sleep(min(time.Duration(failures)*time.Millisecond, 100*time.Millisecond))
			}
			continue
		}
		src := admits(from.Addr())
		if src == nil {
			w.strangers.Add(1)
			continue
		}
		if w.tap != nil && n > 4 { // shorter ones are keep-alives
			w.tap(false, w.local, from, buf[:n])
		}
		handle(buf[:n], from, src)
	}
}

func (w *wire) read(b []byte) (int, netip.AddrPort, error) {
	n, from, err := w.fast.ReadFromUDPAddrPort(b)
	return n, unmapped(from), err
}

// send writes one datagram. A failure is as good as a loss, which retransmission makes up for.
func (w *wire) send(b []byte, to netip.AddrPort) {
	if _, err := w.fast.WriteToUDPAddrPort(b, to); err != nil {
		w.sendErrors.Add(1)
	} else if w.tap != nil {
		w.tap(true, w.local, to, b)
	}
}

func (w *wire) close() error {
	if w.closed.Swap(true) {
		return nil
	}
	return w.conn.Close()
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
