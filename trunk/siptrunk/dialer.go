package siptrunk

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/crew"
	"github.com/outdial/outdial/internal/sipstream"
)

// Errors of Dial, Invite and Ping: nothing left the host.
var (
	ErrClosed       = errors.New("siptrunk: the dialer is closed or draining")
	ErrUnknownTrunk = errors.New("siptrunk: the trunk is not configured")
	ErrNoOffer      = errors.New("siptrunk: there is no session description to offer")
	ErrNotSecure    = errors.New("siptrunk: the trunk is not reached over TLS")
	ErrRunning      = errors.New("siptrunk: the dialer is or was running")
)

// Dialer places attempts over SIP. Make it with New, serve it with Run. All methods are safe for concurrent use.
type Dialer struct {
	cfg    Config
	local  netip.AddrPort
	sentBy string
	conn   *conn
	second *conn // of the other IP family; nil = none
	// listeners are bound by New, and served by Run.
	listeners []listener
	streams   *sipstream.Set
	selves    [3][2]self // by transport and IP family
	ua        *sipgo.UserAgent
	server    *sipgo.Server
	digest    *sipgo.Client
	routes    atomic.Pointer[routes]

	stopped chan struct{} // closed by Close
	ran     atomic.Bool
	tasks   sync.WaitGroup
	crew    crew.Crew[struct{}] // runs them
	unknown atomic.Uint64
	targets targets

	mu       sync.RWMutex // guards what follows; a few lines each time
	draining bool
	closed   bool
	parties  map[string]party // by Call-ID; ended legs stay for a while to repeat their ACK
	peers    map[netip.AddrPort]*peer
	live     int
	idle     []chan struct{} // closed when live falls to zero
}

var _ outdial.Dialer = (*Dialer)(nil)

// New checks cfg and opens the socket, unless cfg brings one. Nothing runs before Run; a Dialer that is never run
// must be closed. The error names every field that is wrong.
func New(cfg Config) (*Dialer, error) {
	cfg, err := cfg.withDefaults()
	_, trunkErr := newRoutes(cfg.Trunks, "host.invalid", cfg.TLS) // so that one error names everything
	if err = errors.Join(err, trunkErr); err != nil {
		return nil, fmt.Errorf("siptrunk: %w", err)
	}
	inner, err := cfg.listen()
	if err != nil {
		return nil, err
	}
	d := &Dialer{
		cfg: cfg, conn: newConn(inner), stopped: make(chan struct{}),
		parties: map[string]party{}, peers: map[netip.AddrPort]*peer{},
	}
	if err := d.setUp(); err != nil {
		return nil, errors.Join(err, d.closeSockets())
	}
	return d, nil
}

func (d *Dialer) setUp() error {
	var err error
	if d.local, err = netip.ParseAddrPort(d.conn.LocalAddr().String()); err != nil {
		return fmt.Errorf("siptrunk: the socket's address: %w", err)
	}
	d.local = netip.AddrPortFrom(d.local.Addr().Unmap(), d.local.Port())
	if d.sentBy, err = sentBy(d.cfg.Advertise, "", d.local); err != nil {
		return fmt.Errorf("siptrunk: %w", err)
	}
	if err = d.bind(); err != nil {
		return err
	}
	d.streams = d.newStreams()
	if err = d.SetTrunks(d.cfg.Trunks); err != nil {
		return err
	}
	d.cfg.Trunks = nil // the caller's map
	for _, c := range d.sockets() {
		c.admits, c.deliver, c.lost, c.failed = d.admits, d.deliver, d.lost, d.readFailed
		if d.cfg.Trace != nil {
			local := unmapped(c.LocalAddr())
			c.trace = func(sent bool, remote netip.AddrPort, data []byte) { d.trace(sent, TransportUDP, local, remote, data) }
		}
	}
	log := d.cfg.Logger
	d.ua, err = sipgo.NewUA(
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(log)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(log),
			sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {})),
	)
	if err != nil {
		return fmt.Errorf("siptrunk: %w", err)
	}
	if d.server, err = sipgo.NewServer(d.ua, sipgo.WithServerLogger(log)); err != nil {
		return fmt.Errorf("siptrunk: %w", err)
	}
	if d.digest, err = sipgo.NewClient(d.ua, sipgo.WithClientLogger(log)); err != nil {
		return fmt.Errorf("siptrunk: %w", err)
	}
	d.digest.TxRequester = notSent{}
	d.server.OnNoRoute(d.serve)
	return nil
}

// SetTrunks replaces the trunks. Attempts under way go on as they began. On an error, which names every field that
// is wrong, the former trunks stay in force.
func (d *Dialer) SetTrunks(trunks map[outdial.TrunkID]Trunk) error {
	rs, err := newRoutes(trunks, hostOf(d.sentBy), d.cfg.TLS)
	if err != nil {
		return fmt.Errorf("siptrunk: %w", err)
	}
	d.routes.Store(rs)
	return nil
}

// LocalAddr returns the address of the socket.
func (d *Dialer) LocalAddr() netip.AddrPort { return d.local }

// Advertised returns the "host:port" that Via and Contact name, an IPv6 address in brackets: that of Config.Advertise,
// completed by the socket's port, or else the address of the socket. It never changes.
func (d *Dialer) Advertised() string { return d.sentBy }

// Names returns every "host:port" that our requests name in Via, for a host that looks for loops.
func (d *Dialer) Names() []string {
	var all []string
	for _, of := range d.selves {
		for _, s := range of {
			if !slices.Contains(all, s.sentBy) {
				all = append(all, s.sentBy)
			}
		}
	}
	return all
}

// Run serves the socket until ctx ends. Then it refuses new attempts, hangs up the legs that are left, waits up to
// Config.Grace for them to be over, reports the end of those that are not, closes the socket, and returns when
// everything that the Dialer started is over. It returns nil then, and an error when the socket failed before.
// A Dialer runs once.
func (d *Dialer) Run(ctx context.Context) error {
	if d.ran.Swap(true) {
		return ErrRunning
	}
	sockets := d.sockets()
	running := len(sockets) + len(d.listeners)
	served := make(chan error, running)
	for _, c := range sockets {
		go func() { served <- d.server.ServeUDP(c) }()
	}
	for i := range d.listeners {
		if l := &d.listeners[i]; l.bound != nil {
			go func() { served <- l.serve(d.streams) }()
		} else {
			running--
		}
	}
	var err error
	select {
	case <-ctx.Done():
		d.Drain()
		d.each((*Leg).shutDown)
		d.awaitIdle(d.cfg.Grace)
	case err = <-served:
		if !d.isClosed() {
			err = errors.Join(errors.New("siptrunk: the socket failed"), err)
		}
		served <- nil
	}
	closeErr := d.Close()
	for range running {
		<-served
	}
	if e := d.ua.Close(); e != nil && err == nil {
		err = fmt.Errorf("siptrunk: %w", e)
	}
	return errors.Join(err, closeErr)
}

// Drain refuses new attempts from now on. Legs that live go on; Wait tells when there are none.
func (d *Dialer) Drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining = true
}

// Live is the number of legs that are not over.
func (d *Dialer) Live() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.live
}

// Wait returns nil when no leg lives, or the error of ctx. Call Drain first, or new legs prolong it.
func (d *Dialer) Wait(ctx context.Context) error {
	select {
	case <-d.whenIdle():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes the socket at once and ends the legs that are left without a word to their carriers; their ends are
// reported before Close returns, so a sink must not call it. A Run under way returns. Ending the context of Run is the graceful way.
func (d *Dialer) Close() error {
	d.mu.Lock()
	d.draining = true
	d.mu.Unlock()
	d.each((*Leg).kill)
	<-d.whenIdle()
	d.mu.Lock()
	if !d.closed {
		close(d.stopped)
	}
	d.closed = true
	left := d.parties
	d.parties = map[string]party{}
	d.mu.Unlock()
	d.tasks.Wait()
	d.crew.Close()
	for _, p := range left {
		if l, ok := p.(*Leg); ok {
			l.forget()
		}
	}
	return d.closeSockets()
}

func (d *Dialer) sockets() []*conn {
	if d.second != nil {
		return []*conn{d.conn, d.second}
	}
	return []*conn{d.conn}
}

// closeSockets closes what New opened.
func (d *Dialer) closeSockets() error {
	var errs []error
	if d.streams != nil {
		errs = append(errs, d.streams.Close())
	}
	for i := range d.listeners {
		if b := d.listeners[i].bound; b != nil {
			_ = b.Close() // the streams have, where it was served
		}
	}
	for _, c := range d.sockets() {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Stats are counts since New, and the size of the tables now.
type Stats struct {
	Live       int    // legs that are not over
	Parties    int    // legs and pings that responses are matched with; a leg stays for 32 s after its end
	Strangers  uint64 // datagrams dropped unread: their source is no trunk
	Malformed  uint64 // responses dropped: they do not parse
	Unmatched  uint64 // responses dropped: they belong to nothing
	ReadErrors uint64 // failed reads of the socket

	Conns     int    // connections that are open
	Accepted  uint64 // connections that carriers opened
	Dialled   uint64 // connections that attempts opened
	Failed    uint64 // … and could not
	Unwelcome uint64 // connections that were not accepted: their source is no trunk, or there were too many
	HalfOpen  uint64 // connections closed because no whole message came in time
	Idle      uint64 // connections closed because no message went either way for long
	Slow      uint64 // connections closed because the carrier did not read
	Unframed  uint64 // connections closed because what came is no SIP
}

// Stats returns the counts.
func (d *Dialer) Stats() Stats {
	d.mu.RLock()
	live, parties := d.live, len(d.parties)
	d.mu.RUnlock()
	c := d.streams.Stats()
	s := Stats{
		Live: live, Parties: parties, Unmatched: d.unknown.Load(),
		Conns: c.Open, Accepted: c.Accepted, Dialled: c.Dialled, Failed: c.Failed, Unwelcome: c.Strangers + c.Excess,
		HalfOpen: c.HalfOpen, Idle: c.Idle, Slow: c.Slow, Unframed: c.Malformed,
	}
	for _, c := range d.sockets() {
		s.Strangers += c.dropped.Load()
		s.Malformed += c.malformed.Load()
		s.ReadErrors += c.readErrors.Load()
	}
	return s
}
