package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/outdial/outdial/examples/proxy/admin"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	callee = "+12125550123"
	number = "+13035550100"
	token  = "0123456789abcdef0123456789abcdef"
)

// configText is two trunks in a fixed order, one program with caller IDs, a record of one of the two carriers.
const configText = `
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
drain_timeout: 2s
dialers: [{name: test, sources: [127.0.0.0/8, 10.0.0.2], program: sales}]
trunks:
  - {name: first, carrier: one, address: "127.0.0.1:9", channels: 100, cps: 50, capacity: {source: contract}}
  - {name: second, carrier: two, address: "127.0.0.1:9", channels: 1000, cps: 500}
routing:
  version: a
  rules: [{tiers: [{strategy: priority, trunks: [{trunk: first}, {trunk: second}]}]}]
failover: {ping_every: -1s}
hunting: {explain: true}
gate: {campaigns: [spring]}
providers:
  - carrier: one
    contact: {name: NOC, tel: "+44 20 7946 0000", email: noc@one.example, hours: 24/7}
    contract: [{name: channels, value: "100", source: contract page 3, date: 2020-01-01}]
    answers: {capacity: {text: "100 channels", evidence: mail of the sales desk, date: 2020-01-01}}
cli:
  pools: [{name: sales, program: sales, limits: {caps: [], spacing: -1s}}]
  numbers:
    - {number: "+13035550100", pool: sales, evidence: contract 7}
    - {number: "+13035550101", pool: sales, evidence: contract 7}
  callee: []
journal: {dir: "%s"}
`

// world is one proxy with its admin API. Everything that it answers is held against the document.
type world struct {
	t      *testing.T
	proxy  *b2bua.Proxy
	api    http.Handler
	file   string
	text   string
	router routers.Router
	seen   map[string]bool // "operation status"
	ran    bool            // the proxy has ended
	token  string          // sent with every request; "" = none
}

func contract(t *testing.T) (*openapi3.T, routers.Router) {
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

// cut in place of another text takes away all that follows.
const cut = "\x00"

// newWorld is a world on loopback whose proxy is not run. change are texts of the configuration and what stands in their place, in turn.
func newWorld(t *testing.T, change ...string) *world {
	t.Helper()
	w := prepare(t, change...)
	w.build(b2bua.Options{}, nil)
	t.Cleanup(func() {
		if !w.ran {
			require.NoError(t, w.proxy.Close())
		}
	})
	return w
}

func prepare(t *testing.T, change ...string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, file: filepath.Join(dir, "outdial.yaml"), seen: map[string]bool{}}
	w.text = fmt.Sprintf(configText, filepath.Join(dir, "journal"))
	for i := 0; i < len(change); i += 2 {
		if change[i+1] == cut {
			w.text, _, _ = strings.Cut(w.text, change[i])
			continue
		}
		require.Contains(t, w.text, change[i])
		w.text = strings.Replace(w.text, change[i], change[i+1], 1)
	}
	require.NoError(t, os.WriteFile(w.file, []byte(w.text), 0o600))
	_, w.router = contract(t)
	return w
}

func (w *world) build(opts b2bua.Options, tokens *door.Tokens) {
	w.t.Helper()
	cfg, err := b2bua.Load(w.file, []byte(w.text))
	require.NoError(w.t, err)
	w.proxy, err = b2bua.New(cfg, opts)
	require.NoError(w.t, err)
	w.serve(tokens)
}

func (w *world) serve(tokens *door.Tokens) {
	w.t.Helper()
	s, err := admin.New(admin.Config{Proxy: w.proxy, Tokens: tokens, File: w.file})
	require.NoError(w.t, err)
	w.api = s.Handler()
}

// answer is what the API answered.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// json reads the body into v.
func (a *answer) json(v any) *answer {
	a.t.Helper()
	require.NoError(a.t, json.Unmarshal(a.body, v), "%s", a.body)
	return a
}

// at is a value within the body.
func (a *answer) at(path ...any) any {
	a.t.Helper()
	var v any
	a.json(&v)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(a.t, ok, "%v in %s", path, a.body)
			v = m[p]
		case int:
			l, ok := v.([]any)
			require.True(a.t, ok && p < len(l), "%v in %s", path, a.body)
			v = l[p]
		}
	}
	return v
}

// want demands a status, and a code of a problem.
func (a *answer) want(status int, code ...string) *answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.body)
	if len(code) > 0 {
		require.Equal(a.t, code[0], a.at("code"), "%s", a.body)
		require.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"))
	}
	return a
}

func (w *world) get(path string, headers ...string) *answer {
	w.t.Helper()
	return w.do("GET", path, "", headers...)
}

func (w *world) post(path, body string, headers ...string) *answer {
	w.t.Helper()
	return w.do("POST", path, body, headers...)
}

// do sends a request and holds the answer against the document. headers are names and values in turn.
func (w *world) do(method, path, body string, headers ...string) *answer {
	w.t.Helper()
	req := httptest.NewRequest(method, "http://127.0.0.1:9465"+path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, req)
	res := rec.Result()
	data, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	a := &answer{w.t, res.StatusCode, res.Header, data}
	w.hold(req, a)
	return a
}

// hold demands that the document has the operation, the status, and the body that it says.
func (w *world) hold(req *http.Request, a *answer) {
	w.t.Helper()
	found := req.Clone(context.Background())
	found.Host, found.URL.Host, found.URL.Scheme = "", "", ""
	route, params, err := w.router.FindRoute(found)
	if err != nil {
		require.Contains(w.t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, a.status, "%s %s is not in the document: %v", req.Method, req.URL, err)
		return
	}
	require.NotNil(w.t, route.Operation.Responses.Status(a.status), "%s %s: %d is not in the document: %s", req.Method, req.URL.Path, a.status, a.body)
	w.seen[fmt.Sprintf("%s %d", route.Operation.OperationID, a.status)] = true
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: found, PathParams: params, Route: route},
		Status:                 a.status, Header: a.header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	in.SetBodyBytes(a.body)
	require.NoError(w.t, openapi3filter.ValidateResponse(context.Background(), in), "%s %s: %s", req.Method, req.URL.Path, a.body)
}

// tag is the ETag of a resource.
func (w *world) tag(path string) string {
	w.t.Helper()
	tag := w.get(path).want(200).header.Get("ETag")
	require.NotEmpty(w.t, tag)
	return tag
}

// send sends a request and returns the status alone: from any goroutine.
func (w *world) send(method, path, body string, headers ...string) int {
	req := httptest.NewRequest(method, "http://127.0.0.1:9465"+path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, req)
	return rec.Code
}
