package siptest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/outdial/outdial/internal/siptest"
)

func ExampleCarrier() {
	carrier, err := siptest.StartCarrier(siptest.CarrierConfig{
		Behaviour: siptest.Behaviour{Script: siptest.Answer(10*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond)},
	})
	if err != nil {
		panic(err)
	}
	defer carrier.Close()
	caller, err := siptest.StartCaller(siptest.CallerConfig{})
	if err != nil {
		panic(err)
	}
	defer caller.Close()

	r, err := caller.Call(context.Background(), carrier.Addr().String(), siptest.CallerCall{From: "+15550001", To: "+4930123456"})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Codes(), "ended by the", r.EndedBy)

	// The carrier breaks.
	if err := carrier.SetBehaviour(siptest.Behaviour{Script: siptest.Unavailable(30 * time.Second)}); err != nil {
		panic(err)
	}
	if r, err = caller.Call(context.Background(), carrier.Addr().String(), siptest.CallerCall{From: "+15550001"}); err != nil {
		panic(err)
	}
	fmt.Println(r.Code(), "Retry-After", r.Final.Header("Retry-After"))
	s := carrier.Stats()
	fmt.Println(s.Invites, "calls", s.Answered, "answered", s.ByFrom)
	// Output:
	// [100 180 200] ended by the carrier
	// 503 Retry-After 30
	// 2 calls 1 answered map[+15550001:2]
}

func ExampleNetwork() {
	network, err := siptest.NewNetwork(siptest.NetworkConfig{Link: siptest.Link{Latency: 2 * time.Millisecond}})
	if err != nil {
		panic(err)
	}
	a, err := network.Listen("10.0.0.1:5060")
	if err != nil {
		panic(err)
	}
	defer a.Close()
	b, err := network.Listen("10.0.0.2:5060")
	if err != nil {
		panic(err)
	}
	defer b.Close()
	if _, err := a.WriteTo([]byte("hello"), b.LocalAddr()); err != nil {
		panic(err)
	}
	buf := make([]byte, 100)
	n, from, err := b.ReadFrom(buf)
	fmt.Println(string(buf[:n]), from, err)

	_ = network.SetRefused("10.0.0.2", true)
	_, err = a.WriteTo([]byte("hello"), b.LocalAddr())
	fmt.Println(err)
	// Output:
	// hello 10.0.0.1:5060 <nil>
	// write udp 10.0.0.1:5060->10.0.0.2:5060: sendto: connection refused
}
