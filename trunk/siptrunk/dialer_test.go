package siptrunk_test

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/crew"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

func TestNewNamesEveryFault(t *testing.T) {
	_, err := siptrunk.New(siptrunk.Config{
		UserAgent: "a\r\nb", Headers: []string{"X-Good", "X Bad"},
		Trunks: map[outdial.TrunkID]siptrunk.Trunk{
			0: {Addr: "10.0.0.1"},
			1: {},
			2: {Addr: "10.0.0.1:99999", Sources: []string{"here"}, FromDomain: "a b", Prefix: "1\r\n", Password: "x", Format: 9},
			3: {Addr: "sip.example.com", Username: "a\"b"},
		},
	})
	for _, want := range []string{
		"Conn: ", "UserAgent", `Headers[1]: "X Bad"`, "0 is no trunk", "trunk 1", "trunk 2", "Sources", "FromDomain", "Prefix",
		"Format", "Password", "trunk 3", "Username",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = siptrunk.New(siptrunk.Config{ListenAddr: "0.0.0.0:0"})
	require.ErrorContains(t, err, "Advertise: it is needed")
	_, err = siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Advertise: "a b"})
	require.ErrorContains(t, err, "Advertise")
	_, err = siptrunk.New(siptrunk.Config{ListenAddr: "nowhere"})
	require.ErrorContains(t, err, "ListenAddr")
}

func TestNumbersAndNames(t *testing.T) {
	change := func(cfg *siptrunk.Config, tr *siptrunk.Trunk) {
		cfg.Advertise, cfg.UserAgent = "203.0.113.9:5070", "-"
		cfg.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
			require.Equal(t, "sip.carrier.example", host)
			return []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("10.0.0.1")}, nil
		}
		tr.Addr, tr.Format, tr.Prefix, tr.FromDomain = "sip.carrier.example", siptrunk.FormatDigits, "99#", "pbx.example"
	}
	bubble(t, siptest.Busy(0), change, func(t *testing.T, w *world) {
		var invite string
		w.watch(func(_, _ netip.AddrPort, payload []byte) bool {
			if strings.HasPrefix(string(payload), "INVITE") {
				invite = string(payload)
			}
			return false
		})
		w.invite(siptrunk.InviteOptions{}).wait()
		for _, want := range []string{
			"INVITE sip:99%2312125550123@sip.carrier.example SIP/2.0\r\n",
			"Via: SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bK", ";rport\r\n",
			"From: <sip:13035550100@pbx.example>;tag=", "P-Asserted-Identity: <sip:13035550100@pbx.example>\r\n",
			"To: <sip:99%2312125550123@sip.carrier.example>\r\n", "Contact: <sip:203.0.113.9:5070>\r\n",
			"CSeq: 1 INVITE\r\n", "Max-Forwards: 70\r\n",
		} {
			require.Contains(t, invite, want)
		}
		require.NotContains(t, invite, "User-Agent")

		a := attempt()
		a.CLI = 0
		leg, err := w.dialer.Invite(t.Context(), a, siptrunk.InviteOptions{Offer: offer}, func(siptrunk.Event) {})
		require.NoError(t, err)
		synctest.Wait()
		require.Contains(t, invite, `From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=`)
		require.NotContains(t, invite, "P-Asserted-Identity")
		require.Contains(t, invite, "Call-ID: "+leg.CallID()+"\r\n")
	})
}

func TestNothingLeaves(t *testing.T) {
	lookup := errors.New("no such host")
	change := func(cfg *siptrunk.Config, tr *siptrunk.Trunk) {
		tr.Addr = "sip.carrier.example"
		cfg.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, lookup }
	}
	bubble(t, siptest.Silence(), change, func(t *testing.T, w *world) {
		try := func(a *outdial.Attempt, opts siptrunk.InviteOptions) error {
			leg, err := w.dialer.Invite(t.Context(), a, opts, func(siptrunk.Event) { t.Error("a report without a leg") })
			require.Nil(t, leg)
			return err
		}
		require.ErrorIs(t, try(attempt(), siptrunk.InviteOptions{}), lookup)
		for _, h := range []siptrunk.Header{{"X", "a\r\nVia: x"}, {"X\r\nY", "a"}, {"via", "x"}, {"", "x"}, {"X Y", ""}, {"X", "\x00"}} {
			require.Error(t, try(attempt(), siptrunk.InviteOptions{Headers: []siptrunk.Header{h}}), "%q", h)
		}
		require.Error(t, try(attempt(), siptrunk.InviteOptions{ContentType: "a\nb"}))
		a := attempt()
		a.Call.To = 5
		require.ErrorContains(t, try(a, siptrunk.InviteOptions{}), "number")
		a = attempt()
		a.Candidate.Trunk = 9
		require.ErrorIs(t, try(a, siptrunk.InviteOptions{}), siptrunk.ErrUnknownTrunk)
		_, _, err := w.dialer.Ping(t.Context(), 9)
		require.ErrorIs(t, err, siptrunk.ErrUnknownTrunk)
		w.dialer.Drain()
		require.NoError(t, w.dialer.SetTrunks(map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: carrierAddr}}))
		require.ErrorIs(t, try(attempt(), siptrunk.InviteOptions{}), siptrunk.ErrClosed)
		require.Zero(t, w.network.Stats().Sent)
	})
}

func TestSetTrunks(t *testing.T) {
	bubble(t, siptest.Answer(0, time.Second, time.Second), nil, func(t *testing.T, w *world) {
		c := w.invite(siptrunk.InviteOptions{})
		require.Error(t, w.dialer.SetTrunks(map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: "a b"}}), "and the former stay in force")
		c2 := w.invite(siptrunk.InviteOptions{})
		require.NoError(t, w.dialer.SetTrunks(nil))
		_, err := w.dialer.Dial(t.Context(), attempt(), nil)
		require.ErrorIs(t, err, siptrunk.ErrUnknownTrunk)
		require.Equal(t, outdial.OriginCalleeHangup, c.result().Origin, "what is under way goes on")
		require.Equal(t, outdial.OriginCalleeHangup, c2.result().Origin)
	})
}

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, siptest.Behaviour{}, nil)
		defer w.close()
		require.NoError(t, w.network.SetLink("", "", siptest.Link{Latency: 30 * ms}))
		code, rtt, err := w.dialer.Ping(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, 200, code)
		require.Equal(t, 60*ms, rtt)
		require.NoError(t, w.carrier.SetBehaviour(siptest.Behaviour{Options: 503}))
		code, _, err = w.dialer.Ping(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, 503, code)
		require.NoError(t, w.carrier.SetBehaviour(siptest.Behaviour{Options: -1}))
		start := time.Now()
		_, _, err = w.dialer.Ping(t.Context(), 1)
		require.ErrorIs(t, err, siptrunk.ErrNoResponse)
		require.Equal(t, siptest.TimeoutB, time.Since(start))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err = w.dialer.Ping(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, w.dialer.Stats().Parties)
	})
}

func TestShutdown(t *testing.T) {
	t.Run("graceful", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, siptest.Behaviour{Script: siptest.Answer(0, time.Second, 0)}, nil)
			up := w.invite(siptrunk.InviteOptions{})
			time.Sleep(2 * time.Second)
			ringing := w.invite(siptrunk.InviteOptions{})
			synctest.Wait()
			w.close()
			require.Equal(t, outdial.OriginHost, up.result().Origin)
			require.Equal(t, outdial.OriginCaller, ringing.result().Origin)
			require.Equal(t, 1, w.carrier.Stats().ByesReceived)
			require.Equal(t, 1, w.carrier.Stats().Cancelled)
			_, err := w.dialer.Dial(t.Context(), attempt(), nil)
			require.ErrorIs(t, err, siptrunk.ErrClosed)
			up.Hangup() // after everything: nothing happens
		})
	})
	t.Run("nobody answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, siptest.Behaviour{Script: siptest.Silence()}, nil)
			c := w.invite(siptrunk.InviteOptions{})
			time.Sleep(100 * ms)
			start := time.Now()
			w.close()
			require.Equal(t, 4*time.Second, time.Since(start), "the grace")
			require.Equal(t, outdial.OriginCaller, c.result().Origin)
		})
	})
	t.Run("at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}, nil)
			c := w.invite(siptrunk.InviteOptions{})
			synctest.Wait()
			require.NoError(t, w.dialer.Close())
			require.Equal(t, outdial.OriginHost, c.result().Origin)
			require.NoError(t, w.dialer.Close())
			w.close()
			require.Zero(t, w.carrier.Stats().ByesReceived)
		})
	})
	t.Run("a ping is under way", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, siptest.Behaviour{Options: -1}, nil)
			pinged := make(chan error, 1)
			go func() {
				_, _, err := w.dialer.Ping(context.Background(), 1)
				pinged <- err
			}()
			synctest.Wait()
			start := time.Now()
			w.close()
			require.ErrorIs(t, <-pinged, siptrunk.ErrClosed)
			require.Equal(t, start, time.Now())
		})
	})
	t.Run("drain and wait", func(t *testing.T) {
		bubble(t, siptest.Answer(0, time.Second, 5*time.Second), nil, func(t *testing.T, w *world) {
			w.invite(siptrunk.InviteOptions{})
			w.dialer.Drain()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, w.dialer.Wait(ctx), context.DeadlineExceeded)
			require.NoError(t, w.dialer.Wait(t.Context()))
			require.Zero(t, w.dialer.Live())
		})
	})
}

// A host may hold its lock over Dial and Hangup although its sink takes it too; here the sink hangs up itself.
func TestHangupFromTheSink(t *testing.T) {
	bubble(t, siptest.Answer(time.Second, time.Second, 0), nil, func(t *testing.T, w *world) {
		c := w.inviteWith(siptrunk.InviteOptions{}, func(c *call) { c.Hangup(); c.Hangup() })
		require.Equal(t, outdial.OriginCallerHangup, c.result().Origin)
		c.Hangup()
		synctest.Wait()
		require.Equal(t, 1, w.carrier.Stats().ByesReceived)
	})
}

func TestNothingIsKept(t *testing.T) {
	const calls = 500
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, siptest.Behaviour{Mix: []siptest.Weighted{
			{Weight: 4, Script: siptest.Answer(time.Second, time.Second, 3*time.Second)},
			{Weight: 2, Script: siptest.Busy(time.Second)},
			{Weight: 1, Script: siptest.Silence()},
			{Weight: 1, Script: siptest.TryingOnly()},
			{Weight: 1, Script: siptest.Unavailable(0)},
		}}, nil)
		defer w.close()
		synctest.Wait()
		before := siptest.Goroutines()
		all := make([]*call, calls)
		for i := range all {
			all[i] = w.invite(siptrunk.InviteOptions{})
		}
		time.Sleep(500 * ms)
		synctest.Wait()
		require.InDelta(t, before, siptest.Goroutines(), crew.Most+5, "a leg that waits needs no goroutine; the runtime has a few of its own")
		for _, c := range all {
			c.wait()
		}
		time.Sleep(siptest.DrainTime)
		synctest.Wait()
		require.Equal(t, siptrunk.Stats{}, w.dialer.Stats())
		require.InDelta(t, before, siptest.Goroutines(), 5)
		require.Equal(t, calls, w.carrier.Stats().Invites)
	})
}

func TestAdvertised(t *testing.T) {
	for advertise, want := range map[string]string{"": "127.0.0.1:", "sbc.example:5070": "sbc.example:5070", "2001:db8::1": "[2001:db8::1]:"} {
		d, err := siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Advertise: advertise})
		require.NoError(t, err)
		if want[len(want)-1] == ':' {
			want += strconv.Itoa(int(d.LocalAddr().Port()))
		}
		require.Equal(t, want, d.Advertised())
		require.NoError(t, d.Close())
	}
}
