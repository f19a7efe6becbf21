package siptest

import (
	"container/heap"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// NetworkConfig configures a [Network].
type NetworkConfig struct {
	// Seed makes loss, duplication, reordering and jitter repeat. Each directed pair of sockets draws from
	// its own stream: the same datagrams in the same order have the same fate.
	Seed uint64
	// Link is used where no [Network.SetLink] applies.
	Link Link
	// Queue bounds the datagrams that wait at one socket; what comes when it is full is dropped and
	// counted. Zero means 4096.
	Queue int
}

// NetworkStats counts datagrams since the network was made.
type NetworkStats struct {
	Sent       int // handed to a socket's write
	Delivered  int // put into a receiver's queue, duplicates included
	Lost       int // by Link.Loss
	Duplicated int // by Link.Duplicate
	Reordered  int // by Link.Reorder
	Filtered   int // by the filter
	Cut        int // by a partition
	Refused    int // answered with ECONNREFUSED
	Unbound    int // no socket at the destination
	Overflowed int // the receiver's queue was full
}

// A Network carries datagrams between in-memory sockets with fake addresses. It takes time from the
// standard clock, so inside a testing/synctest bubble it runs on the bubble's. It starts no goroutine
// that outlives a delivery and needs no Close. Make it with [NewNetwork], inside the bubble that uses it.
// All methods are safe for concurrent use and may be called at any time.
type Network struct {
	cfg    NetworkConfig
	filter atomic.Pointer[Filter]

	mu       sync.Mutex // guards a few lines; nothing blocks under it
	conns    map[netip.AddrPort]*Conn
	streams  map[netip.AddrPort]*streamListener
	flows    map[flowKey]*flow
	rules    []rule
	cuts     []rule
	refused  []pattern
	pending  deliveries
	seq      uint64
	nextPort uint16
	stats    NetworkStats
}

// A Filter sees every datagram before the network's own faults; true drops it. It runs on the sender's
// goroutine, must not block, and must not keep payload.
type Filter func(from, to netip.AddrPort, payload []byte) (drop bool)

// NewNetwork returns a network without sockets.
func NewNetwork(cfg NetworkConfig) (*Network, error) {
	if err := cfg.Link.validate(); err != nil {
		return nil, err
	}
	if cfg.Queue < 0 {
		return nil, fmt.Errorf("siptest: NetworkConfig.Queue %d is negative", cfg.Queue)
	}
	if cfg.Queue == 0 {
		cfg.Queue = 4096
	}
	return &Network{
		cfg: cfg, conns: make(map[netip.AddrPort]*Conn), streams: make(map[netip.AddrPort]*streamListener), flows: make(map[flowKey]*flow), nextPort: 40000,
	}, nil
}

// Listen binds a socket to addr, such as "10.0.0.1:5060"; port 0 picks a free one from 40000 on.
func (n *Network) Listen(addr string) (*Conn, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("siptest: listen address: %w", err)
	}
	ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	n.mu.Lock()
	defer n.mu.Unlock()
	if ap.Port() == 0 {
		for range 1 << 16 {
			n.nextPort = max(n.nextPort+1, 1024)
			if c := netip.AddrPortFrom(ap.Addr(), n.nextPort); n.conns[c] == nil {
				ap = c
				break
			}
		}
	}
	if ap.Port() == 0 || n.conns[ap] != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(ap), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	c := newConn(n, ap, n.cfg.Queue)
	n.conns[ap] = c
	return c, nil
}

// SetLink sets what happens from one address to another, in that direction only. An address is
// "host:port", "host" for all its ports, or "" for all. Of several that match, the one set last holds.
func (n *Network) SetLink(from, to string, l Link) error {
	r, err := newRule(from, to)
	if err = errors.Join(err, l.validate()); err != nil {
		return err
	}
	r.link = l
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules = append(without(n.rules, r), r)
	return nil
}

// Cut parts two addresses (as in SetLink) in both directions, silently; [Network.Heal] with the same
// addresses joins them again. Datagrams already under way still arrive.
func (n *Network) Cut(a, b string) error {
	r, err := newRule(a, b)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts = append(without(n.cuts, r), r)
	return nil
}

// Heal undoes Cut.
func (n *Network) Heal(a, b string) error {
	r, err := newRule(a, b)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts = without(n.cuts, r)
	return nil
}

// SetRefused makes every write to addr (as in SetLink) fail with ECONNREFUSED, as a socket sees it after
// an ICMP port unreachable (on Linux a connected one; an unconnected UDP socket is not told). An address where nobody listens swallows datagrams silently otherwise.
func (n *Network) SetRefused(addr string, refused bool) error {
	p, err := parsePattern(addr)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refused = slices.DeleteFunc(n.refused, func(q pattern) bool { return q == p })
	if refused {
		n.refused = append(n.refused, p)
	}
	return nil
}

// SetFilter installs f in place of the filter before; nil removes it. It serves to drop one exact
// message (the first ACK, say) or to watch the traffic.
func (n *Network) SetFilter(f Filter) {
	if f == nil {
		n.filter.Store(nil)
		return
	}
	n.filter.Store(&f)
}

// Stats returns the counts so far.
func (n *Network) Stats() NetworkStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// send decides the fate of one datagram. It never blocks.
func (n *Network) send(from, to netip.AddrPort, payload []byte) error {
	drop := false
	if f := n.filter.Load(); f != nil {
		drop = (*f)(from, to, payload)
	}
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stats.Sent++
	switch {
	case drop:
		n.stats.Filtered++
		return nil
	case slices.ContainsFunc(n.refused, func(p pattern) bool { return p.matches(to) }):
		n.stats.Refused++
		return &net.OpError{
			Op: "write", Net: "udp", Source: net.UDPAddrFromAddrPort(from), Addr: net.UDPAddrFromAddrPort(to),
			Err: os.NewSyscallError("sendto", syscall.ECONNREFUSED),
		}
	case slices.ContainsFunc(n.cuts, func(r rule) bool { return r.matches(from, to) || r.matches(to, from) }):
		n.stats.Cut++
		return nil
	}
	f := n.flow(flowKey{from, to})
	l := n.link(from, to)
	// Every datagram draws the same number of times, so that one setting does not shift another's luck.
	loss, dup, held, jitter, jitterDup := f.rng.Float64(), f.rng.Float64(), f.rng.Float64(), f.rng.Float64(), f.rng.Float64()
	if loss < l.Loss {
		n.stats.Lost++
		return nil
	}
	due := now.Add(l.Latency + time.Duration(jitter*float64(l.Jitter)))
	if held < l.Reorder {
		n.stats.Reordered++
		by := l.ReorderBy
		if by == 0 {
			by = defaultReorderBy
		}
		due = due.Add(by)
	} else {
		due = f.inOrder(due)
	}
	p := packet{from: from, payload: slices.Clone(payload)}
	n.schedule(now, due, to, p)
	if dup < l.Duplicate {
		n.stats.Duplicated++
		n.schedule(now, f.inOrder(due.Add(time.Duration(jitterDup*float64(l.Jitter)))), to, p)
	}
	return nil
}

func (f *flow) inOrder(due time.Time) time.Time {
	if due.Before(f.last) {
		return f.last
	}
	f.last = due
	return due
}

func (n *Network) schedule(now, due time.Time, to netip.AddrPort, p packet) {
	if !due.After(now) {
		n.deliver(to, p)
		return
	}
	n.seq++
	heap.Push(&n.pending, delivery{due: due, seq: n.seq, to: to, packet: p})
	time.AfterFunc(due.Sub(now), n.flush)
}

// flush delivers all that is due, in order: timers that fire together run in any order, and the first
// of them does the work of all.
func (n *Network) flush() {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.pending) > 0 && !n.pending[0].due.After(now) {
		d := heap.Pop(&n.pending).(delivery)
		n.deliver(d.to, d.packet)
	}
}

func (n *Network) deliver(to netip.AddrPort, p packet) {
	c := n.conns[to]
	if c == nil {
		n.stats.Unbound++
		return
	}
	select {
	case c.queue <- p:
		n.stats.Delivered++
	default:
		n.stats.Overflowed++
	}
}

func (n *Network) flow(k flowKey) *flow {
	f := n.flows[k]
	if f == nil {
		f = newFlow(n.cfg.Seed, k)
		n.flows[k] = f
	}
	return f
}

func (n *Network) link(from, to netip.AddrPort) Link {
	for _, r := range slices.Backward(n.rules) {
		if r.matches(from, to) {
			return r.link
		}
	}
	return n.cfg.Link
}

func (n *Network) unbind(addr netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, addr)
}

func newRule(from, to string) (rule, error) {
	f, err1 := parsePattern(from)
	t, err2 := parsePattern(to)
	return rule{from: f, to: t}, errors.Join(err1, err2)
}

func without(rules []rule, r rule) []rule {
	return slices.DeleteFunc(rules, func(o rule) bool { return o.from == r.from && o.to == r.to })
}

type delivery struct {
	due    time.Time
	seq    uint64
	to     netip.AddrPort
	packet packet
}

type deliveries []delivery

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	if d[i].due.Equal(d[j].due) {
		return d[i].seq < d[j].seq
	}
	return d[i].due.Before(d[j].due)
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(delivery)) }
func (d *deliveries) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	(*d)[last] = delivery{}
	*d = (*d)[:last]
	return x
}
