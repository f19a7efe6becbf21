package cli

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outdial/outdial"
)

// Config is what a Governor is made from. It is data, in JSON with the names of its fields (durations in nanoseconds, a
// Cap as "100/24h"); New and Update copy it.
type Config struct {
	// IDs resolves the names of pools, programs, campaigns and carriers; required. Give the same Registry to every
	// package of one engine.
	IDs *outdial.Registry `json:"-"`

	// Secret is the key of the hash under which callees are remembered, at least 16 bytes. nil = a random one, which is
	// enough as long as state comes from replayed events. It cannot be changed by Update.
	Secret []byte `json:"-"`

	// Numbering gives country and area code of numbers that come without. nil = none, but for the area code of
	// numbers of the North American plan (+1), their first three digits.
	Numbering outdial.Numbering `json:"-"`

	// Pools are bound to programs. A program's first pool is the one that its calls present from, unless the candidate
	// or the campaign names another pool of the same program.
	Pools []PoolConfig

	// Campaigns that present from another pool of their program than its first. A callee who knows a number of the program keeps it.
	Campaigns []CampaignConfig `json:",omitempty"`

	// Numbers are the inventory. What is not in it is never presented.
	Numbers []NumberConfig

	Limits Limits `json:",omitzero"` // of every number, where its pool says nothing else
	Sticky Sticky `json:",omitzero"` // of every pool that says nothing else

	Lifecycle Lifecycle `json:",omitzero"` // how numbers change their state by themselves

	// Adjacent are area codes that border on an area code, for callees of which there is no nearer number. Areas that serve
	// the same region (overlays) are known from Numbering, if it is a *outdial.NumberingPlan.
	Adjacent map[outdial.Prefix][]outdial.Prefix `json:",omitempty"`

	// RateCentres are the rate centres of exchanges (North American prefixes of six digits after the 1). Those of the
	// inventory's own numbers are known from their Centre.
	RateCentres map[outdial.Prefix]string `json:",omitempty"`

	// Tenants share the pools; what is not here has no quota.
	Tenants []TenantConfig `json:",omitempty"`

	// Rules are what countries ask. nil = BuiltinRules; an empty list that is not nil means none.
	Rules []CountryRule `json:",omitzero"`

	// Suppression is a list of callees that must not be called, kept elsewhere. nil = none. Where it cannot answer, the call
	// is refused (ErrSuppressionUnknown). It is asked without a lock, and must not block.
	Suppression Suppression `json:"-"`

	// Ledger counts uses together with other nodes. nil = this process is the only one that presents these numbers.
	Ledger Ledger `json:"-"`

	// Change says who made this configuration and why, for the audit.
	Change Change `json:",omitzero"`

	// Callee is how many calls a program may make to one callee; the attempts of one call count once. They hold for each
	// program. nil = DefaultCalleeCaps; an empty list that is not nil means none. At most MaxCalleeUses each.
	Callee []Cap `json:",omitzero"`

	// MaxCallees is how many callees each program remembers, for Callee and Sticky. Beyond it the one that was called
	// the longest ago is forgotten, and counted, but none that Callee still counts: then calls to further callees
	// are refused with ErrCalleeMemory. 0 = DefaultCallees, negative values are an error.
	MaxCallees int `json:",omitempty"`
}

// Change is who made a configuration, and why.
type Change struct {
	Actor  string `json:",omitempty"`
	Reason string `json:",omitempty"`
}

// TenantConfig is how much one tenant may present from all pools together.
type TenantConfig struct {
	Tenant string // required, unique
	Quotas []Cap  // in sliding windows; a use counts as it does for the number
}

// Budget is how much the numbers of one region may be used together. When it is used up, calls go on to the next tier.
type Budget struct {
	Region string // as the numbers say
	Cap    Cap
}

// Suppression is a list of callees who must not be called. It must answer from memory.
type Suppression interface {
	// Suppressed reports whether a program must not call a number. An error means that the list cannot be read.
	Suppressed(now time.Time, program outdial.ProgramID, callee outdial.Number) (bool, error)
}

// Bounds and defaults of what is kept of callees.
const (
	DefaultCallees = 1 << 20
	MaxCalleeUses  = 64 // Cap.Max of Config.Callee
)

// PoolConfig is a pool: the numbers that one program presents.
type PoolConfig struct {
	Name    string  // required, unique
	Program string  // whose pool it is; required
	Purpose Purpose `json:",omitzero"`  // what it is for; pools of one program agree on it
	Tenant  string  `json:",omitempty"` // whose calls alone may present from it; empty = every tenant's

	Require []Predicate `json:",omitempty"` // what each of its numbers meets
	Budgets []Budget    `json:",omitempty"` // of regions, each once
	Limits  Limits      `json:",omitzero"`  // a zero field is that of the Config
	Sticky  Sticky      `json:",omitzero"`  // a zero field is that of the Config
}

// CampaignConfig binds a campaign to a pool. The calls of the campaign must be of the pool's program.
type CampaignConfig struct {
	Campaign string // required, unique
	Pool     string // a configured pool
}

// complete returns cfg with its defaults filled in, and one joined error that names every bad field.
func (cfg Config) complete() (Config, error) {
	cfg.Limits = cfg.Limits.withDefaults()
	cfg.Sticky = cfg.Sticky.over(Sticky{Mode: StickyPrefer, TTL: DefaultTTL, Strict: DefaultStrict})
	if cfg.Callee == nil {
		cfg.Callee = DefaultCalleeCaps()
	}
	if cfg.MaxCallees == 0 {
		cfg.MaxCallees = DefaultCallees
	}
	if cfg.Rules == nil {
		cfg.Rules = BuiltinRules()
	}
	cfg.Lifecycle = cfg.Lifecycle.withDefaults()
	c := check{cfg: &cfg, purposes: map[string]Purpose{}, require: map[string][]Predicate{}}
	c.run()
	return cfg, errors.Join(c.errs...)
}

// check collects what is wrong with a Config.
type check struct {
	cfg      *Config
	errs     []error
	purposes map[string]Purpose // of pools
	require  map[string][]Predicate
}

func (c *check) bad(at string, err error) {
	c.errs = append(c.errs, fmt.Errorf("cli: %s: %w", at, err))
}

func (c *check) in(at string) func(string, error) {
	return func(field string, err error) { c.bad(at+field, err) }
}

var (
	errRequired = errors.New("required")
	errTwice    = errors.New("given twice")
)

func (c *check) run() {
	cfg := c.cfg
	if cfg.IDs == nil {
		c.bad("IDs", errRequired)
	}
	if n := len(cfg.Secret); n > 0 && n < 16 {
		c.bad("Secret", fmt.Errorf("%d bytes are fewer than 16", n))
	}
	cfg.Limits.check(c.in("Limits."))
	cfg.Sticky.check(c.in(""))
	checkCalleeCaps(cfg.Callee, c.in(""))
	cfg.Lifecycle.check(c.in("Lifecycle."))
	checkRules(cfg.Rules, func(i int, field string, err error) {
		c.bad(fmt.Sprintf("Rules[%d] %q: %s", i, cfg.Rules[i].Name, field), err)
	})
	c.tenants()
	if cfg.MaxCallees < 0 || cfg.MaxCallees > 1<<30 {
		c.bad("MaxCallees", fmt.Errorf("%d is not between 0 and %d", cfg.MaxCallees, 1<<30))
	}
	pools := c.pools()
	campaigns := map[string]bool{}
	for i, m := range cfg.Campaigns {
		at := fmt.Sprintf("Campaigns[%d] %q: ", i, m.Campaign)
		switch {
		case m.Campaign == "":
			c.bad(at+"Campaign", errRequired)
		case campaigns[m.Campaign]:
			c.bad(at+"Campaign", errTwice)
		}
		campaigns[m.Campaign] = true
		if !pools[m.Pool] {
			c.bad(at+"Pool", fmt.Errorf("%q is not configured", m.Pool))
		}
	}
	c.numbers(pools)
}

func (c *check) tenants() {
	seen := map[string]bool{}
	for i, t := range c.cfg.Tenants {
		at := fmt.Sprintf("Tenants[%d] %q: ", i, t.Tenant)
		switch {
		case t.Tenant == "":
			c.bad(at+"Tenant", errRequired)
		case seen[t.Tenant]:
			c.bad(at+"Tenant", errTwice)
		}
		seen[t.Tenant] = true
		checkCaps("Quotas", t.Quotas, c.in(at))
	}
}

func (c *check) pools() map[string]bool {
	names := map[string]bool{}
	purposes := map[string]Purpose{}
	for i, p := range c.cfg.Pools {
		at := fmt.Sprintf("Pools[%d] %q: ", i, p.Name)
		switch {
		case p.Name == "":
			c.bad(at+"Name", errRequired)
		case names[p.Name]:
			c.bad(at+"Name", errTwice)
		}
		names[p.Name] = true
		if p.Program == "" {
			c.bad(at+"Program", errRequired)
		}
		if int(p.Purpose) >= len(purposeNames) {
			c.bad(at+"Purpose", fmt.Errorf("%d is not a purpose", p.Purpose))
		}
		if first, ok := purposes[p.Program]; ok && first != p.Purpose {
			c.bad(at+"Purpose", fmt.Errorf("%q, but another pool of the program has %q: a program has one purpose", p.Purpose, first))
		}
		purposes[p.Program] = p.Purpose
		regions := map[string]bool{}
		for k, b := range p.Budgets {
			field := fmt.Sprintf("%sBudgets[%d] %q", at, k, b.Region)
			if b.Region == "" {
				c.bad(field, errRequired)
			} else if regions[b.Region] {
				c.bad(field, errTwice)
			}
			regions[b.Region] = true
			if err := b.Cap.check(); err != nil {
				c.bad(field, err)
			}
		}
		for k := range p.Require {
			p.Require[k].check(c.in(fmt.Sprintf("%sRequire[%d]: ", at, k)))
		}
		p.Limits.check(c.in(at + "Limits."))
		p.Sticky.check(c.in(at))
		c.purposes[p.Name], c.require[p.Name] = p.Purpose, p.Require
	}
	delete(names, "")
	return names
}

func (c *check) numbers(pools map[string]bool) {
	if len(c.cfg.Numbers) > maxNumbers/2 {
		c.bad("Numbers", fmt.Errorf("%d are more than %d", len(c.cfg.Numbers), maxNumbers/2))
		return
	}
	first := make(map[outdial.Number]int, len(c.cfg.Numbers))
	for i := range c.cfg.Numbers {
		n := &c.cfg.Numbers[i]
		bad := func(field string, err error) { c.bad(fmt.Sprintf("Numbers[%d] %s: %s", i, n.Number, field), err) }
		if j, ok := first[n.Number]; ok {
			bad("Number", fmt.Errorf("given twice, first in Numbers[%d]: a number is in one pool only", j))
		}
		first[n.Number] = i
		if n.Pool != "" && !pools[n.Pool] {
			bad("Pool", fmt.Errorf("%q is not configured", n.Pool))
		}
		n.check(bad)
		if n.Pool == "" {
			continue
		}
		for k := range c.require[n.Pool] {
			if err := c.require[n.Pool][k].meets(c.cfg, n); err != nil {
				bad("Number", err)
			}
		}
		if code := c.cfg.codeOf(n.Country); n.Country != "" && !code.Contains(n.Number) {
			bad("Country", fmt.Errorf("numbers of %s begin with %v", n.Country, code))
		}
		countries := c.cfg.countries(n)
		for k := range c.cfg.Rules {
			r := &c.cfg.Rules[k]
			if !slices.Contains(countries, r.Country) || !r.about(c.purposes[n.Pool]) {
				continue
			}
			if err := r.permits(n); err != nil {
				bad("Number", err)
			}
		}
	}
}
