package kpi_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

func ExampleNumbersConfig() {
	_, err := kpi.NewNumbers(kpi.NumbersConfig{Window: -time.Hour})
	fmt.Println(err)
	// Output: kpi: NumbersConfig.Window: negative
}

func ExampleNumberLabels() {
	row := kpi.NumberLabels{Place: "US/NY"}
	row.By[outdial.LabelClean], row.By[outdial.LabelLabelled], row.By[outdial.LabelUnknown] = 12, 3, 5
	labelled, unknown := row.Labelled()
	fmt.Println(row.Numbers(), labelled, unknown)
	// Output: 20 {3 15} {5 20}
}

func ExampleArchiveConfig() {
	_, err := kpi.New(kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}, Keep: 90 * time.Minute}})
	fmt.Println(err)
	// Output: kpi: Archive.Keep: 1h30m0s: want whole hours, at most a year
}

// Of two calls that were started within the window one has ended: the mean leans to short ones, and says so.
func ExampleCohortReport() {
	m, _ := kpi.New(kpi.Config{Cohorts: true, Views: []kpi.View{}})
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for i := range 2 {
		a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: start}
		m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: start, Attempt: &a})
		a.Timeline.Set(outdial.MarkAnswer, 10*time.Second)
		m.Observe(&outdial.Event{Kind: outdial.EventAnswered, Time: start.Add(10 * time.Second), Attempt: &a})
		if i == 0 {
			a.Timeline.Set(outdial.MarkEnd, 40*time.Second)
			a.Result.Origin = outdial.OriginCalleeHangup
			m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: start.Add(40 * time.Second), Attempt: &a})
		}
	}
	c := m.Report(start.Add(time.Minute)).Cells[0].Cohort
	fmt.Println(*c.Mean, c.Completeness.Ratio, c.Completeness.Verdict)
	// Output: 30 {1 2} insufficient data
}

// Part of the traffic takes a longer way: the report has both humps.
func ExampleHumpReport() {
	m, _ := kpi.New(kpi.Config{Views: []kpi.View{}})
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for i := range 300 {
		a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: start}
		m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: start, Attempt: &a})
		pdd := time.Duration(1000+i%30) * time.Millisecond
		if i%3 == 0 {
			pdd += time.Second
		}
		a.Timeline.Set(outdial.MarkProvisional, pdd)
		a.Timeline.Set(outdial.MarkEnd, 30*time.Second)
		a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 480}
		m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: start.Add(30 * time.Second), Attempt: &a})
	}
	for _, h := range m.Report(start.Add(time.Minute)).Cells[0].PDD.Humps {
		fmt.Printf("%.0f %% about %.1f s\n", 100*h.Share, h.Mode)
	}
	// Output:
	// 67 % about 1.0 s
	// 33 % about 2.0 s
}

func ExampleFunnel() {
	var c kpi.Cell
	c.Classes[kpi.ClassAnswer], c.Classes[kpi.ClassNoAnswer], c.Classes[kpi.ClassNetworkFailure] = 40, 50, 10
	c.Answers = 40
	c.Disposed[outdial.AnsweredByHuman], c.Disposed[outdial.AnsweredByVoicemail], c.Contacts = 25, 15, 10
	fmt.Printf("%+v\n", c.Funnel())
	fmt.Println(c.Funnel().Steps())
	// Output:
	// {Attempts:100 Reached:90 Answered:40 Human:25 Contacts:10}
	// [{90 100} {40 90} {25 40} {10 25}]
}

// Two trunks answer 30 % of calls, one of them the same in every hour.
func ExampleVariation() {
	steady, _ := kpi.VariationOf([]kpi.Ratio{{K: 300, N: 1000}, {K: 310, N: 1000}, {K: 290, N: 1000}})
	unsteady, _ := kpi.VariationOf([]kpi.Ratio{{K: 150, N: 1000}, {K: 450, N: 1000}, {K: 300, N: 1000}})
	fmt.Printf("%.2f ± %.3f, %.2f ± %.3f\n", steady.Mean, steady.SD, unsteady.Mean, unsteady.SD)
	// Output: 0.30 ± 0.000, 0.30 ± 0.149
}

// What a classifier said of calls that people have listened to.
func ExampleConfusion() {
	var c kpi.Confusion
	for _, call := range []struct {
		truth, said outdial.AnsweredBy
		n           int
	}{
		{outdial.AnsweredByHuman, outdial.AnsweredByHuman, 45},
		{outdial.AnsweredByHuman, outdial.AnsweredByVoicemail, 5},
		{outdial.AnsweredByVoicemail, outdial.AnsweredByVoicemail, 38},
		{outdial.AnsweredByVoicemail, outdial.AnsweredByUnknown, 1},
		{outdial.AnsweredByScreening, outdial.AnsweredByHuman, 1},
	} {
		for range call.n {
			c.Add(call.truth, call.said)
		}
	}
	f := c.Classifier()
	fmt.Println("humans:", f.Sensitivity, "others:", f.Specificity)
	fmt.Println(&c)
	// Output:
	// humans: {45 50} others: {39 40}
	// truth \ said         unknown         human     voicemail           ivr  announcement           fax     screening
	// unknown                    0             0             0             0             0             0             0
	// human                      0            45             5             0             0             0             0
	// voicemail                  1             0            38             0             0             0             0
	// ivr                        0             0             0             0             0             0             0
	// announcement               0             0             0             0             0             0             0
	// fax                        0             0             0             0             0             0             0
	// screening                  0             1             0             0             0             0             0
}
