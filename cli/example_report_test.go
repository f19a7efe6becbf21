package cli_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func ExampleReadJSON() {
	list, err := cli.ReadJSON(strings.NewReader(`[
  {"number": "+12125550100", "pool": "renewals", "carriers": ["alpha"], "evidence": "LOA 17", "callback": "2026-08-30"},
  {"number": "+12125550101", "pool": "renewals", "state": "burnt"}
]`))
	fmt.Println(len(list), list[0].Callback.Format(time.DateOnly))
	fmt.Println(err)
	// Output:
	// 1 2026-08-30
	// cli: line 3: state: cli: state "burnt": want one of ordered, registered, warming, active, probation, quarantined, rehab, retiring, released
}

// Lint says what ought to be put right before it keeps numbers from being presented.
func ExampleFinding() {
	cfg := exampleConfig(new(outdial.Registry))
	cfg.Numbers[0].Expires = time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)
	g, _ := cli.New(cfg)
	for _, f := range g.Lint(time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)) {
		if f.Code == cli.FindingRightEnds {
			fmt.Println(f.Pool, f.Numbers, f.Text)
		}
	}
	// Output: renewals [+12125550100] 1 of 1 numbers: the right to use ends within 30 days
}

func ExampleFindingCode() {
	fmt.Println(cli.FindingCallback, cli.FindingRight)
	// Output: callback right
}

// What carriers are expected to sign, what a test call showed, and how the calls went.
func ExampleAttestationRow() {
	ids := new(outdial.Registry)
	cfg := exampleConfig(ids)
	cfg.Numbers[0].Assigned = "alpha"
	g, _ := cli.New(cfg)
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	g.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: &outdial.Control{
		Actor: "test calls", Action: cli.ActionAttested, Target: "+12125550100", Value: "B alpha", Reason: "verstat at a handset",
	}})
	for _, r := range g.Attestations() {
		fmt.Println(r.Pool, r.Carrier, "expected", r.Expected, "reported B:", r.Reported[cli.AttestB], "otherwise than expected:", r.Differ)
	}
	// Output: renewals alpha expected A reported B: 1 otherwise than expected: 1
}

// A Governor that was saved at a checkpoint of the engine is restored, and told only what came after it.
func ExampleRestore() {
	ids := new(outdial.Registry)
	cfg := exampleConfig(ids)
	cfg.Secret = []byte("0123456789abcdef")
	g, _ := cli.New(cfg)
	e, _ := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t")}}, CLIs: g})

	var state []byte
	var mark outdial.Waterline
	e.Checkpoint(func(m outdial.Waterline) { // both are written to a file after it
		mark = m
		state, _ = g.Save(m.Seq)
	})

	again, err := cli.Restore(cfg, state)
	fmt.Println(again.Resumed() == mark.Seq, err) // then Engine.RecoverFrom(now, mark)
	// Output: true <nil>
}

// What a pool's numbers have in common, by name: a number that does not fit is an error of the configuration.
func ExamplePredicate() {
	cfg := exampleConfig(new(outdial.Registry))
	cfg.Pools[0].Require = []cli.Predicate{{Name: "toll-free only", Types: []cli.Type{cli.TypeTollFree}}}
	_, err := cli.New(cfg)
	fmt.Println(err)
	// Output: cli: Numbers[0] +12125550100: Number: it does not meet "toll-free only": type ""
}
