package failover_test

import (
	"fmt"
	"math"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// outcome reports an attempt on a trunk that ended at once.
func outcome(s *failover.Selector, now time.Time, trunk outdial.TrunkID, r outdial.Result) {
	a := &outdial.Attempt{Candidate: outdial.Candidate{Trunk: trunk}, Start: now, State: outdial.AttemptOpen}
	s.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: a})
	a.State, a.Result = outdial.AttemptEnded, r
	s.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: a})
}

// A trunk that is known beforehand is pinged and watched before the first call, and what two share is found.
func ExampleTrunk() {
	s := must(failover.New(failover.Config{IDs: new(outdial.Registry), Trunks: []failover.Trunk{
		{Name: "alpha", Carrier: "acme", Addresses: []string{"192.0.2.1:5060"}},
		{Name: "beta", Carrier: "bell", Addresses: []string{"192.0.2.1:5060"}},
	}}))
	due, next := s.DuePings(monday, nil)
	fmt.Println(len(due), "due", next.After(monday))
	for _, f := range s.Lint(monday, nil) {
		fmt.Println(f.Text)
	}
	// Output:
	// 2 due true
	// alpha and beta are reached at the same address 192.0.2.1:5060
}

// One carrier says 404 when it has no circuits; nobody else does.
func ExampleOverride() {
	ids := new(outdial.Registry)
	s := must(failover.New(failover.Config{IDs: ids, Overrides: []failover.Override{{
		Carrier: "acme",
		Rules:   []failover.Rule{{Name: "no circuits", From: 404, Verdict: outdial.VerdictAdvance, Evidence: failover.EvidenceFull}},
	}}}))
	for _, carrier := range []string{"acme", "bell"} {
		j := s.Judge(&outdial.Attempt{
			Candidate: outdial.Candidate{Carrier: ids.Carriers.ID(carrier)},
			Result:    outdial.Result{Origin: outdial.OriginCarrier, Code: 404},
		})
		fmt.Println(carrier, j.Verdict, j.Evidence, j.Shortage)
	}
	// Output:
	// acme advance full unknown
	// bell stop number_fault none
}

// The record of an outage has its moments, and says what it showed.
func ExampleIncident() {
	s := must(failover.New(failover.Config{}))
	for i := range 3 {
		outcome(s, monday.Add(time.Duration(i)*time.Second), 1, outdial.Result{Origin: outdial.OriginTransport})
	}
	for _, i := range s.Incidents(monday.Add(time.Minute)) {
		fmt.Println("isolated after", i.TimeToShift())
		fmt.Println(i.Learned())
	}
	// Output:
	// isolated after 2s
	// hard failures in a row: 3 of 3 calls failed against a baseline of 10.0 %
}

// An operator sends four calls in five to beta for an hour. The order is one line of a journal.
func ExampleFlip() {
	ids := new(outdial.Registry)
	ids.Trunks.Add("alpha", "beta")
	s := must(failover.New(failover.Config{IDs: ids, KeepWarm: -1}))
	order := failover.Flip{To: []string{"beta"}, Share: 0.8}.Control(failover.ActionFlip, "ops", "maintenance", monday.Add(time.Hour))
	fmt.Println(order.Action, order.Target, order.Value)
	fmt.Println("refused:", s.CheckControl(monday, &order))
	s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: monday, Control: &order})
	plan := []outdial.Candidate{{Trunk: ids.Trunks.ID("alpha")}, {Trunk: ids.Trunks.ID("beta")}}
	for _, now := range []time.Time{monday, monday.Add(time.Hour)} {
		share := map[string]int{}
		for range 100 {
			i, _ := s.Pick(now, &outdial.Call{}, plan, 0b11)
			share[ids.Trunks.Name(plan[i].Trunk)]++
		}
		fmt.Println(share)
	}
	// Output:
	// failover.flip beta 80%
	// refused: <nil>
	// map[alpha:20 beta:80]
	// map[alpha:100]
}

// A drill ends by itself and leaves a report.
func ExampleDrill() {
	ids := new(outdial.Registry)
	ids.Trunks.Add("alpha", "beta")
	s := must(failover.New(failover.Config{IDs: ids}))
	for i := range 100 {
		outcome(s, monday.Add(time.Duration(i)*time.Second), 1, outdial.Result{Origin: outdial.OriginCarrier, Code: 486})
	}
	now := monday.Add(100 * time.Second)
	order := failover.Flip{To: []string{"beta"}, Share: 0.5}.Control(failover.ActionDrill, "ops", "monthly", now.Add(10*time.Minute))
	s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: &order})
	for i := range 100 {
		outcome(s, now.Add(time.Duration(i)*time.Second), 2, outdial.Result{Origin: outdial.OriginCarrier, Code: 500})
	}
	for _, d := range s.Drills(now.Add(time.Hour)) {
		change, errors := d.Change(outdial.MetricNER)
		fmt.Printf("over %v, NER changed by %.2f, %.0f standard errors\n", d.Over, change.Mean, math.Abs(errors))
	}
	// Output: over true, NER changed by -0.98, 71 standard errors
}

// The sides of a drill are the receiving trunks and all others.
func ExampleSides() {
	var d failover.Drill
	d.Before = failover.Sides{Others: failover.Tally{Started: 100, Reached: 98, Answered: 40}}
	fmt.Printf("%.2f\n", d.Before.Others.ASR().Mean)
	// Output: 0.40
}

// A Tally gives its figures with their uncertainty.
func ExampleTally() {
	t := failover.Tally{Started: 200, Reached: 190, Answered: 60}
	asr := t.ASR()
	fmt.Printf("ASR %.2f, between %.2f and %.2f\n", asr.Mean, asr.Lower(1.96), asr.Upper(1.96))
	// Output: ASR 0.30, between 0.24 and 0.37
}

// room is a Capacity: so many channels and calls per second on any trunk.
type room struct{ channels, cps int }

func (r room) Headroom(time.Time, outdial.TrunkID) (int, int) { return r.channels, r.cps }

// A flip that the receiving trunk has no room for is refused.
func ExampleCapacity() {
	ids := new(outdial.Registry)
	ids.Trunks.Add("alpha", "beta")
	s := must(failover.New(failover.Config{IDs: ids, Capacity: room{channels: 10, cps: 2}}))
	for i := range 600 { // 10 calls a second, all of them up
		now := monday.Add(time.Duration(i) * 100 * time.Millisecond)
		s.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &outdial.Attempt{
			Candidate: outdial.Candidate{Trunk: 1}, Start: now, State: outdial.AttemptOpen,
		}})
	}
	fmt.Println(s.CheckFlip(monday.Add(time.Minute-1), failover.Flip{To: []string{"beta"}, Share: 0.95}))
	// Output:
	// failover: 95 % to beta: 570 channels are needed and 10 are free
	// 5 calls per second are needed and 2 are free
}

// poorPDD is a Signals: callers wait too long on trunk 1.
type poorPDD struct{}

func (poorPDD) Measure(_ time.Time, m outdial.Metric, c *outdial.Candidate, _ outdial.GroupID) outdial.Estimate {
	if m == outdial.MetricPDD && c.Trunk == 1 {
		return outdial.Estimate{Mean: 11, Var: 0.1, N: 400}
	}
	return outdial.Estimate{}
}

// A target whose figures are poor gets the keep-warm share until they are good again.
func ExampleSignals() {
	s := must(failover.New(failover.Config{Signals: poorPDD{}}))
	for trunk := range outdial.TrunkID(2) {
		outcome(s, monday, trunk+1, outdial.Result{Origin: outdial.OriginCarrier, Code: 486})
	}
	s.Advance(monday)
	for _, t := range s.Snapshot(monday) {
		fmt.Println(t.Trunk, t.State, t.Why, t.Share)
	}
	// Output:
	// 1 suspect poor pdd 0.05
	// 2 up  1
}

// Limits are data; between poor and good a target stays what it is.
func ExampleLimit() {
	_, err := failover.New(failover.Config{Limits: []failover.Limit{{Metric: outdial.MetricNER, Poor: 0.7, Good: 0.6}}})
	fmt.Println(err)
	// Output: failover: Limits[0]: Good: 0.6 of ner is worse than Poor 0.7
}

// Lint looks at the plans that calls get.
func ExampleRoute() {
	s := must(failover.New(failover.Config{}))
	for _, f := range s.Lint(monday, []failover.Route{{Group: "NANP", Plan: []outdial.Candidate{{Trunk: 1}}}}) {
		fmt.Println(f.Code, f.Text)
	}
	// Output: few_targets NANP: 1 live targets, where there should be two at least
}

// Findings are values; telling somebody is the host's.
func ExampleFinding() {
	s := must(failover.New(failover.Config{IDs: new(outdial.Registry), Trunks: []failover.Trunk{{Name: "alpha"}}}))
	for _, f := range s.Alarms(monday.Add(25*time.Hour), monday) {
		fmt.Println(f.Code, f.Trunks, f.Text)
	}
	// Output: untested [alpha] alpha: no live call has reached a callee for 25h0m0s
}

// The code of a finding is stable, for rules that act on it.
func ExampleFindingCode() {
	fmt.Println(failover.FindingSharedAddress)
	// Output: shared_address
}

// A Selector is saved where the engine says that all have seen the same, and another goes on from there.
func ExampleSelector_Save() {
	ids := &outdial.Registry{}
	ids.Trunks.Add("alpha", "beta")
	s, err := failover.New(failover.Config{IDs: ids})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Seq: 17, Control: &outdial.Control{
		Actor: "ops", Action: failover.ActionHold, Target: "beta", Reason: "bad audio",
	}})
	kept, err := s.Save(17) // in Engine.Checkpoint, with Waterline.Seq
	if err != nil {
		panic(err)
	}
	again, err := failover.New(failover.Config{IDs: ids})
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Restore(kept), again.Resumed()) // before Engine.RecoverFrom
	for _, t := range again.Snapshot(now) {
		fmt.Println(t.Name, t.State)
	}
	// Output:
	// <nil> 17
	// beta held
}
