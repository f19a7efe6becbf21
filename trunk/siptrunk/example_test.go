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

// must keeps the examples to what they show.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// exampleRun gives f a dialer whose trunk 1 is a carrier on the loopback interface that behaves by s.
func exampleRun(s siptest.Script, f func(*siptrunk.Dialer)) {
	carrier := must(siptest.StartCarrier(siptest.CarrierConfig{Behaviour: siptest.Behaviour{Script: s}}))
	defer carrier.Close()
	d := must(siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0",
		Trunks:     map[outdial.TrunkID]siptrunk.Trunk{1: {Addr: carrier.Addr().String()}},
	}))
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- d.Run(ctx) }()
	f(d)
	stop()
	if err := <-ran; err != nil {
		fmt.Println(err)
	}
}

func exampleAttempt() *outdial.Attempt {
	return &outdial.Attempt{
		Call: outdial.Call{To: outdial.MustNumber("+12125550123")}, CLI: outdial.MustNumber("+13035550100"),
		Candidate: outdial.Candidate{Trunk: 1},
	}
}

// One attempt through the root's interface: offered, answered, hung up by the callee.
func ExampleDialer() {
	carrier := must(siptest.StartCarrier(siptest.CarrierConfig{
		Behaviour: siptest.Behaviour{Script: siptest.Answer(10*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond)},
	}))
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
	_, err = d.Dial(ctx, exampleAttempt(), func(r outdial.Report) {
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

// A back-to-back user agent passes on what it received.
func ExampleInviteOptions() {
	opts := siptrunk.InviteOptions{
		Offer:       []byte("v=0\r\n…"),
		MaxForwards: 69, // received: 70
		Headers:     []siptrunk.Header{{Name: "X-Lead", Value: "4711"}},
	}
	exampleRun(siptest.Busy(0), func(d *siptrunk.Dialer) {
		over := make(chan struct{})
		leg := must(d.Invite(context.Background(), exampleAttempt(), opts, func(ev siptrunk.Event) {
			if ev.Kind == outdial.ReportEnd {
				close(over)
			}
		}))
		<-over
		fmt.Println(leg.ID().Leg, len(leg.CallID()))
	})
	// Output: 0 32
}

// What it relays stands in the event, beside the report for the session.
func ExampleEvent() {
	script := siptest.Reject(503, "CPS limit exceeded", siptest.RetryAfter(30*time.Second))
	exampleRun(script, func(d *siptrunk.Dialer) {
		over := make(chan struct{})
		opts := siptrunk.InviteOptions{Offer: []byte("v=0\r\n…")}
		must(d.Invite(context.Background(), exampleAttempt(), opts, func(ev siptrunk.Event) {
			if ev.Kind == outdial.ReportEnd {
				fmt.Println(ev.Code, ev.Phrase)
				fmt.Println(ev.Result.Origin, ev.Result.RetryAfter)
				fmt.Println(ev.Response.GetHeader("Retry-After").Value())
				close(over)
			}
		}))
		<-over
	})
	// Output:
	// 503 CPS limit exceeded
	// carrier 30s
	// 30
}

// The verbs of a leg: a request within the dialog, and its end, here because media stopped.
func ExampleLeg() {
	exampleRun(siptest.Answer(0, 0, 0), func(d *siptrunk.Dialer) {
		answered, over := make(chan struct{}), make(chan outdial.Result)
		opts := siptrunk.InviteOptions{Offer: []byte("v=0\r\n…")}
		leg := must(d.Invite(context.Background(), exampleAttempt(), opts, func(ev siptrunk.Event) {
			switch ev.Kind {
			case outdial.ReportAnswer:
				close(answered)
			case outdial.ReportEnd:
				over <- ev.Result
			}
		}))
		<-answered
		res := must(leg.Do(context.Background(), sip.INVITE, "application/sdp", []byte("v=0\r\n…")))
		fmt.Println("re-INVITE:", res.StatusCode)
		leg.HangupAs(outdial.OriginMediaLoss, siptrunk.Reason{Cause: outdial.Cause{Value: 41}})
		r := <-over
		fmt.Println(r.Origin, r.Cause)
	})
	// Output:
	// re-INVITE: 200
	// media_loss 41
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

// One error names everything that is wrong.
func ExampleConfig() {
	_, err := siptrunk.New(siptrunk.Config{UserAgent: "dialer\n"})
	fmt.Println(err)
	// Output:
	// siptrunk: Conn: either it or ListenAddr is needed
	// UserAgent: "dialer\n" has a control character
}

func ExampleTrunk() {
	_, err := siptrunk.New(siptrunk.Config{
		ListenAddr: "127.0.0.1:0",
		Trunks: map[outdial.TrunkID]siptrunk.Trunk{
			1: {
				Addr: "192.0.2.10:5060", Sources: []string{"192.0.2.0/28"}, Username: "acme", Password: "secret",
				T100: 1500 * time.Millisecond, RingTimer: -1,
			},
			2: {Addr: "192.0.2.20:5060", Prefix: "a b"},
		},
	})
	fmt.Println(err)
	// Output:
	// siptrunk: trunk 2: Prefix: "a b": only letters, digits and *#+-._ are allowed
}

// A carrier that wants numbers without the plus sign, behind a tech prefix.
func ExampleNumberFormat() {
	trunk := siptrunk.Trunk{Addr: "192.0.2.10", Format: siptrunk.FormatDigits, Prefix: "9911#"}
	d := must(siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0", Trunks: map[outdial.TrunkID]siptrunk.Trunk{1: trunk}}))
	fmt.Println(d.Close())
	// Output: <nil>
}

// A header that would end its line, or that siptrunk writes itself, does not leave.
func ExampleHeader() {
	exampleRun(siptest.Silence(), func(d *siptrunk.Dialer) {
		for _, h := range []siptrunk.Header{{Name: "X-Lead", Value: "1\r\nContact: <sip:eve@example.com>"}, {Name: "Contact", Value: "<sip:eve@example.com>"}} {
			_, err := d.Invite(context.Background(), exampleAttempt(), siptrunk.InviteOptions{Headers: []siptrunk.Header{h}}, nil)
			fmt.Println(err)
		}
	})
	// Output:
	// siptrunk: attempt 0-0: the value of header X-Lead has a control character
	// siptrunk: attempt 0-0: header Contact is written by siptrunk itself
}

func ExampleStats() {
	d := must(siptrunk.New(siptrunk.Config{ListenAddr: "127.0.0.1:0"}))
	s := d.Stats()
	fmt.Println(s.Live, "legs,", s.Conns, "connections,", s.Strangers, "datagrams of strangers")
	fmt.Println(d.Close())
	// Output:
	// 0 legs, 0 connections, 0 datagrams of strangers
	// <nil>
}
