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
	"sync"
	"time"
)

// Where requests to a trunk go (RFC 3263). An address is an address; a name with a port is looked up (A, AAAA); a name without one is a
// domain whose servers SRV records name (_sip._udp), or else itself with port 5060. UDP is the only transport, so that there is nothing for
// NAPTR records to choose.

const (
	// maxTargets bounds the addresses that are tried for one attempt.
	maxTargets = 8
	// badFor is how long an address that did not answer, or answered 503, is tried after the others.
	badFor = 30 * time.Second
)

// targets remembers the addresses that were of no use lately.
type targets struct {
	mu  sync.Mutex
	bad map[netip.AddrPort]time.Time // until when
}

// avoid notes an address that was of no use. Only addresses that names were looked up for are noted: they have others beside them.
func (t *targets) avoid(addr netip.AddrPort, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bad == nil {
		t.bad = map[netip.AddrPort]time.Time{}
	}
	for a, until := range t.bad {
		if until.Before(now) {
			delete(t.bad, a)
		}
	}
	t.bad[addr] = now.Add(badFor)
}

// sort puts the addresses that were of no use lately behind the others, and leaves the order otherwise.
func (t *targets) sort(addrs []netip.AddrPort, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.bad) == 0 {
		return
	}
	bad := func(a netip.AddrPort) int {
		if until, ok := t.bad[a]; ok && until.After(now) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(addrs, func(a, b netip.AddrPort) int { return cmp.Compare(bad(a), bad(b)) })
}

// resolve returns where requests may go, in the order in which it is to be tried: one address at least.
func (r *route) resolve(ctx context.Context, d *Dialer) ([]netip.AddrPort, error) {
	if r.fixed.IsValid() {
		return []netip.AddrPort{r.fixed}, nil
	}
	var all []netip.AddrPort
	var errs []error
	if r.domain {
		srvs, err := d.cfg.ResolveSRV(ctx, r.host)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("siptrunk: %w", err)
		}
		if len(srvs) == 1 && srvs[0].Target == "." {
			return nil, fmt.Errorf("siptrunk: %s: the domain has no SIP server over UDP", r.host) // RFC 2782
		}
		for _, s := range inOrder(srvs, rand.Float64) {
			if all, err = d.addresses(ctx, all, s.Target, s.Port); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if len(all) == 0 && len(errs) == 0 {
		var err error
		if all, err = d.addresses(ctx, all, r.host, r.port); err != nil {
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

// addresses appends the addresses of a host that the socket can send to.
func (d *Dialer) addresses(ctx context.Context, dst []netip.AddrPort, host string, port uint16) ([]netip.AddrPort, error) {
	addrs, err := d.cfg.Resolve(ctx, host)
	if err != nil {
		return dst, err
	}
	some := false
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() == d.local.Addr().Is4() || d.local.Addr().IsUnspecified() {
			some = true
			if at := netip.AddrPortFrom(a, port); !slices.Contains(dst, at) {
				dst = append(dst, at)
			}
		}
	}
	if !some {
		return dst, fmt.Errorf("%s has no address that %s can send to", host, d.local.Addr())
	}
	return dst, nil
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
	l.d.targets.avoid(l.firstDst, at)
	for len(l.targets) > 0 {
		l.firstDst, l.targets = l.targets[0], l.targets[1:]
		l.creds = credentials{}
		l.meet(l.firstDst)
		l.cseq++
		if l.sendInvite(at) == nil {
			return true
		}
	}
	return false
}
