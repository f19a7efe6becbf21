package siptest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// A Link describes what happens to datagrams in one direction between two addresses of a [Network].
// The zero value delivers everything at once and in order. Probabilities are in [0, 1].
type Link struct {
	// Latency is the one-way delay. Jitter is added to it, uniform in [0, Jitter).
	Latency, Jitter time.Duration
	// Loss is the share of datagrams that vanish.
	Loss float64
	// Duplicate is the share of datagrams that arrive twice.
	Duplicate float64
	// Reorder is the share of datagrams that are held back by ReorderBy, so that later ones overtake them.
	// Without it a link keeps the order, whatever the jitter.
	Reorder float64
	// ReorderBy is the extra delay of a datagram that is held back; zero means 20 ms.
	ReorderBy time.Duration
}

const defaultReorderBy = 20 * time.Millisecond

func (l Link) validate() error {
	var errs []error
	for _, p := range []struct {
		name  string
		value float64
	}{{"Loss", l.Loss}, {"Duplicate", l.Duplicate}, {"Reorder", l.Reorder}} {
		if !(p.value >= 0 && p.value <= 1) {
			errs = append(errs, fmt.Errorf("siptest: Link.%s %v is not in [0, 1]", p.name, p.value))
		}
	}
	if l.Latency < 0 || l.Jitter < 0 || l.ReorderBy < 0 {
		errs = append(errs, errors.New("siptest: Link durations must not be negative"))
	}
	return errors.Join(errs...)
}

// A pattern selects addresses: "" any, "10.0.0.1" every port of a host, "10.0.0.1:5060" one socket.
type pattern struct {
	addr netip.Addr
	port uint16
}

func parsePattern(s string) (pattern, error) {
	if s == "" {
		return pattern{}, nil
	}
	if !strings.Contains(s, ":") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return pattern{}, fmt.Errorf("siptest: address pattern %q: %w", s, err)
		}
		return pattern{addr: a.Unmap()}, nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return pattern{}, fmt.Errorf("siptest: address pattern %q: %w", s, err)
	}
	return pattern{addr: ap.Addr().Unmap(), port: ap.Port()}, nil
}

func (p pattern) matches(a netip.AddrPort) bool {
	return (!p.addr.IsValid() || p.addr == a.Addr()) && (p.port == 0 || p.port == a.Port())
}

// A rule binds a Link, or a cut, to a pair of patterns.
type rule struct {
	from, to pattern
	link     Link
}

func (r rule) matches(from, to netip.AddrPort) bool { return r.from.matches(from) && r.to.matches(to) }

// A flow is the state of one directed pair of sockets: its own random stream, so that what other
// flows do does not change its luck, and the latest delivery, so that order is kept.
type flow struct {
	rng  *rand.Rand
	last time.Time
}

type flowKey struct{ from, to netip.AddrPort }

func newFlow(seed uint64, k flowKey) *flow {
	h := uint64(14695981039346656037)
	for _, b := range []byte(k.from.String() + ">" + k.to.String()) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return &flow{rng: rand.New(rand.NewPCG(seed, h))}
}
