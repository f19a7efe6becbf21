package b2bua_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	w := loopback(t, siptest.Silence(), siptest.Answer(0, 0, 100*ms), func(c *b2bua.Config) {
		c.DrainTimeout = -1
		c.Trunks[1].PDD = 30 * time.Second // on a busy machine
	})
	r := w.call(siptest.CallerCall{})
	require.Equal(t, 200, r.Code())
	require.GreaterOrEqual(t, r.AnsweredAt, time.Second, "T100; TestSilentTrunk holds that it is no more")
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

// A carrier that answered the offer in a provisional response need not answer it again in its 2xx, where that response was reliable (RFC 3262 §5,
// RFC 6337 §3.1.1), and some do not where it was not. The dialer has no reliable one: its 2xx has the answer, that of the very fork.
func TestAnswerCameBefore(t *testing.T) {
	other := strings.ReplaceAll(answerSDP, "50000", "50008")
	for name, reliable := range map[string][]string{"reliable": {"Require: 100rel", "RSeq: 1"}, "not": nil} {
		t.Run(name, func(t *testing.T) {
			flows(t, func(c *b2bua.Config) { c.Trunks[0].Reliable = true }, offerSDP, nil, func(t *testing.T, f *flow) {
				d, c := f.dialer, f.carrier
				early := func(tag, sdp string) {
					c.respond(tagged(c.request, tag), "183 Session Progress", sdp, append(reliable, "Contact: <sip:"+c.local+">")...)
					if reliable != nil {
						c.respond(c.expect("PRACK "), "200 OK", "")
					}
					require.Equal(t, sdp, body(d.expect("SIP/2.0 183 ")))
				}
				early("callee", answerSDP)
				early("fork", other)
				c.respond(c.request, "180 Ringing", "")
				require.Empty(t, body(d.expect("SIP/2.0 180 ")), "what has no answer gets none")
				c.respond(c.request, "200 OK", "", "Contact: <sip:"+c.local+">")
				f.answer = d.expect("SIP/2.0 200 ")
				require.Equal(t, answerSDP, body(f.answer))
				require.Equal(t, "application/sdp", header(f.answer, "Content-Type"))
				d.us, d.him, d.target = header(d.request, "From"), header(f.answer, "To"), contact(f.answer)
				c.expect("ACK ")
				d.ask("ACK", "")
				f.down()
			})
		})
	}
	flows(t, nil, offerSDP, nil, func(t *testing.T, f *flow) { // another one's answer is not this one's
		d, c := f.dialer, f.carrier
		c.respond(tagged(c.request, "fork"), "183 Session Progress", other)
		d.expect("SIP/2.0 183 ")
		c.respond(c.request, "200 OK", "", "Contact: <sip:"+c.local+">")
		f.answer = d.expect("SIP/2.0 200 ")
		require.Empty(t, body(f.answer))
		d.us, d.him, d.target = header(d.request, "From"), header(f.answer, "To"), contact(f.answer)
		c.expect("ACK ")
		d.ask("ACK", "")
		f.down()
	})
}

// The silent leg's answer is in time while the next attempt is held back to spread a burst, and ends that pause; it is late where the
// next has left.
func TestAnswerWhileHuntingWaits(t *testing.T) {
	change := func(c *b2bua.Config) { c.Trunks[1].CPS, c.Trunks[1].Smooth = 1, 5*time.Second }
	late := siptest.Play(siptest.Respond(1500*ms, 200))
	bubble(t, late, siptest.Answer(0, 0, time.Second), change, func(t *testing.T, w *world) {
		results := make(chan *siptest.CallResult, 2)
		for range cap(results) {
			go func() { results <- w.call(siptest.CallerCall{HangupAfter: 2 * time.Second}) }()
		}
		a, b := <-results, <-results
		if a.Final.At > b.Final.At {
			a, b = b, a
		}
		require.Equal(t, 200, a.Code())
		require.Less(t, a.Final.At, 1500*ms)
		require.Equal(t, 200, b.Code())
		require.Equal(t, 1500*ms, b.Final.At)
		w.settled()
		require.Equal(t, 2, w.first.Stats().ByesReceived)
		require.Equal(t, 1, w.second.Stats().Invites)
	})
}
