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
// stays in force.
func (p *Proxy) Reload(cfg Config) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	if err := cfg.Validate(); err != nil {
		return err
	}
	old, next := p.set().Config, cfg.withDefaults()
	if err := old.fixed(next); err != nil {
		return err
	}
	table, err := routing.Compile(next.policy(), p.reads)
	if err != nil {
		return &FieldError{"routing", err}
	}
	set, err := next.settings(p.ids)
	if err != nil {
		return err
	}
	if err := p.install(next); err != nil {
		return errors.Join(err, p.install(old)) // back, where the first parts were taken already
	}
	p.router.Swap(table)
	p.settings.Store(set)
	p.log.Info("reloaded", "trunks", len(next.Trunks), "dialers", len(next.Dialers))
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
	same("failover", c.Failover, next.Failover)
	was, is := c.Hunting, next.Hunting
	was.SetupBudget, is.SetupBudget = 0, 0
	same("hunting", was, is)
	same("kpi", c.KPI, next.KPI)
	same("metrics", c.Metrics, next.Metrics)
	same("hep", c.HEP, next.HEP)
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
