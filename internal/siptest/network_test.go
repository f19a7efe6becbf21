package siptest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/siptest"
)

// pipe sends n numbered datagrams, one every gap, and returns the numbers and times of arrival.
func pipe(t *testing.T, network *siptest.Network, n int, gap time.Duration) (numbers []int, at []time.Duration) {
	t.Helper()
	a, err := network.Listen("10.0.0.1:0")
	require.NoError(t, err)
	b, err := network.Listen("10.0.0.2:7")
	require.NoError(t, err)
	defer a.Close()
	defer b.Close()
	began := time.Now()
	go func() {
		for i := range n {
			_, _ = a.WriteTo(binary.BigEndian.AppendUint32(nil, uint32(i)), b.LocalAddr())
			time.Sleep(gap)
		}
	}()
	require.NoError(t, b.SetReadDeadline(began.Add(time.Duration(n)*gap+time.Second)))
	buf := make([]byte, 16)
	for {
		size, from, err := b.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return numbers, at
		}
		require.NoError(t, err)
		require.Equal(t, a.LocalAddr().String(), from.String())
		require.Equal(t, 4, size)
		numbers = append(numbers, int(binary.BigEndian.Uint32(buf)))
		at = append(at, time.Since(began))
	}
}

func onNetwork(t *testing.T, cfg siptest.NetworkConfig, f func(t *testing.T, n *siptest.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n, err := siptest.NewNetwork(cfg)
		require.NoError(t, err)
		f(t, n)
	})
}

func TestNetworkLatency(t *testing.T) {
	onNetwork(t, siptest.NetworkConfig{Link: siptest.Link{Latency: 30 * ms}}, func(t *testing.T, n *siptest.Network) {
		numbers, at := pipe(t, n, 3, 10*ms)
		require.Equal(t, []int{0, 1, 2}, numbers)
		require.Equal(t, []time.Duration{30 * ms, 40 * ms, 50 * ms}, at)
	})
}

func TestNetworkKeepsOrderUnderJitter(t *testing.T) {
	onNetwork(t, siptest.NetworkConfig{Link: siptest.Link{Latency: ms, Jitter: 50 * ms}}, func(t *testing.T, n *siptest.Network) {
		numbers, _ := pipe(t, n, 500, ms)
		require.Len(t, numbers, 500)
		require.IsIncreasing(t, numbers)
	})
}

func TestNetworkFaultsRepeat(t *testing.T) {
	link := siptest.Link{Latency: ms, Jitter: ms, Loss: 0.2, Duplicate: 0.1, Reorder: 0.1}
	run := func(seed uint64) (numbers []int, s siptest.NetworkStats) {
		onNetwork(t, siptest.NetworkConfig{Seed: seed, Link: link}, func(t *testing.T, n *siptest.Network) {
			numbers, _ = pipe(t, n, 1000, 5*ms)
			s = n.Stats()
		})
		return numbers, s
	}
	numbers, s := run(7)
	again, _ := run(7)
	require.Equal(t, numbers, again)
	other, _ := run(8)
	require.NotEqual(t, numbers, other)
	require.InDelta(t, 200, s.Lost, 50)
	require.InDelta(t, 80, s.Duplicated, 40)
	require.InDelta(t, 80, s.Reordered, 40)
	require.Equal(t, 1000, s.Sent)
	require.Equal(t, s.Sent-s.Lost+s.Duplicated, s.Delivered)
	require.Len(t, numbers, s.Delivered)
	late := 0
	for i := 1; i < len(numbers); i++ {
		if numbers[i] < numbers[i-1] {
			late++
		}
	}
	require.InDelta(t, s.Reordered, late, 20)
}

func TestNetworkOnRealClock(t *testing.T) {
	n, err := siptest.NewNetwork(siptest.NetworkConfig{Link: siptest.Link{Latency: 2 * ms}})
	require.NoError(t, err)
	a, err := n.Listen("10.0.0.1:1")
	require.NoError(t, err)
	defer a.Close()
	b, err := n.Listen("[::1]:2")
	require.NoError(t, err)
	defer b.Close()
	_, err = a.WriteTo([]byte("x"), b.LocalAddr())
	require.NoError(t, err)
	size, _, err := b.ReadFrom(make([]byte, 9))
	require.NoError(t, err)
	require.Equal(t, 1, size)
	require.NoError(t, b.SetReadDeadline(time.Now().Add(5*ms)))
	_, _, err = b.ReadFrom(nil)
	var ne net.Error
	require.ErrorAs(t, err, &ne)
	require.True(t, ne.Timeout())
}

func TestNetworkConn(t *testing.T) {
	onNetwork(t, siptest.NetworkConfig{Queue: 2}, func(t *testing.T, n *siptest.Network) {
		a, err := n.Listen(callerAddr)
		require.NoError(t, err)
		_, err = n.Listen(callerAddr)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		_, err = n.Listen("nowhere")
		require.Error(t, err)
		self := netip.MustParseAddrPort("[::ffff:10.0.0.2]:5060")
		for range 3 {
			_, err = a.WriteToUDPAddrPort([]byte("hello"), self)
			require.NoError(t, err)
		}
		require.Equal(t, 1, n.Stats().Overflowed)
		size, from, err := a.ReadFromUDPAddrPort(make([]byte, 2))
		require.NoError(t, err)
		require.Equal(t, 2, size, "the rest is cut off")
		require.Equal(t, callerAddr, from.String())
		_, err = a.WriteTo(make([]byte, 70000), a.LocalAddr())
		require.ErrorIs(t, err, syscall.EMSGSIZE)
		_, err = a.WriteTo(nil, &net.UDPAddr{IP: net.IPv4(10, 0, 0, 77), Port: 1})
		require.NoError(t, err)
		require.Equal(t, 1, n.Stats().Unbound)
		go func() {
			time.Sleep(time.Second)
			a.Close()
		}()
		_, _, _ = a.ReadFrom(make([]byte, 9))
		_, _, err = a.ReadFrom(make([]byte, 9))
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorIs(t, a.Close(), net.ErrClosed)
		_, err = a.WriteTo(nil, a.LocalAddr())
		require.ErrorIs(t, err, net.ErrClosed)
		b, err := n.Listen(callerAddr)
		require.NoError(t, err, "the address is free again")
		require.NoError(t, b.Close())
	})
}

func TestCallUnderLoss(t *testing.T) {
	cfg := siptest.NetworkConfig{Seed: 3, Link: siptest.Link{Latency: 10 * ms, Jitter: 5 * ms, Loss: 0.2, Duplicate: 0.2, Reorder: 0.2}}
	bubble(t, cfg, siptest.Behaviour{Script: siptest.Answer(100*ms, time.Second, time.Minute)}, func(t *testing.T, w *world) {
		answered := 0
		results := w.fleet(t, 200, 100*ms, siptest.CallerCall{})
		w.settle(t)
		for _, r := range results {
			if r.Code() == 200 {
				answered++
			}
		}
		s := w.carrier.Stats()
		require.Equal(t, 200, s.Invites, "retransmissions and duplicates are not calls")
		require.Equal(t, 200, s.Answered)
		require.Equal(t, 200, s.Acks+s.Unacked)
		require.Equal(t, 200, s.ByesSent)
		require.Positive(t, s.InviteRetransmits)
		require.Equal(t, 200, answered, "RFC 3261 recovers from 20 % loss")
	})
}

func TestCutAndHeal(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Busy(0)}, func(t *testing.T, w *world) {
		require.NoError(t, w.network.Cut("10.0.0.1", "10.0.0.2"))
		time.AfterFunc(3*time.Second, func() { _ = w.network.Heal("10.0.0.1", "10.0.0.2") })
		r := w.call(t, siptest.CallerCall{})
		require.Equal(t, 486, r.Code())
		require.Equal(t, 3500*ms, r.EndedAt, "the retransmission after the healing")
		require.Equal(t, 3, w.network.Stats().Cut)
		require.NoError(t, w.network.SetLink("10.0.0.1:5060", "", siptest.Link{Loss: 1}))
		require.True(t, w.call(t, siptest.CallerCall{}).TimedOut, "one way is enough")
		require.NoError(t, w.network.SetLink("10.0.0.1:5060", "", siptest.Link{}))
		require.Equal(t, 486, w.call(t, siptest.CallerCall{}).Code())
		require.Error(t, w.network.Cut("host", ""))
	})
}

func TestRefused(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Busy(0)}, func(t *testing.T, w *world) {
		require.NoError(t, w.network.SetRefused(carrierAddr, true))
		_, err := w.caller.Call(t.Context(), w.target(), siptest.CallerCall{})
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.NoError(t, w.network.SetRefused(carrierAddr, false))
		require.Equal(t, 486, w.call(t, siptest.CallerCall{}).Code())
	})
}

func TestFilterLosesFirstAck(t *testing.T) {
	bubble(t, siptest.NetworkConfig{}, siptest.Behaviour{Script: siptest.Answer(0, 0, 2*time.Second)}, func(t *testing.T, w *world) {
		acks := 0
		w.network.SetFilter(func(_, _ netip.AddrPort, payload []byte) bool {
			if bytes.HasPrefix(payload, []byte("ACK ")) {
				acks++
				return acks == 1
			}
			return false
		})
		r := w.call(t, siptest.CallerCall{})
		require.Equal(t, 1, r.FinalRetransmits)
		require.Equal(t, 2, acks)
		require.Equal(t, 2*time.Second, r.EndedAt)
		require.Equal(t, 500*ms, w.carrier.Records()[0].AckedAt.Sub(r.StartedAt))
		w.network.SetFilter(nil)
	})
}

func TestReadErrorsAreSwallowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		conn, err := network.Listen(carrierAddr)
		require.NoError(t, err)
		c, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: conn})
		require.NoError(t, err)
		conn.FailRead(syscall.ECONNREFUSED)
		conn.FailRead(syscall.ECONNREFUSED)
		from, err := network.Listen(callerAddr)
		require.NoError(t, err)
		caller, err := siptest.StartCaller(siptest.CallerConfig{Conn: from})
		require.NoError(t, err)
		r, err := caller.Request(context.Background(), carrierAddr, "OPTIONS")
		require.NoError(t, err)
		require.Equal(t, 200, r.Code)
		require.NoError(t, caller.Close())
		require.NoError(t, c.Close())
	})
}
