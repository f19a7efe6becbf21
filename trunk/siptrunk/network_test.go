package siptrunk_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// dropFirst loses the first n datagrams that begin with prefix and contain text.
func (w *world) dropFirst(n int32, prefix, text string) {
	var seen atomic.Int32
	w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
		return bytes.HasPrefix(payload, []byte(prefix)) && bytes.Contains(payload, []byte(text)) && seen.Add(1) <= n
	})
}

func TestLostDatagrams(t *testing.T) {
	for _, tt := range []struct {
		name, prefix, text string
		lost               int32
		script             siptest.Script
		end                string // "" = the callee's BYE a second after the answer
		retransmits        int    // of the final response
	}{
		{name: "INVITE", prefix: "INVITE", lost: 1, script: siptest.Answer(time.Second, time.Second, time.Second)},
		{name: "ACK of the answer", prefix: "ACK", lost: 2, script: siptest.Answer(0, time.Second, 20*time.Second), retransmits: 2},
		{name: "ACK of a rejection", prefix: "ACK", lost: 3, script: siptest.Busy(time.Second), retransmits: 3},
		{name: "the answer", prefix: "SIP/2.0 200", text: "INVITE", lost: 2, script: siptest.Answer(0, time.Second, 20*time.Second), retransmits: 2},
		{name: "answer to the BYE", prefix: "SIP/2.0 200", text: "BYE", lost: 2, script: siptest.Answer(0, time.Second, time.Second)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.script, nil, func(t *testing.T, w *world) {
				w.dropFirst(tt.lost, tt.prefix, tt.text)
				c := w.invite(siptrunk.InviteOptions{})
				c.wait()
				require.NoError(t, w.carrier.Settle(t.Context()))
				r := w.carrier.Records()[0]
				require.True(t, r.Acked)
				require.Equal(t, tt.retransmits, r.FinalRetransmits)
				require.Equal(t, 1, w.carrier.Stats().Invites)
				ends := 0
				for _, ev := range c.all() {
					if ev.Kind == outdial.ReportEnd {
						ends++
					}
				}
				require.Equal(t, 1, ends)
			})
		})
	}
}

// An INVITE is repeated as RFC 3261 §17.1.1.2 has it, for as long as somebody wants the call.
func TestRetransmissionTimes(t *testing.T) {
	patient := func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.T100, tr.PDDTimer = -1, -1 }
	for _, tt := range []struct {
		name   string
		change func(*siptrunk.Config, *siptrunk.Trunk)
		hangup time.Duration // 0 = never
		want   []time.Duration
	}{
		{"no timers", patient, 0, []time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms, 7500 * ms, 15500 * ms, 31500 * ms}},
		{"T100", nil, 0, []time.Duration{0, 500 * ms}},
		{"the PDD timer", func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.T100 = -1 }, 0, []time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms, 7500 * ms}},
		{"hung up at once", patient, 200 * ms, []time.Duration{0}},
		{"hung up later", patient, 5 * time.Second, []time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, siptest.Silence(), tt.change, func(t *testing.T, w *world) {
				var sent []time.Duration
				start := time.Now()
				w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
					require.True(t, bytes.HasPrefix(payload, []byte("INVITE")), "nothing but the INVITE may leave")
					sent = append(sent, time.Since(start))
					return false
				})
				c := w.invite(siptrunk.InviteOptions{})
				if tt.hangup > 0 {
					time.AfterFunc(tt.hangup, c.Hangup)
				}
				c.wait()
				require.Equal(t, tt.want, sent)
			})
		})
	}
}

// A carrier that comes back must not ring somebody whom nobody wants to talk to any more.
func TestRecoveredCarrierIsNotAsked(t *testing.T) {
	bubble(t, siptest.RingForever(0), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.Cut(carrierAddr, dialerAddr))
		hungUp, silent := w.invite(siptrunk.InviteOptions{}), w.invite(siptrunk.InviteOptions{})
		time.Sleep(200 * ms)
		hungUp.Hangup()
		time.Sleep(time.Second)
		require.NoError(t, w.network.Heal(carrierAddr, dialerAddr))
		require.Equal(t, []string{"0s progress invite", "32s end caller"}, hungUp.trace())
		require.Equal(t, []string{"0s progress invite", "1s abandon no_trying", "33s end no_trying"}, silent.trace())
		require.Zero(t, w.carrier.Stats().Invites)
	})
}

func TestAnswerCrossesCancel(t *testing.T) {
	bubble(t, siptest.Answer(100*ms, time.Second, 0), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetLink("", "", siptest.Link{Latency: 100 * ms}))
		c := w.invite(siptrunk.InviteOptions{})
		time.Sleep(1250 * ms) // the answer left at 1.2 s and is on its way
		c.Hangup()
		require.Equal(t, []string{
			"0s progress invite", "200ms progress trying", "300ms progress trying+provisional+ringing", "1.3s answer", "1.5s end host",
		}, c.trace())
		require.NoError(t, w.carrier.Settle(t.Context()))
		r := w.carrier.Records()[0]
		require.True(t, r.Acked)
		require.Equal(t, siptest.CallerSide, r.EndedBy)
	})
}

func TestByesCross(t *testing.T) {
	bubble(t, siptest.Answer(0, 0, 2*time.Second), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetLink("", "", siptest.Link{Latency: 100 * ms}))
		c := w.inviteWith(siptrunk.InviteOptions{}, func(c *call) { time.AfterFunc(1950*ms, c.Hangup) })
		require.Equal(t, outdial.OriginCallerHangup, c.result().Origin)
		require.NoError(t, w.carrier.Settle(t.Context()))
	})
}

// A provisional response that the answer overtook moves nothing back.
func TestProvisionalAfterAnswer(t *testing.T) {
	s := siptest.Play(siptest.Respond(0, 100), siptest.Respond(100*ms, 180), siptest.Respond(10*ms, 200))
	s.Talk = time.Second
	bubble(t, s, nil, func(t *testing.T, w *world) {
		var held atomic.Bool
		w.watch(func(_, to netip.AddrPort, payload []byte) bool {
			if !bytes.HasPrefix(payload, []byte("SIP/2.0 180")) || held.Swap(true) {
				return false
			}
			late := bytes.Clone(payload)
			time.AfterFunc(500*ms, func() { _, _ = w.conn.WriteToUDPAddrPort(late, to) })
			return true
		})
		c := w.invite(siptrunk.InviteOptions{})
		require.Equal(t, []string{
			"0s progress invite", "0s progress trying", "110ms answer", "1.11s end callee_hangup",
		}, c.trace())
	})
}

func TestForkedAnswer(t *testing.T) {
	s := siptest.Play(siptest.Respond(0, 180), siptest.Step{Code: 183, Tag: "other"}, siptest.Respond(time.Second, 200))
	bubble(t, s, nil, func(t *testing.T, w *world) {
		var ours, other []string
		var seqs []string
		w.watch(func(from, to netip.AddrPort, payload []byte) bool {
			if to == netip.MustParseAddrPort(carrierAddr) {
				line, _, _ := bytes.Cut(payload, []byte(" "))
				if bytes.Contains(payload, []byte("tag=second")) {
					other = append(other, string(line))
					_, rest, _ := strings.Cut(string(payload), "CSeq: ")
					seq, _, _ := strings.Cut(rest, "\r\n")
					seqs = append(seqs, seq)
				} else {
					ours = append(ours, string(line))
				}
			}
			return false
		})
		c := w.inviteWith(siptrunk.InviteOptions{}, func(c *call) {
			ev := c.all()[len(c.all())-1]
			fork := bytes.ReplaceAll([]byte(ev.Response.String()), []byte("tag="+ev.ToTag), []byte("tag=second"))
			for range 2 {
				_, err := w.conn.WriteToUDPAddrPort(fork, netip.MustParseAddrPort(dialerAddr))
				require.NoError(t, err)
			}
			time.AfterFunc(time.Second, c.Hangup)
		})
		c.wait()
		time.Sleep(time.Second)
		require.Equal(t, []string{"INVITE", "ACK", "BYE"}, ours)
		require.Equal(t, []string{"ACK", "BYE", "ACK"}, other[:3], "the second 2xx is acknowledged each time, and ended once")
		require.NotContains(t, other[3:], "ACK")
		require.Equal(t, []string{"1 ACK", "2 BYE"}, seqs[:2])
	})
}

func TestSendFails(t *testing.T) {
	bubble(t, siptest.Silence(), nil, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetRefused(carrierAddr, true))
		_, err := w.dialer.Dial(t.Context(), attempt(), func(outdial.Report) { t.Error("a report without a leg") })
		require.ErrorContains(t, err, "connection refused")
		require.Equal(t, siptrunk.Stats{}, w.dialer.Stats())

		require.NoError(t, w.network.SetRefused(carrierAddr, false))
		c := w.invite(siptrunk.InviteOptions{})
		require.NoError(t, w.network.SetRefused(carrierAddr, true))
		require.Equal(t, []string{"0s progress invite", "500ms end transport"}, c.trace())
	})
}

// lineEndInTo would put a header of the carrier's into the requests that repeat its To.
const lineEndInTo = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n" +
	"To: <sip:c@d>\nX-Injected: y;tag=2\r\nCall-ID: abc\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"

func TestReadFailuresAndStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		carrierConn, err := network.Listen(carrierAddr)
		require.NoError(t, err)
		carrier, err := siptest.StartCarrier(siptest.CarrierConfig{
			Conn: carrierConn, Behaviour: siptest.Behaviour{Script: siptest.Answer(0, 0, time.Second)},
		})
		require.NoError(t, err)
		conn, err := network.Listen(dialerAddr)
		require.NoError(t, err)
		w := &world{t: t, network: network, carrier: carrier, conn: carrierConn}
		w.run(siptrunk.Config{Conn: conn}, carrierAddr, nil)
		defer w.close()

		stranger, err := network.Listen("10.9.9.9:5060")
		require.NoError(t, err)
		defer stranger.Close()
		raw, err := siptest.RawInvite("10.9.9.9:5060", dialerAddr, "eve", "bob")
		require.NoError(t, err)
		for range 20 {
			conn.FailRead(errors.New("a late ICMP error"))
			require.NoError(t, siptest.SendRaw(stranger, dialerAddr, raw))
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		s := w.dialer.Stats()
		require.EqualValues(t, 20, s.Strangers)
		require.GreaterOrEqual(t, s.ReadErrors, uint64(16), "more are dropped by the network itself")
		require.Equal(t, outdial.OriginCalleeHangup, w.invite(siptrunk.InviteOptions{}).result().Origin)

		// From a known address, but no responses of ours.
		for _, text := range []string{"SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 200", "SIP/2.0 999 X\r\nVia: x\r\n\r\n", lineEndInTo} {
			w.fromCarrier([]byte(text))
		}
		require.EqualValues(t, 4, w.dialer.Stats().Malformed)
	})
}

func TestSocketLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		conn, err := network.Listen(dialerAddr)
		require.NoError(t, err)
		d, err := siptrunk.New(siptrunk.Config{Conn: conn})
		require.NoError(t, err)
		ran := make(chan error, 1)
		go func() { ran <- d.Run(context.Background()) }()
		synctest.Wait()
		require.NoError(t, conn.Close())
		require.ErrorContains(t, <-ran, "the socket failed")
		require.ErrorIs(t, d.Run(context.Background()), siptrunk.ErrRunning)
	})
}

// TestLastAttemptWaits: when there is nobody to hunt on to, a slow carrier gets the time that a call has.
func TestLastAttemptWaits(t *testing.T) {
	slow := siptest.Play(siptest.Respond(3*time.Second, 180), siptest.Respond(time.Second, 200))
	for name, c := range map[string]struct {
		script   siptest.Script
		last     bool
		deadline time.Duration
		want     []string
	}{
		"another is left":       {slow, false, 0, []string{"0s progress invite", "1s abandon no_trying"}},
		"the last one":          {slow, true, 0, []string{"0s progress invite", "3s progress trying+provisional+ringing", "4s answer"}},
		"until the PDD timer":   {siptest.Silence(), true, 0, []string{"0s progress invite", "8s abandon no_trying"}},
		"until the deadline":    {siptest.Silence(), true, 5 * time.Second, []string{"0s progress invite", "5s abandon no_trying"}},
		"a deadline comes soon": {siptest.Silence(), true, 500 * ms, []string{"0s progress invite", "1s abandon no_trying"}},
		"a deadline comes late": {siptest.Silence(), true, time.Minute, []string{"0s progress invite", "8s abandon no_trying"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, c.script, nil, func(t *testing.T, w *world) {
				a := attempt()
				a.Last = c.last
				if c.deadline != 0 {
					a.Call.Deadline = time.Now().Add(c.deadline)
				}
				got := w.inviteAttempt(a, siptrunk.InviteOptions{}, nil)
				time.Sleep(9 * time.Second)
				got.Hangup()
				require.Equal(t, c.want, got.trace()[:len(c.want)])
			})
		})
	}
}

// TestRevive: a leg that was given up at T100 and is taken up again repeats its INVITE, and is the last of its call; one that is
// being cancelled or is over is not taken up.
func TestRevive(t *testing.T) {
	slow := siptest.Play(siptest.Respond(0, 180), siptest.Respond(time.Second, 200))
	for name, c := range map[string]struct {
		lost   int32         // INVITEs that are lost
		revive time.Duration // when it is taken up
		hangup bool          // … and hung up just before
		want   []string
	}{
		"in time":     {2, 1200 * ms, false, []string{"0s progress invite", "1s abandon no_trying", "1.2s progress trying+provisional+ringing", "2.2s answer"}},
		"too late":    {99, 9 * time.Second, false, []string{"0s progress invite", "1s abandon no_trying", "9s abandon no_trying", "33s end no_trying"}},
		"still early": {0, 500 * ms, false, []string{"0s progress invite", "0s progress trying+provisional+ringing", "1s answer"}},
		"hung up":     {2, 1200 * ms, true, []string{"0s progress invite", "1s abandon no_trying", "33s end no_trying"}},
		"for nothing": {99, 1200 * ms, false, []string{"0s progress invite", "1s abandon no_trying", "8s abandon no_trying", "40s end no_trying"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, slow, nil, func(t *testing.T, w *world) {
				w.dropFirst(c.lost, "INVITE", "")
				got := w.inviteWith(siptrunk.InviteOptions{}, nil)
				time.Sleep(c.revive)
				if c.hangup {
					got.Hangup()
				}
				got.Revive()
				time.Sleep(50 * time.Second)
				got.Hangup()
				trace := got.trace()
				require.Equal(t, c.want, trace[:min(len(c.want), len(trace))])
				require.NotEqual(t, outdial.OriginHost, got.result().Origin, "an answer was not late")
			})
		})
	}
}
