package decide_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/decide"
	"github.com/outdial/outdial/internal/siptest"
)

// fate is how carriers answer a callee, by the trunk and the last digit: what is rejected differs from trunk to trunk.
func fate(trunk string, to outdial.Number) (code int, phrase string) {
	last := uint64(to) % 10
	switch {
	case trunk == "first" && last%3 == 0, trunk == "second" && last == 6:
		return 503, "Service Unavailable"
	case trunk == "second" && last == 4, trunk == "first" && last == 8:
		return 486, "Busy Here"
	case trunk == "third" && last == 6:
		return 404, "Not Found"
	}
	return 200, "OK"
}

// decisions is what an observer has seen of a set of calls: every attempt, with what it was chosen for and what became of it.
type decisions struct {
	mu   sync.Mutex
	ids  *outdial.Registry
	list []string
}

func (d *decisions) Observe(ev *outdial.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch a := ev.Attempt; ev.Kind {
	case outdial.EventRefused:
		d.list = append(d.list, fmt.Sprintf("%v refused: %s %s", a.Call.To, ev.RefusalStage, ev.Refusal))
	case outdial.EventStarted:
		d.list = append(d.list, fmt.Sprintf("%v leg %d: %s from %v, tier %d, by %s with %g, last %v, program %s, campaign %s, mode %v", a.Call.To, a.ID.Leg,
			d.ids.Trunks.Name(a.Candidate.Trunk), a.CLI, a.Candidate.Tier, a.Choice.Why, a.Choice.Probability, a.Last,
			d.ids.Programs.Name(a.Call.Program), d.ids.Campaigns.Name(a.Call.Campaign), a.Call.Mode))
	case outdial.EventEnded:
		d.list = append(d.list, fmt.Sprintf("%v leg %d: %v %d", a.Call.To, a.ID.Leg, a.Result.Origin, a.Result.Code))
	}
}

// calledSet is whom the calls are for: as they are dialled, with some that the policy refuses.
func calledSet() (all []string) {
	for i := range 60 {
		all = append(all, fmt.Sprintf("+12125550%03d", 100+7*i%90))
		if i%20 == 9 {
			all = append(all, "+19005550123")
		}
	}
	return all
}

// The same calls get the same decisions through Go, through HTTP and through SIP: trunks, caller IDs, the order of legs, and what follows a
// failure.
func TestThreeDoors(t *testing.T) {
	through := map[string][]string{}
	for name, door := range map[string]func(*doors, *testing.T){"go": (*doors).throughGo, "http": (*doors).throughHTTP, "sip": (*doors).throughSIP} {
		synctest.Test(t, func(t *testing.T) { through[name] = newDoors(t).run(t, door) })
	}
	require.Greater(t, len(through["go"]), 150)
	require.Equal(t, through["go"], through["http"])
	require.Equal(t, through["go"], through["sip"])
}

// doors is a proxy on an in-memory network, with three carriers.
type doors struct {
	proxy  *b2bua.Proxy
	seen   *decisions
	caller *siptest.Caller
	close  []func() error
}

func newDoors(t *testing.T) *doors {
	t.Helper()
	network, err := siptest.NewNetwork(siptest.NetworkConfig{})
	require.NoError(t, err)
	listen := func(addr string) *siptest.Conn {
		conn, err := network.Listen(addr)
		require.NoError(t, err)
		return conn
	}
	d := &doors{seen: new(decisions)}
	for i, trunk := range []string{"first", "second", "third"} {
		c, err := siptest.StartCarrier(siptest.CarrierConfig{
			Conn: listen(fmt.Sprintf("10.0.1.%d:5060", i+1)),
			Behaviour: siptest.Behaviour{Choose: func(inv siptest.Invite) siptest.Script {
				to, _ := outdial.ParseDigits(inv.To[len(inv.To)-11:])
				if code, phrase := fate(trunk, to); code != 200 {
					return siptest.Reject(code, phrase)
				}
				return siptest.Answer(0, 0, 0)
			}},
		})
		require.NoError(t, err)
		d.close = append(d.close, c.Close)
	}
	d.caller, err = siptest.StartCaller(siptest.CallerConfig{Conn: listen("10.0.0.2:5060")})
	require.NoError(t, err)
	d.close = append(d.close, d.caller.Close)
	d.proxy, err = b2bua.New(configuration(t, "10.0.1.1:5060", "10.0.1.2:5060", "10.0.1.3:5060"), b2bua.Options{
		DialerConn: listen("10.0.0.1:5060"), CarrierConn: listen("10.0.0.1:5080"), Observers: []outdial.Observer{d.seen},
	})
	require.NoError(t, err)
	d.seen.ids = d.proxy.IDs()
	return d
}

func (d *doors) run(t *testing.T, door func(*doors, *testing.T)) []string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- d.proxy.Run(ctx) }()
	door(d, t)
	stop()
	require.NoError(t, <-ran)
	for _, f := range d.close {
		require.NoError(t, f())
	}
	return d.seen.list
}

// between is the time from one call to the next: the same through every door.
const between = 100 * time.Millisecond

// at waits until it is a call's turn.
func at(start time.Time, i int) { time.Sleep(time.Until(start.Add(time.Duration(i) * between))) }

func (d *doors) throughSIP(t *testing.T) {
	start := time.Now()
	for i, to := range calledSet() {
		at(start, i)
		_, err := d.caller.Call(context.Background(), d.proxy.Addr().String(), siptest.CallerCall{To: to, HangupAfter: 10 * time.Millisecond})
		require.NoError(t, err)
	}
}

func (d *doors) throughHTTP(t *testing.T) {
	s, err := decide.New(decide.Config{Proxy: d.proxy})
	require.NoError(t, err)
	_, router := contract(t)
	w := &world{t: t, proxy: d.proxy, server: s, api: s.Handler(), router: router, seen: map[string]bool{}}
	start := time.Now()
	for i, to := range calledSet() {
		at(start, i)
		a := w.post("/v1/decide", fmt.Sprintf(`{"key":"%d","to":%q,"dialer":"test"}`, i, to))
		for a.Action == "dial" {
			code, phrase := fate(a.Trunk, outdial.MustNumber(to))
			if code == 200 {
				w.post("/v1/calls/"+a.Token+"/progress", fmt.Sprintf(`{"leg":%d,"code":200}`, a.Leg)).want(200, "connect")
				time.Sleep(10 * time.Millisecond)
				w.outcome(a, a.Leg, `,"origin":"caller_hangup"`)
				break
			}
			a = w.outcome(a, a.Leg, fmt.Sprintf(`,"code":%d,"phrase":%q`, code, phrase))
		}
	}
}

func (d *doors) throughGo(t *testing.T) {
	start := time.Now()
	for i, to := range calledSet() {
		at(start, i)
		call, err := d.proxy.Call(b2bua.Demand{Dialer: "test", To: to})
		require.NoError(t, err)
		placed, err := d.proxy.Engine().Place(t.Context(), call, fated{d.proxy})
		if err != nil {
			continue
		}
		if _, answered := placed.Answered(); answered {
			time.Sleep(10 * time.Millisecond)
			placed.Hangup()
		}
		require.NoError(t, placed.Wait(t.Context()))
	}
}

// fated dials nobody: what becomes of a leg is known.
type fated struct{ p *b2bua.Proxy }

func (f fated) Dial(_ context.Context, a *outdial.Attempt, sink func(outdial.Report)) (outdial.Leg, error) {
	id := a.ID
	code, phrase := fate(f.p.IDs().Trunks.Name(a.Candidate.Trunk), a.Call.To)
	l := &fatedLeg{id, sink}
	go func() {
		if code == 200 {
			sink(outdial.Report{Attempt: id, Kind: outdial.ReportAnswer, Time: time.Now()})
			return
		}
		sink(outdial.Report{Attempt: id, Kind: outdial.ReportEnd, Time: time.Now(), Result: outdial.Result{
			Origin: outdial.OriginCarrier, Code: uint16(code), Phrase: phrase,
		}})
	}()
	return l, nil
}

type fatedLeg struct {
	id   outdial.AttemptID
	sink func(outdial.Report)
}

func (l *fatedLeg) Hangup() {
	go l.sink(outdial.Report{Attempt: l.id, Kind: outdial.ReportEnd, Time: time.Now(), Result: outdial.Result{Origin: outdial.OriginCallerHangup}})
}
