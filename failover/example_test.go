package failover_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// Two carriers share calls 3 to 1. The turns come evenly, never more than half a call off.
func ExampleSelector() {
	s, err := failover.New(failover.Config{})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	plan := []outdial.Candidate{{Trunk: 1, Weight: 75}, {Trunk: 2, Weight: 25}}
	call := &outdial.Call{}
	for range 8 {
		i, _ := s.Pick(now, call, plan, 0b11)
		fmt.Print(plan[i].Trunk, " ")
	}
	fmt.Println()
	// Output: 1 1 2 1 1 1 2 1
}

// A carrier that falls silent is out after three calls. The next tier takes over.
func ExampleSelector_Observe() {
	s, err := failover.New(failover.Config{})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	plan := []outdial.Candidate{{Trunk: 1}, {Trunk: 2, Tier: 1}}
	call := &outdial.Call{}
	for leg := range 3 {
		a := &outdial.Attempt{
			ID: outdial.AttemptID{Call: 1, Leg: uint8(leg + 1)}, Candidate: plan[0], Start: now,
			State: outdial.AttemptAbandoned, Abandoned: outdial.Result{Origin: outdial.OriginNoTrying},
		}
		s.Observe(&outdial.Event{Kind: outdial.EventAbandoned, Time: now.Add(time.Second), Attempt: a})
	}
	i, choice := s.Pick(now.Add(2*time.Second), call, plan, 0b11)
	fmt.Println("trunk", plan[i].Trunk, choice.Why)
	i, choice = s.Pick(now.Add(2*time.Second), call, plan, 0b01)
	fmt.Println("trunk", plan[i].Trunk, choice.Why)
	// Output:
	// trunk 2 order
	// trunk 1 last_resort
}

// Q.850 goes before the SIP code: the same 503 is a busy callee, a full trunk or a fault.
func ExampleSelector_Judge() {
	s, err := failover.New(failover.Config{})
	if err != nil {
		panic(err)
	}
	for _, cause := range []uint8{17, 34, 41} {
		j := s.Judge(&outdial.Attempt{Result: outdial.Result{
			Origin: outdial.OriginCarrier, Code: 503, Cause: outdial.Cause{Value: cause},
		}})
		fmt.Println(j.Rule, j.Verdict, j.Evidence)
	}
	// Output:
	// user_busy stop callee
	// full_cause advance full
	// network_fault advance soft
}

// A deployment whose trunks fail one call in five needs a longer row before it blames one.
func ExampleConfig() {
	s, err := failover.New(failover.Config{Baseline: 0.20, Backoff: 10 * time.Second})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	n := 0
	for s.Advance(now).IsZero() {
		n++
		s.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &outdial.Attempt{
			ID: outdial.AttemptID{Call: outdial.CallID(n), Leg: 1}, Candidate: outdial.Candidate{Trunk: 1}, Start: now,
			State: outdial.AttemptEnded, Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 500},
		}})
	}
	fmt.Println("out after", n)
	_, err = failover.New(failover.Config{Baseline: 1.5, ProbeGood: -1})
	fmt.Println(err)
	// Output:
	// out after 9
	// failover: Baseline: 1.5 is not below 1
	// failover: ProbeGood: -1 is negative
}

// A carrier that says 404 for "no circuits" gets a row of its own.
func ExampleRule() {
	s, err := failover.New(failover.Config{Rules: []failover.Rule{{
		Name: "404 is no circuits", From: 404, Phrase: "no circuits",
		Verdict: outdial.VerdictAdvance, Evidence: failover.EvidenceFull,
	}}})
	if err != nil {
		panic(err)
	}
	for _, phrase := range []string{"Not Found", "No circuits"} {
		a := &outdial.Attempt{Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 404, Phrase: phrase}}
		fmt.Println(s.Verdict(a))
	}
	// Output:
	// stop
	// advance
}

// A carrier tells in a header of its own why a call was refused. Whoever dials must keep that header: Selector.Headers.
func ExampleHeader() {
	s, err := failover.New(failover.Config{Rules: []failover.Rule{{
		Name: "no channels", Header: failover.Header{Name: "X-Error", Contains: "channel"}, Verdict: outdial.VerdictAdvance,
		Evidence: failover.EvidenceFull, Shortage: outdial.ShortageChannels,
	}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Headers())
	var kept outdial.Headers
	a := &outdial.Attempt{Result: outdial.Result{
		Origin: outdial.OriginCarrier, Code: 480, Headers: kept.With("X-Error", "17 channel limit"),
	}}
	j := s.Judge(a)
	fmt.Println(j.Verdict, j.Evidence, j.Shortage)
	// Output:
	// [warning x-error]
	// advance full channels
}

// A 503 with Retry-After asks for a pause, which is no failure.
func ExampleJudgement() {
	s, err := failover.New(failover.Config{})
	if err != nil {
		panic(err)
	}
	j := s.Judge(&outdial.Attempt{Result: outdial.Result{
		Origin: outdial.OriginCarrier, Code: 503, RetryAfter: 20 * time.Second,
	}})
	fmt.Println(j.Verdict, j.Evidence, j.Suspend)
	// Output: advance none 20s
}

// The table can be read, for example to show it to an operator.
func ExampleDefaultRules() {
	for _, r := range failover.DefaultRules()[:4] {
		fmt.Println(r.Name, r.Verdict, r.Evidence)
	}
	// Output:
	// never_sent advance none
	// transport advance hard
	// no_trying advance hard
	// no_progress advance soft
}

// Evidence is what an outcome says about its target.
func ExampleEvidence() {
	var e failover.Evidence
	fmt.Println(e.UnmarshalText([]byte("config_fault")), e == failover.EvidenceConfigFault)
	// Output: <nil> true
}

// A Target tells why it rests and until when.
func ExampleTarget() {
	ids := &outdial.Registry{}
	s, err := failover.New(failover.Config{IDs: ids})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &outdial.Attempt{
		Candidate: outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}, Start: now, State: outdial.AttemptEnded,
		Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 503, RetryAfter: time.Minute},
	}})
	for _, t := range s.Snapshot(now) {
		fmt.Println(t.Name, t.State, t.Why, t.Until.Sub(now))
	}
	// Output: alpha suspended retry after 1m0s
}

// An operator holds a trunk for an hour; the hold ends by itself.
func ExampleState() {
	ids := &outdial.Registry{}
	ids.Trunks.Add("alpha")
	s, err := failover.New(failover.Config{IDs: ids})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: &outdial.Control{
		Actor: "ops", Action: failover.ActionHold, Target: "alpha", Reason: "bad audio", Expires: now.Add(time.Hour),
	}})
	fmt.Println(s.Snapshot(now)[0].State, s.Snapshot(now.Add(time.Hour))[0].State)
	// Output: held up
}
