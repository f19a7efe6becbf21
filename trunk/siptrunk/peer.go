package siptrunk

import (
	"net/netip"
	"sync/atomic"
)

// crowd is how many INVITEs to one address, of which none has a response, say in half the time what one says at T100: they were not all lost.
const crowd = 5

// peer is an address that live parties talk to. It may talk to us meanwhile.
type peer struct {
	addr    netip.AddrPort // port 0 = over connections
	parties int            // the Dialer's mutex guards it

	invites atomic.Uint64 // that were sent there
	heard   atomic.Uint64 // as many of them as had been sent when it last responded to a leg
}

// invited counts an INVITE, and returns which one it is.
func (p *peer) invited() uint64 { return p.invites.Add(1) }

// responded notes a sign of life.
func (p *peer) responded() {
	if n := p.invites.Load(); p.heard.Load() != n {
		p.heard.Store(n)
	}
}

// silent reports whether a crowd of INVITEs waits, and no sign of life has come since the nth was sent.
func (p *peer) silent(nth uint64) bool {
	heard := p.heard.Load()
	return heard < nth && p.invites.Load()-heard >= crowd
}

// meet counts a party more that talks to a hop.
func (d *Dialer) meet(to hop) *peer {
	addr := to.key()
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.peers[addr]
	if p == nil {
		p = &peer{addr: addr}
		d.peers[addr] = p
	}
	p.parties++
	return p
}

// part counts one less.
func (d *Dialer) part(p *peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.parties--; p.parties == 0 {
		delete(d.peers, p.addr)
	}
}
