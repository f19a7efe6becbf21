package siptrunk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Where requests to a trunk go (RFC 3263). An address is an address; a name with a port is looked up (A, AAAA); a name without one is a
// domain: NAPTR records tell the transports that it prefers, SRV records the servers of one, or else it is itself the server.

const (
	// maxTargets bounds the addresses that are tried for one attempt.
	maxTargets = 8
	// badFor is how long an address that did not answer, or answered 503, is tried after the others.
	badFor = 30 * time.Second
)

// targets remembers the addresses that were of no use lately.
type targets struct {
	mu  sync.Mutex
	bad map[hop]time.Time // until when
	tcp map[hop]time.Time // the same for those that take no TCP
}

// avoid notes an address that was of no use. Only addresses that names were looked up for are noted: they have others beside them.
func (t *targets) avoid(addr hop, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bad == nil {
		t.bad = map[hop]time.Time{}
	}
	for a, until := range t.bad {
		if until.Before(now) {
			delete(t.bad, a)
		}
	}
	t.bad[addr] = now.Add(badFor)
}

// noTCPFor is how long an address that refused TCP is not asked again.
const noTCPFor = 5 * time.Minute

// refuse notes an address that takes no TCP.
func (t *targets) refuse(to hop, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tcp == nil || len(t.tcp) > 1<<12 {
		t.tcp = map[hop]time.Time{}
	}
	t.tcp[to] = now.Add(noTCPFor)
}

func (t *targets) refused(to hop, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tcp[to].After(now)
}

// sort puts the addresses that were of no use lately behind the others, and leaves the order otherwise.
func (t *targets) sort(addrs []hop, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.bad) == 0 {
		return
	}
	bad := func(a hop) int {
		if until, ok := t.bad[a]; ok && until.After(now) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(addrs, func(a, b hop) int { return cmp.Compare(bad(a), bad(b)) })
}

// resolve returns where requests may go, in the order in which it is to be tried: one address at least.
func (r *route) resolve(ctx context.Context, d *Dialer) ([]hop, error) {
	if r.fixed.IsValid() {
		h := r.hop(r.fixed.Port(), r.transport())
		h.addr = r.fixed
		return []hop{h}, nil
	}
	var all []hop
	var errs []error
	if r.domain {
		all, errs = r.servers(ctx, d)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("siptrunk: %w", ctx.Err())
		}
	}
	if len(all) == 0 && len(errs) == 0 {
		var err error
		if all, err = d.addresses(ctx, all, r.hop(r.port, r.transport()), r.host); err != nil {
			errs = append(errs, err)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("siptrunk: %w", errors.Join(errs...))
	}
	all = all[:min(len(all), maxTargets)]
	d.targets.sort(all, time.Now())
	return all, nil
}

// service is where the SRV records of a domain are, and the transport that they are for.
type service struct {
	transport            Transport
	service, proto, name string
}

// servers are the addresses that the records of the trunk's domain lead to, the best first, and why others are missing. Neither = there are no records.
func (r *route) servers(ctx context.Context, d *Dialer) (all []hop, errs []error) {
	preferred, told := r.services(ctx, d)
	for _, s := range preferred {
		srvs, err := d.cfg.ResolveSRV(ctx, s.service, s.proto, s.name)
		if err == nil && len(srvs) == 1 && srvs[0].Target == "." { // RFC 2782
			errs = append(errs, fmt.Errorf("%s: the domain has no SIP server over %s", r.host, s.transport))
			continue
		}
		for _, v := range inOrder(srvs, rand.Float64) {
			if all, err = d.addresses(ctx, all, r.hop(v.Port, s.transport), v.Target); err != nil {
				errs = append(errs, err)
			}
		}
		if len(all) > 0 && !told { // the domain has no preference; ours is UDP, then TCP
			break
		}
	}
	return all, errs
}

// services are the transports to try, in the domain's order where NAPTR records tell it (RFC 3263 §4.1), which told says.
func (r *route) services(ctx context.Context, d *Dialer) (all []service, told bool) {
	of := func(t Transport) service {
		s := service{transport: t, service: "sip", proto: "udp", name: r.host}
		switch t {
		case TransportTCP:
			s.proto = "tcp"
		case TransportTLS:
			s.service, s.proto = "sips", "tcp"
		}
		return s
	}
	if r.Transport != TransportAuto {
		return []service{of(r.Transport)}, true
	}
	records, _ := d.cfg.ResolveNAPTR(ctx, r.host) // an error is as good as none: SRV records say the rest
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b NAPTR) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
	})
	for _, n := range records {
		t, known := map[string]Transport{"SIP+D2U": TransportUDP, "SIP+D2T": TransportTCP, "SIPS+D2T": TransportTLS}[strings.ToUpper(n.Service)]
		if known && strings.EqualFold(n.Flags, "s") && n.Replacement != "" {
			all = append(all, service{transport: t, name: n.Replacement})
		}
	}
	if len(all) > 0 {
		return all, true
	}
	return []service{of(TransportUDP), of(TransportTCP), of(TransportTLS)}, false
}

// transport is that of the trunk's requests.
func (r *route) transport() Transport { return max(r.Transport, TransportUDP) }

// hop is where the trunk's requests go over a transport, with a port and without an address.
func (r *route) hop(port uint16, t Transport) hop {
	h := hop{addr: netip.AddrPortFrom(netip.Addr{}, port), transport: t}
	if t == TransportTLS {
		h.tls = r.secure
	}
	return h
}

// addresses appends the addresses of a host that can be sent to, with the port and the transport of to.
func (d *Dialer) addresses(ctx context.Context, dst []hop, to hop, host string) ([]hop, error) {
	addrs, err := d.cfg.Resolve(ctx, host)
	if err != nil {
		return dst, err
	}
	some := false
	for _, a := range addrs {
		if a = a.Unmap(); !d.reaches(a, to.transport) {
			continue
		}
		some = true
		to.addr = netip.AddrPortFrom(a, to.addr.Port())
		if !slices.Contains(dst, to) {
			dst = append(dst, to)
		}
	}
	if !some {
		return dst, fmt.Errorf("%s has no address that can be sent to from here", host)
	}
	return dst, nil
}

// reaches reports whether there is a socket of an address's family, or none is needed.
func (d *Dialer) reaches(a netip.Addr, t Transport) bool {
	if d.second != nil || d.local.Addr().IsUnspecified() || a.Is4() == d.local.Addr().Is4() {
		return true
	}
	return t > TransportUDP && slices.ContainsFunc(d.listeners, func(l listener) bool {
		return l.local.Addr().IsUnspecified() || l.local.Addr().Is4() == a.Is4()
	})
}

// secured leaves the hops over TLS.
func secured(all []hop) ([]hop, error) {
	all = slices.DeleteFunc(all, func(h hop) bool { return h.transport != TransportTLS })
	if len(all) == 0 {
		return nil, ErrNotSecure
	}
	return all, nil
}

// inOrder sorts SRV records by priority, and those of one priority by a draw with their weights (RFC 2782).
func inOrder(srvs []*net.SRV, draw func() float64) []*net.SRV {
	out := slices.Clone(srvs)
	slices.SortStableFunc(out, func(a, b *net.SRV) int { return cmp.Compare(a.Priority, b.Priority) })
	for rest := out; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Priority == rest[0].Priority {
			n++
		}
		for class := rest[:n]; len(class) > 1; class = class[1:] {
			sum := 0.0
			for _, s := range class {
				sum += float64(s.Weight)
			}
			i, x := 0, draw()*sum
			for ; i < len(class)-1; i++ {
				if x -= float64(class[i].Weight); x < 0 {
					break
				}
			}
			chosen := class[i] // to the front; the others keep their order
			copy(class[1:i+1], class[:i])
			class[0] = chosen
		}
		rest = rest[n:]
	}
	return out
}

// elsewhere sends the INVITE to the next address of the trunk, within the same attempt; false = there is none, or nobody wants it any more.
// It is for an address that cannot be reached or answers 503 (RFC 3263 §4.3).
func (l *Leg) elsewhere(at time.Time) bool {
	if len(l.targets) == 0 || l.gaveUp != 0 {
		return false
	}
	l.d.targets.avoid(l.base, at)
	for len(l.targets) > 0 {
		l.base, l.targets = l.targets[0], l.targets[1:]
		if l.resendInvite(at) {
			return true
		}
	}
	return false
}
