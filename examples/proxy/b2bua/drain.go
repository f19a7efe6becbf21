package b2bua

import (
	"time"
)

// drain lets the live calls go on for a while, and then ends them.
func (p *Proxy) drain() {
	p.draining.Store(true)
	p.log.Info("draining", "live", p.Live())
	limit := p.set().DrainTimeout
	guests := p.drainGuests(max(limit, 0))
	if limit > 0 {
		p.await(limit)
	}
	guests()
	p.end()
}

// end ends every call in an orderly way, and waits a little for that.
func (p *Proxy) end() {
	p.draining.Store(true)
	p.each(shutdown{})
	guests := p.drainGuests(0)
	p.await(hangupGrace)
	guests()
}

// dismiss makes the calls forget what they still wait for on the dialers' side.
func (p *Proxy) dismiss() {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.each(dismissal{})
}

func (p *Proxy) each(item any) {
	p.mu.RLock()
	all := make([]*call, 0, len(p.calls))
	for _, c := range p.calls {
		all = append(all, c)
	}
	p.mu.RUnlock()
	for _, c := range all {
		c.in.post(item, false)
	}
}

// await waits until no call is left, or for so long.
func (p *Proxy) await(limit time.Duration) {
	p.mu.Lock()
	if len(p.calls) == 0 {
		p.mu.Unlock()
		return
	}
	if p.idle == nil {
		p.idle = make(chan struct{})
	}
	idle := p.idle
	p.mu.Unlock()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-idle:
	case <-t.C:
	}
}
