package siptrunk

import (
	"bytes"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial/internal/sipstream"
)

// streamPeer is what a connection has of its own: parsers, which are not shared, and how many of its requests are being answered.
type streamPeer struct {
	responses, requests *sip.Parser
	busy                atomic.Int32
}

// maxMessage is more than any Streams.MaxMessage lets pass.
const maxMessage = 1 << 24

// maxBusy bounds the requests of one connection that are being answered at a time.
const maxBusy = 256

// onStream takes a message that came over a connection.
func (d *Dialer) onStream(c *sipstream.Conn, b []byte) {
	if c.Accepted() && !d.admitsStream(c.Remote().Addr()) { // its trunk was taken away
		d.conn.dropped.Add(1)
		c.Close()
		return
	}
	d.trace(false, transportOf(c), d.localOf(c), c.Remote(), b)
	p, _ := c.Note.(*streamPeer)
	if p == nil {
		p = &streamPeer{responses: newResponseParser(), requests: sip.NewParser()}
		p.responses.MaxMessageLength, p.requests.MaxMessageLength = maxMessage, maxMessage
		c.Note = p
	}
	at := time.Now()
	if bytes.HasPrefix(b, []byte("SIP/2.0 ")) {
		msg, err := p.responses.ParseSIP(b)
		if res, ok := msg.(*sip.Response); err == nil && ok && usable(res) {
			cameFrom(res, c.Remote())
			d.deliver(res, at)
			return
		}
		d.conn.malformed.Add(1)
		return
	}
	msg, err := p.requests.ParseSIP(b)
	req, ok := msg.(*sip.Request)
	if err != nil || !ok || req.Via() == nil {
		d.conn.malformed.Add(1)
		return
	}
	req.SetSource(c.Remote().String())
	req.SetTransport(transportOf(c).String())
	tx := &streamTx{d: d, conn: c, local: d.localOf(c), back: d.wayBack(c, req)}
	if p.busy.Add(1) > maxBusy {
		p.busy.Add(-1)
		if !req.IsAck() {
			d.respond(req, tx, 503, "Service Unavailable")
		}
		return
	}
	if !d.start(func() {
		defer p.busy.Add(-1)
		d.serve(req, tx)
	}) {
		p.busy.Add(-1)
	}
}

func transportOf(c *sipstream.Conn) Transport {
	if c.TLS() != nil {
		return TransportTLS
	}
	return TransportTCP
}

// admitsStream reports whether a connection from an address is accepted.
func (d *Dialer) admitsStream(from netip.Addr) bool {
	if d.routes.Load().admitsHost(from) {
		return true
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.peers[netip.AddrPortFrom(from, 0)] != nil
}

// notWritten is told of a message that no connection took.
func (d *Dialer) notWritten(to sipstream.Peer, packet []byte, err error) {
	h := hopTo(to)
	p := d.partyOf(callIDOf(packet))
	switch {
	case p == nil:
	case errors.Is(err, sipstream.ErrConnect):
		p.unreachable(h)
	default:
		p.disconnected(h)
	}
}

// onClosed tells everybody of a connection that is over: what was written to it may not have arrived.
func (d *Dialer) onClosed(c *sipstream.Conn) {
	if c.Accepted() {
		return
	}
	to := hopTo(c.Peer())
	d.mu.RLock()
	all := make([]party, 0, len(d.parties))
	for _, p := range d.parties {
		all = append(all, p)
	}
	d.mu.RUnlock()
	for _, p := range all {
		p.disconnected(to)
	}
}

func hopTo(p sipstream.Peer) hop {
	h := hop{addr: p.Addr, transport: TransportTCP, tls: p.TLS}
	if p.TLS != nil {
		h.transport = TransportTLS
	}
	return h
}

// callIDOf returns the Call-ID of a packet that we wrote; "" where too little of it is there.
func callIDOf(packet []byte) string {
	_, rest, ok := bytes.Cut(packet, []byte("\r\nCall-ID: "))
	callID, _, whole := bytes.Cut(rest, []byte("\r\n"))
	if !ok || !whole {
		return ""
	}
	return string(callID)
}

// streamTx is the transaction of a request that came over a connection. There is nothing to repeat, and nothing to remember (RFC 3261 §17.2:
// Timers G, I and J are for UDP).
type streamTx struct {
	d     *Dialer
	conn  *sipstream.Conn
	local netip.AddrPort
	back  sipstream.Peer
}

var errConnectionClosed = errors.New("siptrunk: the connection is closed")

// Respond implements sip.ServerTransaction.
func (t *streamTx) Respond(res *sip.Response) error {
	if !t.back.Addr.IsValid() && !t.conn.Open() {
		return errConnectionClosed
	}
	b, remote := []byte(res.String()), t.conn.Remote()
	if !t.conn.Open() {
		remote = t.back.Addr
	}
	t.d.trace(true, transportOf(t.conn), t.local, remote, b)
	t.d.streams.Reply(t.conn, b, t.back)
	return nil
}

// wayBack is where the responses to a request go when its connection is over (RFC 3261 §18.2.2): to the address that it came from, and nowhere
// else, with the port of the Via's sent-by. Over TLS the far end is the carrier whose leg it is about, or who has that address; without an
// address = nobody can be told from others there.
func (d *Dialer) wayBack(c *sipstream.Conn, req *sip.Request) sipstream.Peer {
	port := req.Via().Port
	if port <= 0 || port > 65535 {
		port = int(transportOf(c).defaultPort())
	}
	back := sipstream.Peer{Addr: netip.AddrPortFrom(c.Remote().Addr(), uint16(port)), TLS: c.Peer().TLS}
	if c.TLS() == nil || back.TLS != nil {
		return back
	}
	if id := req.CallID(); id != nil {
		if l, ok := d.partyOf(string(*id)).(*Leg); ok {
			back.TLS = l.route.secure
		}
	}
	for _, r := range d.routes.Load().byID {
		if back.TLS == nil && r.fixed.Addr() == back.Addr.Addr() {
			back.TLS = r.secure
		}
	}
	if back.TLS == nil {
		return sipstream.Peer{}
	}
	return back
}

// The rest of sip.ServerTransaction, of which nobody makes use here.

func (t *streamTx) Terminate()                         {}
func (t *streamTx) OnTerminate(sip.FnTxTerminate) bool { return false }
func (t *streamTx) Done() <-chan struct{}              { return nil }
func (t *streamTx) Err() error                         { return nil }
func (t *streamTx) Acks() <-chan *sip.Request          { return nil }
func (t *streamTx) OnCancel(sip.FnTxCancel) bool       { return false }
