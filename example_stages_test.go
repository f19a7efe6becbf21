package outdial_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

func ExampleConfig() {
	_, err := outdial.New(outdial.Config{Node: 5000, MaxAttempts: 99})
	fmt.Println(err)
	// Output:
	// outdial: config: Router: required (Plan serves a host that routes itself)
	// Node: 5000 is not between 0 and 4095
	// MaxAttempts: 99 is not between 0 and 8
}

func ExampleEngine() {
	engine, err := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	step, _ := s.Next(noon)
	fmt.Println(step.Kind, s.Cancel(noon), s.Done())
	// Output:
	// dial <nil> true
}

// mondays is a Router that calls nobody on other days.
type mondays struct{ outdial.Plan }

var errNotMonday = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "not_monday", "we call on Mondays only")

func (mondays) Admit(now time.Time, _ *outdial.Call) (again time.Time, err error) {
	if now.Weekday() == time.Monday {
		return time.Time{}, nil
	}
	days := (time.Monday - now.Weekday() + 7) % 7
	return now.Truncate(24*hour).AddDate(0, 0, int(days)), errNotMonday
}

func ExampleRouter() {
	engine, _ := outdial.New(outdial.Config{Router: mondays{outdial.Plan{{Trunk: 1}}}})
	err := engine.NewSession().Begin(noon, outdial.Call{To: 12125550123})
	var none *outdial.NoRouteError
	fmt.Println(errors.Is(err, errNotMonday), errors.As(err, &none) && none.Again.Weekday() == time.Monday)
	// Output:
	// true true
}

// The smallest failover goes down the plan as long as carriers fail or are silent.
func ExampleFailover() {
	var f outdial.Failover = advanceOn5xx{}
	for _, code := range []uint16{503, 486} {
		a := outdial.Attempt{State: outdial.AttemptEnded, Result: outdial.Result{Origin: outdial.OriginCarrier, Code: code}}
		fmt.Println(code, f.Verdict(&a))
	}
	// Output:
	// 503 advance
	// 486 stop
}

func ExampleVerdict() {
	var v outdial.Verdict // going on is what needs a reason
	fmt.Println(v, outdial.VerdictAdvance, outdial.VerdictReroute)
	// Output:
	// stop advance reroute
}

// one is a Trunks with a single channel for everything.
type one struct {
	outdial.Observer
	busy *bool
}

var errBusy = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "busy", "the one channel is taken")

func (t one) Acquire(time.Time, *outdial.Call, *outdial.Candidate) (outdial.Lease, time.Time, error) {
	if *t.busy {
		return 0, time.Time{}, errBusy
	}
	*t.busy = true
	return 1, time.Time{}, nil
}

func (one) Seize(time.Time, *outdial.Call, *outdial.Candidate, outdial.Lease) (time.Time, error) {
	return time.Time{}, nil
}
func (t one) Release(time.Time, outdial.Lease) { *t.busy = false }
func (t one) Undo(time.Time, outdial.Lease)    { *t.busy = false }

var silent = observerFunc(func(*outdial.Event) {})

func ExampleTrunks() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}, Trunks: one{silent, new(bool)}})
	first, second := engine.NewSession(), engine.NewSession()
	_ = first.Begin(noon, outdial.Call{To: 12125550123})
	_ = second.Begin(noon, outdial.Call{To: 12125550124})
	step, _ := first.Next(noon)
	_, err := second.Next(noon)
	fmt.Println(step.Kind, errors.Is(err, errBusy))
	_ = first.Cancel(noon) // gives the channel back
	// Output:
	// dial true
}

// line is a Trunks that is full and keeps places.
type line struct{ one }

func (line) Acquire(now time.Time, _ *outdial.Call, _ *outdial.Candidate) (outdial.Lease, time.Time, error) {
	return 0, now.Add(time.Second), errBusy
}

func (line) Leave(_ time.Time, call *outdial.Call, _ *outdial.Candidate) {
	fmt.Println("left:", call.To)
}

// A call that waits for a place and is cancelled gives it up.
func ExampleQueuer() {
	engine, _ := outdial.New(outdial.Config{
		Router: outdial.Plan{{Trunk: 1}}, Trunks: line{one{silent, new(bool)}}, MaxWait: time.Minute,
	})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	step, _ := s.Next(noon)
	fmt.Println(step.Kind)
	_ = s.Cancel(noon)
	// Output:
	// wait
	// left: +12125550123
}

func ExampleLease() {
	var t outdial.Trunks = one{silent, new(bool)}
	lease, _, _ := t.Acquire(noon, nil, nil)
	t.Release(noon, lease)
	t.Release(noon, lease) // giving back twice is a no-op
	again, _, err := t.Acquire(noon, nil, nil)
	fmt.Println(again != 0, err)
	// Output:
	// true <nil>
}

// fixed is a CLIs that presents one number, whatever the call.
type fixed struct {
	outdial.Observer
	number outdial.Number
}

func (fixed) Admit(time.Time, *outdial.Call) (time.Time, error) { return time.Time{}, nil }
func (f fixed) Reserve(time.Time, *outdial.Call, *outdial.Candidate, outdial.Number) (outdial.Presentation, time.Time, error) {
	return outdial.Presentation{Number: f.number}, time.Time{}, nil
}
func (fixed) Release(time.Time, outdial.Lease) {}
func (fixed) Undo(time.Time, outdial.Lease)    {}

func ExampleCLIs() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}, CLIs: fixed{silent, 13125550100}})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123, From: 19995550000})
	step, _ := s.Next(noon)
	fmt.Println(step.Attempt.CLI)
	// Output:
	// +13125550100
}

func ExamplePresentation() {
	p, _, _ := fixed{silent, 13125550100}.Reserve(noon, nil, nil, 0)
	fmt.Println(p.Number, p.Lease == 0)
	// Output:
	// +13125550100 true
}

// A host with a numbering plan of its own knows what its numbers mean.
func ExampleNumbering() {
	var plan outdial.Numbering = everywhere{Country: [2]byte{'A', 'Q'}}
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}, Numbering: plan})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 672123456})
	fmt.Println(string(s.Call().Dest.Country[:]))
	// Output:
	// AQ
}

// everywhere is a Numbering with one destination.
type everywhere outdial.Destination

func (e everywhere) Locate(time.Time, outdial.Number) outdial.Destination {
	return outdial.Destination(e)
}

// ported is a Networks that knows where one number has gone.
type ported struct {
	number outdial.Number
	to     outdial.NetworkID
}

func (p ported) Network(_ time.Time, to outdial.Number) outdial.NetworkID {
	if to == p.number {
		return p.to
	}
	return 0
}

func ExampleNetworks() {
	ids := new(outdial.Registry)
	engine, _ := outdial.New(outdial.Config{
		IDs: ids, Router: outdial.Plan{{Trunk: 1}}, Networks: ported{12125550123, ids.Networks.ID("mobile-one")},
	})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	fmt.Println(ids.Networks.Name(s.Call().Dest.Network))
	// Output:
	// mobile-one
}

// hourly is an Advancer that has something to do every hour.
type hourly struct{ observerFunc }

func (hourly) Advance(now time.Time) (next time.Time) { return now.Truncate(hour).Add(hour) }

func ExampleAdvancer() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{}, Observers: []outdial.Observer{hourly{silent}}})
	now := noon.Add(59*time.Minute + 59500*time.Millisecond)
	fmt.Println(engine.Advance(now).Sub(now)) // Engine.Run calls it then; a second, where nobody names a time
	// Output:
	// 500ms
}

// guarded is a ControlChecker that lets nobody drain its last trunk.
type guarded struct{ observerFunc }

func (guarded) CheckControl(_ time.Time, c *outdial.Control) error {
	if c.Action == "trunk.drain" && c.Target == "last" {
		return errors.New("it is the last one")
	}
	return nil
}

func ExampleControlChecker() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{}, Observers: []outdial.Observer{guarded{silent}}})
	err := engine.Control(noon, outdial.Control{Actor: "kim", Action: "trunk.drain", Target: "last", Reason: "maintenance"})
	fmt.Println(err)
	// Output:
	// it is the last one
}

func ExampleControl() {
	c := outdial.Control{
		Actor: "kim", Action: "trunk.drain", Target: "east", Reason: "maintenance", Expires: noon.Add(2 * hour),
	}
	fmt.Println(c.Actor, c.Action, c.Target, "until", c.Expires.Format("15:04"))
	// Output:
	// kim trunk.drain east until 19:00
}

// A Dialer places attempts: over SIP (package trunk/siptrunk), or through the host's own switch.
func ExampleDialer() {
	var d outdial.Dialer = &loopback{noon}
	a := outdial.Attempt{ID: outdial.AttemptID{Call: 1, Leg: 1}, Candidate: outdial.Candidate{Trunk: 2}}
	leg, err := d.Dial(context.Background(), &a, func(r outdial.Report) { fmt.Println(r.Kind, r.Result.Origin) })
	if err == nil {
		leg.Hangup()
	}
	// Output:
	// progress unknown
	// answer unknown
	// end caller_hangup
}

func ExampleLeg() {
	a := outdial.Attempt{ID: outdial.AttemptID{Call: 1, Leg: 1}, Candidate: outdial.Candidate{Trunk: 2}}
	over := 0
	leg, _ := (&loopback{noon}).Dial(context.Background(), &a, func(r outdial.Report) {
		if r.Kind == outdial.ReportEnd {
			over++
		}
	})
	leg.Hangup()
	fmt.Println(over)
	// Output:
	// 1
}

// lineLeg is a leg that can be waited for again.
type lineLeg struct{ waiting bool }

func (l *lineLeg) Hangup() { l.waiting = false }
func (l *lineLeg) Revive() { l.waiting = true }

// A leg is given up for its silence, and then nobody else has a channel: Next says to wait for it again.
func ExampleReviver() {
	ids, busy := new(outdial.Registry), false
	engine, _ := outdial.New(outdial.Config{
		IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("east")}, {Trunk: ids.Trunks.ID("west")}},
		Trunks: one{silent, &busy}, Failover: advanceOn5xx{},
	})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	step, _ := s.Next(noon)
	_ = s.Abandon(noon.Add(time.Second), step.Attempt.ID, outdial.Result{Origin: outdial.OriginNoTrying})
	step, _ = s.Next(noon.Add(time.Second)) // the silent leg still holds the only channel
	var leg outdial.Reviver = new(lineLeg)
	if step.Kind == outdial.StepRevive {
		leg.Revive()
	}
	action, _ := s.Answer(noon.Add(3*time.Second), step.Attempt.ID)
	fmt.Println(step.Kind, step.Attempt.ID.Leg, action)
	// Output:
	// revive 1 connect
}

func ExampleReport() {
	r := outdial.Report{
		Attempt: outdial.AttemptID{Call: 1, Leg: 1}, Kind: outdial.ReportProgress, Time: noon, Marks: outdial.ProgressOf(180, false),
	}
	fmt.Println(r.Kind, r.Marks.Has(outdial.MarkRinging))
	// Output:
	// progress true
}

func ExampleReportKind() {
	fmt.Println(outdial.ReportProgress, outdial.ReportAbandon, outdial.ReportAnswer, outdial.ReportEnd)
	// Output:
	// progress abandon answer end
}

func ExamplePlaced() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 2}}, Now: func() time.Time { return noon }})
	ctx := context.Background()
	placed, err := engine.Place(ctx, outdial.Call{To: 12125550123}, &loopback{noon})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, answered := placed.Answered()
	placed.Hangup()
	fmt.Println(answered, placed.Stopped(), placed.Wait(ctx), len(placed.Attempts()))
	// Output:
	// true answered <nil> 1
}

func ExampleStep() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123})
	for {
		step, err := s.Next(noon)
		if err != nil || step.Kind != outdial.StepDial {
			fmt.Println(step.Kind, step.Stop, err)
			return
		}
		_ = s.End(noon, step.Attempt.ID, outdial.Result{Origin: outdial.OriginCarrier, Code: 486})
	}
	// Output:
	// stop verdict <nil>
}

func ExampleStepKind() {
	fmt.Println(outdial.StepDial, outdial.StepWait, outdial.StepStop)
	// Output:
	// dial wait stop
}

func ExampleStopReason() {
	fmt.Println(outdial.StopAnswered, outdial.StopVerdict, outdial.StopNoRoute)
	// Output:
	// answered verdict no_route
}

func ExampleAnswerAction() {
	fmt.Println(outdial.AnswerConnect, outdial.AnswerEnd)
	// Output:
	// connect end
}

func ExampleStage() {
	for s := range outdial.StageCount {
		fmt.Print(s, " ")
	}
	// Output:
	// engine numbering routing failover trunk cli journal
}
