package outdial_test

import (
	"context"
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// loopback is a Dialer without a network: trunk 1 is out of service, every other answers at once.
type loopback struct{ clock time.Time }

type loopbackLeg struct{ hangup func() }

func (l loopbackLeg) Hangup() { l.hangup() }

func (d *loopback) Dial(_ context.Context, a *outdial.Attempt, sink func(outdial.Report)) (outdial.Leg, error) {
	id, now := a.ID, d.clock
	if a.Candidate.Trunk == 1 {
		sink(outdial.Report{Attempt: id, Kind: outdial.ReportEnd, Time: now, Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 503}})
	} else {
		sink(outdial.Report{Attempt: id, Kind: outdial.ReportProgress, Time: now.Add(time.Second), Marks: outdial.ProgressOf(180, false)})
		sink(outdial.Report{Attempt: id, Kind: outdial.ReportAnswer, Time: now.Add(5 * time.Second)})
	}
	return loopbackLeg{func() {
		sink(outdial.Report{Attempt: id, Kind: outdial.ReportEnd, Time: now.Add(time.Minute), Result: outdial.Result{Origin: outdial.OriginCallerHangup}})
	}}, nil
}

// advanceOn5xx is the smallest Failover: the next in order, as long as carriers fail or are silent.
type advanceOn5xx struct{}

func (advanceOn5xx) Pick(_ time.Time, _ *outdial.Call, plan []outdial.Candidate, eligible uint64) (int, outdial.Choice) {
	for i := range plan {
		if eligible&(1<<i) != 0 {
			return i, outdial.Choice{Why: outdial.WhyOrder, Probability: 1}
		}
	}
	return -1, outdial.Choice{}
}

func (advanceOn5xx) Return(time.Time, *outdial.Call, []outdial.Candidate, uint64, int, outdial.Choice) {
}

func (advanceOn5xx) Verdict(a *outdial.Attempt) outdial.Verdict {
	if r := a.Outcome(); r.Origin == outdial.OriginNoTrying || r.Code/100 == 5 {
		return outdial.VerdictAdvance
	}
	return outdial.VerdictStop
}

func (advanceOn5xx) Observe(*outdial.Event) {}

// printer is an Observer that prints what happens.
type printer struct{ ids *outdial.Registry }

func (p printer) Observe(ev *outdial.Event) {
	fmt.Println(ev.Kind, p.ids.Trunks.Name(ev.Attempt.Candidate.Trunk), ev.Attempt.Result.Code)
}

func ExampleEngine_Place() {
	ids := new(outdial.Registry)
	plan := outdial.Plan{{Trunk: ids.Trunks.ID("cheap")}, {Trunk: ids.Trunks.ID("good")}}
	now := time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)
	engine, err := outdial.New(outdial.Config{
		IDs: ids, Router: plan, Failover: advanceOn5xx{}, Observers: []outdial.Observer{printer{ids}},
		Now: func() time.Time { return now },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	placed, err := engine.Place(ctx, outdial.Call{To: 12125550123, From: 13125550100}, &loopback{now})
	if err != nil {
		fmt.Println(err)
		return
	}
	attempt, ok := placed.Answered()
	pdd, _ := attempt.Timeline.PDD()
	fmt.Println("answered:", ok, "post-dial delay:", pdd)
	placed.Hangup()
	fmt.Println(placed.Wait(ctx))
	// Output:
	// started cheap 0
	// ended cheap 503
	// started good 0
	// progressed good 0
	// answered good 0
	// answered: true post-dial delay: 1s
	// ended good 0
	// <nil>
}

func ExampleSession() {
	ids := new(outdial.Registry)
	plan := outdial.Plan{{Trunk: ids.Trunks.ID("cheap")}, {Trunk: ids.Trunks.ID("good")}}
	engine, _ := outdial.New(outdial.Config{IDs: ids, Router: plan, Failover: advanceOn5xx{}})
	now := time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC) // the host's clock; every verb gets the time

	s := engine.NewSession()
	if err := s.Begin(now, outdial.Call{To: 12125550123, From: 13125550100}); err != nil {
		fmt.Println(err)
		return
	}
	silent, _ := s.Next(now)
	// Nothing came within T100: hunting moves on, the leg stays until it is over.
	_ = s.Abandon(now.Add(time.Second), silent.Attempt.ID, outdial.Result{Origin: outdial.OriginNoTrying})
	next, _ := s.Next(now.Add(time.Second))
	action, _ := s.Answer(now.Add(3*time.Second), next.Attempt.ID)
	fmt.Println("the good trunk answered:", action)
	action, _ = s.Answer(now.Add(4*time.Second), silent.Attempt.ID)
	fmt.Println("the silent one answered, too late:", action)
	_ = s.End(now.Add(4*time.Second), silent.Attempt.ID, outdial.Result{Origin: outdial.OriginHost})
	_ = s.End(now.Add(time.Minute), next.Attempt.ID, outdial.Result{Origin: outdial.OriginCallerHangup})
	fmt.Println("over:", s.Done())
	// Output:
	// the good trunk answered: connect
	// the silent one answered, too late: end
	// over: true
}

func ExampleEngine_Dispose() {
	ids := new(outdial.Registry)
	heard := observerFunc(func(ev *outdial.Event) {
		fmt.Println(ev.Kind, ev.Disposition.AnsweredBy, ev.Disposition.AgentTime)
	})
	engine, _ := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{}, Observers: []outdial.Observer{heard}})
	leg := outdial.Attempt{ID: outdial.AttemptID{Call: 1, Leg: 1}} // as the host kept it
	_ = engine.Dispose(time.Now(), &leg, outdial.Disposition{AnsweredBy: outdial.AnsweredByVoicemail, AgentTime: 27 * time.Second})
	// Output:
	// disposed voicemail 27s
}

// observerFunc makes an Observer of a function.
type observerFunc func(*outdial.Event)

func (f observerFunc) Observe(ev *outdial.Event) { f(ev) }

func ExampleEngine_Control() {
	heard := observerFunc(func(ev *outdial.Event) {
		fmt.Println(ev.Control.Actor, ev.Control.Action, ev.Control.Target, "because", ev.Control.Reason)
	})
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{}, Observers: []outdial.Observer{heard}})
	_ = engine.Control(time.Now(), outdial.Control{Actor: "kim", Action: "trunk.drain", Target: "east", Reason: "maintenance"})
	// Output:
	// kim trunk.drain east because maintenance
}

func ExampleEngine_Label() {
	heard := observerFunc(func(ev *outdial.Event) { fmt.Println(ev.Label.Number, ev.Label.Engine, ev.Label.Status) })
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{}, Observers: []outdial.Observer{heard}})
	_ = engine.Label(time.Now(), outdial.Label{Number: 13125550100, Engine: "analytics-1", Status: outdial.LabelLabelled})
	// Output:
	// +13125550100 analytics-1 labelled
}

// A host writes the Waterline of a checkpoint beside the snapshots that it took there, and goes on from both.
func ExampleWaterline() {
	e, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}})
	var mark outdial.Waterline
	e.Checkpoint(func(m outdial.Waterline) { mark = m })
	found, err := e.RecoverFrom(time.Now(), mark)
	fmt.Println(mark.Seq, found.Events, err)
	// Output: 0 0 <nil>
}

// restored is an observer that was given a snapshot.
type restored struct{ seq uint64 }

func (restored) Observe(*outdial.Event) {}
func (r restored) Resumed() uint64      { return r.seq }

// An engine tells an observer that was restored only what came after its snapshot.
func ExampleResumer() {
	var o outdial.Resumer = restored{seq: 4711}
	fmt.Println(o.Resumed())
	// Output: 4711
}
