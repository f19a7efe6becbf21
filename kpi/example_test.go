package kpi_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// A leg that rang unanswered and came back through two gateways as a 504 is no network failure, as long as somebody
// kept its Reason.
func ExampleClassify() {
	a := outdial.Attempt{Result: outdial.Result{
		Origin: outdial.OriginCarrier, Code: 504, Cause: outdial.Cause{Value: 19, Location: outdial.LocationUser},
	}}
	fmt.Println(kpi.Classify(&a))
	a.Result.Cause = outdial.Cause{}
	fmt.Println(kpi.Classify(&a))
	// Output:
	// no_answer cause
	// network_failure status
}

func ExampleClass() {
	fmt.Println(kpi.ClassUserBusy, kpi.ClassUserBusy.Delivered())
	fmt.Println(kpi.ClassCongestion, kpi.ClassCongestion.Delivered())
	fmt.Println(kpi.ClassNeverSent, kpi.ClassNeverSent.Seizure())
	// Output:
	// user_busy true
	// congestion false
	// never_sent false
}

func ExampleClassifiedBy() {
	_, by := kpi.Classify(&outdial.Attempt{Result: outdial.Result{Origin: outdial.OriginNoTrying}})
	fmt.Println(by)
	// Output: origin
}

// A meter needs no engine: fill an attempt with what a record says and pass its events on.
func ExampleMeter() {
	var ids outdial.Registry
	m, err := kpi.New(kpi.Config{IDs: &ids})
	if err != nil {
		panic(err)
	}
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	a := outdial.Attempt{ID: outdial.AttemptID{Call: 1, Leg: 1}, Start: start}
	a.Candidate.Trunk = ids.Trunks.ID("gold")
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: start, Attempt: &a})

	a.Timeline.Set(outdial.MarkProvisional, 1800*time.Millisecond)
	a.Timeline.Set(outdial.MarkRinging, 1800*time.Millisecond)
	a.Timeline.Set(outdial.MarkAnswer, 12*time.Second)
	m.Observe(&outdial.Event{Kind: outdial.EventAnswered, Time: start.Add(12 * time.Second), Attempt: &a})

	a.Timeline.Set(outdial.MarkEnd, 102*time.Second)
	a.Result.Origin = outdial.OriginCalleeHangup
	end := start.Add(102 * time.Second)
	m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: end, Attempt: &a})

	for c := range m.Snapshot(end) {
		asr, _ := c.ASR().Value()
		acd, _ := c.ACD()
		pdd, _ := c.PDD.Quantile(0.95)
		fmt.Println(c.Key.View, asr, acd, pdd.Round(100*time.Millisecond))
	}
	// Output:
	// total 1 1m30s 1.8s
	// trunk 1 1m30s 1.8s
	// trunk+group 1 1m30s 1.8s
	// pool 1 1m30s 1.8s
	// program 1 1m30s 1.8s
}

// What a router reads: also for a trunk of which little was seen.
func ExampleMeter_Estimate() {
	m, _ := kpi.New(kpi.Config{})
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for i := range 100 {
		a := outdial.Attempt{Start: start, Candidate: outdial.Candidate{Trunk: 1}}
		m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: start, Attempt: &a})
		kind := outdial.EventEnded
		if i%2 == 0 {
			kind = outdial.EventAnswered
			a.Timeline.Set(outdial.MarkAnswer, time.Second)
		} else {
			a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
		}
		m.Observe(&outdial.Event{Kind: kind, Time: start.Add(time.Second), Attempt: &a})
	}
	seen := m.Estimate(start, &outdial.Candidate{Trunk: 1}, 0)
	unseen := m.Estimate(start, &outdial.Candidate{Trunk: 2}, 0)
	fmt.Printf("%.2f ± %.2f of %.0f legs\n", seen.Mean, 2*seen.Upper(1)-2*seen.Mean, seen.N)
	fmt.Printf("%.2f ± %.2f of %.0f legs\n", unseen.Mean, 2*unseen.Upper(1)-2*unseen.Mean, unseen.N)
	// Output:
	// 0.50 ± 0.10 of 100 legs
	// 0.50 ± 0.22 of 19 legs
}

func ExampleConfig() {
	_, err := kpi.New(kpi.Config{Window: -time.Minute, Views: []kpi.View{kpi.ByTrunk, kpi.ByTrunk}})
	fmt.Println(err)
	// Output:
	// kpi: Window: -1m0s in 12 buckets: want at least 1ms each
	// kpi: Views[1]: trunk: given twice
}

func ExampleView() {
	v := kpi.ByTrunk | kpi.ByDayPart
	a := outdial.Attempt{Candidate: outdial.Candidate{Trunk: 4, Carrier: 2}}
	key := v.Key(&a)
	fmt.Println(v, key.Trunk, key.Carrier)
	// Output: trunk+day_part 4 0
}

func ExampleKey() {
	m, _ := kpi.New(kpi.Config{Views: []kpi.View{kpi.ByCarrier}})
	_, ok := m.Cell(time.Unix(0, 0), kpi.Key{View: kpi.ByCarrier, Carrier: 7})
	fmt.Println(ok)
	// Output: false
}

func ExampleCell() {
	var c kpi.Cell
	c.Started, c.Answers = 10, 4
	c.Classes[kpi.ClassAnswer], c.Classes[kpi.ClassUserBusy], c.Classes[kpi.ClassCongestion] = 4, 3, 1
	fmt.Println(c.ASR(), c.NER(), c.Open())
	// Output: {4 8} {7 8} 2
}

func ExampleCounters() {
	a, b := kpi.Counters{Started: 3, Answers: 1}, kpi.Counters{Started: 4, Answers: 2}
	a.Merge(&b)
	fmt.Println(a.Started, a.Answers)
	// Output: 7 3
}

func ExampleRefusalCount() {
	m, _ := kpi.New(kpi.Config{})
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	m.Observe(&outdial.Event{
		Kind: outdial.EventRefused, Time: at, Attempt: &outdial.Attempt{},
		RefusalStage: outdial.StageTrunk, Refusal: "no_channel",
	})
	c, _ := m.Cell(at, kpi.Key{})
	for _, r := range c.Refusals {
		fmt.Println(r.Stage, r.Code, r.N)
	}
	// Output: trunk no_channel 1
}

func ExampleRatio() {
	r := kpi.Ratio{K: 40, N: 100}
	v, _ := r.Value()
	low, high, _ := r.Interval(0.95)
	fmt.Printf("%.0f %% (%.1f to %.1f)\n", 100*v, 100*low, 100*high)
	_, ok := kpi.Ratio{}.Value()
	fmt.Println("share of nothing defined:", ok)
	// Output:
	// 40 % (30.9 to 49.8)
	// share of nothing defined: false
}

func ExampleEvidence() {
	fmt.Println(kpi.Ratio{K: 9, N: 10}.Verdict(30))
	// Output: insufficient data
}

func ExampleSketch() {
	var s kpi.Sketch
	for ms := 1; ms <= 1000; ms++ {
		s.Add(time.Duration(ms) * time.Millisecond)
	}
	p95, _ := s.Quantile(0.95)
	fmt.Println(s.Count(), p95.Round(50*time.Millisecond))
	// Output: 1000 950ms
}

func ExampleStats() {
	m, _ := kpi.New(kpi.Config{MaxCells: -1})
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: time.Unix(0, 0), Attempt: &outdial.Attempt{}})
	fmt.Printf("%+v\n", m.Stats())
	// Output: {Cells:0 Late:0 Folded:4 Unjoined:0}
}

func ExampleReport() {
	var ids outdial.Registry
	m, _ := kpi.New(kpi.Config{IDs: &ids, Views: []kpi.View{kpi.ByTrunk}})
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	a := outdial.Attempt{Start: at, Candidate: outdial.Candidate{Trunk: ids.Trunks.ID("gold")}}
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: at, Attempt: &a})
	a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
	m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: at.Add(time.Second), Attempt: &a})
	r := m.Report(at)
	fmt.Println(r.From.Format(time.TimeOnly), r.To.Format(time.TimeOnly), r.CodeTable)
	// Output: 09:05:00 10:05:00 2
}

func ExampleCellReport() {
	m, _ := kpi.New(kpi.Config{Views: []kpi.View{kpi.ByTrunk}})
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	a := outdial.Attempt{Start: at, Candidate: outdial.Candidate{Trunk: 3}}
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: at, Attempt: &a})
	c := m.Report(at).Cells[0]
	fmt.Println(c.View, c.Key["trunk"], c.Seizures, c.Open)
	// Output: trunk #3 1 1
}

func ExampleRatioReport() {
	m, _ := kpi.New(kpi.Config{Views: []kpi.View{}})
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: time.Unix(0, 0), Attempt: &outdial.Attempt{}})
	asr := m.Report(time.Unix(0, 0)).Cells[0].ASR
	fmt.Println(asr.Value == nil, asr.Verdict)
	// Output: true undefined
}

func ExampleDurationReport() {
	m, _ := kpi.New(kpi.Config{Views: []kpi.View{}})
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: time.Unix(0, 0), Attempt: &outdial.Attempt{}})
	pdd := m.Report(time.Unix(0, 0)).Cells[0].PDD
	fmt.Println(pdd.N, pdd.P95 == nil)
	// Output: 0 true
}
