package cli

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

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

// noReturn refuses a configuration that would bring a number back that was released or is retiring, or take one out of a
// quarantine that no configuration put it in.
func (g *Governor) noReturn(next *layout) error {
	var errs []error
	for i, r := range next.rows {
		slot, ok := g.slots[r.number]
		if !ok {
			continue
		}
		n := &g.numbers[slot]
		if r.state == n.told || r.state == n.state || n.told == StateUnset || n.told == StateQuarantined && n.state == StateQuarantined {
			continue
		}
		if _, err := nextState(n.state, r.state.String()); err != nil {
			errs = append(errs, fmt.Errorf("cli: Numbers[%d] %s: State: %v: %w", i, r.number, r.state, err))
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
	g.cfg = calleeConfig{most: cfg.MaxCallees, stock: cfg.Limits.rules(), rules: calleeRules(cfg, PurposeUnset), codes: cfg.codes()}
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
		p.codes = g.cfg.codes
		p.configure(&g.cfg)
	}
	g.installTenants(next)
	g.installWatches(next)
	for i := range g.numbers {
		n := &g.numbers[i]
		n.pool, n.status = nil, StatusStock
		g.places[i] = none
	}
	order := make([]int32, 0, len(next.rows))
	g.expiries = nil
	room := max(len(next.rows)-len(g.numbers), 0)
	g.numbers, g.places = slices.Grow(g.numbers, room), slices.Grow(g.places, room)
	g.rings(next)
	listed := make([]bool, len(g.numbers))
	for _, r := range next.rows {
		slot := g.slots[r.number]
		n := &g.numbers[slot]
		listed[slot] = true
		n.pool, n.home = r.pool, r.home
		g.configured(n, &r, cfg.Change, first)
		n.info, n.told, n.callback, n.right = r.info, r.state, r.callback, r.until > g.clock.held.unix
		g.reshare(n)
		if r.pool == nil {
			continue
		}
		r.pool.slots = append(r.pool.slots, slot)
		r.pool.watch.weigh(n.state, 1)
		order = append(order, slot)
		if r.until != 0 && r.until != noEnd {
			g.expiries = append(g.expiries, expiry{r.until, slot})
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
		h := &n.pool.homes[n.home]
		h.count[n.status]++ // settle moves it on
		n.pool.classes[h.class].count[n.status]++
		g.settle(slot, g.clock.held, false)
	}
	next.rows = nil
}

// rings gives every number of the layout a place and a ring of uses that fits its pool; they begin in one piece of memory.
func (g *Governor) rings(next *layout) {
	total := 0
	each := func(do func(n *number, want *rules)) {
		for i := range next.rows {
			r := &next.rows[i]
			want := &g.cfg.stock
			if r.pool != nil {
				want = &r.pool.rules
			}
			if n := &g.numbers[g.slot(r.number)]; int(n.uses.most) != want.most || n.uses.step != want.step {
				do(n, want)
			}
		}
	}
	each(func(n *number, want *rules) { total += n.uses.room(want.most) })
	all := make([]uint32, total)
	touch(all) // or the first calls by each number would wait for pages
	each(func(n *number, want *rules) {
		room := n.uses.room(want.most)
		n.uses.fit(all[:room:room], want.most, want.step)
		all = all[room:]
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
	if n.state == StateRetiring && n.ripe() == noWake && !g.rules.off {
		n.lived().until = max(n.uses.last, g.clock.held.at) + window.Instant(g.rules.callback)
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

// installTenants keeps the counts of quotas, also of those that are left out: they may return.
func (g *Governor) installTenants(next *layout) {
	kept := map[outdial.TenantID]*window.Gate{}
	for id, gate := range g.tenants {
		kept[id] = gate.Grow(gateCaps(next.quotas[id]))
	}
	for id, caps := range next.quotas {
		if kept[id] == nil {
			kept[id] = gateOf(caps)
		}
	}
	g.tenants = kept
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
		kept := maps.Clone(w.budgets) // also of regions that are left out
		if kept == nil {
			kept = map[string]*budget{}
		}
		for region, b := range p.budgets {
			if old := kept[region]; old != nil {
				b.gate = old.gate.Grow(gateCaps(b.caps))
			}
			kept[region] = b
		}
		w.budgets = kept
	}
	g.watches.Store(&all)
}
