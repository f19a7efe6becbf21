package b2bua

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// settings are what of the configuration calls read, and a reload replaces: immutable, swapped in whole. A call keeps the dialer
// that it came from.
type settings struct {
	Config
	dialPlan outdial.DialPlan
	sources  sources
	// identified are the dialers that show a certificate.
	identified []identified
	*secrets
	rules  map[outdial.TrunkID]*headerRules
	signer *signer // nil = calls are not signed
}

func (c Config) settings(ids *outdial.Registry) (s *settings, err error) {
	s = &settings{Config: c, dialPlan: c.dialPlan(), rules: map[outdial.TrunkID]*headerRules{}}
	s.sources, s.identified = c.sources(ids)
	if s.secrets, err = c.secrets(); err != nil {
		return nil, err
	}
	if s.signer, err = c.Identity.build(c.dir); err != nil {
		return nil, &FieldError{"identity", err}
	}
	for _, t := range c.Trunks {
		s.rules[ids.Trunks.ID(t.Name)] = t.Headers.build()
	}
	return s, nil
}

// Reload puts another configuration in force, while calls go on: dialers, header names, dial plan, trunks with their limits, routing,
// caller IDs, the key that calls are signed with, the setup budget, max_calls and drain_timeout. What is counted stays, by the names of
// trunks, programs and numbers. A trunk that is left out takes no more calls; one that is new is not asked by OPTIONS before a restart.
//
// The error names every field that is wrong, and every section that only a restart can change; then all of the former configuration
// stays in force. The journal has it as a change by "file"; Load is for an operator's.
func (p *Proxy) Reload(cfg Config) error {
	return p.Load(cfg, "", Change{"file", "the configuration file was read again"})
}

// prepared is a configuration that may be put in force.
type prepared struct {
	p         *Proxy
	old, next Config
	table     *routing.Table
	set       *settings
}

// prepare checks a configuration, and compiles what takes time.
func (p *Proxy) prepare(cfg Config) (*prepared, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &prepared{p: p, old: p.set().Config, next: cfg.withDefaults()}
	if err := n.old.fixed(n.next); err != nil {
		return nil, err
	}
	var err error
	if n.table, err = routing.Compile(n.next.policy(), p.reads); err != nil {
		return nil, &FieldError{"routing", err}
	}
	n.set, err = n.next.settings(p.ids)
	return n, err
}

// install puts the configuration in force.
func (n *prepared) install() error {
	p := n.p
	if err := p.install(n.next); err != nil {
		return errors.Join(err, p.install(n.old)) // back, where the first parts were taken already
	}
	p.router.Swap(n.table)
	p.orders.gate.Store(&n.next.Gate)
	p.settings.Store(n.set)
	p.log.Info("reloaded", "trunks", len(n.next.Trunks), "dialers", len(n.next.Dialers))
	return nil
}

// install gives the packages what they keep of the configuration.
func (p *Proxy) install(cfg Config) error {
	limits := p.limits
	limits.Trunks = cfg.limits()
	if err := p.trunks.Update(limits); err != nil {
		return &FieldError{"trunks", err}
	}
	if err := p.dialer.SetTrunks(cfg.interconnects(p.ids)); err != nil {
		return &FieldError{"trunks", err}
	}
	if p.clis == nil {
		return nil
	}
	numbers, err := cfg.CLI.build(cfg.dir)
	if err != nil {
		return &FieldError{"cli.numbers_file", err}
	}
	numbers.IDs, numbers.Numbering = p.ids, p.numbers
	if err := p.clis.Update(numbers); err != nil {
		return &FieldError{"cli", err}
	}
	return nil
}

// fixed names what differs of the sections that are read at the start alone.
func (c Config) fixed(next Config) error {
	var errs []error
	same := func(path string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			errs = append(errs, &FieldError{path, errors.New("only a restart can change it")})
		}
	}
	same("listen", c.Listen, next.Listen)
	same("advertise", c.Advertise, next.Advertise)
	same("carrier_listen", c.CarrierListen, next.CarrierListen)
	same("carrier_advertise", c.CarrierAdvertise, next.CarrierAdvertise)
	same("listeners", c.Listeners, next.Listeners)
	same("carrier_listeners", c.CarrierListeners, next.CarrierListeners)
	same("streams", c.Streams, next.Streams)
	same("carrier_streams", c.CarrierStreams, next.CarrierStreams)
	same("dns", c.DNS, next.DNS)
	same("node", c.Node, next.Node)
	same("processors", c.Processors, next.Processors)
	same("failover", c.Failover, next.Failover)
	was, is := c.Hunting, next.Hunting
	was.SetupBudget, is.SetupBudget = 0, 0
	same("hunting", was, is)
	same("kpi", c.KPI, next.KPI)
	same("metrics", c.Metrics, next.Metrics)
	same("hep", c.HEP, next.HEP)
	same("admin", c.Admin, next.Admin)
	same("decision", c.Decision, next.Decision)
	same("journal", c.Journal, next.Journal)
	same("day_parts", c.DayParts, next.DayParts)
	same("log", c.Log, next.Log)
	if (c.CLI == nil) != (next.CLI == nil) {
		errs = append(errs, &FieldError{"cli", fmt.Errorf("only a restart can add the section or take it away")})
	} else if c.CLI != nil && c.CLI.Secret != next.CLI.Secret {
		errs = append(errs, &FieldError{"cli.secret", errors.New("only a restart can change it")})
	}
	return errors.Join(errs...)
}

func (p *Proxy) set() *settings { return p.settings.Load() }

// admits is the dialer that sends from an address; nil = none.
func (p *Proxy) admits(a netip.Addr) *source { return p.set().sources.find(a) }
