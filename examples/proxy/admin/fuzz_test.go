package admin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is sent to whichever route: an answer of the document comes, a refusal has changed nothing, and what changed stands in the audit.
func FuzzChanges(f *testing.F) {
	for i := range fuzzed {
		f.Add(uint8(i), `{"actor":"a","reason":"r","for":"1h"}`, "*")
		f.Add(uint8(i), `{"actor":"a","reason":"r","expires":"2999-01-01T00:00:00Z"}`, "")
	}
	for i, body := range []string{
		`{"actor":"a","reason":"r","for":"1h","channels":5,"cps":null}`, `{"actor":"a","reason":"r","for":"1h","share":0.5}`,
		`{"actor":"a","reason":"r","for":"1h","calls":"prefix=+1"}`, `[]`, ``, `{"actor":"a","reason":"r","state":"retiring"}`,
		`{"actor":"a","reason":"r","carrier":"one","attestation":"A"}`, `{"actor":"a","reason":"r","program":"sales"}`, "listen: 127.0.0.1:0\n",
		"trunks: [{}]\n", "{", `{"x":1}`, `{"to":"+12125550123","program":"sales"}`,
		`{"actor":"a","reason":"r","program":"sales","to":["+12125550123"],"despite":true,"for":"1h"}`,
		`{"actor":"` + strings.Repeat("x", 300) + `","reason":{"a":[1,{"a":2,"a":3}]}}`,
	} {
		f.Add(uint8(i), body, "*")
	}
	f.Fuzz(func(t *testing.T, route uint8, body, tag string) {
		w := newWorld(t, "journal:", cut)
		r := fuzzed[int(route)%len(fuzzed)]
		method, path, _ := strings.Cut(r, " ")
		kind := "application/json"
		if strings.Contains(path, "/policy") && !strings.Contains(path, "rollback") {
			kind = "application/yaml"
		}
		headers := []string{"Content-Type", kind}
		if tag != "" && !strings.ContainsAny(tag, "\r\n\x00") {
			headers = append(headers, "If-Match", tag)
		}
		a := w.do(method, path, body, headers...)
		orders := len(w.proxy.Orders())
		if strings.Contains(path, "explain") || strings.Contains(path, "validate") || strings.Contains(path, "diff") || a.status != http.StatusOK {
			require.Zero(t, orders)
			return
		}
		require.Positive(t, orders)
	})
}

// fuzzed are the routes that take a body.
var fuzzed = []string{
	"PATCH /v1/trunks/first/limits", "POST /v1/trunks/first/orders/flip", "POST /v1/trunks/second/orders/pin", "POST /v1/trunks/first/orders/live",
	"POST /v1/orders/freeze", "POST /v1/numbers/+13035550100/orders/state", "POST /v1/numbers/+13035550100/orders/attested",
	"POST /v1/callees/+12125550123/orders/suppress", "PUT /v1/policy?actor=a&reason=r", "POST /v1/policy/validate", "POST /v1/policy/diff",
	"POST /v1/policy/rollback", "POST /v1/explain", "POST /v1/campaigns/spring/open", "POST /v1/campaigns/spring/close",
}

// Any path and any query are answered, and none of them is a fault of the server.
func FuzzPaths(f *testing.F) {
	for _, p := range []string{
		"/v1/trunks/first", "/v1/calls?before=1f&limit=3", "/v1/kpis?view=trunk%2Bgroup&span=5m", "/v1/audit?after=18446744073709551615",
		"/v1/numbers/%2B13035550100", "/v1/trunks/%00", "/v1/campaigns/x?to=1&to=2&program=sales", "//v1", "/v1/trunks/../status", "/v1/calls/ffffffffffffffffff",
	} {
		f.Add(p)
	}
	var w *world
	f.Fuzz(func(t *testing.T, path string) {
		if w == nil {
			w = newWorld(t, "journal:", cut)
			w.ran = true // it stays for all of them
		}
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n\x7f") {
			return
		}
		req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
		if err != nil {
			return
		}
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, req)
		require.Less(t, rec.Code, 500, "%s: %s", path, rec.Body)
	})
}
