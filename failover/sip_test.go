package failover_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// field is an engine that calls over SIP to carriers on an in-memory network, in a bubble of fake time.
type field struct {
	t        *testing.T
	network  *siptest.Network
	carriers []*siptest.Carrier
	dialer   *siptrunk.Dialer
	s        *failover.Selector
	engine   *outdial.Engine
	began    time.Time
	stop     context.CancelFunc
	running  sync.WaitGroup
	calls    sync.WaitGroup

	mu     sync.Mutex
	placed []*placedCall
}

// placedCall is what became of a call.
type placedCall struct {
	at       time.Time
	answered time.Duration // after at; 0 = it was not
	attempts []outdial.Attempt
}

const fieldDialer = "10.0.0.100:5060"

func fieldCarrier(i int) string { return fmt.Sprintf("10.0.0.%d:5060", i+1) }

// answers is how a healthy carrier treats a call: it rings after 50 ms, is answered after 200 ms more, and talks for a second.
var answers = siptest.Behaviour{Script: siptest.Answer(50*time.Millisecond, 200*time.Millisecond, time.Second)}

func newField(t *testing.T, cfg failover.Config, weights []uint32, behaviours ...siptest.Behaviour) *field {
	f := &field{t: t, began: time.Now()}
	var err error
	f.network, err = siptest.NewNetwork(siptest.NetworkConfig{Link: siptest.Link{Latency: 2 * time.Millisecond}})
	require.NoError(t, err)
	trunks := map[outdial.TrunkID]siptrunk.Trunk{}
	var plan outdial.Plan
	for i, b := range behaviours {
		conn, err := f.network.Listen(fieldCarrier(i))
		require.NoError(t, err)
		c, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: conn, Behaviour: b})
		require.NoError(t, err)
		f.carriers = append(f.carriers, c)
		id := outdial.TrunkID(i + 1)
		trunks[id] = siptrunk.Trunk{Addr: fieldCarrier(i)}
		plan = append(plan, outdial.Candidate{Trunk: id, Weight: weights[i]})
	}
	conn, err := f.network.Listen(fieldDialer)
	require.NoError(t, err)
	sdp := siptest.SDP(netip.MustParseAddrPort("10.0.0.100:40000"))
	f.s = newSelector(t, cfg)
	f.dialer, err = siptrunk.New(siptrunk.Config{
		Conn: conn, Trunks: trunks, Offer: func(*outdial.Attempt) []byte { return sdp }, Headers: f.s.Headers(),
	})
	require.NoError(t, err)
	f.engine, err = outdial.New(outdial.Config{Router: plan, Failover: f.s})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.running.Go(func() { require.NoError(t, f.dialer.Run(ctx)) })
	f.running.Go(func() { f.ping(ctx) })
	return f
}

// ping is what a host does with DuePings.
func (f *field) ping(ctx context.Context) {
	var sent sync.WaitGroup
	defer sent.Wait()
	for ctx.Err() == nil {
		due, _ := f.s.DuePings(time.Now(), nil)
		for _, trunk := range due {
			sent.Go(func() {
				asking, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				code, _, err := f.dialer.Ping(asking, trunk)
				if err != nil {
					code = 0
				}
				f.s.Pinged(time.Now(), trunk, code)
			})
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// call places calls at a constant rate for a while.
func (f *field) call(rate int, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second / time.Duration(rate)) {
		p := &placedCall{at: time.Now()}
		f.mu.Lock()
		f.placed = append(f.placed, p)
		f.mu.Unlock()
		f.calls.Go(func() {
			placed, err := f.engine.Place(context.Background(), outdial.Call{To: callee}, f.dialer)
			require.NoError(f.t, err)
			if _, ok := placed.Answered(); ok {
				p.answered = time.Since(p.at)
				time.Sleep(1500 * time.Millisecond) // the carrier hangs up before that, unless its BYE is lost
			}
			placed.Hangup()
			require.NoError(f.t, placed.Wait(context.Background()))
			p.attempts = placed.Attempts()
		})
	}
}

// end waits for every call and every transaction, and closes everything.
func (f *field) end() {
	f.calls.Wait()
	for _, c := range f.carriers {
		require.NoError(f.t, f.network.Heal(fieldDialer, c.Addr().String()))
	}
	siptest.Drain()
	f.stop()
	f.running.Wait()
	for _, c := range f.carriers {
		require.NoError(f.t, c.Close())
	}
}

// silence cuts a carrier off, both ways.
func (f *field) silence(i int) { require.NoError(f.t, f.network.Cut(fieldDialer, fieldCarrier(i))) }

func (f *field) restore(i int) { require.NoError(f.t, f.network.Heal(fieldDialer, fieldCarrier(i))) }

// score sums up the calls placed from a moment on.
func (f *field) score(from time.Time) (lost, delayed, twice int, longest time.Duration) {
	for _, p := range f.placed {
		if p.at.Before(from) {
			continue
		}
		answers := 0
		for i := range p.attempts {
			if p.attempts[i].Answered() && !p.attempts[i].Late {
				answers++
			}
		}
		if answers > 1 {
			twice++
		}
		if p.answered == 0 {
			lost++
			continue
		}
		if len(p.attempts) > 1 {
			delayed++
			longest = max(longest, p.answered-260*time.Millisecond)
		}
	}
	return lost, delayed, twice, longest
}

// bubble runs a scenario in fake time.
func bubble(t *testing.T, cfg failover.Config, weights []uint32, f func(*field), behaviours ...siptest.Behaviour) {
	synctest.Test(t, func(t *testing.T) {
		x := newField(t, cfg, weights, behaviours...)
		defer x.end()
		f(x)
	})
}

// TestBlackHole: a carrier with 95 % of ten calls a second falls silent. No call is lost, at most 12 are delayed, each by
// 1.3 s at most. It returns after 40 s: that is noticed within 12 s, it has its full share within 60 s more, and at most
// 3 calls failed for being tried there.
func TestBlackHole(t *testing.T) {
	phases := []time.Duration{30 * time.Millisecond} // of the fault, between two calls
	if os.Getenv("OUTDIAL_MONTECARLO") == "1" {
		phases = []time.Duration{0, 30 * time.Millisecond, 90 * time.Millisecond}
	}
	for _, phase := range phases {
		t.Run(phase.String(), func(t *testing.T) {
			bubble(t, failover.Config{}, []uint32{95, 5}, func(f *field) {
				f.call(10, 5*time.Second)
				broken := time.Now()
				time.Sleep(phase)
				f.silence(0)
				f.call(10, 40*time.Second)
				back := time.Now()
				f.restore(0)
				f.call(10, 50*time.Second)
				f.calls.Wait()
				time.Sleep(30 * time.Second)
				lost, delayed, twice, longest := f.score(broken)
				require.Zero(t, lost)
				require.Zero(t, twice)
				require.LessOrEqual(t, delayed, 12+3)
				require.LessOrEqual(t, longest, 1300*time.Millisecond)

				first, probes := 0, 0
				for _, p := range f.placed {
					if p.at.Before(broken) || len(p.attempts) < 2 {
						continue
					}
					if p.at.Sub(broken) < 3*time.Second {
						first++
					} else {
						probes++
					}
				}
				require.LessOrEqual(t, first, 12)
				require.LessOrEqual(t, probes, 3, "calls that failed for being tried there")

				i := f.s.Incidents(time.Now())[0]
				require.LessOrEqual(t, i.Noticed.Sub(back), 12*time.Second)
				require.LessOrEqual(t, i.Recovered.Sub(i.Noticed), time.Minute)
				require.Positive(t, i.Recovered.Sub(back))
				t.Logf("%d delayed, by %v at most, %d by probes; noticed after %v, full share %v later", first, longest, probes,
					i.Noticed.Sub(back), i.Recovered.Sub(i.Noticed))
			}, answers, answers)
		})
	}
}

// worst is the worst state of a trunk, as a whole or to a destination group.
func (f *field) worst(trunk outdial.TrunkID) (state failover.State) {
	for _, st := range f.s.Snapshot(time.Now()) {
		if st.Trunk == trunk {
			state = max(state, st.State)
		}
	}
	return state
}

// TestFaultsOverSIP: whatever one of two carriers does, no call is lost, and each is answered once.
func TestFaultsOverSIP(t *testing.T) {
	for name, c := range map[string]struct {
		first   siptest.Behaviour
		fault   func(*field)
		state   failover.State
		delayed int           // calls that needed a second attempt, at most
		least   int           // … and at least
		longest time.Duration // delay, at most
	}{
		"dead": { // nothing leaves the host: it costs no time, and nobody is to blame
			answers, func(f *field) { require.NoError(f.t, f.network.SetRefused(fieldCarrier(0), true)) }, failover.Up, 150, 6, 0,
		},
		"silent": {answers, func(f *field) { f.silence(0) }, failover.Out, 15, 6, 1300 * time.Millisecond},
		"503":    {siptest.Behaviour{Script: siptest.Unavailable(0)}, nil, failover.Out, 14, 6, 10 * time.Millisecond},
		"503 with Retry-After": {
			siptest.Behaviour{Script: siptest.Unavailable(40 * time.Second)}, nil, failover.Suspended, 2, 1, 10 * time.Millisecond,
		},
		"capped, and it says so in a header": {
			siptest.Behaviour{Script: siptest.Reject(503, "", siptest.Header{Name: "Warning", Value: `370 sbc "Insufficient bandwidth"`})},
			nil, failover.Up, 150, 60, 10 * time.Millisecond,
		},
		"capped": {siptest.Behaviour{Script: answers.Script, MaxChannels: 2}, nil, failover.Up, 150, 20, 10 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, failover.Config{}, []uint32{50, 50}, func(f *field) {
				if c.fault != nil {
					f.call(10, 5*time.Second)
					time.Sleep(time.Second)
					c.fault(f)
				}
				from := time.Now()
				f.call(10, 15*time.Second)
				state := f.worst(1)
				f.calls.Wait()
				lost, delayed, twice, longest := f.score(from)
				require.Zero(t, lost)
				require.Zero(t, twice)
				require.LessOrEqual(t, delayed, c.delayed)
				require.GreaterOrEqual(t, delayed, c.least)
				require.LessOrEqual(t, longest, c.longest)
				require.Equal(t, c.state, state)
			}, c.first, answers)
		})
	}
}

// TestFlappingOverSIP: a carrier that is silent for 3 s and well for 3 s, over and over, is taken back once a minute at most.
func TestFlappingOverSIP(t *testing.T) {
	bubble(t, failover.Config{}, []uint32{50, 50}, func(f *field) {
		const long = 150 * time.Second
		end := time.Now().Add(long)
		var returns []time.Time
		before := failover.Up
		f.running.Go(func() {
			for time.Now().Before(end) {
				state := f.worst(1)
				if state == failover.Ramping && before != failover.Ramping {
					returns = append(returns, time.Now())
				}
				before = state
				time.Sleep(200 * time.Millisecond)
			}
		})
		f.running.Go(func() {
			for time.Now().Before(end) {
				time.Sleep(3 * time.Second)
				f.silence(0)
				time.Sleep(3 * time.Second)
				f.restore(0)
			}
		})
		f.call(5, long)
		f.calls.Wait()
		lost, _, twice, longest := f.score(f.began)
		require.Zero(t, lost)
		require.Zero(t, twice)
		require.LessOrEqual(t, longest, 1300*time.Millisecond)
		require.LessOrEqual(t, len(returns), 3, "%v", returns)
		for i, at := range returns {
			if i > 0 {
				require.GreaterOrEqual(t, at.Sub(returns[i-1]), 59*time.Second)
			}
		}
	}, answers, answers)
}

// TestLateAnswerOverSIP: an answer that crosses the CANCEL of an abandoned leg. Exactly one leg is up in the end.
func TestLateAnswerOverSIP(t *testing.T) {
	late := siptest.Behaviour{Script: siptest.Play(siptest.Respond(1100*time.Millisecond, 200))}
	quick := siptest.Behaviour{Script: siptest.Answer(10*time.Millisecond, 500*time.Millisecond, 5*time.Second)}
	bubble(t, failover.Config{KeepWarm: -1}, []uint32{0, 0}, func(f *field) {
		f.call(1, time.Second)
		time.Sleep(time.Second)
		require.Zero(t, f.carriers[0].Stats().Channels, "the late one was ended")
		require.Equal(t, 1, f.carriers[0].Stats().ByesReceived)
		require.Equal(t, 1, f.carriers[1].Stats().Channels)
		f.calls.Wait()
		lost, delayed, twice, _ := f.score(f.began)
		require.Equal(t, [3]int{0, 1, 0}, [3]int{lost, delayed, twice})
		require.True(t, f.placed[0].attempts[0].Late)
		require.False(t, f.placed[0].attempts[1].Late)
	}, late, quick)
}

// TestLastOfTheRestIsFull: a carrier is silent for longer than T100, and the channels of the other are all taken. The call is
// not given up: its INVITE is repeated, and the answer is not late.
func TestLastOfTheRestIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newField(t, failover.Config{KeepWarm: -1}, []uint32{0, 0}, answers, answers)
		defer f.end()
		ids := named("first", "second")
		room, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "first"}, {Name: "second", Channels: 1}}})
		require.NoError(t, err)
		_, _, err = room.Acquire(time.Now(), &outdial.Call{To: callee, ID: 1}, &outdial.Candidate{Trunk: 2})
		require.NoError(t, err)
		plan := outdial.Plan{{Trunk: 1}, {Trunk: 2}}
		f.engine, err = outdial.New(outdial.Config{IDs: ids, Router: plan, Failover: f.s, Trunks: room})
		require.NoError(t, err)
		f.silence(0)
		f.running.Go(func() {
			time.Sleep(2 * time.Second)
			f.restore(0)
		})
		f.call(1, time.Second)
		f.calls.Wait()
		lost, _, twice, _ := f.score(f.began)
		require.Equal(t, [2]int{}, [2]int{lost, twice})
		a := f.placed[0].attempts
		require.Len(t, a, 1)
		require.True(t, a[0].Last)
		require.False(t, a[0].Late)
		require.Greater(t, f.placed[0].answered, 2*time.Second)
		require.Less(t, f.placed[0].answered, 4*time.Second)
	})
}
