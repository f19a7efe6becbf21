package siptrunk

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// party is what responses are delivered to.
type party interface {
	receive(res *sip.Response, at time.Time)
	unreachable(to hop)  // what was sent there did not arrive
	disconnected(to hop) // what was sent there may not have arrived: the connection is over
}

// route returns how a trunk is reached.
func (d *Dialer) route(id outdial.TrunkID) (*route, error) {
	if r := d.routes.Load().byID[id]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("%w: %d", ErrUnknownTrunk, id)
}

// admits reports whether datagrams from this source are read.
func (d *Dialer) admits(from netip.AddrPort) bool {
	if d.routes.Load().admits(from) {
		return true
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.peers[from] != nil
}

// deliver hands a response to whom it belongs. It runs on the goroutine that reads the socket.
func (d *Dialer) deliver(res *sip.Response, at time.Time) {
	p := d.partyOf(string(*res.CallID()))
	if p == nil {
		d.unknown.Add(1)
		return
	}
	p.receive(res, at)
}

// lost tells whose datagram did not arrive. ICMP may quote too little of it to name the Call-ID; then the next
// retransmission or T100 has to do.
func (d *Dialer) lost(datagram []byte, to netip.AddrPort) {
	if p := d.partyOf(callIDOf(datagram)); p != nil {
		p.unreachable(hop{addr: to, transport: TransportUDP})
	}
}

func (d *Dialer) readFailed(err error) {
	d.cfg.Logger.Debug("siptrunk: reading the socket", "error", err)
}

func (d *Dialer) partyOf(callID string) party {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.parties[callID]
}

// enter makes p the party of a Call-ID.
func (d *Dialer) enter(callID string, p party) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return ErrClosed
	}
	d.parties[callID] = p
	if _, ok := p.(*Leg); ok {
		d.live++
	}
	return nil
}

func (d *Dialer) leave(callID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.parties, callID)
}

// over notes that a leg has ended; it stays a party until it leaves.
func (d *Dialer) over() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live--; d.live == 0 {
		for _, c := range d.idle {
			close(c)
		}
		d.idle = nil
	}
}

// start runs f on another goroutine, for which Close waits; false when the Dialer is closed.
func (d *Dialer) start(f func()) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return false
	}
	d.tasks.Add(1)
	d.crew.Go(func(*struct{}) {
		defer d.tasks.Done()
		f()
	})
	return true
}

func (d *Dialer) isClosed() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.closed
}

func (d *Dialer) each(f func(*Leg)) {
	d.mu.RLock()
	legs := make([]*Leg, 0, len(d.parties))
	for _, p := range d.parties {
		if l, ok := p.(*Leg); ok {
			legs = append(legs, l)
		}
	}
	d.mu.RUnlock()
	for _, l := range legs {
		f(l)
	}
}

func (d *Dialer) whenIdle() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := make(chan struct{})
	if d.live == 0 {
		close(c)
	} else {
		d.idle = append(d.idle, c)
	}
	return c
}

func (d *Dialer) awaitIdle(limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-d.whenIdle():
	case <-t.C:
	}
}
