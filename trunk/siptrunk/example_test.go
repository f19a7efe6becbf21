package siptrunk_test

import (
	"context"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// exampleCarrier stands in for a carrier on the loopback interface.
func exampleCarrier(s siptest.Script) *siptest.Carrier {
	c, err := siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: s}})
	if err != nil {
		panic(err)
	}
	return c
}

// One attempt through the root's interface: offered, answered, hung up by the callee.
func ExampleDialer() {
	carrier := exampleCarrier(siptest.Answer(10*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond))
	defer carrier.Close()

	d, err := siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0",
		Trunks:     map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: carrier.Addr().String()}},
		Offer:      func(*outdial.Attempt) []byte { return []byte("v=0\r\n…") },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ran := make(chan error)
	go func() { ran <- d.Run(ctx) }()

	over := make(chan struct{})
	_, err = d.Dial(ctx, &outdial.Attempt{
		Call: outdial.Call{To: outdial.MustNumber("+12125550123")}, CLI: outdial.MustNumber("+13035550100"),
		Candidate: outdial.Candidate{Trunk: 1},
	}, func(r outdial.Report) {
		switch r.Kind {
		case outdial.ReportAnswer:
			fmt.Println("answered")
		case outdial.ReportEnd:
			fmt.Println("over:", r.Result.Origin)
			close(over)
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-over
	stop()
	fmt.Println(<-ran)
	// Output:
	// answered
	// over: callee_hangup
	// <nil>
}

// A back-to-back user agent passes on what it received, and relays what comes back.
func ExampleDialer_Invite() {
	carrier := exampleCarrier(siptest.Reject(503, "CPS limit exceeded", siptest.RetryAfter(30*time.Second)))
	defer carrier.Close()
	d, err := siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0",
		Trunks:     map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: carrier.Addr().String(), Format: siptrunk.FormatDigits}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ran := make(chan error)
	go func() { ran <- d.Run(ctx) }()

	over := make(chan struct{})
	_, err = d.Invite(ctx, &outdial.Attempt{
		Call: outdial.Call{To: outdial.MustNumber("+12125550123")}, Candidate: outdial.Candidate{Trunk: 1},
	}, siptrunk.InviteOptions{
		Offer: []byte("v=0\r\n…"), MaxForwards: 69, Headers: []siptrunk.Header{{Name: "X-Lead", Value: "4711"}},
	}, func(ev siptrunk.Event) {
		if ev.Kind == outdial.ReportEnd {
			fmt.Println(ev.Code, ev.Phrase, ev.Result.RetryAfter)
			close(over)
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-over
	stop()
	fmt.Println(<-ran)
	// Output:
	// 503 CPS limit exceeded 30s
	// <nil>
}

// The verbs of a leg, as a back-to-back user agent uses them when its other side does something.
func ExampleLeg() {
	relay := func(leg *siptrunk.Leg, method sip.RequestMethod, body []byte) (int, error) {
		switch method {
		case sip.BYE, sip.CANCEL:
			leg.HangupReason(outdial.Cause{Value: 16, Location: outdial.LocationUser})
			return 200, nil
		default: // hold, session refresh
			res, err := leg.Do(context.Background(), method, "application/sdp", body)
			if err != nil {
				return 500, err
			}
			return res.StatusCode, nil
		}
	}
	_ = relay
}

// A session that ends because media stopped says so, and gives the carrier a reason.
func ExampleLeg_HangupAs() {
	mediaLost := func(leg *siptrunk.Leg) {
		leg.HangupAs(outdial.OriginMediaLoss, siptrunk.Reason{Cause: outdial.Cause{Value: 41}})
	}
	_ = mediaLost
}

func ExampleReason() {
	var r siptrunk.Reason
	r.Add(`SIP;cause=603;text="v=analytics1;url=https://redress.example;tel=+18005550100", Q.850;cause=21;location=TN`)
	fmt.Println(r.Cause, r.Cause.Name())
	fmt.Println(r.SIPCause, r.Text)
	// Output:
	// 21/TN call rejected
	// 603 v=analytics1;url=https://redress.example;tel=+18005550100
}

func ExampleTrunk() {
	_, err := siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0",
		Trunks: map[outdial.TrunkID]siptrunk.Trunk{
			1: {
				Addr: "192.0.2.10:5060", Sources: []string{"192.0.2.0/28"}, Username: "acme", Password: "secret",
				Format: siptrunk.FormatDigits, Prefix: "9911#", T100: 1500 * time.Millisecond, RingTimer: -1,
			},
			2: {Addr: "192.0.2.20:5060", Prefix: "a b"},
		},
	})
	fmt.Println(err)
	// Output:
	// siptrunk: trunk 2: Prefix: "a b": only letters, digits and *#+-._ are allowed
}

func ExampleStats() {
	d, err := siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", d.Stats())
	fmt.Println(d.Close())
	// Output:
	// {Live:0 Parties:0 Strangers:0 Malformed:0 Unmatched:0 ReadErrors:0}
	// <nil>
}
