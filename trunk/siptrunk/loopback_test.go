package siptrunk_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// The basics once more on sockets of the kernel's and the wall clock.
func TestLoopback(t *testing.T) {
	soon := func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.PDDTimer = 100 * ms }
	shortRing := func(_ *siptrunk.Config, tr *siptrunk.Trunk) { tr.RingTimer = 100 * ms }
	for _, tt := range []struct {
		name   string
		script siptest.Script
		change func(*siptrunk.Config, *siptrunk.Trunk)
		answer func(*call)
		origin outdial.Origin
		code   uint16
	}{
		{"the callee hangs up", siptest.Answer(5*ms, 5*ms, 20*ms), nil, nil, outdial.OriginCalleeHangup, 0},
		{"we hang up", siptest.Answer(5*ms, 5*ms, 0), nil, (*call).Hangup, outdial.OriginCallerHangup, 0},
		{"busy", siptest.Busy(5 * ms), nil, nil, outdial.OriginCarrier, 486},
		{"100 only", siptest.TryingOnly(), soon, nil, outdial.OriginNoProgress, 487},
		{"rings", siptest.RingForever(5 * ms), shortRing, nil, outdial.OriginNoAnswer, 487},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := realWorld(t, siptest.Behaviour{Script: tt.script}, tt.change)
			defer w.close()
			r := w.inviteWith(siptrunk.InviteOptions{}, tt.answer).result()
			require.Equal(t, tt.origin, r.Origin)
			require.Equal(t, tt.code, r.Code)
			require.NoError(t, w.carrier.Settle(t.Context()))
			require.True(t, w.carrier.Records()[0].Acked)
		})
	}
}

// Where the system tells of ICMP, a port where nobody listens is known at once, not after T100.
func TestPortUnreachable(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells an unconnected socket")
	}
	gone, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	addr := gone.LocalAddr().String()
	require.NoError(t, gone.Close())
	if !toldOf(t, addr) {
		t.Skip("no ICMP on the loopback interface here")
	}
	w := realWorld(t, siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}, nil)
	defer w.close()
	require.NoError(t, w.dialer.SetTrunks(map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: addr, T100: patience}, 2: {Addr: w.carrier.Addr().String()}}))
	c := w.invite(siptrunk.InviteOptions{})
	require.Equal(t, outdial.OriginTransport, c.result().Origin)
	require.Less(t, time.Since(c.start), patience)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, _, err = w.dialer.Ping(ctx, 1)
	require.ErrorIs(t, err, siptrunk.ErrUnreachable)
	code, _, err := w.dialer.Ping(ctx, 2)
	require.NoError(t, err, "the others are not concerned")
	require.Equal(t, 200, code)
}

// One trunk is a closed port, the other one's calls are hung up by the callee meanwhile: every BYE gets its 200.
func TestByesBesideAClosedPort(t *testing.T) {
	gone, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	addr := gone.LocalAddr().String()
	require.NoError(t, gone.Close())
	var complaints lockedBuffer
	w := realWorld(t, siptest.Behaviour{Script: siptest.Answer(0, 0, 20*ms)}, func(cfg *siptrunk.Config, _ *siptrunk.Trunk) {
		cfg.Logger = slog.New(slog.NewTextHandler(&complaints, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	defer w.close()
	require.NoError(t, w.dialer.SetTrunks(map[outdial.TrunkID]siptrunk.Trunk{
		1: {Addr: w.carrier.Addr().String(), T100: patience, PDDTimer: patience}, 2: {Addr: addr},
	}))
	other := attempt()
	other.Candidate.Trunk = 2
	calls := make([]*call, 200)
	for i := range calls {
		l, err := w.dialer.Invite(t.Context(), other, siptrunk.InviteOptions{Offer: offer}, func(siptrunk.Event) {})
		require.NoError(t, err)
		l.Hangup()
		calls[i] = w.invite(siptrunk.InviteOptions{})
	}
	for _, c := range calls {
		require.Equal(t, outdial.OriginCalleeHangup, c.result().Origin)
	}
	require.NoError(t, w.carrier.Settle(t.Context()))
	for _, r := range w.carrier.Records() {
		require.True(t, r.ByeAnswered)
	}
	require.Empty(t, complaints.String())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// toldOf reports whether a connected socket learns that nobody listens at addr.
func toldOf(t *testing.T, addr string) bool {
	t.Helper()
	c, err := net.Dial("udp4", addr)
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("anybody?"))
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
	_, err = c.Read(make([]byte, 1))
	return errors.Is(err, syscall.ECONNREFUSED)
}
