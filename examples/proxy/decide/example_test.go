package decide_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/decide"
)

// A switch asks who carries a call, tells that the carrier failed, and goes on to the next one.
func ExampleServer() {
	cfg, err := b2bua.Load("outdial.yaml", []byte(`
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
dialers: [{name: predictive, sources: [127.0.0.1]}]
trunks:
  - {name: alpha-1, carrier: alpha, address: "192.0.2.1:5060"}
  - {name: beta-1, carrier: beta, address: "198.51.100.1:5060"}
routing: {rules: [{tiers: [{strategy: priority, trunks: [{trunk: alpha-1}, {trunk: beta-1}]}]}]}
`))
	if err != nil {
		panic(err)
	}
	proxy, err := b2bua.New(cfg, b2bua.Options{})
	if err != nil {
		panic(err)
	}
	defer proxy.Close()
	api, err := decide.New(decide.Config{Proxy: proxy})
	if err != nil {
		panic(err)
	}
	post := func(path, body string) (answer struct{ Action, Token, URI, Why string }) {
		r := httptest.NewRequest("POST", "http://127.0.0.1"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.Handler().ServeHTTP(w, r)
		_ = json.Unmarshal(w.Body.Bytes(), &answer)
		return answer
	}
	first := post("/v1/decide", `{"key":"call-1","to":"+12125550123","dialer":"predictive"}`)
	fmt.Println(first.Action, first.URI)
	second := post("/v1/calls/"+first.Token+"/outcome", `{"leg":1,"code":503,"phrase":"Service Unavailable"}`)
	fmt.Println(second.Action, second.URI)
	fmt.Println(post("/v1/calls/"+first.Token+"/progress", `{"leg":2,"code":200}`).Action)
	post("/v1/calls/"+first.Token+"/outcome", `{"leg":2,"origin":"callee_hangup"}`)
	fmt.Printf("%+v\n", api.Stats())
	// Output:
	// dial sip:+12125550123@192.0.2.1:5060
	// dial sip:+12125550123@198.51.100.1:5060
	// connect
	// {Decisions:1 Dialled:1 Refused:0 Ended:1 Expired:0 Live:0}
}
