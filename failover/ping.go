package failover

import (
	"time"

	"github.com/outdial/outdial"
)

const (
	pingBad  = 3 // pings in a row without a good answer that take an idle trunk out
	pingGood = 2 // good answers in a row that bring it back, and let the first probe go

	pingStale = time.Minute // without a ping, or four times Config.PingOut: nobody pings any more
)

// ping is what is known of a trunk by OPTIONS. It is no part of the fold: pings are not journalled, and after a restart
// the next ones tell.
type ping struct {
	next      time.Time
	last      time.Time // the last result
	good, bad int       // in a row
	ok, total uint64
	code      int
	down      bool // taken out for its pings
}

// live takes a live call that did well for a good ping.
func (p *ping) live(now time.Time) {
	p.bad, p.down = 0, false
	if p.good < pingGood {
		p.good++
	}
	p.next = time.Time{}
	if now.After(p.last) {
		p.last = now
	}
}

// out reports whether the trunk is taken out for its pings, and until when at most: where nobody pings any more, calls tell again.
func (p *ping) out(now time.Time, cfg *settings) (out bool, until time.Time) {
	until = p.last.Add(cfg.pingStale)
	return p.down && now.Before(until), until
}

// answers reports whether the pings let a probe go to t: always where nobody pings, and after two good answers since it
// was ejected where somebody does. A carrier that fell silent is asked by OPTIONS, and not with calls.
func (b *board) answers(now time.Time, t *target, cfg *settings) bool {
	p := &b.ping
	if t.doubt || t.state == Up || t.state == Suspect || p.total == 0 {
		return true
	}
	return p.good >= pingGood || now.Sub(p.last) >= cfg.pingStale
}

// DuePings appends the trunks that are to be sent an OPTIONS now to dst, and returns it with the time at which to ask
// again, at most Config.PingOut ahead, as a trunk may fall ill meanwhile. An idle trunk is due every Config.PingEvery, one that is out or suspect every Config.PingOut, each ± Jitter;
// live calls that do well count as pings. A trunk that is returned is not due again until then, so the host sends, and
// reports by Pinged. Known are the trunks of Config.Trunks and those that were ever used.
func (s *Selector) DuePings(now time.Time, dst []outdial.TrunkID) (due []outdial.TrunkID, next time.Time) {
	if s.cfg.pingEvery <= 0 {
		return dst, time.Time{}
	}
	for _, b := range s.boards.all() {
		if b == nil {
			continue
		}
		b.mu.Lock()
		b.advance(now, &s.cfg)
		b.settleAll()
		at := b.pingAt(&s.cfg)
		if !at.After(now) {
			dst = append(dst, b.id)
			b.ping.next = now.Add(s.cfg.pingGap(b))
			at = b.ping.next
		}
		b.mu.Unlock()
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if soon := now.Add(s.cfg.pingOut); next.After(soon) {
		next = soon
	}
	return dst, next
}

// pingAt is when the trunk is due a ping.
func (b *board) pingAt(cfg *settings) time.Time {
	if b.urgent() {
		if soon := b.ping.last.Add(cfg.pingGap(b)); b.ping.next.IsZero() || soon.Before(b.ping.next) {
			return soon
		}
		return b.ping.next
	}
	if b.ping.next.IsZero() {
		if b.ping.last.IsZero() {
			return time.Time{}
		}
		return b.ping.last.Add(cfg.pingGap(b))
	}
	return b.ping.next
}

// urgent reports whether the trunk is pinged more often: it is out, or may be about to be.
func (b *board) urgent() bool {
	if b.ping.down || b.ping.bad > 0 {
		return true
	}
	for t := range b.targets() {
		if t.state == Out || t.state == Probing || t.state == Suspect {
			return true
		}
	}
	return false
}

func (cfg *settings) pingGap(b *board) time.Duration {
	gap := cfg.pingEvery
	if b.urgent() {
		gap = min(cfg.pingOut, gap)
	}
	return gap + time.Duration(float64(gap)*cfg.jitter*spread(cfg.seed, uint64(b.id), int(b.ping.total)))
}

// Pinged reports the outcome of an OPTIONS: the final status, or 0 when nothing came. Whoever answers is alive, but for
// 408 and 5xx: a 503 says that it takes no calls. Three bad ones in a row take a trunk out that no live call has spoken
// for, two good ones bring it back; an ejected one is sent its first probe after two good ones.
func (s *Selector) Pinged(now time.Time, trunk outdial.TrunkID, code int) {
	b := s.boards.open(trunk, s.cfg.baseline)
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &b.ping
	p.last, p.code = now, code
	p.total++
	if code >= 200 && code != 408 && (code < 500 || code >= 600) {
		p.ok++
		p.good, p.bad = p.good+1, 0
		if p.good >= pingGood {
			p.down = false
		}
		if t := &b.whole; p.good == pingGood && t.state == Out && t.incident.Noticed.IsZero() {
			t.incident.Noticed = now
		}
	} else {
		p.good, p.bad = 0, p.bad+1
		p.down = p.down || p.bad >= pingBad
	}
	b.settle(0)
	b.shown.epoch.Add(1)
}
