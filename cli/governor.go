package cli

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Governor chooses the caller ID to present and counts its use. It is made by New; the zero value is not usable. It is
// safe for concurrent use: one lock guards a few hundred nanoseconds of each verb.
type Governor struct {
	ids    *outdial.Registry
	secret []byte
	keys   *keys

	change sync.Mutex // serialises Update and Snapshot; taken before mu

	mu       sync.Mutex // guards all below
	clock    clock
	layout   *layout
	expiries []expiry // of rights to use, the next first
	cfg      calleeConfig
	numbers  []number
	slots    map[outdial.Number]int32
	programs map[outdial.ProgramID]*program
	holds    map[outdial.Number]Hold
	leases   leases
	told     told
}

// calleeConfig is what a program that appears later is set up with.
type calleeConfig struct {
	caps  []Cap
	ttl   window.Instant
	most  int
	stock window.Caps // what is remembered of numbers that are in no pool
}

var (
	_ outdial.CLIs           = (*Governor)(nil)
	_ outdial.Advancer       = (*Governor)(nil)
	_ outdial.ControlChecker = (*Governor)(nil)
)

// New makes a Governor. The error is joined and names every bad field.
func New(cfg Config) (*Governor, error) {
	g := &Governor{
		slots:    map[outdial.Number]int32{},
		programs: map[outdial.ProgramID]*program{},
		holds:    map[outdial.Number]Hold{},
		leases:   leases{free: none},
	}
	if err := g.Update(cfg); err != nil {
		return nil, err
	}
	return g, nil
}

// Update puts a configuration in force. Counts, leases, quarantines, suppressions and what callees know stay: they
// belong to numbers and programs, not to a configuration. A number that is left out is presented no more; its counts
// are kept for the case that it returns. New caps hold at once; where they look further back than the old ones did,
// what is no longer known counts as used. The error is joined and names every bad field; then the old configuration
// stays in force. IDs must be the same, and Secret too unless it is nil.
//
// While it puts a configuration in force (some hundred nanoseconds a number) other verbs wait.
func (g *Governor) Update(cfg Config) error {
	g.change.Lock()
	defer g.change.Unlock()
	cfg, err := cfg.complete()
	if g.ids != nil && cfg.IDs != g.ids {
		err = errors.Join(err, errors.New("cli: IDs: another registry than before"))
	}
	if g.secret != nil && cfg.Secret != nil && !bytes.Equal(cfg.Secret, g.secret) {
		err = errors.Join(err, errors.New("cli: Secret: another one than before would forget every callee"))
	}
	if err != nil {
		return err
	}
	if g.secret == nil {
		g.ids = cfg.IDs
		g.secret = bytes.Clone(cfg.Secret)
		if g.secret == nil {
			g.secret = []byte(rand.Text())
		}
		g.keys = newKeys(g.secret)
	}
	next := newLayout(&cfg)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.install(next, &cfg)
	return nil
}

// install puts the numbers into the pools of a layout, those used the longest ago first.
func (g *Governor) install(next *layout, cfg *Config) {
	g.layout = next
	g.cfg = calleeConfig{caps: slices.Clone(cfg.Callee), most: cfg.MaxCallees, stock: cfg.Limits.rules().caps}
	for _, p := range next.pools {
		g.cfg.ttl = max(g.cfg.ttl, window.Instant(p.sticky.TTL))
	}
	for i, id := range next.programs {
		next.pools[i].program = g.program(id)
	}
	for _, p := range g.programs {
		p.callees.configure(g.cfg.caps, g.cfg.ttl, g.cfg.most)
	}
	for i := range g.numbers {
		g.numbers[i].pool, g.numbers[i].status, g.numbers[i].wakeup, g.numbers[i].listed = nil, StatusStock, none, false
	}
	order := make([]int32, 0, len(next.rows))
	g.expiries = nil
	g.numbers = slices.Grow(g.numbers, max(len(next.rows)-len(g.numbers), 0))
	for _, r := range next.rows {
		slot := g.slot(r.number)
		n := &g.numbers[slot]
		n.pool, n.home, n.state, n.rightUntil, n.info, n.listed = r.pool, r.home, r.state, r.rightUntil, r.info, true
		if r.pool != nil {
			n.setCaps(r.pool.rules.caps)
			r.pool.slots = append(r.pool.slots, slot)
			order = append(order, slot)
			if r.rightUntil != 0 && r.rightUntil != noEnd {
				g.expiries = append(g.expiries, expiry{r.rightUntil, slot})
			}
		}
	}
	slices.SortFunc(g.expiries, func(a, b expiry) int { return cmp.Compare(a.unix, b.unix) })
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Compare(g.numbers[a].gate.Last(), g.numbers[b].gate.Last())
	})
	for _, slot := range order {
		n := &g.numbers[slot]
		n.pool.classes[n.pool.homes[n.home].class].count[n.status]++ // settle moves it on
		g.settle(slot, g.clock.held, false)
	}
	next.rows = nil
}

// expiry is the end of a right to use.
type expiry struct {
	unix int64
	slot int32
}

// expire settles the numbers whose right to use has ended, so that each ready number has one.
func (g *Governor) expire(now moment) {
	for len(g.expiries) > 0 && g.expiries[0].unix <= now.unix {
		g.settle(g.expiries[0].slot, now, false)
		g.expiries = g.expiries[1:]
	}
}

// slot returns the place of a number, which is made if there is none.
func (g *Governor) slot(of outdial.Number) int32 {
	if i, ok := g.slots[of]; ok {
		return i
	}
	i := int32(len(g.numbers))
	n := number{number: of, hold: window.Never, wakeup: none, info: &info{}}
	if h, ok := g.holds[of]; ok {
		n.hold = g.holdUntil(h)
	}
	g.numbers = append(g.numbers, n)
	g.slots[of] = i
	return i
}

func (g *Governor) program(id outdial.ProgramID) *program {
	p := g.programs[id]
	if p == nil {
		p = &program{id: id, callees: newCallees(), suppressed: map[calleeKey]int64{}}
		p.callees.configure(g.cfg.caps, g.cfg.ttl, g.cfg.most)
		g.programs[id] = p
	}
	return p
}

// settle assesses a number that is in a pool and puts it where it belongs: in its queues, in the wake-up heap, or in
// neither. A ready number goes to the end of its queues, or to the front (see enqueue).
func (g *Governor) settle(slot int32, now moment, front bool) {
	n := &g.numbers[slot]
	p := n.pool
	c := &p.classes[p.homes[n.home].class]
	c.count[n.status]--
	if n.status == StatusReady {
		p.dequeue(g.numbers, slot)
	}
	if n.wakeup != none {
		c.cancel(g.numbers, slot)
	}
	status, wake := n.assess(now, true)
	n.status = status
	c.count[status]++
	switch {
	case status == StatusReady:
		p.enqueue(g.numbers, slot, front)
	case wake != noWake:
		c.plan(g.numbers, slot, wake)
	}
}

// wake settles numbers of a class whose instant has come, at most a number of them, and reports whether others are due.
func (g *Governor) wake(c *class, now moment, most int) (more bool) {
	for len(c.wakeups) > 0 && c.wakeups[0].at <= now.at {
		if most == 0 {
			return true
		}
		most--
		g.settle(c.wakeups[0].slot, now, false)
	}
	return false
}

// Advance implements outdial.Advancer: it makes numbers ready whose instant has come. Reserve does so too; after an idle
// time Advance spares it the work.
func (g *Governor) Advance(now time.Time) (next time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	g.expire(m)
	first := noWake
	for _, p := range g.layout.pools {
		for i := range p.classes {
			c := &p.classes[i]
			g.wake(c, m, len(c.wakeups))
			if len(c.wakeups) > 0 {
				first = min(first, c.wakeups[0].at)
			}
		}
	}
	if first == noWake {
		return time.Time{}
	}
	return g.clock.time(max(first, m.at+window.Instant(time.Second))) // numbers wake all the time: once a second will do
}
