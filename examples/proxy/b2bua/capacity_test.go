package b2bua_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

func TestNoCapacity(t *testing.T) {
	change := func(c *b2bua.Config) { c.Trunks[0].CPS, c.Trunks[1].CPS = 1, 1 }
	bubble(t, siptest.Answer(0, 0, 10*time.Second), siptest.Answer(0, 0, 10*time.Second), change, func(t *testing.T, w *world) {
		done := make(chan *siptest.CallResult, 2)
		for range 2 {
			go func() { done <- w.call(siptest.CallerCall{}) }()
		}
		time.Sleep(100 * ms)
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 503, r.Code())
		require.Equal(t, "1", r.Final.Header("Retry-After"))
		require.Equal(t, "cps", r.Final.Header("X-Outdial-Refusal"))
		require.Equal(t, 200, (<-done).Code())
		require.Equal(t, 200, (<-done).Code())
		w.settled()
		require.Equal(t, b2bua.Stats{Calls: 3, Answered: 2, Refused: 1}, w.proxy.Stats())
	})
}

// What the Session asks the proxy to wait for, it waits for.
func TestWaits(t *testing.T) {
	t.Run("smoothing", func(t *testing.T) {
		change := func(c *b2bua.Config) { c.Trunks[0].CPS, c.Trunks[0].Smooth = 2, 5*time.Second }
		bubble(t, siptest.Answer(0, 0, time.Second), siptest.Answer(0, 0, time.Second), change, func(t *testing.T, w *world) {
			done := make(chan time.Duration, 4)
			for range cap(done) {
				go func() { done <- w.call(siptest.CallerCall{}).AnsweredAt }()
			}
			sum := time.Duration(0)
			for range cap(done) {
				sum += <-done
			}
			require.Equal(t, 3*time.Second, sum, "0, 0.5, 1 and 1.5 s")
			require.Zero(t, w.second.Stats().Invites)
		})
	})
	t.Run("for room", func(t *testing.T) {
		change := func(c *b2bua.Config) {
			c.Trunks[0].CPS, c.Trunks[1].CPS = 1, 1
			c.Hunting.MaxWait = 2 * time.Second
		}
		bubble(t, siptest.Answer(0, 0, time.Second), siptest.Answer(0, 0, time.Second), change, func(t *testing.T, w *world) {
			done := make(chan time.Duration, 3)
			for range cap(done) {
				go func() { done <- w.call(siptest.CallerCall{}).AnsweredAt }()
			}
			sum := time.Duration(0)
			for range cap(done) {
				sum += <-done
			}
			require.InDelta(t, time.Second, sum, float64(5*ms), "one call waited for the next second")
		})
	})
	t.Run("cancelled while it waits", func(t *testing.T) {
		change := func(c *b2bua.Config) {
			c.Trunks[0].CPS, c.Trunks[0].Smooth = 1, 5*time.Second
		}
		bubble(t, siptest.Answer(0, 0, time.Second), siptest.Answer(0, 0, time.Second), change, func(t *testing.T, w *world) {
			go w.call(siptest.CallerCall{})
			time.Sleep(100 * ms)
			r := w.call(siptest.CallerCall{CancelAfter: 200 * ms})
			require.Equal(t, 487, r.Code())
			w.settled()
			require.Equal(t, 1, w.first.Stats().Invites)
		})
	})
}

// A dialer that does not acknowledge its refusals, however many, takes no room from calls, and not much of the memory.
func TestRefusedCallsTakeNoRoom(t *testing.T) {
	change := func(c *b2bua.Config) { c.MaxCalls = 2 }
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
		for range 20 {
			msg := invite(t, "INVITE sip:"+callee, "INVITE sip:911")
			require.Equal(t, "100 Trying", status(w.raw("10.0.0.2:7000", msg)))
		}
		synctest.Wait()
		require.Equal(t, b2bua.Stats{Calls: 20, Refused: 20, Live: 2}, b2bua.Stats{
			Calls: w.proxy.Stats().Calls, Refused: w.proxy.Stats().Refused, Live: w.proxy.Live(),
		})
		require.Equal(t, 200, w.call(siptest.CallerCall{}).Code())
		w.settled()
	})
}

// A call that was refused and forgotten for want of room is refused the same way again.
func TestForgottenCallIsRepeated(t *testing.T) {
	change := func(c *b2bua.Config) { c.MaxCalls = 1 }
	bubble(t, siptest.Silence(), siptest.Silence(), change, func(t *testing.T, w *world) {
		first := invite(t, "INVITE sip:"+callee, "INVITE sip:911")
		w.raw("10.0.0.2:7000", first)
		w.raw("10.0.0.2:7000", invite(t, "INVITE sip:"+callee, "INVITE sip:911"))
		synctest.Wait()
		require.Equal(t, 1, w.proxy.Live())
		require.Equal(t, "484 Address Incomplete", status(w.raw("10.0.0.2:7000", first)))
		require.Equal(t, uint64(2), w.proxy.Stats().Calls)
		w.settled()
	})
}

// The legs of a call that nobody was there for last half a minute; its dialer has its answer, and room for another call.
func TestSilentLegsTakeNoRoom(t *testing.T) {
	change := func(c *b2bua.Config) { c.MaxCalls = 1 }
	bubble(t, siptest.Silence(), siptest.Silence(), change, func(t *testing.T, w *world) {
		for range 3 { // with three times max_calls the memory's bound is reached
			require.Equal(t, 408, w.call(siptest.CallerCall{}).Code())
		}
		require.Equal(t, 3, w.proxy.Live())
		require.Equal(t, 503, w.call(siptest.CallerCall{}).Code())
		w.settled()
	})
}

// Who learns that a call is over has room for the next one at that moment: before the last response to its INVITE, or to its BYE, leaves.
func TestRoomBeforeTheLastResponse(t *testing.T) {
	for name, tt := range map[string]struct {
		script siptest.Script
		code   int
		last   func(msg []byte) bool
	}{
		"refused": {siptest.Reject(486, ""), 486, func(msg []byte) bool { return bytes.HasPrefix(msg, []byte("SIP/2.0 486")) }},
		"ended": {siptest.Answer(0, 0, time.Minute), 200, func(msg []byte) bool {
			return bytes.HasPrefix(msg, []byte("SIP/2.0 200")) && bytes.Contains(msg, []byte(" BYE\r\n"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var w *world
			asked, next := false, ""
			sends := func(msg []byte) {
				if tt.last(msg) && !asked {
					asked = true
					next = status(w.raw("10.0.0.2:7000", invite(t, "INVITE sip:"+callee, "INVITE sip:911")))
				}
			}
			opts := b2bua.Options{DialerConn: &hooked{sends: sends}}
			bubbleWith(t, tt.script, tt.script, func(c *b2bua.Config) { c.MaxCalls = 1 }, opts, func(t *testing.T, x *world) {
				w = x
				require.Equal(t, tt.code, w.call(siptest.CallerCall{HangupAfter: time.Second}).Code())
				w.settled()
				require.Equal(t, "100 Trying", next)
			})
		})
	}
}

// A call waits in the trunk's queue for the channel of another one, and nobody passes it.
func TestQueue(t *testing.T) {
	change := func(c *b2bua.Config) {
		c.Trunks = c.Trunks[:1]
		c.Routing.Rules[0].Tiers[0].Trunks = c.Routing.Rules[0].Tiers[0].Trunks[:1]
		c.Trunks[0].Channels = 1
		c.Trunks[0].Capacity.Queue = b2bua.Queue{Length: 5, Wait: 3 * time.Second}
		c.Hunting.MaxWait = 3 * time.Second
	}
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Answer(0, 0, time.Second), change, func(t *testing.T, w *world) {
		done := make(chan time.Duration, 3)
		for range cap(done) {
			go func() { done <- w.call(siptest.CallerCall{}).AnsweredAt }()
			time.Sleep(10 * ms)
		}
		require.Less(t, <-done, 100*ms)
		require.InDelta(t, time.Second, <-done, float64(150*ms))
		require.InDelta(t, 2*time.Second, <-done, float64(250*ms))
		w.settled()
		require.Equal(t, b2bua.Stats{Calls: 3, Answered: 3}, w.proxy.Stats())
		st := w.proxy.Trunks().Snapshot(time.Now())[0]
		require.Equal(t, uint64(2), st.Waiting.Served)
		require.Equal(t, 1, st.Peak)
	})
}

// What is wrong with the capacity of a trunk is said with its place in the file.
func TestCapacityIsChecked(t *testing.T) {
	load := func(capacity string) error {
		_, err := b2bua.Load("x.yaml", []byte("listen: 127.0.0.1:0\ncarrier_listen: 127.0.0.1:0\n"+
			"dialers: [{name: d, sources: [127.0.0.1]}]\n"+
			"trunks:\n- {name: a, address: 127.0.0.1, channels: 10, capacity: "+capacity+"}\n"+
			"routing: {rules: [{tiers: [{trunks: [{trunk: a}]}]}]}\n"))
		return err
	}
	require.ErrorContains(t, load("{burst: {from: nobody}}"), `x.yaml:5:`)
	err := load("{burst: {channels: 5}, floors: [{channels: 3}]}")
	for _, want := range []string{"x.yaml:5:", "trunks[0]: Burst.Channels: 5 is not more", "Burst.Budget: required", "Floors[0]: either"} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, load("{burst: {channels: 15, budget: 60m, price: 0.012, from: normal}, learning: report, queue: {length: 5}}"))
	require.ErrorContains(t, load("{learning: never}"), "want hold, report or off")
}

// The call above a trunk's channels is counted and told why it was refused, and the carrier sees nothing of it; at 80 % of them somebody is told.
func TestCallAboveTheChannels(t *testing.T) {
	const most = 60
	change := func(c *b2bua.Config) {
		c.Trunks = c.Trunks[:1]
		c.Routing.Rules[0].Tiers[0].Trunks = c.Routing.Rules[0].Tiers[0].Trunks[:1]
		c.Trunks[0].Channels, c.Trunks[0].Capacity.Reserve = most, -1
	}
	bubble(t, siptest.Answer(0, 0, time.Minute), siptest.Silence(), change, func(t *testing.T, w *world) {
		trunk := func() (alerts int, blocked uint64, saturation float64) {
			for _, a := range w.proxy.Alerts(0) {
				if a.Source == "trunk" && a.Kind == "saturated" && !a.Over {
					alerts++
				}
			}
			st := w.proxy.Trunks().Snapshot(time.Now())[0]
			return alerts, st.Blocked.Channels, st.Saturation
		}
		done := make(chan *siptest.CallResult, most)
		for i := range most {
			go func() { done <- w.call(siptest.CallerCall{}) }()
			if i == most*8/10-2 {
				time.Sleep(2 * time.Second)
				alerts, _, _ := trunk()
				require.Zero(t, alerts, "one call below it")
			}
		}
		time.Sleep(2 * time.Second)
		alerts, blocked, saturation := trunk()
		require.Equal(t, 1, alerts)
		require.Zero(t, blocked)
		require.InDelta(t, 1, saturation, 1e-9)

		r := w.call(siptest.CallerCall{})
		require.Equal(t, 503, r.Code())
		require.Equal(t, "channels", r.Final.Header("X-Outdial-Refusal"))
		require.NotEmpty(t, r.Final.Header("Retry-After"))
		_, blocked, _ = trunk()
		require.EqualValues(t, 1, blocked)
		require.Equal(t, most, w.first.Stats().Invites)
		for range most {
			require.Equal(t, 200, (<-done).Code())
		}
		w.settled()
		require.Equal(t, b2bua.Stats{Calls: most + 1, Answered: most, Refused: 1}, w.proxy.Stats())
	})
}
