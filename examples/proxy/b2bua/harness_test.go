package b2bua_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

func TestMain(m *testing.M) {
	sip.UDPMTUSize = 1 << 16 // as the program has it
	goleak.VerifyTestMain(m)
}

const (
	ms     = time.Millisecond
	callee = "+12125550123"
	// cli is the one caller ID of the test configuration.
	cli = "+13035550100"
)

// A world is one proxy, two carriers and one dialer. It runs on an in-memory network when there is one.
type world struct {
	t       *testing.T
	network *siptest.Network // nil on real sockets
	first   *siptest.Carrier
	second  *siptest.Carrier
	caller  *siptest.Caller
	proxy   *b2bua.Proxy
	stop    context.CancelFunc
	ran     chan error
}

// config is two trunks in a fixed order, one program with one caller ID that has no limits.
func config(first, second string) b2bua.Config {
	text := fmt.Sprintf(`
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
drain_timeout: 2s
dialers:
  - {name: test, sources: [127.0.0.0/8, 10.0.0.2], program: sales}
trunks:
  - {name: first, carrier: one, address: "%s", channels: 1000, cps: -1}
  - {name: second, carrier: two, address: "%s", channels: 1000, cps: -1}
routing:
  rules:
    - tiers: [{strategy: priority, trunks: [{trunk: first}, {trunk: second}]}]
cli:
  pools: [{name: sales, program: sales, limits: {caps: [], spacing: -1s}}]
  numbers: [{number: "%s", pool: sales, evidence: contract 7}]
  callee: []
`, first, second, cli)
	cfg, err := b2bua.Load("test.yaml", []byte(text))
	if err != nil {
		panic(err)
	}
	return cfg
}

// hooked is a socket towards the dialer that shows what is sent before it goes.
type hooked struct {
	*siptest.Conn // of the bubble
	sends         func(msg []byte)
}

func (h *hooked) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	h.sends(b)
	return h.Conn.WriteToUDPAddrPort(b, to)
}

// bubble runs f with carriers that play the scripts, on an in-memory network under a fake clock.
func bubble(t *testing.T, first, second siptest.Script, change func(*b2bua.Config), f func(t *testing.T, w *world)) {
	t.Helper()
	bubbleWith(t, first, second, change, b2bua.Options{}, f)
}

// bubbleWith is bubble with options for the proxy.
func bubbleWith(t *testing.T, first, second siptest.Script, change func(*b2bua.Config), opts b2bua.Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, err := siptest.NewNetwork(siptest.NetworkConfig{})
		require.NoError(t, err)
		w := &world{t: t, network: network}
		listen := func(addr string) *siptest.Conn {
			conn, err := network.Listen(addr)
			require.NoError(t, err)
			return conn
		}
		carrier := func(addr string, s siptest.Script) *siptest.Carrier {
			c, err := siptest.StartCarrier(siptest.CarrierConfig{Conn: listen(addr), Behaviour: siptest.Behaviour{Script: s}})
			require.NoError(t, err)
			return c
		}
		w.first, w.second = carrier("10.0.1.1:5060", first), carrier("10.0.1.2:5060", second)
		w.caller, err = siptest.StartCaller(siptest.CallerConfig{Conn: listen("10.0.0.2:5060")})
		require.NoError(t, err)
		cfg := config("10.0.1.1:5060", "10.0.1.2:5060")
		if change != nil {
			change(&cfg)
		}
		own := listen("10.0.0.1:5060")
		if h, ok := opts.DialerConn.(*hooked); ok {
			h.Conn = own
		} else {
			opts.DialerConn = own
		}
		opts.CarrierConn = listen("10.0.0.1:5080")
		w.run(cfg, opts)
		defer w.close()
		f(t, w)
	})
}

// loopback is a world on real sockets.
func loopback(t *testing.T, first, second siptest.Script, change func(*b2bua.Config)) *world {
	t.Helper()
	w := &world{t: t}
	carrier := func(s siptest.Script) *siptest.Carrier {
		c, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: s}})
		require.NoError(t, err)
		return c
	}
	w.first, w.second = carrier(first), carrier(second)
	var err error
	w.caller, err = siptest.StartCaller(siptest.CallerConfig{})
	require.NoError(t, err)
	cfg := config(w.first.Addr().String(), w.second.Addr().String())
	if change != nil {
		change(&cfg)
	}
	w.run(cfg, b2bua.Options{})
	t.Cleanup(w.close)
	return w
}

func (w *world) run(cfg b2bua.Config, opts b2bua.Options) {
	w.t.Helper()
	var err error
	w.proxy, err = b2bua.New(cfg, opts)
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	w.stop, w.ran = stop, make(chan error, 1)
	go func() { w.ran <- w.proxy.Run(ctx) }()
}

// close ends everything, and sees to it that nothing is left.
func (w *world) close() {
	w.t.Helper()
	w.stop()
	require.NoError(w.t, <-w.ran)
	for _, s := range w.proxy.Trunks().Snapshot(time.Now()) {
		require.Zero(w.t, s.InUse, "channels of %s", s.Name)
	}
	require.Zero(w.t, w.proxy.Live())
	require.NoError(w.t, w.caller.Close())
	require.NoError(w.t, w.first.Close())
	require.NoError(w.t, w.second.Close())
}

// call places a call and returns what the dialer saw.
func (w *world) call(c siptest.CallerCall) *siptest.CallResult {
	w.t.Helper()
	if c.To == "" {
		c.To = callee
	}
	r, err := w.caller.Call(context.Background(), w.proxy.Addr().String(), c)
	require.NoError(w.t, err)
	require.Empty(w.t, r.Faults)
	return r
}

// settled waits until the proxy has forgotten every call: the last transaction with the dialer takes up to 64·T1. Only in a bubble.
func (w *world) settled() {
	w.t.Helper()
	for range 1000 {
		synctest.Wait()
		if w.proxy.Live() == 0 {
			return
		}
		time.Sleep(100 * ms)
	}
	w.t.Fatal("a call is left over")
}
