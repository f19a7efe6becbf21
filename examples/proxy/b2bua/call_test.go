package b2bua_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

func TestAnsweredBySecondTrunk(t *testing.T) {
	bubble(t, siptest.Unavailable(0), siptest.Answer(100*ms, time.Second, 2*time.Second), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{})
		require.Equal(t, []int{100, 180, 200}, r.Codes())
		require.Equal(t, 1100*ms, r.AnsweredAt)
		require.Equal(t, siptest.CarrierSide, r.EndedBy)
		require.Zero(t, r.FinalRetransmits)
		w.settled()
		first, second := w.first.Stats(), w.second.Stats()
		require.Equal(t, 1, first.Invites)
		require.Equal(t, 1, second.Invites)
		require.Equal(t, 1, second.Acks)
		require.Zero(t, first.Strays+second.Strays)
		a, b := w.first.Records()[0], w.second.Records()[0]
		require.NotEqual(t, a.CallID, b.CallID)
		require.NotEqual(t, r.CallID, b.CallID)
		require.Equal(t, cli, b.From)
		require.Equal(t, cli, b.PAI)
		require.Equal(t, callee, b.To)
		require.Contains(t, b.Headers, siptest.Header{Name: "Max-Forwards", Value: "69"})
		require.Equal(t, b2bua.Stats{Calls: 1, Answered: 1}, w.proxy.Stats())
	})
}

// The first trunk is silent: T100 is the whole delay.
func TestSilentTrunk(t *testing.T) {
	bubble(t, siptest.Silence(), siptest.Answer(0, 0, time.Second), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 200, r.Code())
		require.Equal(t, time.Second, r.AnsweredAt, "T100 and nothing more")
		require.Zero(t, r.InviteRetransmits, "100 came at once")
		w.settled()
		require.Equal(t, 1, w.first.Stats().Invites)
		require.Zero(t, w.first.Stats().CancelsReceived, "no CANCEL before a provisional response")
	})
}

func TestSilentTrunkOnSockets(t *testing.T) {
	w := loopback(t, siptest.Silence(), siptest.Answer(0, 0, 100*ms), func(c *b2bua.Config) { c.DrainTimeout = -1 })
	r := w.call(siptest.CallerCall{})
	require.Equal(t, 200, r.Code())
	require.GreaterOrEqual(t, r.AnsweredAt, time.Second)
	require.Less(t, r.AnsweredAt, 1300*ms)
}

// A silent trunk that answers after all, when another one has: it is acknowledged and hung up, and the dialer never knows.
func TestLateAnswerOfSilentTrunk(t *testing.T) {
	late := siptest.Play(siptest.Respond(3*time.Second, 200))
	bubble(t, late, siptest.Answer(0, 0, 10*time.Second), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{})
		require.Equal(t, []int{100, 180, 200}, r.Codes())
		require.Zero(t, r.OtherAnswers)
		w.settled()
		require.Equal(t, 1, w.first.Stats().Acks)
		require.Equal(t, 1, w.first.Stats().ByesReceived)
		require.Equal(t, siptest.CarrierSide, r.EndedBy)
	})
}

// How a failure of the first trunk ends, when the second one is busy or would answer.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name   string
		first  siptest.Script
		second siptest.Script
		want   int
		phrase string
		header siptest.Header // of the final response
		tried  int            // INVITEs at the second trunk
	}{
		{
			name: "busy is final", first: siptest.Busy(100 * ms), second: siptest.Answer(0, 0, time.Second),
			want: 486, phrase: "Busy Here",
		},
		{
			name: "the phrase and the reason are passed on", second: siptest.Answer(0, 0, time.Second),
			first: siptest.Reject(603, "Network Blocked", siptest.Header{Name: "Reason", Value: `SIP;cause=603;text="v=analytics1;url=x"`}),
			want:  603, phrase: "Network Blocked",
			header: siptest.Header{Name: "Reason", Value: `SIP;cause=603;text="v=analytics1;url=x"`},
		},
		{
			name: "no carrier's 503 is passed on", first: siptest.Unavailable(0), second: siptest.Unavailable(10 * time.Second),
			want: 500, phrase: "Server Internal Error", tried: 1,
		},
		{
			name: "busy after a 503", first: siptest.Unavailable(0), second: siptest.Busy(0), want: 486, phrase: "Busy Here", tried: 1,
		},
		{
			name: "silence everywhere", first: siptest.Silence(), second: siptest.Silence(), want: 408, phrase: "Request Timeout", tried: 1,
		},
		{
			name: "100 everywhere", first: siptest.TryingOnly(), second: siptest.TryingOnly(), want: 504, phrase: "Server Time-out", tried: 1,
		},
		{
			name: "it rings for ever", first: siptest.RingForever(0), second: siptest.Answer(0, 0, 0),
			want: 480, phrase: "Temporarily Unavailable",
		},
		{
			name: "after it rang nothing is tried", first: siptest.Play(siptest.Respond(0, 180), siptest.Respond(time.Second, 503)),
			second: siptest.Answer(0, 0, 0), want: 500, phrase: "Server Internal Error",
		},
		{
			name: "the callee is back later", first: siptest.Reject(480, "", siptest.RetryAfter(time.Minute)), second: siptest.Answer(0, 0, 0),
			want: 480, phrase: "Temporarily Unavailable", header: siptest.Header{Name: "Retry-After", Value: "60"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.first, tt.second, nil, func(t *testing.T, w *world) {
				r := w.call(siptest.CallerCall{})
				require.Equal(t, tt.want, r.Code())
				require.Equal(t, tt.phrase, r.Final.Phrase)
				if tt.header.Name != "" {
					require.Equal(t, tt.header.Value, r.Final.Header(tt.header.Name))
				} else {
					require.Empty(t, r.Final.Header("Retry-After"))
				}
				w.settled()
				require.Equal(t, tt.tried, w.second.Stats().Invites)
				require.Zero(t, w.first.Stats().Channels+w.second.Stats().Channels)
			})
		})
	}
}

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

func TestCancel(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script siptest.Script
		call   siptest.CallerCall
		byes   int
	}{
		{"before anything came", siptest.Silence(), siptest.CallerCall{CancelAfter: 300 * ms}, 0},
		{"before it rings", siptest.TryingOnly(), siptest.CallerCall{CancelAfter: 300 * ms}, 0},
		{"while it rings", siptest.RingForever(100 * ms), siptest.CallerCall{CancelAfter: 300 * ms}, 0},
		{"at the first ring", siptest.RingForever(100 * ms), siptest.CallerCall{CancelOnRing: true}, 0},
		{"200 crosses CANCEL", siptest.LateAnswer(100*ms, 50*ms, 0), siptest.CallerCall{CancelAfter: 300 * ms}, 1},
		{"200 after a silent CANCEL", siptest.Play(siptest.Respond(700*ms, 200)), siptest.CallerCall{CancelAfter: 300 * ms}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.script, siptest.Answer(0, 0, 0), nil, func(t *testing.T, w *world) {
				r := w.call(tt.call)
				require.Equal(t, 487, r.Code())
				require.True(t, r.Cancelled)
				require.Equal(t, 200, r.CancelCode)
				require.Less(t, r.EndedAt, 310*ms, "the dialer does not wait for the carrier")
				w.settled()
				s := w.first.Stats()
				require.Equal(t, tt.byes, s.ByesReceived)
				require.Zero(t, s.Unacked)
				require.Zero(t, s.Strays)
				require.Zero(t, w.second.Stats().Invites)
				require.Equal(t, b2bua.Stats{Calls: 1, Cancelled: 1}, w.proxy.Stats())
			})
		})
	}
}

// The dialer's CANCEL is under way when the 200 leaves for it: the call stands, and the dialer hangs it up.
func TestCancelCrossesAnswer(t *testing.T) {
	bubble(t, siptest.Answer(0, time.Second, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetLink("10.0.0.1:5060", "10.0.0.2", siptest.Link{Latency: 100 * ms}))
		require.NoError(t, w.network.SetLink("10.0.0.2", "10.0.0.1:5060", siptest.Link{Latency: 100 * ms}))
		r := w.call(siptest.CallerCall{CancelAfter: 1150 * ms, HangupAfter: time.Second})
		require.Equal(t, 200, r.Code())
		require.Equal(t, 200, r.CancelCode)
		w.settled()
		require.Equal(t, 1, w.first.Stats().ByesReceived)
		require.Equal(t, uint64(1), w.proxy.Stats().Answered)
	})
}

func TestHangup(t *testing.T) {
	t.Run("by the dialer", func(t *testing.T) {
		bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
			r := w.call(siptest.CallerCall{HangupAfter: 3 * time.Second})
			require.Equal(t, 200, r.ByeCode)
			w.settled()
			rec := w.first.Records()[0]
			require.Equal(t, siptest.CallerSide, rec.EndedBy)
			require.WithinDuration(t, rec.FinalAt.Add(3*time.Second), rec.EndedAt, 0)
		})
	})
	t.Run("by the callee", func(t *testing.T) {
		s := siptest.Answer(0, 0, 3*time.Second)
		s.ByeHeaders = []siptest.Header{siptest.Reason(16, "")}
		bubble(t, s, siptest.Silence(), nil, func(t *testing.T, w *world) {
			r := w.call(siptest.CallerCall{})
			require.Equal(t, siptest.CarrierSide, r.EndedBy)
			require.Contains(t, r.ByeHeaders, siptest.Header{Name: "Reason", Value: "Q.850;cause=16"})
			w.settled()
			require.True(t, w.first.Records()[0].ByeAnswered)
		})
	})
}

// The ACK of the dialer is lost for ever: the answer is repeated for 64·T1, then both sides are hung up.
func TestAnswerNeverAcknowledged(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{NoAck: true})
		require.Equal(t, 200, r.Code())
		require.Equal(t, 32*time.Second, r.EndedAt)
		require.Equal(t, 10, r.FinalRetransmits)
		w.settled()
		rec := w.first.Records()[0]
		require.True(t, rec.Acked, "the carrier is not left in doubt")
		require.Equal(t, siptest.CallerSide, rec.EndedBy)
		require.Equal(t, uint64(1), w.proxy.Stats().Lost)
	})
}

// The callee hangs up before the dialer's ACK has come: BYE waits for it (RFC 3261 §15).
func TestByeWaitsForAck(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 100*ms), siptest.Silence(), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetLink("10.0.0.2", "10.0.0.1:5060", siptest.Link{Latency: 400 * ms}))
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 800*ms, r.EndedAt)
		w.settled()
	})
}

// An INVITE without an offer: the carrier's answer has the offer, the dialer's ACK the answer.
func TestDelayedOffer(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{SDP: []byte{}})
		require.Equal(t, 200, r.Code())
		require.True(t, r.Final.SDP)
		w.settled()
		rec := w.first.Records()[0]
		require.Empty(t, rec.Body)
		require.True(t, rec.Acked)
	})
}

func TestSessionDescriptionsPassAsTheyAre(t *testing.T) {
	offer := siptest.SDP(netip.MustParseAddrPort("10.0.0.2:40000"))
	answer := siptest.SDP(netip.MustParseAddrPort("10.0.1.1:50000"))
	s := siptest.Play(siptest.Step{Code: 183, SDP: true, Body: answer}, siptest.Step{Code: 200, Body: answer})
	s.Talk = time.Second
	bubble(t, s, siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{SDP: offer})
		require.Equal(t, string(offer), string(w.first.Records()[0].Body))
		require.Equal(t, string(answer), string(r.Final.Body))
		require.Equal(t, []int{100, 183, 200}, r.Codes())
		require.Equal(t, string(answer), string(r.Provisionals[1].Body))
		require.Equal(t, r.Final.ToTag, r.Provisionals[1].ToTag, "early dialog and dialog are one")
		w.settled()
	})
}

// Every attempt has an early dialog of its own towards the dialer, and so has every fork behind one carrier.
func TestToTags(t *testing.T) {
	first := siptest.Play(siptest.Respond(0, 183), siptest.Step{After: ms, Code: 180, Tag: "fork"}, siptest.Respond(time.Second, 503))
	change := func(c *b2bua.Config) { c.Hunting.AdvanceAfterProgress = true }
	bubble(t, first, siptest.Answer(0, time.Second, time.Second), change, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{})
		require.Equal(t, []int{100, 183, 180, 180, 200}, r.Codes())
		p := r.Provisionals
		tags := map[string]bool{p[1].ToTag: true, p[2].ToTag: true, p[3].ToTag: true}
		require.Len(t, tags, 3)
		require.NotContains(t, tags, "")
		require.Equal(t, p[3].ToTag, r.Final.ToTag)
		require.NotContains(t, []string{w.first.Records()[0].CallID}, r.CallID)
		w.settled()
	})
}

// What the dialer says of a call is in the journal of events, and none of it reaches a carrier.
func TestCallerHeaders(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{
			From: "+19995550000", PAI: "+18885550000",
			Headers: []siptest.Header{
				{Name: "X-Outdial-Campaign", Value: "spring"},
				{Name: "X-Outdial-Mode", Value: "predictive"},
				{Name: "X-Outdial-Priority", Value: "urgent"},
				{Name: "X-Secret", Value: "1"},
			},
		})
		require.Equal(t, 200, r.Code())
		_, known := w.proxy.IDs().Campaigns.Lookup("spring")
		require.True(t, known)
		for _, h := range w.first.Records()[0].Headers {
			require.NotContains(t, h.Name, "X-")
			require.NotContains(t, h.Value, "10.0.0.2")
		}
		w.settled()
		for _, h := range []siptest.Header{
			{Name: "X-Outdial-Program", Value: "unheard of"}, {Name: "X-Outdial-Mode", Value: "wild"}, {Name: "X-Outdial-Priority", Value: "9"},
		} {
			r = w.call(siptest.CallerCall{Headers: []siptest.Header{h}})
			require.Equal(t, 400, r.Code(), h.Name)
		}
		r = w.call(siptest.CallerCall{To: "911"})
		require.Equal(t, 484, r.Code())
		w.settled()
		require.Equal(t, 1, w.first.Stats().Invites)
	})
}

// Without an inventory, what the dialer asks for is presented.
func TestCallersOwnNumber(t *testing.T) {
	change := func(c *b2bua.Config) { c.CLI = nil }
	bubble(t, siptest.Answer(0, 0, time.Second), siptest.Silence(), change, func(t *testing.T, w *world) {
		w.call(siptest.CallerCall{From: "+19995550000", PAI: "+18885550000"})
		w.call(siptest.CallerCall{From: "19995550000"})
		w.settled()
		require.Equal(t, "+18885550000", w.first.Records()[0].From)
		require.Equal(t, "+19995550000", w.first.Records()[1].PAI)
	})
}

func TestDrain(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		calls := make(chan *siptest.CallResult, 2)
		go func() { calls <- w.call(siptest.CallerCall{}) }()
		time.Sleep(100 * ms)
		require.NoError(t, w.first.SetBehaviour(siptest.Behaviour{Script: siptest.RingForever(0)}))
		go func() { calls <- w.call(siptest.CallerCall{}) }()
		time.Sleep(100 * ms)
		w.stop()
		time.Sleep(100 * ms)
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 503, r.Code())
		require.Equal(t, "30", r.Final.Header("Retry-After"))
		o, err := w.caller.Request(t.Context(), w.proxy.Addr().String(), "OPTIONS")
		require.NoError(t, err)
		require.Equal(t, 503, o.Code)
		require.NoError(t, <-w.ran)
		w.ran <- nil
		a, b := <-calls, <-calls
		if a.Code() != 200 {
			a, b = b, a
		}
		require.Equal(t, 200, a.Code())
		require.Equal(t, siptest.CarrierSide, a.EndedBy, "BYE after the drain timeout")
		require.GreaterOrEqual(t, a.EndedAt, 2*time.Second)
		require.Equal(t, 503, b.Code(), "what was being set up is refused")
		for _, rec := range w.first.Records() {
			require.False(t, rec.EndedAt.IsZero())
		}
	})
}

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
	w := loopback(t, siptest.Unavailable(0), siptest.Answer(0, 10*ms, 0), func(c *b2bua.Config) { c.Journal.Dir = t.TempDir() })
	require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: ms}).Code()) // everything runs now
	require.Eventually(t, func() bool { return w.proxy.Live() == 0 }, 10*time.Second, ms)
	before := runtime.NumGoroutine()
	results := make(chan *siptest.CallResult, 300)
	for range cap(results) {
		go func() { results <- w.call(siptest.CallerCall{HangupAfter: 20 * ms}) }()
	}
	for range cap(results) {
		require.Equal(t, 200, (<-results).Code())
	}
	require.NoError(t, w.second.Settle(t.Context()))
	require.Eventually(t, func() bool { return w.proxy.Live() == 0 && runtime.NumGoroutine() <= before+1 }, 10*time.Second, ms,
		"one more is the goroutine that asks")
	require.Equal(t, cap(results)+1, w.second.Stats().ByFrom[cli])
	n, ok := w.proxy.CLIs().Number(time.Now(), outdial.MustNumber(cli))
	require.True(t, ok)
	require.Zero(t, n.InFlight)
}

// What cannot be written down does not leave, unless the configuration says so.
func TestJournalFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	change := func(policy string) func(*b2bua.Config) {
		return func(c *b2bua.Config) { c.Journal.Dir, c.Journal.OnFailure = dir, policy }
	}
	answers := siptest.Answer(0, 0, time.Second)
	bubble(t, answers, siptest.Silence(), change("refuse"), func(t *testing.T, w *world) {
		require.NoError(t, os.RemoveAll(dir)) // the first segment cannot be made
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 503, r.Code())
		require.Equal(t, "5", r.Final.Header("Retry-After"))
		require.Positive(t, w.proxy.Stats().JournalErrors)
		w.settled()
		require.Zero(t, w.first.Stats().Invites)
		require.NoError(t, os.Mkdir(dir, 0o750))
		require.Equal(t, 200, w.call(siptest.CallerCall{}).Code(), "it is written again")
		w.settled()
	})
	bubble(t, answers, siptest.Silence(), change("place_anyway"), func(t *testing.T, w *world) {
		require.NoError(t, os.RemoveAll(dir))
		require.Equal(t, 200, w.call(siptest.CallerCall{}).Code())
		require.Positive(t, w.proxy.Stats().JournalErrors)
		w.settled()
	})
}
