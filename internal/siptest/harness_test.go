package siptest_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/internal/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	carrierAddr = "10.0.0.1:5060"
	callerAddr  = "10.0.0.2:5060"
	ms          = time.Millisecond
)

// A world is one carrier and one caller, on real sockets or on a network.
type world struct {
	network *siptest.Network // nil on real sockets
	carrier *siptest.Carrier
	caller  *siptest.Caller
}

func (w *world) target() string { return w.carrier.Addr().String() }

func (w *world) close(t *testing.T) {
	t.Helper()
	require.NoError(t, w.caller.Close())
	require.NoError(t, w.carrier.Close())
}

func realWorld(t *testing.T, b siptest.Behaviour) *world {
	t.Helper()
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: b, Seed: 1})
	require.NoError(t, err)
	caller, err := siptest.StartCaller(siptest.CallerConfig{Seed: 1})
	require.NoError(t, err)
	return &world{carrier: carrier, caller: caller}
}

func memoryWorld(t *testing.T, n siptest.NetworkConfig, b siptest.Behaviour) *world {
	t.Helper()
	network, err := siptest.NewNetwork(n)
	require.NoError(t, err)
	conn, err := network.Listen(carrierAddr)
	require.NoError(t, err)
	media, err := network.Listen("10.0.0.1:0")
	require.NoError(t, err)
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: conn, Media: media, Behaviour: b, Seed: 1})
	require.NoError(t, err)
	conn, err = network.Listen(callerAddr)
	require.NoError(t, err)
	caller, err := siptest.StartCaller(siptest.CallerConfig{
		Conn: conn, Seed: 1,
		ListenMedia: func() (net.PacketConn, error) { return network.Listen("10.0.0.2:0") },
	})
	require.NoError(t, err)
	return &world{network: network, carrier: carrier, caller: caller}
}

// bubble runs f on an in-memory network under a fake clock.
func bubble(t *testing.T, n siptest.NetworkConfig, b siptest.Behaviour, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := memoryWorld(t, n, b)
		defer w.close(t)
		f(t, w)
	})
}

func (w *world) call(t *testing.T, c siptest.CallerCall) *siptest.CallResult {
	t.Helper()
	r, err := w.caller.Call(t.Context(), w.target(), c)
	require.NoError(t, err)
	return r
}

func (w *world) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	require.NoError(t, w.carrier.Settle(ctx))
}
