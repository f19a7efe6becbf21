package decide_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/decide"
)

// TestMain serves the API in a process of its own, where a benchmark has started this program for that.
func TestMain(m *testing.M) {
	if os.Getenv(aloneEnv) != "" {
		if err := alone(os.Getenv(aloneEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const callee = "+12125550123"

// configText is three trunks, weighted, and caller IDs without limits.
const configText = `
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
dialers: [{name: test, sources: [127.0.0.0/8, 10.0.0.2], program: sales, campaign: spring, mode: predictive}]
dial_plan: {country_code: 1, international: "011", national: "1", subscriber: 10}
trunks:
  - {name: first, carrier: one, address: "%s", channels: 100, cps: -1, prefix: "9"}
  - {name: second, carrier: two, address: "%s", channels: 100, cps: -1, format: digits}
  - {name: third, carrier: three, address: "%s", channels: 100, cps: -1}
routing:
  rules: [{tiers: [{trunks: [{trunk: first, weight: 3}, {trunk: second, weight: 2}]}, {strategy: priority, trunks: [{trunk: third}]}]}]
failover: {ping_every: -1s, seed: 7}
hunting: {explain: true}
cli:
  pools: [{name: sales, program: sales, limits: {caps: [], spacing: -1s}, sticky: {mode: off}}]
  numbers:
    - {number: "+13035550100", pool: sales, evidence: contract 7}
    - {number: "+13035550101", pool: sales, evidence: contract 7}
    - {number: "+13035550102", pool: sales, evidence: contract 7}
  callee: []
`

func load(first, second, third string, change ...string) (b2bua.Config, error) {
	return b2bua.Load("test.yaml", []byte(strings.NewReplacer(change...).Replace(fmt.Sprintf(configText, first, second, third))))
}

func configuration(t testing.TB, first, second, third string, change ...string) b2bua.Config {
	t.Helper()
	cfg, err := load(first, second, third, change...)
	require.NoError(t, err)
	return cfg
}

// world is a proxy that is not run, with its decision API and a clock of its own.
type world struct {
	t      testing.TB
	now    time.Time
	proxy  *b2bua.Proxy
	server *decide.Server
	api    http.Handler
	router routers.Router
	seen   map[string]bool // "operation status"
}

func newWorld(t testing.TB, cfg decide.Config, change ...string) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC), seen: map[string]bool{}}
	var err error
	w.proxy, err = b2bua.New(configuration(t, "10.0.1.1", "10.0.1.2", "10.0.1.3", change...), b2bua.Options{Now: func() time.Time { return w.now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.proxy.Close()) })
	cfg.Proxy = w.proxy
	w.server, err = decide.New(cfg)
	require.NoError(t, err)
	w.api = w.server.Handler()
	_, w.router = contract(t)
	return w
}

func contract(t testing.TB) (*openapi3.T, routers.Router) {
	t.Helper()
	d := readOnce()
	require.NoError(t, d.err)
	return d.doc, d.router
}

// document is read once.
type document struct {
	doc    *openapi3.T
	router routers.Router
	err    error
}

var readOnce = sync.OnceValue(func() (d document) {
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return document{err: err}
	}
	if d.doc, d.err = openapi3.NewLoader().LoadFromData(data); d.err != nil {
		return d
	}
	if d.err = d.doc.Validate(context.Background()); d.err != nil {
		return d
	}
	d.doc.Servers = nil
	d.router, d.err = gorillamux.NewRouter(d.doc)
	return d
})

// answer is what the API answered.
type answer struct {
	t       testing.TB
	status  int
	body    string
	Action  string
	Token   string
	Leg     int
	Attempt string
	Trunk   string
	Carrier string
	URI     string
	CLI     string
	Code    int
	Refusal string
	Why     string
	Last    bool
	Delay   int64 `json:"delay_ms"`
	Retry   int64 `json:"retry_after"`

	Identity string
	Errors   []struct{ Field, Detail string }
}

func (a *answer) want(status int, code string) *answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.body)
	if status == http.StatusOK {
		require.Equal(a.t, code, a.Action, a.body)
	} else {
		require.Contains(a.t, a.body, `"code":"`+code+`"`)
	}
	return a
}

// post sends a body and holds the answer against the document.
func (w *world) post(path, body string) *answer {
	w.t.Helper()
	return w.do("POST", path, body, "Content-Type", "application/json")
}

func (w *world) do(method, path, body string, headers ...string) *answer {
	w.t.Helper()
	req := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, req)
	res := rec.Result()
	data, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	found := req.Clone(context.Background())
	found.Host, found.URL.Host, found.URL.Scheme = "", "", ""
	route, params, err := w.router.FindRoute(found)
	require.NoError(w.t, err, "%s %s", method, path)
	require.NotNil(w.t, route.Operation.Responses.Status(res.StatusCode), "%s %s: %d: %s", method, path, res.StatusCode, data)
	w.seen[fmt.Sprintf("%s %d", route.Operation.OperationID, res.StatusCode)] = true
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: found, PathParams: params, Route: route},
		Status:                 res.StatusCode, Header: res.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	in.SetBodyBytes(data)
	require.NoError(w.t, openapi3filter.ValidateResponse(context.Background(), in), "%s", data)
	a := &answer{t: w.t, status: res.StatusCode, body: string(data)}
	if strings.HasSuffix(res.Header.Get("Content-Type"), "json") {
		var flat struct {
			*answer
			Code any
		}
		flat.answer = a
		require.NoError(w.t, json.Unmarshal(data, &flat), "%s", data)
		if n, ok := flat.Code.(float64); ok {
			a.Code = int(n)
		}
	}
	return a
}

// begin asks for a call.
func (w *world) begin(key string) *answer {
	w.t.Helper()
	return w.post("/v1/decide", `{"key":"`+key+`","to":"`+callee+`","dialer":"test"}`)
}

// outcome tells how a leg ended.
func (w *world) outcome(a *answer, leg int, more string) *answer {
	w.t.Helper()
	return w.post("/v1/calls/"+a.Token+"/outcome", fmt.Sprintf(`{"leg":%d%s}`, leg, more))
}

// inUse is how many channels are held.
func (w *world) inUse() (n int) {
	for _, s := range w.proxy.Trunks().Snapshot(w.now) {
		n += s.InUse
	}
	return n
}
