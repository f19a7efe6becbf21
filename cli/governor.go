package cli

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
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
	rules    ruleset
	store
	slots    map[outdial.Number]int32
	programs map[outdial.ProgramID]*program
	holds    map[outdial.Number]Hold
	leases   leases
	told     told
	tenants  map[outdial.TenantID]*window.Gate
	audit    audit
	notices  []Notice
	seq      uint64 // of the newest event

	replaying   bool // the event being observed comes from a journal
	suppression atomic.Pointer[Suppression]
	ledger      Ledger

	watches atomic.Pointer[map[outdial.PoolID]*watch] // replaced whole
}

// store is the numbers, and their places in queues.
type store struct {
	numbers []number
	links   []link
}

// calleeConfig is what a program that appears later is set up with.
type calleeConfig struct {
	rules map[[2]byte]*calleeRule // of a program without a pool
	ttl   window.Instant
	most  int
	stock rules // what is remembered of numbers that are in no pool
}

var (
	_ outdial.CLIs           = (*Governor)(nil)
	_ outdial.Advancer       = (*Governor)(nil)
	_ outdial.ControlChecker = (*Governor)(nil)
)

// New makes a Governor. The error is joined and names every bad field.
func New(cfg Config) (*Governor, error) {
	g := empty()
	if err := g.Update(cfg); err != nil {
		return nil, err
	}
	return g, nil
}

func empty() *Governor {
	return &Governor{
		slots:    map[outdial.Number]int32{},
		programs: map[outdial.ProgramID]*program{},
		holds:    map[outdial.Number]Hold{},
		leases:   leases{free: none},
		tenants:  map[outdial.TenantID]*window.Gate{},
	}
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
	if g.layout != nil && cfg.IDs != g.ids {
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
	if err := g.noReturn(next); err != nil {
		return err
	}
	g.install(next, &cfg)
	return nil
}

// noReturn refuses a configuration that would take a number out of StateReleased.
func (g *Governor) noReturn(next *layout) error {
	var errs []error
	for i, r := range next.rows {
		slot, ok := g.slots[r.number]
		if !ok {
			continue
		}
		if n := &g.numbers[slot]; n.state == StateReleased && n.listed && r.state != n.told && r.state != StateReleased {
			errs = append(errs, fmt.Errorf("cli: Numbers[%d] %s: State: %v: it was released, and there is no way back", i, r.number, r.state))
		}
	}
	return errors.Join(errs...)
}

// install puts the numbers into the pools of a layout, those used the longest ago first.
func (g *Governor) install(next *layout, cfg *Config) {
	first := g.layout == nil && len(g.numbers) == 0
	g.layout, g.rules = next, cfg.Lifecycle.rules()
	list := cfg.Suppression // a copy: the configuration is not to be kept alive
	g.suppression.Store(&list)
	g.ledger = cfg.Ledger
	g.cfg = calleeConfig{most: cfg.MaxCallees, stock: cfg.Limits.rules(), rules: calleeRules(cfg, PurposeUnset)}
	for _, p := range next.pools {
		g.cfg.ttl = max(g.cfg.ttl, window.Instant(p.sticky.TTL))
	}
	for i, id := range next.programs {
		next.pools[i].program = g.program(id)
	}
	for id, p := range g.programs {
		p.rules = next.callees[id]
		if p.rules == nil {
			p.rules = g.cfg.rules
		}
		p.configure(&g.cfg)
	}
	g.installTenants(next)
	g.installWatches(next)
	for i := range g.numbers {
		n := &g.numbers[i]
		n.pool, n.status, n.wakeup = nil, StatusStock, none
	}
	order := make([]int32, 0, len(next.rows))
	g.expiries, g.links = nil, nil
	g.numbers = slices.Grow(g.numbers, max(len(next.rows)-len(g.numbers), 0))
	links := 0
	for _, r := range next.rows {
		if r.pool != nil {
			links += int(r.pool.homes[r.home].links)
		}
	}
	g.links = make([]link, links)
	g.rings(next)
	links = 0
	listed := make([]bool, len(g.numbers))
	for _, r := range next.rows {
		slot := g.slots[r.number]
		n := &g.numbers[slot]
		listed[slot] = true
		n.pool, n.home = r.pool, r.home
		g.configured(n, &r, cfg.Change, first)
		n.info, n.told = r.info, r.state
		g.reshare(n)
		if r.pool == nil {
			continue
		}
		n.link = int32(links)
		links += int(r.pool.homes[r.home].links)
		r.pool.slots = append(r.pool.slots, slot)
		r.pool.watch.weigh(n.state, 1)
		order = append(order, slot)
		if at := r.info.rightUntil; at != 0 && at != noEnd {
			g.expiries = append(g.expiries, expiry{at, slot})
		}
	}
	for i := range g.numbers {
		n := &g.numbers[i]
		if n.listed && !listed[i] && !first {
			g.note(n, n.state, cfg.Change, "left the inventory")
		}
		n.listed = listed[i]
	}
	for _, p := range next.pools {
		p.watch.publish()
		for i, row := range p.sorted {
			p.sorted[i] = p.slots[row]
		}
	}
	slices.SortFunc(g.expiries, func(a, b expiry) int { return cmp.Compare(a.unix, b.unix) })
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Compare(g.numbers[a].uses.last, g.numbers[b].uses.last)
	})
	for _, slot := range order {
		n := &g.numbers[slot]
		n.pool.classes[n.pool.homes[n.home].class].count[n.status]++ // settle moves it on
		g.settle(slot, g.clock.held, false)
	}
	next.rows = nil
}

// rings gives every number of the layout a place and a ring of uses that fits its pool, all of them in one piece of memory.
func (g *Governor) rings(next *layout) {
	total := 0
	each := func(do func(n *number, want *rules)) {
		for i := range next.rows {
			r := &next.rows[i]
			want := &g.cfg.stock
			if r.pool != nil {
				want = &r.pool.rules
			}
			if n := &g.numbers[g.slot(r.number)]; len(n.uses.ring) != want.most || n.uses.step != want.step {
				do(n, want)
			}
		}
	}
	each(func(_ *number, want *rules) { total += want.most })
	room := make([]uint32, total)
	each(func(n *number, want *rules) {
		n.uses.fit(room[:want.most:want.most], want.step)
		room = room[want.most:]
	})
}

// configured takes the state that a configuration gives, unless it gave the same before: then what has happened since
// stands.
func (g *Governor) configured(n *number, r *row, by Change, first bool) {
	switch {
	case !n.listed && n.told == StateUnset:
		n.state = r.state
		if !first {
			g.note(n, StateUnset, by, "joined the inventory")
		}
	case n.told != r.state:
		from := n.state
		n.state = r.state
		if n.life != nil {
			n.life.until, n.life.stage, n.life.stageAt = noWake, 0, window.Never
		}
		g.note(n, from, by, "configured")
	case !n.listed:
		g.note(n, n.state, by, "returned to the inventory")
	}
	if n.info != nil && n.info != r.info && n.info.evidence != "" && n.info.evidence != r.info.evidence {
		g.note(n, n.state, by, "right to use: "+r.info.evidence)
	}
}

// note writes a change of the configuration to the audit.
func (g *Governor) note(n *number, from State, by Change, what string) {
	if by.Actor == "" {
		by.Actor = "configuration"
	}
	if by.Reason != "" {
		what += ": " + by.Reason
	}
	e := Entry{Time: g.clock.time(g.clock.held.at), Number: n.number, From: from, To: n.state, Actor: by.Actor, Reason: what}
	if n.pool != nil {
		e.Pool = n.pool.name
	}
	g.audit.add(e)
}

// installTenants keeps the counts of quotas that stay as they are.
func (g *Governor) installTenants(next *layout) {
	kept := map[outdial.TenantID]*window.Gate{}
	for id, caps := range next.quotas {
		gate := gateOf(caps)
		if old := g.tenants[id]; old != nil {
			moveGate(gate, old)
		}
		kept[id] = gate
	}
	g.tenants = kept
}

// moveGate counts the events of another gate, as far as it knows them.
func moveGate(to, from *window.Gate) {
	var stamps []window.Instant
	for from.Last() != window.Never && len(stamps) < MaxUses {
		stamps = append(stamps, from.Last())
		if !from.Undo(from.Last()) {
			break
		}
	}
	for _, at := range slices.Backward(stamps) {
		to.Add(at)
	}
}

// installWatches gives every pool what is known of it, and of its budgets.
func (g *Governor) installWatches(next *layout) {
	all := map[outdial.PoolID]*watch{}
	if old := g.watches.Load(); old != nil {
		maps.Copy(all, *old)
	}
	for _, p := range next.pools {
		w := all[p.id]
		if w == nil {
			w = newWatch()
			all[p.id] = w
		}
		w.inUse, w.resting, w.suspect = 0, 0, 0
		p.watch = w
		for region, b := range p.budgets {
			if old := w.budgets[region]; old != nil {
				moveGate(b.gate, old.gate)
			}
		}
		w.budgets = p.budgets
	}
	g.watches.Store(&all)
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
	n := number{number: of, wakeup: none, info: &unknown, share: whole, weight: whole, uses: uses{last: window.Never, lost: window.Never}}
	if h, ok := g.holds[of]; ok {
		n.lived().hold = g.holdUntil(h)
	}
	g.numbers = append(g.numbers, n)
	g.slots[of] = i
	return i
}

// unknown is what is known of a number that is told of and not configured. Nothing writes to it.
var unknown info

func (g *Governor) program(id outdial.ProgramID) *program {
	p := g.programs[id]
	if p == nil {
		p = &program{id: id, callees: newCallees(), suppressed: map[calleeKey]int64{}, rules: g.cfg.rules}
		p.configure(&g.cfg)
		g.programs[id] = p
	}
	return p
}

// configure makes the program remember what its rules ask of, for any country.
func (p *program) configure(cfg *calleeConfig) {
	var caps []Cap
	for _, r := range p.rules {
		caps = append(caps, r.caps...)
	}
	p.callees.configure(caps, cfg.ttl, cfg.most)
}

// settle assesses a number that is in a pool and puts it where it belongs: in its queues, in the wake-up heap, or in
// neither. A ready number goes to the end of its queues, or to the front (see enqueue).
func (g *Governor) settle(slot int32, now moment, front bool) {
	n := &g.numbers[slot]
	p := n.pool
	c := &p.classes[p.homes[n.home].class]
	g.ripen(now, n)
	c.count[n.status]--
	if n.status == StatusReady {
		p.dequeue(&g.store, slot)
	}
	if n.wakeup != none {
		c.cancel(g.numbers, slot)
	}
	status, wake := n.assess(now, true)
	n.status = status
	c.count[status]++
	switch {
	case status == StatusReady:
		p.enqueue(&g.store, slot, front)
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
		g.underused(m, p)
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
