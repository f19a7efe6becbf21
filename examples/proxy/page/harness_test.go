package page_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/examples/proxy/admin"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/examples/proxy/page"
	"github.com/outdial/outdial/internal/siptest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const (
	token  = "0123456789abcdef0123456789abcdef"
	number = "+13035550100"
)

// world is a proxy on loopback with its page: the first trunk has no channel, the second answers.
type world struct {
	t      testing.TB
	proxy  *b2bua.Proxy
	page   *page.Page
	server *httptest.Server
	caller *siptest.Caller
	calls  *sync.WaitGroup
	over   context.Context // ends with the world
}

// newWorld serves the page of a proxy; secret = a token is asked for.
func newWorld(t testing.TB, secret bool, first, second siptest.Script) *world {
	t.Helper()
	carrier := func(s siptest.Script) string {
		c, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: s}})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		return c.Addr().String()
	}
	cfg, err := b2bua.Load("test.yaml", []byte(`
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
drain_timeout: -1s
dialers: [{name: predictive, sources: [127.0.0.1], program: sales}]
trunks:
  - {name: alpha-1, carrier: alpha, address: "`+carrier(first)+`", channels: 40, cps: 400}
  - {name: beta-1, carrier: beta, address: "`+carrier(second)+`", channels: 2000, cps: 400}
routing:
  version: page
  rules: [{tiers: [{strategy: priority, trunks: [{trunk: alpha-1}, {trunk: beta-1}]}]}]
hunting: {explain: true}
failover: {ping_every: -1s}
cli:
  pools: [{name: sales, program: sales, limits: {caps: [10000/24h], spacing: -1s}}]
  numbers:
    - {number: "`+number+`", pool: sales, region: CO, owner: Example Inc, evidence: contract 7}
    - {number: "+13035550101", pool: sales, region: CO, evidence: contract 7}
  callee: []
admin: {listen: "127.0.0.1:0"}
`))
	require.NoError(t, err)
	w := &world{t: t, calls: new(sync.WaitGroup)}
	w.proxy, err = b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	w.page, err = page.New(page.Config{Proxy: w.proxy, Every: 100 * time.Millisecond})
	require.NoError(t, err)
	var tokens *door.Tokens
	if secret {
		tokens, err = door.ParseTokens([]byte("noc " + token))
		require.NoError(t, err)
	}
	api, err := admin.New(admin.Config{Proxy: w.proxy, Tokens: tokens, Page: w.page})
	require.NoError(t, err)
	w.server = httptest.NewServer(api.Handler())
	w.caller, err = siptest.StartCaller(siptest.CallerConfig{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	w.over = ctx
	var serving sync.WaitGroup
	serving.Go(func() { require.NoError(t, w.proxy.Run(ctx)) })
	serving.Go(func() { w.page.Run(ctx) })
	t.Cleanup(func() {
		stop()
		serving.Wait()
		w.calls.Wait()
		w.server.Close()
		require.NoError(t, w.caller.Close())
		http.DefaultClient.CloseIdleConnections()
	})
	return w
}

// still is the same world with a page whose snapshots the test takes: Page.Tick.
func (w *world) still() *world {
	w.t.Helper()
	other := *w
	var err error
	other.page, err = page.New(page.Config{Proxy: w.proxy})
	require.NoError(w.t, err)
	mux := http.NewServeMux()
	other.page.Mount(mux)
	other.server = httptest.NewServer(mux)
	w.t.Cleanup(func() {
		other.server.CloseClientConnections()
		other.server.Close()
	})
	return &other
}

// dial places a call and waits until it is over.
func (w *world) dial(c siptest.CallerCall) *siptest.CallResult {
	w.t.Helper()
	if c.To == "" {
		c.To = "+12125550123"
	}
	r, err := w.caller.Call(w.over, w.proxy.Addr().String(), c)
	require.NoError(w.t, err)
	return r
}

// traffic keeps n calls up until the world ends, one after the other.
func (w *world) traffic(n int, c siptest.CallerCall) {
	c.To = "+12125550123"
	for range n {
		w.calls.Go(func() {
			for w.over.Err() == nil {
				_, _ = w.caller.Call(w.over, w.proxy.Addr().String(), c)
			}
		})
	}
}

// talk has one call up that nobody but an operator ends, to another callee than the others. It returns what waits for its end, and tells what went
// wrong with it.
func (w *world) talk() (ended func() error) {
	err := make(chan error, 1)
	w.calls.Go(func() {
		r, e := w.caller.Call(w.over, w.proxy.Addr().String(), siptest.CallerCall{To: "+12127770123"})
		if e == nil && r.Code() != http.StatusOK {
			e = fmt.Errorf("answered with %d", r.Code())
		}
		err <- e
	})
	return func() error { return <-err }
}
