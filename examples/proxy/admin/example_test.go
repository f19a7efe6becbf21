package admin_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/outdial/outdial/examples/proxy/admin"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

// An operator lowers a limit: with a token that names who it is, on the version that was looked at, with a reason.
func ExampleServer() {
	cfg, err := b2bua.Load("outdial.yaml", []byte(`
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
dialers: [{name: predictive, sources: [127.0.0.1]}]
trunks: [{name: alpha-1, carrier: alpha, address: "192.0.2.1:5060", channels: 100}]
routing: {rules: [{tiers: [{trunks: [{trunk: alpha-1}]}]}]}
`))
	if err != nil {
		panic(err)
	}
	proxy, err := b2bua.New(cfg, b2bua.Options{})
	if err != nil {
		panic(err)
	}
	defer proxy.Close()
	tokens, err := door.ParseTokens([]byte("ann 0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	api, err := admin.New(admin.Config{Proxy: proxy, Tokens: tokens})
	if err != nil {
		panic(err)
	}
	ask := func(method, path, etag, body string) (*http.Response, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer 0123456789abcdef0123456789abcdef")
		r.Header.Set("Content-Type", "application/json")
		if etag != "" {
			r.Header.Set("If-Match", etag)
		}
		w := httptest.NewRecorder()
		api.Handler().ServeHTTP(w, r)
		text, _ := io.ReadAll(w.Result().Body)
		return w.Result(), string(text)
	}

	seen, _ := ask("GET", "/v1/trunks/alpha-1", "", "")
	lower := `{"reason":"ticket 4711","channels":40}`
	changed, _ := ask("PATCH", "/v1/trunks/alpha-1/limits", seen.Header.Get("ETag"), lower)
	again, text := ask("PATCH", "/v1/trunks/alpha-1/limits", seen.Header.Get("ETag"), lower)
	fmt.Println(changed.StatusCode, proxy.Trunks().Snapshot(time.Now())[0].Ceiling)
	fmt.Println(again.StatusCode, strings.Contains(text, `"code":"changed"`))
	for _, o := range proxy.Orders() {
		fmt.Println(o.Control.Actor, o.Control.Reason)
	}
	// Output:
	// 200 40
	// 412 true
	// ann ticket 4711
}
