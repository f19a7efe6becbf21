package outdial_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

func ExampleNumber() {
	n, err := outdial.ParseNumber("+1 (212) 555-0123")
	fmt.Println(n, uint64(n), err)
	n, _ = outdial.ParseNumber("sip:+442079460123@carrier.example;user=phone")
	fmt.Println(n)
	// Output:
	// +12125550123 12125550123 <nil>
	// +442079460123
}

func ExampleNumberError() {
	_, err := outdial.ParseNumber("212-555-0123")
	var problem *outdial.NumberError
	fmt.Println(errors.As(err, &problem), err)
	// Output:
	// true outdial: number "212-555-0123": no leading +: not in international form
}

func ExampleDialPlan() {
	us := outdial.DialPlan{CountryCode: 1, International: "011", National: "1", Subscriber: 10}
	for _, dialled := range []string{"(212) 555-0123", "1 212 555 0123", "011 44 20 7946 0123", "911"} {
		n, err := us.Parse(dialled)
		fmt.Println(n, err)
	}
	// Output:
	// +12125550123 <nil>
	// +12125550123 <nil>
	// +442079460123 <nil>
	//  outdial: number "911": a national number here has 10 digits
}

func ExamplePrefix() {
	manhattan, _ := outdial.ParsePrefix("+1212")
	fmt.Println(manhattan.Contains(12125550123), manhattan.Contains(13125550123), outdial.Prefix(0).Contains(13125550123))
	// Output:
	// true false true
}

func ExampleRegistry() {
	var ids outdial.Registry // one per process, given to every package
	east := ids.Trunks.ID("alpha-east")
	fmt.Println(east, ids.Trunks.ID("alpha-east") == east, ids.Trunks.Name(east))
	// Output:
	// 1 true alpha-east
}

func ExampleNames() {
	var ids outdial.Registry
	ids.Programs.Add("sales", "service")
	for id, name := range ids.Programs.All() {
		fmt.Println(id, name)
	}
	// Output:
	// 1 sales
	// 2 service
}

func ExampleNumberingPlan() {
	ids := new(outdial.Registry)
	plan, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids, DayParts: []outdial.DayPart{
		{Name: "evening", From: 17 * time.Hour, To: 21 * time.Hour},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 3, 23, 30, 0, 0, time.UTC)
	to := plan.Locate(now, outdial.MustNumber("+18505550123")) // the Florida panhandle lies in two zones
	fmt.Println(string(to.Country[:]), to.Area, ids.Groups.Name(to.Group), ids.DayParts.Name(to.DayPart), plan.Zones(to.Zones))
	fmt.Println("may be called 9 to 18 there:", plan.AllWithin(now, to.Zones, 9*time.Hour, 18*time.Hour))
	// Output:
	// US +1850 US/850 evening [America/Chicago America/New_York]
	// may be called 9 to 18 there: false
}

func ExampleNetworkTable() {
	ids := new(outdial.Registry)
	networks, err := outdial.NewNetworkTable(outdial.NetworkTableConfig{
		IDs:    ids,
		Ranges: strings.NewReader("+1212555\t6664\n+1646555\t6006\n"),
		Ported: strings.NewReader("+12125550123\t+16465550000\n"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, to := range []outdial.Number{12125550122, 12125550123} {
		fmt.Println(to, ids.Networks.Name(networks.Network(time.Time{}, to)))
	}
	// Output:
	// +12125550122 6664
	// +12125550123 6006
}

func ExampleNetworkTableConfig() {
	_, err := outdial.NewNetworkTable(outdial.NetworkTableConfig{
		IDs: new(outdial.Registry), Ranges: strings.NewReader("+1212\tNY\n+1312\n"),
	})
	fmt.Println(err)
	// Output: outdial: network table: Ranges: line 2: want two fields with a tab between them
}

func ExampleCause() {
	busy := outdial.Cause{Value: 17, Location: outdial.LocationUser}
	code, _ := busy.SIPCode()
	fmt.Println(busy, busy.Name(), code)
	back, _ := outdial.CauseOf(503)
	fmt.Println(back, back.Name())
	// Output:
	// 17/U user busy 486
	// 41/LN temporary failure
}

func ExampleTimeline() {
	var tl outdial.Timeline
	tl.Set(outdial.MarkInvite, 2*time.Millisecond)
	tl.Set(outdial.MarkProvisional, 1402*time.Millisecond)
	tl.Set(outdial.MarkRinging, 1402*time.Millisecond)
	tl.Set(outdial.MarkAnswer, 9*time.Second)
	pdd, _ := tl.PDD()
	_, over := tl.Duration()
	fmt.Println(pdd, over)
	// Output:
	// 1.4s false
}

func ExampleMarks() {
	s := outdial.ProgressOf(183, true)
	fmt.Println(s.Has(outdial.MarkEarlySDP), s.Has(outdial.MarkRinging))
	// Output:
	// true false
}

func ExampleEstimate() {
	asr := outdial.Estimate{Mean: 0.42, Var: 0.0004, N: 600}
	fmt.Printf("%.2f to %.2f\n", asr.Lower(2), asr.Upper(2))
	// Output:
	// 0.38 to 0.46
}

func ExampleMetric() {
	fmt.Println(outdial.MetricNER, outdial.MetricPDD)
	// Output: ner pdd
}

func ExampleShortage() {
	fmt.Println(outdial.ShortageChannels, outdial.ShortageCPS)
	// Output: channels cps
}

func ExampleRefusal() {
	errFull := outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "channels", "no free channel")
	fmt.Println(errFull, errFull.Code(), errFull.Class())
	// Output:
	// trunk: no free channel channels capacity
}

func ExampleNoRouteError() {
	errFull := outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "channels", "no free channel")
	var err error = &outdial.NoRouteError{To: 12125550123, Skipped: []outdial.Skip{{Trunk: 1, Name: "east", Err: errFull}}}
	var no *outdial.NoRouteError
	fmt.Println(err)
	fmt.Println(errors.Is(err, errFull), errors.As(err, &no) && no.Class() == outdial.RefusedCapacity)
	// Output:
	// outdial: no route to +12125550123: east (trunk: no free channel)
	// true true
}

func ExampleAttemptID() {
	id := outdial.AttemptID{Call: 0x6417f2c9a0001000, Leg: 2}
	text, _ := json.Marshal(id)
	fmt.Println(string(text))
	// Output:
	// "6417f2c9a0001000-2"
}

func ExampleRecord() {
	call := outdial.Call{To: 12125550123}
	call.Record().Num(outdial.StageTrunk, 1, "in_use", 41) // nobody asked: nothing happens
	var r outdial.Record
	call.SetRecord(&r)
	call.Record().Num(outdial.StageTrunk, 1, "in_use", 42)
	fmt.Println(r.Readings())
	// Output:
	// [{0 trunk 1 in_use 42 }]
}

// A host that routes itself gives the engine a Plan, and adopts the other stages when it needs them.
func ExamplePlan() {
	ids := new(outdial.Registry)
	engine, err := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("east")}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)
	s := engine.NewSession()
	if err := s.Begin(now, outdial.Call{To: 12125550123, From: 13125550100}); err != nil {
		fmt.Println(err)
		return
	}
	step, _ := s.Next(now)
	fmt.Println(step.Kind, ids.Trunks.Name(step.Attempt.Candidate.Trunk), step.Attempt.CLI)
	_ = s.End(now.Add(time.Second), step.Attempt.ID, outdial.Result{Origin: outdial.OriginCarrier, Code: 486})
	step, _ = s.Next(now.Add(time.Second))
	fmt.Println(step.Kind, step.Stop)
	// Output:
	// dial east +13125550100
	// stop verdict
}

func ExampleEngine_Explain() {
	ids := new(outdial.Registry)
	engine, _ := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("east")}}})
	now := time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)
	x := engine.Explain(now, outdial.Call{ID: 1, To: 12125550123, From: 13125550100})
	enc := json.NewEncoder(os.Stdout)
	_ = enc.Encode(x.Candidates)
	// Output:
	// [{"trunk":"east","tier":0,"weight":0,"cost_micros":0,"fate":"dialled","leg":1,"chosen":"order","probability":1,"cli":"+13125550100","readings":[]}]
}

// Areas tells which area codes serve one region.
func ExampleArea() {
	plan, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: new(outdial.Registry)})
	if err != nil {
		fmt.Println(err)
		return
	}
	overlay := map[uint16][]outdial.Prefix{}
	for a := range plan.Areas() {
		overlay[a.Overlay] = append(overlay[a.Overlay], a.Prefix)
		if a.Prefix == 1212 {
			fmt.Println(a.Region, a.Overlay)
		}
	}
	fmt.Println(overlay[212])
	// Output:
	// NY 212
	// [+1212 +1332 +1347 +1465 +1646 +1718 +1917 +1929]
}
