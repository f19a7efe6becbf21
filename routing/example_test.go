package routing_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// must is for examples: a real program reports the error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// An own switch asks the package which trunks may carry a call, without the rest of outdial.
func Example() {
	ids := new(outdial.Registry)
	numbering := must(outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids}))
	deck := must(routing.ReadDeck("alpha", strings.NewReader("prefix,rate,increment\n1,0.0090,6/6\n1212,0.0031,6/6\n")))
	table := must(routing.Compile(routing.Policy{
		Trunks: []routing.Trunk{{Name: "alpha-1", Carrier: "alpha", Deck: "alpha"}, {Name: "beta-1", Carrier: "beta"}},
		Decks:  []routing.Deck{deck},
		Rules: []routing.Rule{{Name: "us", Prefixes: []outdial.Prefix{1}, Tiers: []routing.Tier{
			{Strategy: routing.LeastCost, Trunks: []routing.Target{{Trunk: "alpha-1"}}},
			{Trunks: []routing.Target{{Trunk: "beta-1"}}},
		}}},
		Admission: routing.Admission{Windows: []routing.Window{{From: 8 * routing.Day / 24, To: 21 * routing.Day / 24}}},
	}, routing.CompileConfig{IDs: ids, Numbering: numbering}))

	now := time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC) // 07:30 in New York
	call := outdial.Call{To: outdial.MustNumber("+12125550123")}
	call.Dest = numbering.Locate(now, call.To)
	again, err := table.Admit(now, &call)
	fmt.Println(err, "until", again.UTC().Format("15:04"))

	now = again
	_, err = table.Admit(now, &call)
	fmt.Println(err)
	candidates := must(table.Route(now, &call, nil))
	for _, c := range candidates {
		fmt.Println(c.Tier, ids.Trunks.Name(c.Trunk), c.Cost, c.Matched)
	}
	// Output:
	// routing: outside the calling window in a time zone of the callee until 13:00
	// <nil>
	// 0 alpha-1 3100 +1212
	// 1 beta-1 0 +1
}

// A policy is a document: JSON here, and YAML with any decoder that knows TextUnmarshaler.
func ExamplePolicy() {
	var p routing.Policy
	err := json.Unmarshal([]byte(`{
		"version": "2026-03-02",
		"trunks": [{"name": "alpha"}, {"name": "beta"}],
		"rules": [{"prefixes": ["+44"], "tiers": [{"trunks": [{"trunk": "alpha", "weight": 3}, {"trunk": "beta"}]}]}]
	}`), &p)
	fmt.Println(p.Version, err)
	_, err = routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry)})
	fmt.Println(err)
	// Output:
	// 2026-03-02 <nil>
	// routing: policy: rules[0].tiers[0].trunks[1].weight: 0 is not between 1 and 1000000
}

// show compiles a policy and prints the trunks for a call.
func show(p routing.Policy, cfg routing.CompileConfig, call outdial.Call) {
	if cfg.IDs == nil {
		cfg.IDs = new(outdial.Registry)
	}
	table := must(routing.Compile(p, cfg))
	for i, c := range must(table.Route(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC), &call, nil)) {
		fmt.Print(strings.Repeat(" ", min(i, 1)), cfg.IDs.Trunks.Name(c.Trunk))
	}
	fmt.Println()
}

// A trunk names its carrier, and the deck that says what the carrier charges on it.
func ExampleTrunk() {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "alpha-east", Carrier: "alpha"}, {Name: "alpha-west", Carrier: "alpha"}},
		Rules:  []routing.Rule{{Tiers: []routing.Tier{{Trunks: []routing.Target{{Carrier: "alpha"}}}}}},
	}
	show(p, routing.CompileConfig{}, outdial.Call{To: 12125550123})
	// Output: alpha-east alpha-west
}

// The rule that names the program counts, though the prefix of the other is longer.
func ExampleRule() {
	ids := new(outdial.Registry)
	to := func(trunk string) []routing.Tier { return []routing.Tier{{Trunks: []routing.Target{{Trunk: trunk}}}} }
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "manhattan"}, {Name: "collections"}},
		Rules: []routing.Rule{
			{Prefixes: []outdial.Prefix{1212}, Tiers: to("manhattan")},
			{Prefixes: []outdial.Prefix{1}, Programs: []string{"collections"}, Tiers: to("collections")},
		},
	}
	show(p, routing.CompileConfig{IDs: ids}, outdial.Call{To: 12125550123})
	show(p, routing.CompileConfig{IDs: ids}, outdial.Call{To: 12125550123, Program: ids.Programs.ID("collections")})
	// Output:
	// manhattan
	// collections
}

// Two trunks share the calls three to one, and a third takes over when neither can.
func ExampleTier() {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "alpha"}, {Name: "beta"}, {Name: "standby"}},
		Rules: []routing.Rule{{Tiers: []routing.Tier{
			{Trunks: []routing.Target{{Trunk: "alpha", Weight: 3}, {Trunk: "beta", Weight: 1}}},
			{Trunks: []routing.Target{{Trunk: "standby"}}},
		}}},
	}
	ids := new(outdial.Registry)
	table := must(routing.Compile(p, routing.CompileConfig{IDs: ids}))
	for _, c := range must(table.Route(time.Time{}, &outdial.Call{To: 12125550123}, nil)) {
		fmt.Println(c.Tier, ids.Trunks.Name(c.Trunk), c.Weight)
	}
	// Output:
	// 0 alpha 3
	// 0 beta 1
	// 1 standby 0
}

// A target may say which caller IDs its trunk presents.
func ExampleTarget() {
	ids := new(outdial.Registry)
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "alpha"}},
		Rules:  []routing.Rule{{Tiers: []routing.Tier{{Trunks: []routing.Target{{Trunk: "alpha", Pool: "east"}}}}}},
	}
	table := must(routing.Compile(p, routing.CompileConfig{IDs: ids}))
	c := must(table.Route(time.Time{}, &outdial.Call{To: 12125550123}, nil))
	fmt.Println(ids.Pools.Name(c[0].Pool))
	// Output: east
}

// priced is two carriers: alpha has a cheap rate for all of +1, beta a dearer one for Manhattan alone.
func priced(strategy routing.Strategy, lcr routing.LCR) routing.Policy {
	return routing.Policy{
		Trunks: []routing.Trunk{{Name: "beta", Deck: "beta"}, {Name: "alpha", Deck: "alpha"}},
		Decks: []routing.Deck{
			{Name: "alpha", Rates: []routing.Rate{{Prefix: 1, PerMinute: 3000}}},
			{Name: "beta", Rates: []routing.Rate{{Prefix: 1212, PerMinute: 4000}}},
		},
		Rules: []routing.Rule{{Tiers: []routing.Tier{{
			Strategy: strategy, LCR: lcr, Trunks: []routing.Target{{Trunk: "beta"}, {Trunk: "alpha"}},
		}}}},
	}
}

func ExampleStrategy() {
	call := outdial.Call{To: 12125550123}
	show(priced(routing.Priority, ""), routing.CompileConfig{}, call)
	show(priced(routing.LeastCost, ""), routing.CompileConfig{}, call)
	// Output:
	// beta alpha
	// alpha beta
}

// With global-lpm, a carrier that quotes only a shorter prefix is no candidate.
func ExampleLCR() {
	call := outdial.Call{To: 12125550123}
	show(priced(routing.LeastCost, routing.PerCarrierLPM), routing.CompileConfig{}, call)
	show(priced(routing.LeastCost, routing.GlobalLPM), routing.CompileConfig{}, call)
	// Output:
	// alpha beta
	// beta
}

// Where answered calls are short, a rate billed by the minute is the dearer one.
func ExampleDefaults() {
	p := priced(routing.LeastCost, "")
	p.Decks[0].Rates[0].Increment = routing.Increment{First: 60, Next: 60}
	p.Defaults.TypicalCall = 20
	show(p, routing.CompileConfig{}, outdial.Call{To: 12125550123})
	// Output: beta alpha
}

// Three answers in three calls are not better than 600 in 1,000.
func ExampleQualityPrior() {
	prior := routing.QualityPrior{Mean: 0.4, Strength: 20, Z: 1}
	fmt.Printf("%.3f\n", prior.Score(outdial.Estimate{Mean: 1, N: 3}))
	fmt.Printf("%.3f\n", prior.Score(outdial.Estimate{Mean: 0.6, N: 1000}))
	fmt.Printf("%.3f\n", prior.Score(outdial.Estimate{}))
	// Output:
	// 0.376
	// 0.581
	// 0.293
}

// observed is an own source of quality; *kpi.Meter is the one that comes with outdial.
type observed map[string]outdial.Estimate

func (o observed) quality(ids *outdial.Registry) routing.Quality {
	q := asr{}
	for name, e := range o {
		q[ids.Trunks.ID(name)] = e
	}
	return q
}

func ExampleQuality() {
	ids := new(outdial.Registry)
	q := observed{"alpha": {Mean: 0.2, N: 300}, "beta": {Mean: 0.5, N: 300}}.quality(ids)
	p := priced(routing.ByQuality, "")
	show(p, routing.CompileConfig{IDs: ids, Quality: q}, outdial.Call{To: 12125550123})
	// Output: beta alpha
}

func ExampleAdmission() {
	p := priced(routing.LeastCost, "")
	p.Admission = routing.Admission{Deny: []outdial.Prefix{1212555}, Allow: []outdial.Prefix{12125550199}}
	table := must(routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry)}))
	for _, call := range []outdial.Call{
		{To: 12125550123},
		{To: 12125550199},
		{To: 19005550123, Dest: outdial.Destination{Premium: true}},
	} {
		_, err := table.Admit(time.Time{}, &call)
		fmt.Println(err)
	}
	// Output:
	// routing: the number is on the deny list
	// <nil>
	// routing: the number is a premium-rate number
}

// Indiana lies in two time zones: at 08:30 in the eastern one it is too early to call a number of area code 812.
func ExampleWindow() {
	ids := new(outdial.Registry)
	numbering := must(outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids}))
	p := priced(routing.LeastCost, "")
	p.Admission.Windows = []routing.Window{{From: must(routing.ParseTimeOfDay("08:00")), To: must(routing.ParseTimeOfDay("21:00"))}}
	table := must(routing.Compile(p, routing.CompileConfig{IDs: ids, Numbering: numbering}))
	now := time.Date(2026, 3, 2, 13, 30, 0, 0, time.UTC)
	call := outdial.Call{To: outdial.MustNumber("+18125550123")}
	call.Dest = numbering.Locate(now, call.To)
	again, err := table.Admit(now, &call)
	fmt.Println(errors.Is(err, routing.ErrWindow), again.UTC().Format("15:04"))
	// Output: true 14:00
}

// fixedOffset is an own Numbering, for a dialer that calls one country.
type fixedOffset struct{ zone *time.Location }

func (f fixedOffset) Locations(outdial.ZoneSet) []*time.Location { return []*time.Location{f.zone} }

func (f fixedOffset) AllWithin(now time.Time, _ outdial.ZoneSet, from, to time.Duration) bool {
	h, m, s := now.In(f.zone).Clock()
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	return from <= clock && clock < to
}

func ExampleNumbering() {
	p := priced(routing.LeastCost, "")
	p.Admission.Windows = []routing.Window{{From: routing.Day / 3, To: routing.Day}}
	india := fixedOffset{time.FixedZone("IST", 5*3600+1800)}
	table := must(routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry), Numbering: india}))
	_, err := table.Admit(time.Date(2026, 3, 2, 2, 30, 0, 0, time.UTC), &outdial.Call{To: 911155501234})
	fmt.Println(err)
	// Output: <nil>
}

// optOuts is a suppression list in memory.
type optOuts map[outdial.Number]bool

func (o optOuts) Suppressed(_ time.Time, to outdial.Number, _ outdial.ProgramID) (bool, error) {
	return o[to], nil
}

func ExampleSuppressor() {
	list := optOuts{12125550123: true}
	table := must(routing.Compile(priced(routing.LeastCost, ""), routing.CompileConfig{IDs: new(outdial.Registry), Suppressor: list}))
	_, err := table.Admit(time.Time{}, &outdial.Call{To: 12125550123})
	fmt.Println(err)
	// Output: routing: the number is on the suppression list
}

// A policy that is rejected says everything that is wrong with it, and leaves the old one in force.
func ExampleCompileConfig() {
	_, err := routing.Compile(routing.Policy{
		Trunks: []routing.Trunk{{Name: "alpha", Deck: "alhpa"}},
		Rules:  []routing.Rule{{Tiers: []routing.Tier{{Strategy: "cheapest"}}}},
	}, routing.CompileConfig{IDs: new(outdial.Registry)})
	fmt.Println(err)
	// Output:
	// routing: policy: trunks[0].deck: there is no deck "alhpa"
	// rules[0].tiers[0].strategy: "cheapest" is not "priority", "weighted", "least-cost", "quality" or "cost-per-contact"
	// rules[0].tiers[0].trunks: required
}

func ExampleTable() {
	ids := new(outdial.Registry)
	table := must(routing.Compile(priced(routing.LeastCost, ""), routing.CompileConfig{IDs: ids}))
	rate, ok := table.Rate(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), ids.Trunks.ID("beta"), 12125550123)
	fmt.Println(rate.Prefix, rate.PerMinute, rate.Cost(90*time.Second), ok)
	// Output: +1212 0.004 6000 true
}

// A new policy takes over between two calls, and the old one can come back.
func ExampleRouter() {
	ids := new(outdial.Registry)
	version := func(v string) *routing.Table {
		p := priced(routing.LeastCost, "")
		p.Version = v
		return must(routing.Compile(p, routing.CompileConfig{IDs: ids}))
	}
	r := routing.NewRouter(version("monday"))
	old := r.Swap(version("tuesday"))
	fmt.Println(old.Version(), r.Table().Version())
	r.Swap(old)
	fmt.Println(r.Table().Version())
	// Output:
	// monday tuesday
	// monday
}

func ExampleDeck() {
	deck, err := routing.ReadDeck("alpha", strings.NewReader(`prefix,rate,increment,setup,effective,end
1212,0.0042,6/6,,,
1212,0.0039,6/6,,2026-04-01,
44 20,0.011,60/60,0.001,,
`))
	fmt.Println(len(deck.Rates), err)
	_, err = routing.ReadDeck("beta", strings.NewReader("prefix,rate\n1212,free\n"))
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// routing: deck beta: line 2: rate: "free" is not a price: want a decimal number from 0 to 1000000, such as 0.0042
}

func ExampleRate() {
	r := routing.Rate{Prefix: 1212, PerMinute: 6000, Setup: 100, Increment: routing.Increment{First: 30, Next: 6}}
	fmt.Println(r.Cost(4*time.Second), r.Cost(31*time.Second), r.Cost(time.Minute))
	// Output: 3100 3700 6100
}

func ExampleIncrement() {
	i := must(routing.ParseIncrement("60/6"))
	fmt.Println(i, i.Billed(4*time.Second), i.Billed(61*time.Second))
	// Output: 60/6 60 66
}

func ExamplePrice() {
	p := must(routing.ParsePrice("0.0042"))
	fmt.Println(p, int64(p))
	// Output: 0.0042 4200
}

func ExampleTimeOfDay() {
	fmt.Println(must(routing.ParseTimeOfDay("8:30")), time.Duration(routing.Day))
	// Output: 08:30 24h0m0s
}

func ExampleInstant() {
	fmt.Println(must(routing.ParseInstant("2026-04-01")))
	// Output: 2026-04-01T00:00:00Z
}

func ExampleLint() {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "alpha"}, {Name: "beta"}},
		Rules: []routing.Rule{
			{Tiers: []routing.Tier{{Trunks: []routing.Target{{Trunk: "alpha"}}}}},
		},
	}
	for _, finding := range routing.Lint(p) {
		fmt.Println(finding)
	}
	// Output:
	// rules[0]: fewer than two trunks: there is no other way when one fails (one_trunk)
	// trunks[1]: no rule has the trunk "beta" (unused)
}

func ExampleFinding() {
	f := routing.Finding{Code: routing.LintShadowed, Place: "rules[3]", Text: "it can never match"}
	fmt.Println(f)
	// Output: rules[3]: it can never match (shadowed)
}
