package siptrunk_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	carrierAddr = "10.0.0.1:5060"
	dialerAddr  = "10.0.0.2:5060"
	ms          = time.Millisecond
)

var (
	callee = outdial.MustNumber("+12125550123")
	cli    = outdial.MustNumber("+13035550100")
	offer  = siptest.SDP(netip.MustParseAddrPort("10.0.0.2:40000"))
)

func attempt() *outdial.Attempt {
	return &outdial.Attempt{
		ID: outdial.AttemptID{Call: 7, Leg: 1}, Call: outdial.Call{To: callee}, Candidate: outdial.Candidate{Trunk: 1}, CLI: cli,
	}
}

// A world is one dialer and one carrier.
type world struct {
	t       *testing.T
	network *siptest.Network // nil on real sockets
	carrier *siptest.Carrier
	conn    *siptest.Conn // the carrier's socket, to send more than its script says
	dialer  *siptrunk.Dialer
	stop    context.CancelFunc
	ran     chan error

	mu sync.Mutex // guards what catch collects
}

func newWorld(t *testing.T, b siptest.Behaviour, change func(*siptrunk.Config, *siptrunk.Trunk)) *world {
	t.Helper()
	network, err := siptest.NewNetwork(siptest.NetworkConfig{})
	require.NoError(t, err)
	carrierConn, err := network.Listen(carrierAddr)
	require.NoError(t, err)
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: carrierConn, Behaviour: b})
	require.NoError(t, err)
	conn, err := network.Listen(dialerAddr)
	require.NoError(t, err)
	w := &world{t: t, network: network, carrier: carrier, conn: carrierConn}
	w.run(siptrunk.Config{Conn: conn}, carrierAddr, change)
	return w
}

// patience is how long a carrier on the wall clock is waited for: a busy machine may stand still for long.
const patience = 30 * time.Second

func realWorld(t *testing.T, b siptest.Behaviour, change func(*siptrunk.Config, *siptrunk.Trunk)) *world {
	t.Helper()
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: b})
	require.NoError(t, err)
	w := &world{t: t, carrier: carrier}
	patient := func(cfg *siptrunk.Config, tr *siptrunk.Trunk) {
		tr.T100, tr.PDDTimer = patience, patience
		if change != nil {
			change(cfg, tr)
		}
	}
	w.run(siptrunk.Config{ListenAddr: "127.0.0.1:0"}, carrier.Addr().String(), patient)
	return w
}

func (w *world) run(cfg siptrunk.Config, addr string, change func(*siptrunk.Config, *siptrunk.Trunk)) {
	w.t.Helper()
	trunk := siptrunk.Trunk{Addr: addr}
	cfg.Offer = func(*outdial.Attempt) []byte { return offer }
	if change != nil {
		change(&cfg, &trunk)
	}
	cfg.Trunks = map[outdial.TrunkID]siptrunk.Trunk{1: trunk}
	var err error
	w.dialer, err = siptrunk.New(cfg)
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	w.stop, w.ran = stop, make(chan error, 1)
	go func() { w.ran <- w.dialer.Run(ctx) }()
}

// watch shows f every datagram, one at a time; true drops it.
func (w *world) watch(f func(from, to netip.AddrPort, payload []byte) bool) {
	var mu sync.Mutex
	w.network.SetFilter(func(from, to netip.AddrPort, payload []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		return f(from, to, payload)
	})
}

// fromCarrier sends text from the carrier's address, and waits until it is worked off (in a bubble).
func (w *world) fromCarrier(text []byte) {
	w.t.Helper()
	_, err := w.conn.WriteToUDPAddrPort(text, netip.MustParseAddrPort(dialerAddr))
	require.NoError(w.t, err)
	synctest.Wait()
}

func (w *world) close() {
	w.t.Helper()
	w.stop()
	require.NoError(w.t, <-w.ran)
	require.NoError(w.t, w.carrier.Close())
}

// bubble runs f on an in-memory network under a fake clock.
func bubble(t *testing.T, s siptest.Script, change func(*siptrunk.Config, *siptrunk.Trunk), f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, siptest.Behaviour{Script: s}, change)
		defer w.close()
		f(t, w)
	})
}

// A call is a leg and what it reported.
type call struct {
	*siptrunk.Leg
	start time.Time
	ended chan struct{}

	mu     sync.Mutex
	events []siptrunk.Event
	answer func(c *call) // called at the answer, if set
}

func (w *world) invite(opts siptrunk.InviteOptions) *call {
	w.t.Helper()
	return w.inviteWith(opts, nil)
}

func (w *world) inviteWith(opts siptrunk.InviteOptions, answer func(*call)) *call {
	w.t.Helper()
	return w.inviteAttempt(attempt(), opts, answer)
}

func (w *world) inviteAttempt(a *outdial.Attempt, opts siptrunk.InviteOptions, answer func(*call)) *call {
	w.t.Helper()
	if opts.Offer == nil {
		opts.Offer = offer
	}
	c := &call{start: time.Now(), ended: make(chan struct{}), answer: answer}
	ready := make(chan struct{})
	var err error
	c.Leg, err = w.dialer.Invite(w.t.Context(), a, opts, func(ev siptrunk.Event) {
		<-ready
		c.mu.Lock()
		c.events = append(c.events, ev)
		c.mu.Unlock()
		switch ev.Kind {
		case outdial.ReportAnswer:
			if c.answer != nil {
				c.answer(c)
			}
		case outdial.ReportEnd:
			close(c.ended)
		}
	})
	require.NoError(w.t, err)
	close(ready)
	return c
}

func (c *call) all() []siptrunk.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]siptrunk.Event(nil), c.events...)
}

func (c *call) wait() []siptrunk.Event {
	<-c.ended
	return c.all()
}

// result is that of the end.
func (c *call) result() outdial.Result {
	evs := c.wait()
	return evs[len(evs)-1].Result
}

// trace is every report in a line of text: when, what, and what of it matters.
func (c *call) trace() []string {
	var out []string
	for _, ev := range c.wait() {
		s := fmt.Sprintf("%v %s", ev.Time.Sub(c.start), ev.Kind)
		switch ev.Kind {
		case outdial.ReportProgress:
			var marks []string
			for m := outdial.MarkInvite; m <= outdial.MarkEnd; m++ {
				if ev.Marks.Has(m) {
					marks = append(marks, m.String())
				}
			}
			s += " " + strings.Join(marks, "+")
		case outdial.ReportAbandon, outdial.ReportEnd:
			s += " " + ev.Result.Origin.String()
			if ev.Result.Code != 0 {
				s += fmt.Sprintf(" %d", ev.Result.Code)
			}
		}
		out = append(out, s)
	}
	return out
}
