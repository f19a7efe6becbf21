package siptest_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// fleet places n calls, one every gap (in a bubble) or all at once, and returns the results in the order of placing.
func (w *world) fleet(t *testing.T, n int, gap time.Duration, call siptest.CallerCall) []*siptest.CallResult {
	t.Helper()
	results, errs := make([]*siptest.CallResult, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i], errs[i] = w.caller.Call(t.Context(), w.target(), call) })
		if gap > 0 {
			time.Sleep(gap)
		}
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return results
}

func tally(results []*siptest.CallResult) map[string]int {
	m := make(map[string]int)
	for _, r := range results {
		m[fmt.Sprint(r.Code(), " ", r.Final.Phrase)]++
	}
	return m
}

func TestChannelCap(t *testing.T) {
	b := siptest.Behaviour{Script: siptest.Answer(0, 0, time.Second), MaxChannels: 3}
	bubble(t, siptest.NetworkConfig{}, b, func(t *testing.T, w *world) {
		require.Equal(t, map[string]int{"200 OK": 3, "403 User channel limit exceeded D1": 2}, tally(w.fleet(t, 5, 100*ms, siptest.CallerCall{})))
		require.Equal(t, 200, w.call(t, siptest.CallerCall{}).Code(), "the channels are free again")
		s := w.carrier.Stats()
		require.Equal(t, 3, s.PeakChannels)
		require.Equal(t, 2, s.ChannelsFull)
		require.Equal(t, 4, s.Answered)
		require.Zero(t, s.Channels)

		b.ChannelsFull = siptest.Step{Code: 480, Phrase: "All lines busy", Headers: []siptest.Header{siptest.Reason(34, "")}}
		b.MaxChannels = 1
		require.NoError(t, w.carrier.SetBehaviour(b))
		require.Equal(t, map[string]int{"200 OK": 1, "480 All lines busy": 1}, tally(w.fleet(t, 2, 100*ms, siptest.CallerCall{})))
	})
}

func TestCPSCap(t *testing.T) {
	b := siptest.Behaviour{Script: siptest.Busy(0), MaxCPS: 4}
	bubble(t, siptest.NetworkConfig{}, b, func(t *testing.T, w *world) {
		require.Equal(t, map[string]int{"486 Busy Here": 4, "503 CPS limit exceeded": 6}, tally(w.fleet(t, 10, 50*ms, siptest.CallerCall{})))
		require.Equal(t, 10, w.carrier.Stats().PeakCPS)
		require.Equal(t, 6, w.carrier.Stats().TooFast)
		// 0, 50, 100 and 150 ms were let in: the first place is free at exactly one second.
		time.Sleep(499 * ms)
		require.Equal(t, 503, w.call(t, siptest.CallerCall{}).Code())
		time.Sleep(1 * ms)
		require.Equal(t, 486, w.call(t, siptest.CallerCall{}).Code())
		require.Equal(t, 503, w.call(t, siptest.CallerCall{}).Code())
	})
}

func TestSetBehaviour(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Answer(0, 0, time.Second)}, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			r, err := w.caller.Call(t.Context(), w.target(), siptest.CallerCall{})
			if err != nil || r.EndedAt != time.Second {
				t.Error("a call in progress keeps its script", r, err)
			}
		})
		synctest.Wait()
		require.Error(t, w.carrier.SetBehaviour(siptest.Behaviour{Script: siptest.Play(siptest.Respond(0, 99))}))
		require.NoError(t, w.carrier.SetBehaviour(siptest.Behaviour{Script: siptest.Unavailable(0)}))
		require.Equal(t, 503, w.call(t, siptest.CallerCall{}).Code())
	})
	c, err := siptest.StartCarrier(siptest.CarrierConfig{})
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	require.ErrorIs(t, c.SetBehaviour(siptest.Behaviour{}), net.ErrClosed)
	require.NoError(t, c.Settle(t.Context()))
	c.HangUp()
}

func TestMixRepeats(t *testing.T) {
	mix := siptest.Behaviour{Mix: []siptest.Weighted{
		{Weight: 7, Script: siptest.Busy(0)}, {Weight: 0, Script: siptest.Reject(604, "")}, {Weight: 3, Script: siptest.Unavailable(0)},
	}}
	run := func() (codes []int) {
		bubble(t, siptest.NetworkConfig{}, mix, func(t *testing.T, w *world) {
			for _, r := range w.fleet(t, 1000, ms, siptest.CallerCall{}) {
				codes = append(codes, r.Code())
			}
			s := w.carrier.Stats()
			require.InDelta(t, 700, s.Busy, 60)
			require.Equal(t, 1000, s.Busy+s.Failed)
		})
		return codes
	}
	first := run()
	require.NotContains(t, first, 604)
	require.Equal(t, first, run(), "the same seed draws the same scripts")
}

func TestChoose(t *testing.T) {
	var seen []siptest.Invite
	b := siptest.Behaviour{Choose: func(i siptest.Invite) siptest.Script {
		seen = append(seen, i)
		if i.From == "bad" {
			return siptest.Play(siptest.Respond(0, 7))
		}
		return siptest.Reject(404, "")
	}}
	bubble(t, siptest.NetworkConfig{}, b, func(t *testing.T, w *world) {
		require.Equal(t, 404, w.call(t, siptest.CallerCall{From: "a", PAI: "b", To: "c"}).Code())
		r := w.call(t, siptest.CallerCall{From: "bad"})
		require.Equal(t, "500 Invalid Script", fmt.Sprint(r.Code(), " ", r.Final.Phrase))
	})
	require.Len(t, seen, 2)
	require.Equal(t, []any{1, 1, "a", "b", "c"}, []any{seen[0].Seq, seen[0].Channels, seen[0].From, seen[0].PAI, seen[0].To})
	require.Equal(t, callerAddr, seen[0].Source.String())
}

func TestOptions(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{}, func(t *testing.T, w *world) {
		for options, want := range map[int]int{0: 200, 503: 503} {
			require.NoError(t, w.carrier.SetBehaviour(siptest.Behaviour{Options: options}))
			r, err := w.caller.Request(t.Context(), w.target(), "OPTIONS")
			require.NoError(t, err)
			require.Equal(t, want, r.Code)
		}
		require.NoError(t, w.carrier.SetBehaviour(siptest.Behaviour{Options: -1}))
		began := time.Now()
		r, err := w.caller.Request(t.Context(), w.target(), "OPTIONS")
		require.NoError(t, err)
		require.Nil(t, r)
		require.Equal(t, siptest.TimeoutB, time.Since(began))
		r, err = w.caller.Request(t.Context(), w.target(), "REGISTER")
		require.NoError(t, err)
		require.Equal(t, 405, r.Code)
	})
}

func TestHangUp(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}, func(t *testing.T, w *world) {
		time.AfterFunc(time.Minute, w.carrier.HangUp)
		for _, r := range w.fleet(t, 5, 0, siptest.CallerCall{}) {
			require.Equal(t, siptest.CarrierSide, r.EndedBy)
			require.Equal(t, time.Minute, r.EndedAt)
		}
	})
}

func TestInvalidConfigs(t *testing.T) {
	_, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{
		Script:      siptest.Script{Name: "s", Steps: []siptest.Step{{Code: 700}}, Talk: -1, OnCancel: 9, Media: &siptest.Media{Loss: 2}},
		Mix:         []siptest.Weighted{{Weight: -1}},
		MaxChannels: -1, ChannelsFull: siptest.Step{Code: 200}, Options: 100, Auth: &siptest.Auth{},
	}})
	for _, part := range []string{"code 700", "Talk", "OnCancel", "Loss", "Weight", "no positive weight", "MaxChannels", "ChannelsFull", "Options", "Auth.User"} {
		require.ErrorContains(t, err, part)
	}
	_, err = siptest.NewNetwork(siptest.NetworkConfig{Link: siptest.Link{Loss: 1.5, Latency: -1}})
	require.ErrorContains(t, err, "Loss")
	require.ErrorContains(t, err, "negative")
}

func TestRecordsAreBounded(t *testing.T) {
	c, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: siptest.Busy(0)}, MaxRecords: 1})
	require.NoError(t, err)
	caller, err := siptest.StartCaller(siptest.CallerConfig{})
	require.NoError(t, err)
	w := &world{carrier: c, caller: caller}
	defer w.close(t)
	for range 3 {
		w.call(t, siptest.CallerCall{})
	}
	require.Len(t, c.Records(), 1)
	require.Equal(t, 2, c.Stats().RecordsDropped)
	require.Equal(t, 3, c.Stats().Invites)
}

// Load at 200 calls/s: exact counts, goroutines that do not grow with the calls of the carrier.
func TestLoad(t *testing.T) {
	const cps, seconds = 200, 10
	bubble(t, siptest.NetworkConfig{Link: siptest.Link{Latency: 10 * ms}}, siptest.Behaviour{Script: siptest.Answer(100*ms, 400*ms, 2*time.Second)}, func(t *testing.T, w *world) {
		before := siptest.Goroutines()
		results := w.fleet(t, cps*seconds, time.Second/cps, siptest.CallerCall{})
		for _, r := range results {
			require.Equal(t, 200, r.Code())
			require.Zero(t, r.InviteRetransmits)
		}
		w.settle(t)
		s := w.carrier.Stats()
		require.Equal(t, cps*seconds, s.Invites)
		require.Equal(t, cps*seconds, s.Acks)
		require.Equal(t, cps*seconds, s.ByesSent)
		require.Equal(t, cps, s.PeakCPS)
		require.LessOrEqual(t, s.PeakChannels, cps*26/10)
		require.LessOrEqual(t, siptest.Goroutines(), before+5)
	})
}

func TestBurstOnLoopback(t *testing.T) {
	w := realWorld(t, siptest.Behaviour{Script: siptest.Answer(5*ms, 5*ms, 50*ms)})
	defer w.close(t)
	for _, r := range w.fleet(t, 300, 0, siptest.CallerCall{}) {
		require.Equal(t, 200, r.Code())
	}
	w.settle(t)
	s := w.carrier.Stats()
	require.Equal(t, []int{300, 300, 300, 300}, []int{s.Invites, s.Answered, s.Acks, s.ByesSent})
}

func TestCallerGivesUp(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.RingForever(0)}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := w.caller.Call(ctx, w.target(), siptest.CallerCall{CallID: "x"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, []int{100, 180}, r.Codes())
		_, err = w.caller.Call(t.Context(), w.target(), siptest.CallerCall{CallID: "x"})
		require.ErrorContains(t, err, "in use")
		w.settle(t)
		require.Equal(t, 1, w.carrier.Stats().Cancelled, "it is cancelled in the background")

		time.AfterFunc(time.Second, func() { w.caller.Close() })
		r, err = w.caller.Call(t.Context(), w.target(), siptest.CallerCall{})
		require.ErrorIs(t, err, net.ErrClosed)
		require.Equal(t, []int{100, 180}, r.Codes())
		_, err = w.caller.Call(t.Context(), w.target(), siptest.CallerCall{})
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestRaw(t *testing.T) {
	w := realWorld(t, siptest.Behaviour{Script: siptest.Reject(404, "")})
	defer w.close(t)
	invite, err := siptest.RawInvite("127.0.0.1:9", w.target(), "a", "b")
	require.NoError(t, err)
	got, err := siptest.ExchangeRaw(t.Context(), nil, w.target(), invite, 2*time.Second)
	require.NoError(t, err)
	require.Contains(t, string(got), "SIP/2.0 404 Not Found\r\n")

	got, err = siptest.ExchangeRaw(t.Context(), nil, w.target(), siptest.WithoutHeader(invite, "call-id"), 2*time.Second)
	require.NoError(t, err)
	require.Contains(t, string(got), "SIP/2.0 400 Bad Request\r\n")

	got, err = siptest.ExchangeRaw(t.Context(), nil, w.target(), []byte("not SIP at all\r\n\r\n"), 20*ms)
	require.NoError(t, err)
	require.Nil(t, got)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = siptest.ExchangeRaw(ctx, nil, w.target(), []byte("\r\n\r\n"), time.Minute)
	require.ErrorIs(t, err, context.Canceled)
}
