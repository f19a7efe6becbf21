package siptrunk

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/outdial/outdial/internal/dnswire"
)

// addresses returns those of a host, of both families.
func (r *resolver) addresses(ctx context.Context, host string) (all []netip.Addr, err error) {
	var errs []error
	for _, kind := range [...]dnswire.Type{dnswire.TypeA, dnswire.TypeAAAA} {
		records, err := r.lookup(ctx, host, kind)
		if err != nil {
			errs = append(errs, err)
		}
		for _, a := range records {
			all = append(all, a.Addr)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, errors.Join(errs...)
}

// srv is as net.Resolver.LookupSRV: without a service and a proto, name is the whole name.
func (r *resolver) srv(ctx context.Context, service, proto, name string) ([]*net.SRV, error) {
	if service != "" || proto != "" {
		name = "_" + service + "._" + proto + "." + name
	}
	records, err := r.lookup(ctx, name, dnswire.TypeSRV)
	var all []*net.SRV
	for _, a := range records {
		s := &net.SRV{Target: a.Target, Port: a.Port, Priority: a.Priority, Weight: a.Weight}
		if s.Target == "" {
			s.Target = "."
		}
		all = append(all, s)
	}
	return all, err
}

func (r *resolver) naptr(ctx context.Context, domain string) ([]NAPTR, error) {
	records, err := r.lookup(ctx, domain, dnswire.TypeNAPTR)
	var all []NAPTR
	for _, a := range records {
		all = append(all, NAPTR{a.Priority, a.Weight, a.Flags, a.Service, a.Regexp, a.Target})
	}
	return all, err
}
