package cli

import (
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Governor chooses the caller ID to present and counts its use. It is made by New; the zero value is not usable. It is
// safe for concurrent use: one lock guards a few hundred nanoseconds of each verb.
type Governor struct {
	ids    *outdial.Registry
	secret []byte
	keys   *keys

	resumed uint64 // see Resumed; it never changes

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

	replaying   bool // the event being observed comes from a journal
	suppression atomic.Pointer[Suppression]
	ledger      Ledger

	watches atomic.Pointer[map[outdial.PoolID]*watch] // replaced whole
}

// store is the numbers, and where each stands among the wake-ups of its class; none = it has none.
type store struct {
	numbers []number
	places  []int32
}

// calleeConfig is what a program that appears later is set up with.
type calleeConfig struct {
	rules map[[2]byte]*calleeRule // of a program without a pool
	codes []countryCode
	ttl   window.Instant
	most  int
	stock rules // what is remembered of numbers that are in no pool
}

var (
	_ outdial.CLIs           = (*Governor)(nil)
	_ outdial.Advancer       = (*Governor)(nil)
	_ outdial.ControlChecker = (*Governor)(nil)
	_ outdial.Resumer        = (*Governor)(nil)
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

// slot returns the place of a number, which is made if there is none.
func (g *Governor) slot(of outdial.Number) int32 {
	if i, ok := g.slots[of]; ok {
		return i
	}
	i := int32(len(g.numbers))
	n := number{number: of, info: &unknown, share: whole, weight: whole, uses: uses{last: window.Never, lost: window.Never}}
	if h, ok := g.holds[of]; ok {
		n.setHold(g.holdUntil(h))
	}
	g.numbers, g.places = append(g.numbers, n), append(g.places, none)
	g.slots[of] = i
	return i
}

// slotOf returns the place of the number that an attempt presents, none if there is none. The lease of a live attempt tells it
// without a look-up, also for some time after it was given back.
func (g *Governor) slotOf(a *outdial.Attempt) int32 {
	if slot := g.leases.slot(a.Use); slot != none && g.numbers[slot].number == a.CLI {
		return slot
	}
	if slot, ok := g.slots[a.CLI]; ok {
		return slot
	}
	return none
}

// unknown is what is known of a number that is told of and not configured. Nothing writes to it.
var unknown info

func (g *Governor) program(id outdial.ProgramID) *program {
	p := g.programs[id]
	if p == nil {
		p = &program{id: id, callees: newCallees(), suppressed: map[calleeKey]int64{}, rules: g.cfg.rules, codes: g.cfg.codes}
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
