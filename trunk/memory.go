package trunk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// MemoryLedger is a Ledger in memory: for several Sets in one process, for tests, and to read what a Ledger does. Its time is
// the latest that a claim has told. The zero value is ready to use.
type MemoryLedger struct {
	mu     sync.Mutex
	latest time.Time
	trunks map[string]*pot
}

var _ Ledger = (*MemoryLedger)(nil)

// pot is what is shared of one trunk.
type pot struct {
	nodes   map[string]*holding
	orphans []orphan
	cooling []cooling
}

// holding is the share of one node.
type holding struct {
	Claim
	channels, rate int
	until          time.Time
}

// orphan is reserved for calls that may go on although their node was lost.
type orphan struct {
	node     string
	channels int
	until    time.Time
}

// cooling is calls per second that were given back less than a second ago.
type cooling struct {
	rate  int
	until time.Time
}

// Renew implements Ledger.
func (m *MemoryLedger) Renew(ctx context.Context, c Claim) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	if err := c.validate(); err != nil {
		return Grant{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.Time.After(m.latest) {
		m.latest = c.Time
	}
	p := m.trunks[c.Trunk]
	if p == nil {
		if m.trunks == nil {
			m.trunks = map[string]*pot{}
		}
		p = &pot{nodes: map[string]*holding{}}
		m.trunks[c.Trunk] = p
	}
	p.expire(m.latest)
	return p.renew(m.latest, c), nil
}

func (c *Claim) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("trunk: claim: "+format, args...)) }
	if c.Trunk == "" {
		bad("Trunk: required")
	}
	if c.Node == "" {
		bad("Node: required")
	}
	if c.Time.IsZero() {
		bad("Time: required")
	}
	if c.TTL <= 0 {
		bad("TTL: %v is not positive", c.TTL)
	}
	if c.Hold < 0 {
		bad("Hold: %v is negative", c.Hold)
	}
	if c.Channels < 0 || c.Want < 0 || c.Rate < 0 || c.WantRate < 0 || c.Floor < 0 || c.RateFloor < 0 || c.Nodes < 0 {
		bad("a number is negative")
	}
	return errors.Join(errs...)
}

// expire makes orphans of the leases that have ended, and lets go of what was reserved for long enough.
func (p *pot) expire(now time.Time) {
	for name, h := range p.nodes {
		if now.Before(h.until) {
			continue
		}
		if n := max(h.channels, h.Floor); n > 0 && h.Hold > 0 {
			p.orphans = append(p.orphans, orphan{name, n, h.until.Add(h.Hold)})
		}
		p.cool(h.rate, h.until)
		delete(p.nodes, name)
	}
	p.orphans = keep(p.orphans, func(o orphan) bool { return now.Before(o.until) })
	p.cooling = keep(p.cooling, func(c cooling) bool { return now.Before(c.until) })
}

func keep[T any](list []T, is func(T) bool) []T {
	kept := list[:0]
	for _, x := range list {
		if is(x) {
			kept = append(kept, x)
		}
	}
	return kept
}

func (p *pot) cool(rate int, at time.Time) {
	if rate > 0 {
		p.cooling = append(p.cooling, cooling{rate, at.Add(time.Second)})
	}
}

// renew grants a share.
func (p *pot) renew(now time.Time, c Claim) Grant {
	p.orphans = keep(p.orphans, func(o orphan) bool { return o.node != c.Node }) // it is back, and says what it has
	h := p.nodes[c.Node]
	if h == nil {
		h = &holding{}
		p.nodes[c.Node] = h
	} else if c.Rate < h.rate {
		p.cool(h.rate-c.Rate, now)
	}
	h.Claim, h.until = c, now.Add(c.TTL)

	channels, rates := 0, 0
	for name, other := range p.nodes {
		if name != c.Node {
			channels += max(other.channels, other.Floor)
			rates += max(other.rate, other.RateFloor)
		}
	}
	for _, o := range p.orphans {
		channels += o.channels
	}
	for _, x := range p.cooling {
		rates += x.rate
	}
	absent := max(c.Nodes-len(p.nodes), 0) // their floors are not lent
	channels += absent * c.Floor
	rates += absent * c.RateFloor
	h.channels = portion(c.Limit, channels, c.Channels, c.Want)
	h.rate = portion(c.CPS, rates, c.Rate, c.WantRate)
	g := Grant{
		Epoch:  1,
		Target: p.target(c.Limit, h.channels, func(h *holding) (int, int) { return h.channels, h.Want }),
		RateTo: p.target(c.CPS, h.rate, func(h *holding) (int, int) { return h.rate, h.WantRate }),
	}
	h.channels, h.rate = max(c.Channels, g.Target), max(c.Rate, g.RateTo) // what is asked back is not lent again
	g.Channels, g.Rate = h.channels, h.rate
	return g
}

// portion is what a node gets that has some already and wants some, when others have theirs.
func portion(limit, others, has, wants int) int {
	if limit < 0 {
		return max(has, wants)
	}
	return max(has, min(wants, limit-others))
}

// target asks a node that has more than its fair part to come down to it while another one has less than that and wants more.
func (p *pot) target(limit, has int, of func(*holding) (has, wants int)) int {
	fair := limit / max(len(p.nodes), 1)
	if limit < 0 || has <= fair {
		return has
	}
	for _, h := range p.nodes {
		if n, wants := of(h); n < fair && wants > n {
			return fair
		}
	}
	return has
}
