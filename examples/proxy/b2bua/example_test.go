package b2bua_test

import (
	"context"
	"fmt"

	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
)

// A proxy in one's own process, with one carrier that answers.
func Example() {
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: siptest.Answer(0, 0, 0)}})
	if err != nil {
		panic(err)
	}
	defer carrier.Close()
	cfg, err := b2bua.Load("outdial.yaml", []byte(`
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
dialers: [{name: dialer, sources: [127.0.0.1]}]
trunks: [{name: alpha-1, address: "`+carrier.Addr().String()+`"}]
routing: {rules: [{tiers: [{trunks: [{trunk: alpha-1}]}]}]}
`))
	if err != nil {
		panic(err)
	}
	p, err := b2bua.New(cfg, b2bua.Options{})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()

	dialer, err := siptest.StartCaller(siptest.CallerConfig{})
	if err != nil {
		panic(err)
	}
	defer dialer.Close()
	r, err := dialer.Call(ctx, p.Addr().String(), siptest.CallerCall{To: "+12125550123", HangupAfter: 1})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Code(), r.Final.Phrase)
	stop()
	fmt.Println(<-ran)
	// Output:
	// 200 OK
	// <nil>
}
