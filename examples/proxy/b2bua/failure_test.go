package b2bua_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

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

// It rang out, and the carrier does not care about the CANCEL: the dialer does not wait for it, and an answer that comes all
// the same is hung up.
func TestRingsOut(t *testing.T) {
	ignores := func(s siptest.Script) siptest.Script {
		s.OnCancel = siptest.CancelIgnored
		return s
	}
	for name, tt := range map[string]struct {
		script siptest.Script
		byes   int
	}{
		"for ever":         {ignores(siptest.RingForever(0)), 0},
		"answered at last": {ignores(siptest.Play(siptest.Respond(0, 180), siptest.Respond(11*time.Second, 200))), 1},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(c *b2bua.Config) { c.Trunks[0].Ring = 10 * time.Second }
			bubble(t, tt.script, siptest.Answer(0, 0, 0), change, func(t *testing.T, w *world) {
				r := w.call(siptest.CallerCall{})
				require.Equal(t, 480, r.Code())
				require.Equal(t, 10*time.Second, r.Final.At, "at once")
				require.Zero(t, r.OtherAnswers)
				w.settled()
				require.Equal(t, 1, w.first.Stats().CancelsReceived)
				require.Equal(t, tt.byes, w.first.Stats().ByesReceived)
				require.Zero(t, w.second.Stats().Invites)
				require.Equal(t, b2bua.Stats{Calls: 1, Failed: 1}, w.proxy.Stats())
			})
		})
	}
}

// TestSlowLastTrunk: when there is nobody left to hunt to, a slow trunk gets more than T100, up to the PDD timer or the
// call's setup budget.
func TestSlowLastTrunk(t *testing.T) {
	slow := siptest.Play(siptest.Respond(3*time.Second, 180), siptest.Respond(time.Second, 200))
	slow.Talk = time.Second
	bubble(t, siptest.Silence(), slow, nil, func(t *testing.T, w *world) {
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 200, r.Code())
		require.Equal(t, 5*time.Second, r.AnsweredAt)
		w.settled()
	})
	budget := func(c *b2bua.Config) { c.Hunting.SetupBudget = 3 * time.Second }
	bubble(t, siptest.Silence(), slow, budget, func(t *testing.T, w *world) {
		require.Equal(t, 408, w.call(siptest.CallerCall{}).Code())
		w.settled()
	})
	short := func(c *b2bua.Config) { c.Hunting.SetupBudget = 500 * ms }
	bubble(t, siptest.Silence(), siptest.Answer(0, 0, 0), short, func(t *testing.T, w *world) {
		w.call(siptest.CallerCall{})
		w.settled()
		require.Zero(t, w.second.Stats().Invites, "no attempt starts after the deadline")
	})
}

// TestSlowTrunkWhenTheOthersAreFull: a trunk that is given up at T100 for others which turn out to have no room is waited for
// again.
func TestSlowTrunkWhenTheOthersAreFull(t *testing.T) {
	slow := siptest.Play(siptest.Respond(2500*ms, 180), siptest.Respond(time.Second, 200))
	slow.Talk = time.Second
	full := func(c *b2bua.Config) { c.Trunks[1].Channels = 1 }
	bubble(t, slow, siptest.Answer(0, 0, 20*time.Second), full, func(t *testing.T, w *world) {
		first := make(chan *siptest.CallResult, 1)
		go func() { first <- w.call(siptest.CallerCall{}) }()
		time.Sleep(2 * time.Second)
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 200, r.Code())
		require.Equal(t, 3500*ms, r.AnsweredAt)
		require.Equal(t, time.Second, (<-first).AnsweredAt)
		w.settled()
		require.Equal(t, 2, w.first.Stats().Invites)
		require.Equal(t, 1, w.second.Stats().Invites)
	})
}

// TestPings: an idle trunk is sent OPTIONS, and one that does not answer them is out before a call meets it.
func TestPings(t *testing.T) {
	bubble(t, siptest.Silence(), siptest.Answer(0, 0, time.Second), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.first.SetBehaviour(siptest.Behaviour{Script: siptest.Silence(), Options: 503}))
		time.Sleep(time.Minute)
		r := w.call(siptest.CallerCall{})
		require.Equal(t, 200, r.Code())
		require.Zero(t, r.AnsweredAt, "no T100 was lost")
		require.Zero(t, w.first.Stats().Invites)
		require.Positive(t, w.second.Stats().Options)
		w.settled()
	})
}
