package outdial_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

const hour = time.Hour

// noon is the time at which the examples happen.
var noon = time.Date(2026, 11, 3, 17, 0, 0, 0, time.UTC)

// The host says whom to call and for whom; Begin stamps the rest.
func ExampleCall() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}})
	s := engine.NewSession()
	err := s.Begin(noon, outdial.Call{
		Ref: "lead-7", To: 12125550123, From: 13125550100, Mode: outdial.ModePredictive, Deadline: noon.Add(40 * time.Second),
	})
	call := s.Call()
	fmt.Println(call.Ref, call.To, call.ID != 0, string(call.Dest.Country[:]), call.Dest.Area, err)
	// Output:
	// lead-7 +12125550123 true US +1212 <nil>
}

func ExampleCallID() {
	fmt.Println(outdial.CallID(0x6417f2c9a0001000))
	// Output:
	// 6417f2c9a0001000
}

func ExampleMode() {
	fmt.Println(outdial.ModeManual, outdial.ModePredictive, outdial.ModePrerecorded)
	// Output:
	// manual predictive prerecorded
}

func ExamplePriority() {
	fmt.Println(outdial.PriorityUrgent > outdial.PriorityBulk, outdial.Call{}.Priority)
	// Output:
	// true bulk
}

func ExampleDestination() {
	plan, _ := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: new(outdial.Registry)})
	d := plan.Locate(noon, outdial.MustNumber("+18005550123"))
	fmt.Println(d.TollFree, d.Premium, d.Unassigned)
	// Output:
	// true false false
}

// A callee in the Florida panhandle may live in either of two time zones.
func ExampleZoneSet() {
	plan, _ := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: new(outdial.Registry)})
	d := plan.Locate(noon, outdial.MustNumber("+18505550123"))
	for _, zone := range plan.Locations(d.Zones) {
		fmt.Println(zone, noon.In(zone).Format("15:04"))
	}
	// Output:
	// America/Chicago 11:00
	// America/New_York 12:00
}

func ExampleNumberingConfig() {
	_, err := outdial.NewNumberingPlan(outdial.NumberingConfig{
		IDs: new(outdial.Registry), DayParts: []outdial.DayPart{{Name: "never", From: 9 * hour, To: 9 * hour}},
	})
	fmt.Println(err)
	// Output:
	// outdial: numbering plan: DayParts[0]: From 9h0m0s, To 9h0m0s: want two different times between 0 and 24 h
}

func ExampleDayPart() {
	ids := new(outdial.Registry)
	plan, _ := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids, DayParts: []outdial.DayPart{
		{Name: "night", From: 21 * hour, To: 8 * hour}, {Name: "day", From: 8 * hour, To: 21 * hour},
	}})
	for _, to := range []outdial.Number{12125550123, 442079460123, 81312345678} {
		fmt.Println(to, ids.DayParts.Name(plan.Locate(noon, to).DayPart))
	}
	// Output:
	// +12125550123 day
	// +442079460123 day
	// +81312345678 night
}

func ExampleMicros() {
	perMinute := outdial.Micros(6100) // 0.0061 of the currency unit
	fmt.Println(perMinute * 10)
	// Output:
	// 61000
}

// Two trunks share a tier three to one; the third is for when both have failed.
func ExampleCandidate() {
	plan := outdial.Plan{
		{Trunk: 1, Tier: 0, Weight: 3, Cost: 6100},
		{Trunk: 2, Tier: 0, Weight: 1, Cost: 5800},
		{Trunk: 3, Tier: 1},
	}
	candidates, _ := plan.Route(noon, new(outdial.Call), nil)
	fmt.Println(len(candidates), candidates[2].Tier)
	// Output:
	// 3 1
}

func ExampleChoice() {
	i, choice := advanceOn5xx{}.Pick(noon, nil, []outdial.Candidate{{Trunk: 1}, {Trunk: 2}}, 0b10) // the first has been tried
	fmt.Println(i, choice.Why, choice.Probability)
	// Output:
	// 1 order 1
}

func ExampleWhy() {
	fmt.Println(outdial.WhyWeight, outdial.WhyKeepWarm, outdial.WhyProbe, outdial.WhyLastResort)
	// Output:
	// weight keep_warm probe last_resort
}

// What an attempt was, is in it; what it presented, where it went, when things happened and how it ended.
func ExampleAttempt() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{{Trunk: 1}}})
	s := engine.NewSession()
	_ = s.Begin(noon, outdial.Call{To: 12125550123, From: 13125550100})
	step, _ := s.Next(noon)
	a := step.Attempt
	_ = s.Progress(noon.Add(1400*time.Millisecond), a.ID, outdial.ProgressOf(180, false))
	_, _ = s.Answer(noon.Add(9*time.Second), a.ID)
	_ = s.End(noon.Add(40*time.Second), a.ID, outdial.Result{Origin: outdial.OriginCalleeHangup})
	pdd, _ := a.Timeline.PDD()
	talk, _ := a.Timeline.Duration()
	fmt.Println(a.CLI, a.State, a.Answered(), pdd, talk, a.Result.Origin)
	// Output:
	// +13125550100 ended true 1.4s 31s callee_hangup
}

func ExampleAttemptState() {
	fmt.Println(outdial.AttemptOpen, outdial.AttemptAbandoned, outdial.AttemptAnswered, outdial.AttemptEnded)
	// Output:
	// open abandoned answered ended
}

// A call that its callee's network has blocked by analytics is not tried again around the block.
func ExampleResult() {
	r := outdial.Result{
		Origin: outdial.OriginCarrier, Code: 603, Phrase: "Network Blocked",
		SIPCause: 603, Text: "v=analytics1;url=https://redress.example;tel=+18005550199",
	}
	fmt.Println(r.Blocked(), (&outdial.Result{Origin: outdial.OriginCarrier, Code: 603, Phrase: "Decline"}).Blocked())
	// Output:
	// true false
}

func ExampleOrigin() {
	for _, o := range []outdial.Origin{outdial.OriginCarrier, outdial.OriginNoTrying, outdial.OriginNeverSent} {
		fmt.Println(o)
	}
	// Output:
	// carrier
	// no_trying
	// never_sent
}

func ExampleLocation() {
	fmt.Println(outdial.ParseLocation("rln") == outdial.LocationRemotePublic, outdial.LocationUser)
	// Output:
	// true U
}

func ExampleMark() {
	var tl outdial.Timeline
	tl.Set(outdial.MarkTrying, 20*time.Millisecond)
	fmt.Println(tl[outdial.MarkTrying], tl[outdial.MarkAnswer] == 0)
	// Output:
	// 20ms true
}

// A host learns from the class what it can do about a refusal.
func ExampleRefusalClass() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{}}) // nothing leads anywhere
	err := engine.NewSession().Begin(noon, outdial.Call{To: 12125550123})
	var none *outdial.NoRouteError
	fmt.Println(errors.As(err, &none) && none.Class() == outdial.RefusedNoRoute, errors.Is(err, outdial.ErrNoCandidates))
	// Output:
	// true true
}

func ExampleSkip() {
	engine, _ := outdial.New(outdial.Config{Router: outdial.Plan{}})
	err := engine.NewSession().Begin(noon, outdial.Call{To: 12125550123})
	var none *outdial.NoRouteError
	if errors.As(err, &none) {
		for _, skip := range none.Skipped {
			fmt.Println(skip.Trunk, skip.Err)
		}
	}
	// Output:
	// 0 routing: no trunk may carry this call
}
