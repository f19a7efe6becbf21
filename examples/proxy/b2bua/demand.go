package b2bua

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// Demand is a call that is wanted, in words: what an INVITE says in its header fields. What is left empty is as the dialer has it, where one
// is named.
type Demand struct {
	Dialer   string // of the configuration; "" = none
	Ref      string // the asker's own key for the call, kept in the journal
	To       string // as it is dialled: the dial plan reads it; required
	From     string // the caller ID that is asked for
	Tenant   string
	Program  string // one that is configured
	Campaign string
	Mode     string // manual, predictive, prerecorded
	Priority string // bulk, normal, urgent
}

// DemandError says which field of a Demand does not fit.
type DemandError struct {
	Field string // as in JSON: "to"
	Err   error
}

// Error returns "field: what is wrong".
func (e *DemandError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *DemandError) Unwrap() error { return e.Err }

// Call returns the call that is wanted, as a call of a dialer's INVITE would be. The error is a *DemandError.
func (p *Proxy) Call(d Demand) (outdial.Call, error) {
	call, err := p.set().call(p.ids, d)
	if budget := p.set().Hunting.SetupBudget; budget > 0 {
		call.Deadline = p.now().Add(budget)
	}
	return call, err
}

func (s *settings) call(ids *outdial.Registry, d Demand) (call outdial.Call, err error) {
	bad := func(field, format string, args ...any) (outdial.Call, error) {
		return outdial.Call{}, &DemandError{field, fmt.Errorf(format, args...)}
	}
	if d.Dialer != "" {
		src := s.sources.named(d.Dialer)
		if src == nil {
			return bad("dialer", "no dialer %q", d.Dialer)
		}
		call = outdial.Call{Tenant: src.tenant, Program: src.program, Campaign: src.campaign, Mode: src.mode, Priority: src.priority}
	}
	call.Ref = limited(d.Ref)
	if call.To, err = s.read(d.To); err != nil {
		return bad("to", "%w", err)
	}
	if d.From != "" {
		if call.From, err = s.read(d.From); err != nil {
			return bad("from", "%w", err)
		}
	}
	known := true
	if d.Program != "" {
		if call.Program, known = ids.Programs.Lookup(d.Program); !known { // a program presents caller IDs: only those that are configured
			return bad("program", "no program %q", d.Program)
		}
	}
	if d.Mode != "" {
		if call.Mode, known = parseMode(d.Mode); !known {
			return bad("mode", "%q: want manual, predictive or prerecorded", d.Mode)
		}
	}
	if d.Priority != "" {
		if call.Priority, known = parsePriority(d.Priority); !known {
			return bad("priority", "%q: want bulk, normal or urgent", d.Priority)
		}
	}
	if d.Tenant != "" {
		call.Tenant = named(&ids.Tenants, d.Tenant)
	}
	if d.Campaign != "" {
		call.Campaign = named(&ids.Campaigns, d.Campaign)
	}
	return call, nil
}

// read reads a number as it is dialled.
func (s *settings) read(text string) (outdial.Number, error) {
	if s.dialPlan == (outdial.DialPlan{}) {
		return outdial.ParseDigits(text)
	}
	return s.dialPlan.Parse(text)
}

func (s sources) named(name string) *source {
	for _, n := range s {
		if n.source.name == name {
			return n.source
		}
	}
	return nil
}

// Route returns where an attempt of a call that somebody else places goes, and whom it presents: the URI of the callee on the trunk, and
// the value of P-Asserted-Identity, "" where there is none.
func (p *Proxy) Route(a *outdial.Attempt) (uri, identity string, err error) { return p.dialer.Route(a) }

// Now reads the clock of the proxy.
func (p *Proxy) Now() time.Time { return p.now() }

// Explain tells what a configuration would do with a call now, if nothing had happened before.
func Explain(cfg Config, now time.Time, d Demand) (outdial.Explanation, error) {
	if err := cfg.Validate(); err != nil {
		return outdial.Explanation{}, err
	}
	cfg = cfg.withDefaults()
	parts, err := cfg.assemble(past{}, func() time.Time { return now })
	if err != nil {
		return outdial.Explanation{}, err
	}
	set, err := cfg.settings(parts.ids)
	if err != nil {
		return outdial.Explanation{}, err
	}
	call, err := set.call(parts.ids, d)
	if err != nil {
		return outdial.Explanation{}, err
	}
	return parts.engine.Explain(now, call), nil
}
