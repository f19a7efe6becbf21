package routing_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// print routes a call by a policy and prints the trunks in their order.
func printPlan(p routing.Policy, cfg routing.CompileConfig, call outdial.Call) {
	ids := new(outdial.Registry)
	cfg.IDs = ids
	table, err := routing.Compile(p, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := routing.NewRouter(table).Route(monday, &call, nil)
	if err != nil {
		fmt.Println(err)
	}
	for i, c := range plan {
		fmt.Printf("%d. %s\n", i+1, ids.Trunks.Name(c.Trunk))
	}
}

func ExampleOverride() {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "A"}, {Name: "b", Carrier: "B"}},
		Rules:  []routing.Rule{via("all", "a", "b")},
		Overrides: []routing.Override{{
			Action: routing.Avoid, Carrier: "A", Prefixes: []outdial.Prefix{1602}, Actor: "ops", Reason: "ticket 4711",
			Expires: routing.InstantOf(monday.Add(4 * time.Hour)),
		}},
	}
	printPlan(p, routing.CompileConfig{}, outdial.Call{To: 16025550123})
	// Output: 1. b
}

func ExampleOverrideAction() {
	ids := new(outdial.Registry)
	table, _ := routing.Compile(routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", "a", "b")}},
		routing.CompileConfig{IDs: ids})
	router := routing.NewRouter(table)
	engine, _ := outdial.New(outdial.Config{IDs: ids, Router: router})
	err := engine.Control(monday, outdial.Control{
		Actor: "ops", Action: "routing." + string(routing.Prefer), Target: "trunk b", Value: "campaign=spring",
		Reason: "test of the new route", Expires: monday.Add(time.Hour),
	})
	fmt.Println(err, router.Overrides(monday)[0].Action)
	// Output: <nil> prefer
}

func ExampleCap() {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "A"}, {Name: "b", Carrier: "B"}},
		Rules:  []routing.Rule{via("all", "a", "b")},
		Caps:   []routing.Cap{{Countries: []string{"US"}, Share: 0.6}}, // no carrier above 60 % of the US
	}
	printPlan(p, routing.CompileConfig{}, outdial.Call{To: 12125550123})
	// Output:
	// 1. a
	// 2. b
}

func ExampleCommit() {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Deck: "a"}, {Name: "b", Deck: "b"}},
		Decks: []routing.Deck{
			{Name: "a", Rates: []routing.Rate{{PerMinute: 4000}}}, {Name: "b", Rates: []routing.Rate{{PerMinute: 9000}}},
		},
		Rules: []routing.Rule{{Tiers: []routing.Tier{{
			Strategy: routing.LeastCost, Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "b"}},
		}}}},
		Commits: []routing.Commit{{Trunk: "b", Minutes: 100_000}}, // paid for: it comes first until the month's pace is met
	}
	printPlan(p, routing.CompileConfig{}, outdial.Call{To: 12125550123})
	// Output:
	// 1. b
	// 2. a
}

func ExampleExploration() {
	p := contest(routing.Success{}, 9000, 8000)
	p.Exploration = routing.Exploration{Share: 0.02, Money: 5_000_000} // 2 % of calls, 5 units a day
	ids := new(outdial.Registry)
	table, err := routing.Compile(p, routing.CompileConfig{IDs: ids})
	fmt.Println(routing.NewRouter(table).Spent(), err)
	// Output: {0 0 0} <nil>
}

func ExampleSpent() {
	ids := new(outdial.Registry)
	table, _ := routing.Compile(routing.Policy{Trunks: trunks("a"), Rules: []routing.Rule{via("all", "a")}}, routing.CompileConfig{IDs: ids})
	r := routing.NewRouter(table)
	ev := started(1, outdial.Candidate{Trunk: ids.Trunks.ID("a"), Cost: 5000}, monday, "US")
	ev.Attempt.Choice.Why = outdial.WhyKeepWarm
	r.Observe(ev)
	s := r.Spent()
	fmt.Println(s.Explored, "of", s.Calls, "calls,", s.Money, "micros")
	// Output: 1 of 1 calls, 5000 micros
}

func ExampleBlackout() {
	christmas, _ := routing.ParseDate("12-25")
	p := routing.Policy{
		Trunks: trunks("a"), Rules: []routing.Rule{via("all", "a")},
		Admission: routing.Admission{Blackouts: []routing.Blackout{
			{Name: "Christmas", Dates: []routing.Date{christmas}}, {Weekdays: []string{"sunday"}},
		}},
	}
	table, _ := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry), Numbering: plan()})
	noon := time.Date(2026, 12, 25, 17, 0, 0, 0, time.UTC)
	call := outdial.Call{To: 12125550123, Dest: plan().Locate(noon, 12125550123)}
	again, err := table.Admit(noon, &call)
	fmt.Println(err)
	fmt.Println("again at", again.UTC())
	// Output:
	// routing: it is a day on which nobody is called
	// again at 2026-12-26 05:00:00 +0000 UTC
}

func ExampleDate() {
	for _, s := range []string{"12-25", "2026-11-03"} {
		d, err := routing.ParseDate(s)
		fmt.Println(d.Year, d.Month, d.Day, err)
	}
	// Output:
	// 0 December 25 <nil>
	// 2026 November 3 <nil>
}

func ExamplePoolRisk() {
	careful := via("while the pool is under suspicion", "b")
	careful.Risk = routing.PoolRisk{Pool: "sales", AtLeast: 0.5}
	p := routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", "a"), careful}}
	printPlan(p, routing.CompileConfig{Risk: newWorld()}, outdial.Call{To: 12125550123})
	// Output: 1. a
}

func ExampleInterconnect() {
	p := routing.Policy{
		Trunks: []routing.Trunk{
			{Name: "cheap", Hop: "somebody", Interconnect: routing.Transit}, {Name: "near", Interconnect: routing.Direct},
		},
		Rules: []routing.Rule{via("all", "cheap", "near")},
	}
	p.Rules[0].Tiers[0].PreferDirect = true
	printPlan(p, routing.CompileConfig{}, outdial.Call{To: 12125550123})
	// Output:
	// 1. near
	// 2. cheap
}

func ExampleSurcharge() {
	w := newWorld()
	w.measures[outdial.MetricShort] = map[outdial.TrunkID]outdial.Estimate{1: estimate(0.2, 1000)}
	p := contest(routing.Success{}, 5000, 6000)
	p.Trunks[0].Surcharges = []routing.Surcharge{{Above: 0.15, Fee: 10_000}} // a cent for each, once they are too many
	printPlan(p, w.config(), outdial.Call{To: 12125550123})
	// Output:
	// 1. b
	// 2. a
}

func ExampleMeasures() {
	var m routing.Measures = newWorld() // a *kpi.Meter
	e := m.Measure(monday, outdial.MetricNER, &outdial.Candidate{Trunk: 1}, 0)
	fmt.Println(e.Known())
	// Output: false
}

func ExampleHeadroom() {
	var h routing.Headroom = newWorld() // a *trunk.Set
	channels, cps := h.Headroom(monday, 1)
	fmt.Println(channels > 0, cps)
	// Output: true 10
}

func ExampleBurstPrices() {
	var b routing.BurstPrices = newWorld() // a *trunk.Set
	fmt.Println(b.BurstPrice(monday, 1))
	// Output: 0
}

func ExampleHealth() {
	var h routing.Health = newWorld() // a *failover.Selector
	fmt.Println(h.Health(monday, 1, 0))
	// Output: 1
}

func ExampleRisk() {
	var r routing.Risk = newWorld() // a *cli.Governor
	fmt.Println(r.Risk(monday, 1).Mean)
	// Output: 0
}

func ExampleRegions() {
	var r routing.Regions = plan()
	fmt.Println(r.Region(12125550123))
	// Output: US NY
}

func ExampleShadowReport() {
	ids := new(outdial.Registry)
	table := func(order ...string) *routing.Table {
		t, _ := routing.Compile(routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", order...)}},
			routing.CompileConfig{IDs: ids})
		return t
	}
	r := routing.NewRouter(table("a", "b"))
	r.SetShadow(table("b", "a"))
	_, _ = r.Route(monday, &outdial.Call{To: 12125550123}, nil)
	report, _ := r.ShadowReport()
	fmt.Println(report.Moved, "of", report.Calls, "calls would move")
	// Output: 1 of 1 calls would move
}
