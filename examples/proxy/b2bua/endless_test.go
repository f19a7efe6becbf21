package b2bua_test

import (
	"bytes"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/examples/internal/integ"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/internal/siptest"
)

// ringing answers every INVITE that comes to an address with 180, and keeps nothing of it.
func (w *world) ringing(addr string) (stop func()) {
	conn, err := w.network.Listen(addr)
	require.NoError(w.t, err)
	go func() {
		buf := make([]byte, 65535)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if !bytes.HasPrefix(buf[:n], []byte("INVITE ")) {
				continue
			}
			var b strings.Builder
			b.WriteString("SIP/2.0 180 Ringing\r\n")
			for line := range strings.Lines(string(buf[:n])) {
				name, _, _ := strings.Cut(line, ":")
				switch name {
				case "Via", "From", "Call-ID", "CSeq":
					b.WriteString(line)
				case "To":
					b.WriteString(strings.TrimSuffix(line, "\r\n") + ";tag=1\r\n")
				}
			}
			b.WriteString("Content-Length: 0\r\n\r\n")
			_, _ = conn.WriteToUDPAddrPort([]byte(b.String()), from)
		}
	}()
	return func() { require.NoError(w.t, conn.Close()) }
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A thousand calls that never end, ten thousand with OUTDIAL_INTEG=1, and more than may be, twice: max_calls bounds them, the ring timer ends
// them, and goroutines and memory are then what they were after the first time.
func TestEndlessCalls(t *testing.T) {
	most := 1000
	switch {
	case race.Enabled:
		most = 200
	case integ.Wanted():
		most = 10_000
	}
	change := func(c *b2bua.Config) {
		c.MaxCalls = most
		c.Trunks[0].Channels, c.Trunks[0].Ring, c.Trunks[0].Address = -1, 2*time.Minute, "10.0.1.9:5060"
		c.Routing.Rules[0].Tiers[0].Trunks = c.Routing.Rules[0].Tiers[0].Trunks[:1]
	}
	bubble(t, siptest.Silence(), siptest.Silence(), change, func(t *testing.T, w *world) {
		defer w.ringing("10.0.1.9:5060")()
		conn, err := w.network.Listen("10.0.0.2:7000")
		require.NoError(t, err)
		defer conn.Close()
		go func() {
			buf := make([]byte, 65535)
			for {
				if _, _, err := conn.ReadFromUDPAddrPort(buf); err != nil {
					return
				}
			}
		}()
		var memory uint64
		var goroutines int
		for round := range 2 {
			for i := range most + 100 {
				_, err := conn.WriteToUDPAddrPort(invite(t), netip.MustParseAddrPort(proxyAddr))
				require.NoError(t, err)
				if i%100 == 99 {
					synctest.Wait()
				}
			}
			synctest.Wait()
			require.Equal(t, most, w.proxy.Live())
			require.EqualValues(t, 100*(round+1), w.proxy.Stats().Rejected)
			time.Sleep(3*time.Minute + siptest.DrainTime)
			synctest.Wait()
			require.Zero(t, w.proxy.Live())
			if round == 0 {
				memory, goroutines = heap(), siptest.Goroutines()
			}
		}
		require.LessOrEqual(t, siptest.Goroutines(), goroutines+2)
		require.Less(t, heap(), memory+memory/20+(1<<20))
	})
}

// A dialer has no more calls at a time than its own limit, whatever the others have, and none that lasts longer than it may.
func TestDialerLimits(t *testing.T) {
	change := func(c *b2bua.Config) { c.Dialers[0].MaxCalls, c.Dialers[0].MaxCall = 1, time.Hour }
	bubble(t, siptest.Answer(0, 10*ms, 0), siptest.Silence(), change, func(t *testing.T, w *world) {
		done := make(chan *siptest.CallResult, 1)
		start := time.Now()
		go func() { done <- w.call(siptest.CallerCall{}) }()
		time.Sleep(time.Minute)
		second := w.call(siptest.CallerCall{})
		require.Equal(t, 503, second.Code())
		require.NotEmpty(t, second.Final.Header("Retry-After"))
		require.Equal(t, 200, (<-done).Code())
		require.InDelta(t, time.Hour.Seconds(), time.Since(start).Seconds(), 2)
		w.settled()
		require.Equal(t, 1, w.first.Stats().ByesReceived, "the carrier is told too")
		require.EqualValues(t, 1, w.proxy.Stats().Overlong)
		require.Equal(t, 200, w.call(siptest.CallerCall{HangupAfter: ms}).Code(), "there is room again")
		w.settled()
	})
}
