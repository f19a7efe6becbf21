package b2bua

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/crew"
	"github.com/outdial/outdial/internal/sipstream"
	"github.com/outdial/outdial/kpi/cdr"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// hangupGrace is how long Run waits for calls that it ends to be over on both sides.
const hangupGrace = 2 * time.Second

// ErrRunning says that the Proxy is running, or has run: it does so once.
var ErrRunning = errors.New("proxy: it is or was running")

// Options are what a Proxy is given besides its configuration. The zero value is for a program of its own.
type Options struct {
	Logger *slog.Logger // nil = silent
	// DialerConn and CarrierConn are the sockets to use; the Proxy owns and closes them. nil = listen on the
	// configured addresses.
	DialerConn, CarrierConn net.PacketConn
	Now                     func() time.Time // the clock; nil = time.Now
	// Observers see every event, live and replayed, after the packages' own.
	Observers []outdial.Observer
	// Resolve and ResolveSRV look up the names of trunks; see siptrunk.Config.
	Resolve    func(ctx context.Context, host string) ([]netip.Addr, error)
	ResolveSRV func(ctx context.Context, service, proto, domain string) ([]*net.SRV, error)
	// ListenStream and DialStream make the listeners and connections of TCP and TLS, on both sides. nil = the network's.
	ListenStream func(addr string) (net.Listener, error)
	DialStream   func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
}

// Proxy is the back-to-back user agent between dialers and carriers. Make it with New, serve it with Run. All methods
// are safe for concurrent use.
type Proxy struct {
	cfg      Config // as it was at the start
	log      *slog.Logger
	private  *private
	now      func() time.Time
	settings atomic.Pointer[settings]
	*parts
	journal  *cdr.Journal // nil = none
	found    cdr.Recovery
	saved    *checkpoint // until New is through with it
	recovery outdial.Recovery
	metrics  net.Listener // nil = none
	dialer   *siptrunk.Dialer
	links    []*link // towards dialers; the first one is the UDP socket of Config.Listen
	streams  *sipstream.Set
	capture  *capture // nil = none
	parser   *sip.Parser
	crew     crew.Crew[kit] // runs the calls
	nonces   *nonces

	names []string // what our Via names on all sides

	finished finished
	stats    counters
	tasks    sync.WaitGroup // calls
	ran      atomic.Bool
	draining atomic.Bool

	guests []Guest // set before Run
	alerts alerts
	lints  lints
	ended  ended

	reloading sync.Mutex // one change of the configuration at a time; guards what follows
	current   Loaded
	former    []former

	mu         sync.RWMutex // guards what follows; a few lines each time
	calls      map[string]*call
	redirected map[string]*call // by token
	upOf       map[string]int   // … of each dialer that has a limit, by name
	up         int              // calls that are not retired
	lingering  list.List        // of *call: retired ones, the oldest first
	idle       chan struct{}    // closed when the last call has left, if somebody waits
	closing    bool             // no call begins any more
}

// New builds everything from cfg, binds the sockets, opens the journal and replays it. Nothing is served before Run; a
// Proxy that is never run must be closed.
func New(cfg Config, opts Options) (_ *Proxy, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Proxy{
		cfg: cfg.withDefaults(), log: opts.Logger, now: opts.Now, parser: newParser(),
		calls: map[string]*call{}, redirected: map[string]*call{}, upOf: map[string]int{}, nonces: newNonces(),
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.private = newPrivate(p.cfg.Log)
	p.log = slog.New(redacting{p.log.Handler(), p.private})
	if p.now == nil {
		p.now = time.Now
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	past := past{observers: opts.Observers}
	if cfg.Journal.Dir != "" {
		past.open, past.saved = p.openJournal, p.readSaved
		past.warn = func(section string, err error) { p.log.Warn("checkpoint not used", "of", section, "error", err) }
	}
	if p.parts, err = p.cfg.assemble(past, p.now); err != nil {
		return nil, err
	}
	set, err := p.cfg.settings(p.ids)
	if err != nil {
		return nil, err
	}
	p.settings.Store(set)
	p.current = Loaded{Version: cfg.version, Time: p.now(), Actor: "file", Reason: "the proxy was started"}
	if err = errors.Join(p.bind(opts), p.listenMetrics()); err != nil {
		return nil, err
	}
	var mark outdial.Waterline
	if p.saved != nil {
		mark = p.saved.Waterline
		p.saved = nil
	}
	if p.recovery, err = p.engine.RecoverFrom(p.now(), mark); err != nil {
		return nil, err
	}
	return p, nil
}

// openJournal opens the journal with the registry of the engine.
func (p *Proxy) openJournal(ids *outdial.Registry) (outdial.Journal, func(error), error) {
	cfg := cdr.Config{Dir: p.cfg.Journal.Dir, IDs: ids, SkipDamaged: p.cfg.Journal.SkipDamaged, Mapped: p.cfg.Journal.Append == "mapped"}
	if p.cfg.Journal.Sync == "group" {
		cfg.Sync = cdr.SyncGroup
	}
	j, found, err := cdr.Open(cfg)
	if err != nil {
		return nil, nil, err
	}
	p.journal, p.found = j, found
	failed := func(err error) {
		if p.stats.journalErrors.Add(1) == 1 { // one line: a full disk would fill the log too
			p.log.Error("journal", "error", err)
		}
	}
	return j, failed, nil
}

// bind opens the sockets.
func (p *Proxy) bind(opts Options) error {
	p.streams = p.newStreams(opts)
	if err := p.open(opts); err != nil {
		return err
	}
	sender, err := p.cfg.HEP.build()
	if err != nil {
		return &FieldError{"hep", err}
	}
	p.capture = newCapture(sender, p.now)
	common := p.cfg.CarrierStreams
	cfg := siptrunk.Config{
		Conn: opts.CarrierConn, Advertise: p.cfg.CarrierAdvertise, Trunks: p.cfg.interconnects(p.ids), Logger: p.log,
		DNS: siptrunk.DNS(p.cfg.DNS), DialStream: opts.DialStream, Streams: siptrunk.Streams{
			MaxConns: common.MaxConns, MaxPerSource: common.MaxPerSource, MessageTimeout: common.MessageTimeout,
			IdleTimeout: common.IdleTimeout, ConnectTimeout: common.ConnectTimeout, WriteTimeout: common.WriteTimeout,
		},
		Headers: p.selector.Headers(),
		Resolve: opts.Resolve, ResolveSRV: opts.ResolveSRV,
		Grace: -1, // Run has waited when it ends the Dialer
	}
	if p.capture != nil {
		for _, k := range p.links {
			k.tap = p.capture.dialer(k.sentBy, k.transport)
			if k.wire != nil {
				k.wire.tap = k.tap
			}
		}
		cfg.Trace = p.capture.carrier(p.cfg.CarrierAdvertise)
	}
	if cfg.Conn == nil {
		cfg.ListenAddr = p.cfg.CarrierListen
	}
	for i, l := range p.cfg.CarrierListeners {
		at := siptrunk.Listener{Transport: transports[l.Transport], Addr: l.Address, Advertise: l.Advertise, TLS: p.carrierTLS}
		if opts.ListenStream != nil && at.Transport != siptrunk.TransportUDP {
			if at.Listener, err = opts.ListenStream(l.Address); err != nil {
				return &FieldError{listenerPath("carrier_listeners", i, "address"), err}
			}
		}
		cfg.Listeners = append(cfg.Listeners, at)
	}
	if p.dialer, err = siptrunk.New(cfg); err != nil {
		return &FieldError{"carrier_listen", err}
	}
	for _, k := range p.links {
		p.names = append(p.names, k.sentBy)
	}
	p.names = append(p.names, p.dialer.Names()...)
	return nil
}

// Run serves until ctx is done. Then it refuses new calls with 503, waits for the live ones up to the configured
// DrainTimeout, ends what is left with BYE or CANCEL, and closes the sockets and the journal. It returns nil then,
// and an error when a socket failed or the journal could not be closed.
func (p *Proxy) Run(ctx context.Context) error {
	if p.ran.Swap(true) {
		return ErrRunning
	}
	background, stop := context.WithCancel(context.Background())
	defer stop()
	copies, stopCopies := context.WithCancel(context.Background()) // the last messages are copied too
	defer stopCopies()
	carriers, dialers := make(chan error, 1), make(chan error, 1)
	var clocks sync.WaitGroup
	go func() { carriers <- p.dialer.Run(background) }()
	go func() { dialers <- p.serve() }()
	clocks.Go(func() { _ = p.engine.Run(background) }) // its error is that of the context
	clocks.Go(func() { p.finished.sweep(background, p.now) })
	clocks.Go(func() { p.watch(background) })
	clocks.Go(func() { p.ping(background) })
	clocks.Go(func() { p.serveMetrics(background) })
	clocks.Go(func() { p.checkpoints(background) })
	if p.capture != nil {
		clocks.Go(func() { _ = p.capture.Run(copies) }) // it has no error
	}
	p.log.Info("serving", "dialers", p.Addr().String(), "carriers", p.CarrierAddr().String(), "replayed", p.recovery.Events,
		"unknown", p.recovery.Unknown, "cut", p.found.Cut)
	var err error
	select {
	case <-ctx.Done():
		p.drain()
	case err = <-carriers:
		err = errors.Join(errors.New("proxy: the carriers' socket failed"), err)
		carriers <- nil
		p.end()
	case err = <-dialers:
		err = errors.Join(errors.New("proxy: the dialers' socket failed"), err)
		dialers <- nil
		p.end()
	}
	stop() // ends the legs that are still there
	err = errors.Join(err, <-carriers)
	p.dismiss()
	p.tasks.Wait()
	p.crew.Close()
	err = errors.Join(err, p.closeLinks(), <-dialers)
	stopCopies()
	clocks.Wait()
	s := p.Stats()
	p.log.Info("ended", "calls", s.Calls, "answered", s.Answered, "lost", s.Lost, "malformed", s.Malformed, "repeated", s.Repeated,
		"strangers", s.Strangers)
	return errors.Join(err, p.closeJournal())
}

// Close closes what New opened, for a Proxy that is not run. A running one ends by its context.
func (p *Proxy) Close() error {
	if p.ran.Swap(true) {
		return ErrRunning
	}
	var errs []error
	errs = append(errs, p.closeLinks())
	if p.metrics != nil {
		errs = append(errs, p.metrics.Close())
	}
	if p.dialer != nil {
		errs = append(errs, p.dialer.Close())
	}
	return errors.Join(append(errs, p.closeJournal())...)
}

func (p *Proxy) closeJournal() error {
	if p.journal == nil {
		return nil
	}
	return p.journal.Close()
}
