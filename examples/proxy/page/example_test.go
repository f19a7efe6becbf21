package page_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/page"
)

// A page on its own mux: the page at /, how the proxy stands as server-sent events at /page/stream. As a rule it goes into admin.Config.Page,
// which serves it beside the API that its buttons use.
func ExamplePage() {
	cfg, err := b2bua.Load("outdial.yaml", []byte(`
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
dialers: [{name: predictive, sources: [127.0.0.1]}]
trunks: [{name: alpha-1, carrier: alpha, address: "192.0.2.1:5060"}]
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
	p, err := page.New(page.Config{Proxy: proxy})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	p.Mount(mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })

	res, err := http.Get(server.URL + "/page/stream")
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	if err != nil {
		panic(err)
	}
	fmt.Print(res.Header.Get("Content-Type"), ", ", line)
	now, dropped := p.Viewers()
	fmt.Println(now, dropped)
	stop()
	running.Wait()
	// Output:
	// text/event-stream, event: hello
	// 1 0
}
