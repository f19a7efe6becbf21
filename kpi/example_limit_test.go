package kpi_test

import (
	"fmt"
	"os"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

func ExampleLimit() {
	short := kpi.Limit{Most: 0.15, Stop: 0.145}
	now := kpi.Ratio{K: 142, N: 1000}
	fmt.Println(short.Signal(now), "room for", short.Room(now))
	fmt.Printf("%.2f\n", short.Breach(now, 500))
	// Output:
	// warn room for 9
	// 0.10
}

func ExampleSignal() {
	fmt.Println(kpi.SignalNone, kpi.SignalFine, kpi.SignalWarn, kpi.SignalStop)
	// Output: none fine warn stop
}

func ExampleShare() {
	var s kpi.Share
	fmt.Println(s.UnmarshalText([]byte("abandoned")), s)
	// Output: <nil> abandoned
}

// busyDay is a meter that has seen calls of a carrier, each fifth of them short.
func busyDay() *kpi.Meter {
	m, _ := kpi.New(kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByCarrier}}})
	for i := range 100 {
		a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: monday}
		a.Candidate.Carrier = 1
		m.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: monday, Attempt: &a})
		a.Timeline.Set(outdial.MarkAnswer, time.Second)
		m.Observe(&outdial.Event{Kind: outdial.EventAnswered, Time: monday, Attempt: &a})
		a.Timeline.Set(outdial.MarkEnd, time.Minute)
		if i%5 == 0 {
			a.Timeline[outdial.MarkEnd] = 4 * time.Second
		}
		a.Result.Origin = outdial.OriginCalleeHangup
		m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: monday, Attempt: &a})
	}
	return m
}

func ExampleBudget() {
	s, err := busyDay().Standing(monday.Add(time.Hour), kpi.Budget{
		Key: kpi.Key{View: kpi.ByCarrier, Carrier: 1}, What: kpi.ShareShort, Within: 6 * time.Second, Limit: kpi.Limit{Most: 0.15},
	})
	fmt.Println(s.Ratio, s.Signal, err)
	// Output: {20 100} stop <nil>
}

func ExampleStanding() {
	s, _ := busyDay().Standing(monday.Add(time.Hour), kpi.Budget{
		Key: kpi.Key{View: kpi.ByCarrier, Carrier: 1}, What: kpi.ShareFailed, Limit: kpi.Limit{Most: 0.6},
	})
	fmt.Println(s.From.Format(time.DateTime), s.Signal, s.Room)
	// Output: 2026-03-02 00:00:00 fine 150
}

func ExampleTrend() {
	m, _ := kpi.New(kpi.Config{})
	for i := range 60 {
		start := monday.Add(time.Duration(i) * time.Minute)
		a := outdial.Attempt{Start: start, Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 486}}
		a.Timeline.Set(outdial.MarkProvisional, time.Second+time.Duration(i)*50*time.Millisecond)
		m.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: start, Attempt: &a})
	}
	w, _ := m.Over(time.Hour)
	trend, _ := kpi.TrendOf(w.Series(monday.Add(59*time.Minute), kpi.Key{}), func(c *kpi.Cell) *kpi.Sketch { return &c.PDD })
	fmt.Printf("%.1f s an hour, rising: %v\n", trend.Slope, trend.Rising(1, 0.999))
	// Output: 3.0 s an hour, rising: true
}

func ExampleStorm() {
	var before, after kpi.Cell
	before.Started, before.Contacts = 1800, 90
	after.Started, after.Contacts = 1200, 16
	s := kpi.StormOf(&before, &after, time.Hour, 10*time.Minute)
	fmt.Printf("dials %.1f times, contacts %.1f times: %v\n", s.Dials.Times, s.Contacts.Times, s.Alarm)
	// Output: dials 4.0 times, contacts 1.1 times: true
}

func ExampleGrowth() {
	s := kpi.StormOf(new(kpi.Cell), new(kpi.Cell), time.Hour, time.Hour)
	fmt.Println(s.Dials) // nothing at all: it could be anything
	// Output: {1 0 +Inf}
}

func ExampleChange() {
	arms := kpi.CompareArms(30, kpi.Arm{Name: "a", Cell: asr(400)}, kpi.Arm{Name: "b", Cell: asr(300)})
	c := arms[1].ASR
	fmt.Printf("%+.2f (%.2f to %.2f): %s\n", *c.Delta, *c.Low, *c.High, c.Verdict)
	// Output: -0.10 (-0.14 to -0.06): lower
}

// asr is a cell of 1,000 attempts.
func asr(answers uint64) *kpi.Cell {
	var c kpi.Cell
	c.Started, c.Answers = 1000, answers
	c.Classes[kpi.ClassAnswer], c.Classes[kpi.ClassUserBusy] = answers, 1000-answers
	return &c
}

func ExampleArm() {
	arms := []kpi.Arm{{Name: "usual", Cell: asr(300)}, {Name: "other", Cell: asr(310)}}
	fmt.Println(kpi.CompareArms(30, arms...)[1].ASR.Verdict)
	// Output: not told from chance
}

func ExampleArmReport() {
	_ = kpi.WriteArmsCSV(os.Stdout, []kpi.ArmReport{})
	// Output: arm,seizures,asr_before,asr_after,asr_delta,asr_low,asr_high,asr_verdict,human_before,human_after,human_delta,human_low,human_high,human_verdict,contact_before,contact_after,contact_delta,contact_low,contact_high,contact_verdict,cost_per_contact_micros,agent_seconds_per_contact
}

func ExampleWeekly() {
	w, err := busyDay().Weekly(monday.Add(24*time.Hour), kpi.ByCarrier)
	fmt.Println(w.From.Format(time.DateOnly), w.Mid.Format(time.DateOnly), w.To.Format(time.DateOnly), len(w.Rows), err)
	// Output: 2026-02-17 2026-02-24 2026-03-03 1 <nil>
}

func ExampleWeeklyRow() {
	w, _ := busyDay().Weekly(monday.Add(24*time.Hour), kpi.ByCarrier)
	fmt.Println(w.Rows[0].Key, w.Rows[0].Seizures, w.Rows[0].ASR.Verdict)
	// Output: map[carrier:#1] [0 100] insufficient data
}

func ExampleMapper() {
	m, _ := kpi.NewMapper(map[string]kpi.Outcome{"SALE": {AnsweredBy: outdial.AnsweredByHuman, Contact: true}})
	d, ok := m.Map("sale", 90*time.Second)
	fmt.Println(d.AnsweredBy, d.Contact, ok)
	_, ok = m.Map("CALLBACK", 0)
	fmt.Println(ok)
	// Output:
	// human true true
	// false
}

func ExampleOutcome() {
	_, err := kpi.NewMapper(map[string]kpi.Outcome{"FAX": {AnsweredBy: outdial.AnsweredByFax, Contact: true}})
	fmt.Println(err)
	// Output: kpi: disposition code "FAX": a contact is a human's
}

func ExampleLost() {
	lost, _ := kpi.LostOf(asr(300), asr(100), 0.95)
	fmt.Printf("%.0f answers (%.0f to %.0f)\n", lost.Answers.N, lost.Answers.Low, lost.Answers.High)
	// Output: 200 answers (166 to 234)
}

func ExampleLoss() {
	lost, _ := kpi.LostOf(asr(300), asr(300), 0.95)
	fmt.Println(lost.Answers.N, lost.Answers.Low < 0)
	// Output: 0 true
}
