package b2bua_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

const exampleConfig = `
listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
dialers: [{name: predictive, sources: [127.0.0.1]}]
trunks:
  - {name: alpha-1, carrier: alpha, address: "192.0.2.1:5060", channels: 100}
  - {name: beta-1, carrier: beta, address: "198.51.100.1:5060", channels: 100}
routing: {rules: [{tiers: [{strategy: priority, trunks: [{trunk: alpha-1}, {trunk: beta-1}]}]}]}
`

func exampleOf(text string) b2bua.Config {
	cfg, err := b2bua.Load("outdial.yaml", []byte(text))
	if err != nil {
		panic(err)
	}
	return cfg
}

// What is wrong with a file is told with its place.
func ExampleLoad() {
	_, err := b2bua.Load("outdial.yaml", []byte("listen: 127.0.0.1:5060\ntrunks:\n  - {name: alpha-1, chanels: 5}\n"))
	var at *b2bua.FileError
	fmt.Println(errors.As(err, &at))
	fmt.Println(err)
	// Output:
	// true
	// outdial.yaml:3:21: unknown key "chanels"
}

// What a configuration would do with a call, before any proxy has it: in which order trunks would be dialled.
func ExampleExplain() {
	x, err := b2bua.Explain(exampleOf(exampleConfig), time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC), b2bua.Demand{Dialer: "predictive", To: "+12125550123"})
	if err != nil {
		panic(err)
	}
	for _, c := range x.Candidates {
		fmt.Println(c.Trunk, c.Fate)
	}
	// Output:
	// alpha-1 dialled
	// beta-1 dialled
}

// What differs between two configurations, and what of it only a restart brings.
func ExampleDiff() {
	a, b := exampleOf(exampleConfig), exampleOf(exampleConfig)
	b.Trunks[0].Channels, b.Listen = 40, "127.0.0.1:5070"
	for _, d := range b2bua.Diff(a, b) {
		fmt.Println(d.Path, d.From, d.To, d.Restart)
	}
	// Output:
	// listen 127.0.0.1:0 127.0.0.1:5070 true
	// trunks[alpha-1].channels 100 40 false
}

// An operator loads another policy, and takes it back.
func ExampleProxy_Load() {
	p, err := b2bua.New(exampleOf(exampleConfig), b2bua.Options{})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	next := exampleOf(exampleConfig)
	next.Trunks[0].Channels = 40
	current, _ := p.Loaded()
	if err := p.Load(next, current.Version, b2bua.Change{Actor: "ann", Reason: "alpha asked for it"}); err != nil {
		panic(err)
	}
	fmt.Println(p.Config().Trunks[0].Channels)
	current, _ = p.Loaded()
	if err := p.Rollback(current.Version, b2bua.Change{Actor: "ann", Reason: "it was a mistake"}); err != nil {
		panic(err)
	}
	fmt.Println(p.Config().Trunks[0].Channels)
	for _, o := range p.Orders() {
		fmt.Println(o.Actor, o.Action, o.Reason)
	}
	// Output:
	// 40
	// 100
	// ann policy.load alpha asked for it
	// ann policy.rollback it was a mistake
}

// A proxy's engine decides for a host that dials by itself.
func ExampleProxy_Call() {
	p, err := b2bua.New(exampleOf(exampleConfig), b2bua.Options{})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	call, err := p.Call(b2bua.Demand{Dialer: "predictive", To: "+12125550123"})
	if err != nil {
		panic(err)
	}
	s := p.Engine().NewSession()
	if err := s.Begin(p.Now(), call); err != nil {
		panic(err)
	}
	step, err := s.Next(p.Now())
	if err != nil {
		panic(err)
	}
	uri, _, err := p.Route(step.Attempt)
	fmt.Println(uri, err)
	_, err = p.Call(b2bua.Demand{To: "+12125550123", Mode: "loud"})
	var demand *b2bua.DemandError
	fmt.Println(errors.As(err, &demand), err)
	// Output:
	// sip:+12125550123@192.0.2.1:5060 <nil>
	// true mode: "loud": want manual, predictive or prerecorded
}
