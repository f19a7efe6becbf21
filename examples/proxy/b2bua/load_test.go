package b2bua_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// Messages get lost, doubled and out of order on both sides: every call ends, and nothing is left.
func TestFaultyNetwork(t *testing.T) {
	bubble(t, siptest.Answer(50*ms, 200*ms, time.Second), siptest.Answer(50*ms, 200*ms, 0), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetLink("", "", siptest.Link{
			Latency: 10 * ms, Jitter: 5 * ms, Loss: 0.10, Duplicate: 0.10, Reorder: 0.10,
		}))
		results := make(chan *siptest.CallResult, 100)
		for i := range cap(results) {
			call := siptest.CallerCall{HangupAfter: 2 * time.Second}
			if i%5 == 0 {
				call.CancelAfter = time.Duration(i) * 5 * ms
			}
			go func() { results <- w.call(call) }()
			time.Sleep(20 * ms)
		}
		answered := 0
		for range cap(results) {
			r := <-results
			require.False(t, r.TimedOut)
			require.Contains(t, []int{200, 487}, r.Code())
			if r.Code() == 200 {
				answered++
			}
		}
		w.settled()
		s := w.proxy.Stats()
		require.Equal(t, uint64(cap(results)), s.Calls, "no copy of an INVITE began a call")
		require.Equal(t, s.Calls, s.Answered+s.Cancelled)
		require.GreaterOrEqual(t, int(s.Answered), answered)
		require.NoError(t, w.first.Settle(t.Context()))
		require.Zero(t, w.first.Stats().Channels+w.second.Stats().Channels)
	})
}

func TestManyCalls(t *testing.T) {
	w := loopback(t, siptest.Unavailable(0), siptest.Answer(0, 10*ms, 0), func(c *b2bua.Config) {
		c.Journal.Dir = t.TempDir()
		for i := range c.Trunks { // the answer of a carrier may take long on a machine that is busy
			c.Trunks[i].T100, c.Trunks[i].PDD = 30*time.Second, 30*time.Second
		}
	})
	require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: ms}).Code()) // everything runs now
	require.Eventually(t, func() bool { return w.proxy.Live() == 0 }, 30*time.Second, 10*ms)
	before := siptest.Goroutines()
	results := make(chan *siptest.CallResult, 300)
	for range cap(results) {
		go func() { results <- w.call(siptest.CallerCall{HangupAfter: 20 * ms}) }()
	}
	for range cap(results) {
		require.Equal(t, 200, (<-results).Code())
	}
	require.NoError(t, w.second.Settle(t.Context()))
	require.Eventually(t, func() bool { return w.proxy.Live() == 0 && siptest.Goroutines() <= before+1 }, 30*time.Second, 10*ms,
		"one more is the goroutine that asks")
	require.Equal(t, cap(results)+1, w.second.Stats().ByFrom[cli])
	n, ok := w.proxy.CLIs().Number(time.Now(), outdial.MustNumber(cli))
	require.True(t, ok)
	require.Zero(t, n.InFlight)
}
