package kpi_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// talked gives a meter an answered call of a minute, and returns its attempt.
func talked(m *kpi.Meter, call outdial.CallID, mode outdial.Mode) *outdial.Attempt {
	a := &outdial.Attempt{ID: outdial.AttemptID{Call: call, Leg: 1}, Start: monday}
	a.Call.Mode, a.Candidate.Cost = mode, 12_000
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: monday, Attempt: a})
	a.Timeline.Set(outdial.MarkAnswer, 8*time.Second)
	m.Observe(&outdial.Event{Kind: outdial.EventAnswered, Time: monday.Add(8 * time.Second), Attempt: a})
	a.Timeline.Set(outdial.MarkEnd, 68*time.Second)
	a.Result.Origin = outdial.OriginCalleeHangup
	m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: monday.Add(68 * time.Second), Attempt: a})
	return a
}

func ExampleMeter_Measure() {
	m, _ := kpi.New(kpi.Config{})
	for i := range 50 {
		talked(m, outdial.CallID(i+1), outdial.ModePredictive)
	}
	now := monday.Add(5 * time.Minute)
	for _, metric := range []outdial.Metric{outdial.MetricASR, outdial.MetricShort, outdial.MetricFAS} {
		e := m.Measure(now, metric, &outdial.Candidate{}, 0)
		fmt.Printf("%v %.2f of %.0f\n", metric, e.Mean, e.N)
	}
	// Output:
	// asr 0.99 of 50
	// short 0.01 of 50
	// fas 0.99 of 50
}

func ExampleWindow() {
	m, _ := kpi.New(kpi.Config{Spans: kpi.StandardSpans()})
	talked(m, 1, outdial.ModeManual)
	day, _ := m.Over(24 * time.Hour)
	minute, _ := m.Over(time.Minute)
	later := monday.Add(3 * time.Hour)
	c, ok := day.Cell(later, kpi.Key{})
	fmt.Println(c.Answers, ok)
	_, ok = minute.Cell(later, kpi.Key{})
	fmt.Println(ok)
	// Output:
	// 1 true
	// false
}

func ExampleSpan() {
	_, err := kpi.New(kpi.Config{Spans: []kpi.Span{{Window: time.Minute, Buckets: 7}}})
	fmt.Println(err)
	// Output: kpi: Spans: slices of 5m0s: not a multiple of the shortest, 8.571428571s
}

func ExampleTariff() {
	t := kpi.Tariff{Initial: 30 * time.Second, Increment: 6 * time.Second}
	fmt.Println(t.Cost(12_000, 31*time.Second), "millionths of a dollar")
	// Output: 7200 millionths of a dollar
}

func ExampleFees() {
	m, _ := kpi.New(kpi.Config{})
	a := talked(m, 1, outdial.ModePredictive)
	m.Observe(&outdial.Event{Kind: outdial.EventDisposed, Time: monday, Attempt: a, Disposition: &outdial.Disposition{
		AnsweredBy: outdial.AnsweredByHuman, Contact: true, AgentTime: 2 * time.Minute,
	}})
	c, _ := m.Cell(monday.Add(5*time.Minute), kpi.Key{})
	cost, ok := c.CostPerContact(kpi.Fees{AgentHour: 30_000_000})
	fmt.Println(cost, ok)
	// Output: 1012000 true
}

func ExampleNERs() {
	var c kpi.Cell
	c.Classes[kpi.ClassAnswer], c.Classes[kpi.ClassBadNumber] = 30, 70
	c.Answers, c.Effective, c.ClientError = 30, 30, 70
	n := c.NERs()
	for _, r := range []kpi.Ratio{n.E425, n.SEER, n.SIPExporter, n.VoIPmonitor} {
		v, _ := r.Value()
		fmt.Print(v, " ")
	}
	// Output: 0.3 0.3 1 1
}

func ExampleAnswerTypes() {
	m, _ := kpi.New(kpi.Config{})
	for i, by := range []outdial.AnsweredBy{outdial.AnsweredByHuman, outdial.AnsweredByVoicemail, outdial.AnsweredByVoicemail} {
		a := talked(m, outdial.CallID(i+1), outdial.ModePredictive)
		m.Observe(&outdial.Event{Kind: outdial.EventDisposed, Time: monday, Attempt: a, Disposition: &outdial.Disposition{AnsweredBy: by}})
	}
	c, _ := m.Cell(monday.Add(5*time.Minute), kpi.Key{})
	t := c.AnswerTypes()
	fmt.Println(t.Raw, t.Human, t.Machine)
	// Output: {3 3} {1 3} {2 3}
}

// A detector that takes 30 % of all humans for machines hides more humans than it invents.
func ExampleClassifier() {
	amd := kpi.Classifier{Sensitivity: kpi.Ratio{K: 700, N: 1000}, Specificity: kpi.Ratio{K: 950, N: 1000}}
	p, low, high, _ := amd.Correct(kpi.Ratio{K: 400, N: 1000}, 0.95)
	fmt.Printf("%.2f (%.2f to %.2f)\n", p, low, high)
	// Output: 0.54 (0.49 to 0.59)
}

func ExampleStatusCount() {
	m, _ := kpi.New(kpi.Config{})
	a := outdial.Attempt{Start: monday, Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 486}}
	m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: monday, Attempt: &a})
	c, _ := m.Cell(monday, kpi.Key{})
	fmt.Println(c.Statuses)
	// Output: [{486 1}]
}

func ExampleRegionID() {
	var ids outdial.Registry
	m, _ := kpi.New(kpi.Config{
		IDs: &ids, Views: []kpi.View{kpi.ByRegion}, Regions: map[string]string{"US/212": "New York"},
	})
	a := outdial.Attempt{Start: monday}
	a.Call.Dest.Group = ids.Groups.ID("US/212")
	m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: monday, Attempt: &a})
	for c := range m.Snapshot(monday) {
		fmt.Println(m.Region(c.Key.Region), c.Started)
	}
	// Output: New York 1
}

// The same number looks the same for as long as the key is the same.
func ExampleNumberHash() {
	hash := kpi.NumberHash([]byte("thirty-two bytes of entropy ....."))
	again := kpi.NumberHash([]byte("thirty-two bytes of entropy ....."))
	fmt.Println(len(hash(12125550123)), hash(12125550123) == again(12125550123), hash(12125550123) == hash(12125550124))
	// Output: 12 true false
}

func ExampleHump() {
	var pdd kpi.Sketch
	for i := range 400 {
		d := time.Second + time.Duration(i%50)*time.Millisecond
		if i%4 == 0 {
			d += 800 * time.Millisecond // another hop
		}
		pdd.Add(d)
	}
	for _, h := range pdd.Humps() {
		fmt.Printf("%.0f %% around %v\n", 100*h.Share, h.Mode.Round(200*time.Millisecond))
	}
	// Output:
	// 75 % around 1s
	// 25 % around 1.8s
}

func ExampleDifference() {
	var honest, fake kpi.Sketch
	for i := range 200 {
		honest.Add(time.Duration(i) * 100 * time.Millisecond)
		fake.Add(1500 * time.Millisecond) // answered as no person does
	}
	d := fake.Difference(&honest)
	fmt.Printf("%.2f, by chance: %v\n", d.D, d.P > 0.01)
	// Output: 0.92, by chance: false
}

// A restart goes on from a snapshot and the tail of the journal.
func ExampleMeter_Save() {
	m, _ := kpi.New(kpi.Config{})
	talked(m, 1, outdial.ModeManual)
	b, err := m.Save(3) // in Engine.Checkpoint, with its Seq
	if err != nil {
		fmt.Println(err)
		return
	}
	again, _ := kpi.New(kpi.Config{})
	err = again.Restore(b)
	c, _ := again.Cell(monday.Add(5*time.Minute), kpi.Key{})
	fmt.Println(c.Answers, again.Resumed(), err)
	// Output: 1 3 <nil>
}
