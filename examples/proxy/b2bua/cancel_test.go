package b2bua_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

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

// A carrier that forked the call, and whose callees answer all the same: each answer is acknowledged and ended, and the dialer hears of none.
func TestForkedAnswersAfterCancel(t *testing.T) {
	flows(t, nil, offerSDP, nil, func(t *testing.T, f *flow) {
		d, c := f.dialer, f.carrier
		for _, tag := range []string{"a", "b"} {
			c.respond(tagged(c.request, tag), "180 Ringing", "")
			d.expect("SIP/2.0 180 ")
		}
		head, _, _ := strings.Cut(d.request, "Content-")
		d.send(strings.ReplaceAll(head, "INVITE", "CANCEL") + "Content-Length: 0\r\n\r\n")
		d.expect("SIP/2.0 200 ")
		d.expect("SIP/2.0 487 ")
		d.send(strings.ReplaceAll(head, "INVITE", "ACK") + "Content-Length: 0\r\n\r\n")
		cancel := c.expect("CANCEL ")
		for _, tag := range []string{"a", "b"} {
			c.respond(tagged(c.request, tag), "200 OK", answerSDP, "Contact: <sip:"+c.local+">")
			require.Contains(t, header(c.expect("ACK "), "To"), "tag="+tag)
			bye := c.expect("BYE ")
			require.Contains(t, header(bye, "To"), "tag="+tag)
			c.respond(bye, "200 OK", "")
		}
		c.respond(cancel, "200 OK", "")
		d.silent(time.Second)
		f.gone()
	})
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

// Why the dialer gives up is passed on, as with BYE.
func TestReasonOfCancel(t *testing.T) {
	const why = `SIP;cause=200;text="Call completed elsewhere"`
	bubble(t, siptest.RingForever(0), siptest.Silence(), nil, func(t *testing.T, w *world) {
		got := make(chan string, 1)
		w.network.SetFilter(func(_, to netip.AddrPort, payload []byte) bool {
			if to == w.first.Addr() && bytes.HasPrefix(payload, []byte("CANCEL ")) {
				got <- string(payload)
			}
			return false
		})
		first := invite(t)
		require.Equal(t, "100 Trying", status(w.raw("10.0.0.2:7000", first)))
		head, _, _ := strings.Cut(string(first), "Content-")
		cancel := strings.NewReplacer("INVITE", "CANCEL").Replace(head) + "Reason: " + why + "\r\nContent-Length: 0\r\n\r\n"
		require.Equal(t, "200 OK", status(w.raw("10.0.0.2:7000", []byte(cancel))))
		require.Contains(t, <-got, "\r\nReason: "+why+"\r\n")
		w.settled()
	})
}
