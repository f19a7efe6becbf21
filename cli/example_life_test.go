package cli_test

import (
	"context"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// A Lifecycle moves a number that is blocked into quarantine, with the figures that it went by, and a Notice says where to
// object.
func ExampleLifecycle() {
	ids := new(outdial.Registry)
	cfg := exampleConfig(ids)
	cfg.Lifecycle = cli.Lifecycle{Rest: 30 * 24 * time.Hour}
	g, _ := cli.New(cfg)
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for i := range outdial.Number(4) {
		now = now.Add(time.Minute)
		a := outdial.Attempt{
			Call: outdial.Call{To: 14155559000 + i, Program: ids.Programs.ID("renewals")},
			CLI:  outdial.MustNumber("+12125550100"), Pool: ids.Pools.ID("renewals"),
			Result: outdial.Result{
				Origin: outdial.OriginCarrier, Code: 603, Phrase: "Network Blocked",
				Text: "v=analytics1;url=https://redress.example.com;tel=+18005550100",
			},
		}
		g.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &a})
	}
	n, _ := g.Number(now, outdial.MustNumber("+12125550100"))
	fmt.Println(n.State, n.Until.Sub(now))
	for _, x := range g.Notices() {
		fmt.Println(x.Kind, x.Number, x.Text, x.Redress.URL)
	}
	// Output:
	// quarantined 720h0m0s
	// quarantine +12125550100 blocks https://redress.example.com
}

// A Detection that wants more evidence before it quarantines.
func ExampleDetection() {
	_, err := cli.New(cli.Config{
		IDs: new(outdial.Registry), Lifecycle: cli.Lifecycle{Detection: cli.Detection{Quarantine: 16, Drop: 1.5}},
	})
	fmt.Println(err)
	// Output: cli: Lifecycle.Detection.Drop: 1.5 is not between 0 and 1
}

// The audit holds every change of a number, and what it went by.
func ExampleEntry() {
	ids := new(outdial.Registry)
	g, _ := cli.New(exampleConfig(ids))
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	g.Observe(&outdial.Event{Kind: outdial.EventLabelled, Time: now, Label: &outdial.Label{
		Number: outdial.MustNumber("+12125550100"), Engine: "hiya", Status: outdial.LabelMixed, Category: "Telemarketer",
	}})
	for _, e := range g.Audit(0) {
		fmt.Println(e.Number, e.From, "to", e.To, "by", e.Actor, "for", e.Reason)
	}
	// Output: +12125550100 active to probation by rules for mixed by hiya: Telemarketer
}

// A Figure is a value that a decision used.
func ExampleFigure() {
	fmt.Println(cli.Figure{Name: "block_cusum", Value: 10.8})
	// Output: {block_cusum 10.8}
}

// Notices are handed over once.
func ExampleNotice() {
	g, _ := cli.New(exampleConfig(new(outdial.Registry)))
	g.Observe(&outdial.Event{Kind: outdial.EventLabelled, Time: time.Unix(1e9, 0), Label: &outdial.Label{
		Number: outdial.MustNumber("+12125550100"), Engine: "tns", Status: outdial.LabelBlocked,
	}})
	for _, n := range g.Notices() {
		fmt.Println(n.Kind, n.Pool, n.Number, n.Text)
	}
	fmt.Println(len(g.Notices()))
	// Output:
	// quarantine renewals +12125550100 blocked by tns
	// 0
}

func ExampleNoticeKind() {
	fmt.Println(cli.NoticeQuarantine, cli.NoticeBreaker, cli.NoticeRetire, cli.NoticeRelease, cli.NoticeUnderused)
	// Output: quarantine breaker retire release underused
}

func ExampleRedress() {
	r := cli.ParseRedress("v=analytics1;url=https://redress.example.com;email=cli@example.com")
	fmt.Println(r.URL, r.Email)
	// Output: https://redress.example.com cli@example.com
}

// A CountryRule keeps numbers out of a pool that may not be presented for its purpose.
func ExampleCountryRule() {
	_, err := cli.New(cli.Config{
		IDs:   new(outdial.Registry),
		Pools: []cli.PoolConfig{{Name: "vente", Program: "vente", Purpose: cli.PurposeTelemarketing}},
		Numbers: []cli.NumberConfig{
			{Number: 33162123456, Country: "FR", Pool: "vente", Evidence: "contrat 7"},
			{Number: 33123456789, Country: "FR", Pool: "vente", Evidence: "contrat 7"},
		},
	})
	fmt.Println(err)
	// Output: cli: Numbers[1] +33123456789: Number: rule "fr-sales": none of the prefixes that may be presented
}

func ExamplePurpose() {
	fmt.Println(cli.PurposeCollections, cli.PurposeSurvey)
	// Output: collections survey
}

func ExampleSpan() {
	rules, err := cli.ParseRules([]byte(`[{"Country":"GB","Name":"mine","Dated":"2026-11-02","AfterAbandoned":"72h"}]`))
	fmt.Println(time.Duration(rules[0].AfterAbandoned), err)
	// Output: 72h0m0s <nil>
}

// A Change says who changed a configuration, for the audit.
func ExampleChange() {
	cfg := exampleConfig(new(outdial.Registry))
	g, _ := cli.New(cfg)
	cfg.Numbers = nil
	cfg.Change = cli.Change{Actor: "kim", Reason: "ticket 1204"}
	_ = g.Update(cfg)
	for _, e := range g.Audit(0) {
		fmt.Println(e.Actor, e.Reason)
	}
	// Output: kim left the inventory: ticket 1204
}

// A TenantConfig bounds what one tenant presents of shared pools.
func ExampleTenantConfig() {
	ids := new(outdial.Registry)
	cfg := exampleConfig(ids)
	cfg.Tenants = []cli.TenantConfig{{Tenant: "acme", Quotas: []cli.Cap{{Max: 1, Window: time.Hour}}}}
	g, _ := cli.New(cfg)
	call := outdial.Call{To: 14155559000, Program: ids.Programs.ID("renewals"), Tenant: ids.Tenants.ID("acme")}
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for range 2 {
		_, again, err := g.Reserve(now, &call, &outdial.Candidate{}, 0)
		fmt.Println(again.Format(time.TimeOnly), err)
		call.To++
	}
	// Output:
	// 00:00:00 <nil>
	// 13:00:00 cli: the tenant's quota is used up
}

// A Budget of a region: when it is used up, calls there are presented a number from elsewhere.
func ExampleBudget() {
	ids := new(outdial.Registry)
	g, _ := cli.New(cli.Config{
		IDs: ids,
		Pools: []cli.PoolConfig{{Name: "p", Program: "p", Budgets: []cli.Budget{
			{Region: "NY", Cap: cli.Cap{Max: 1, Window: time.Hour}},
		}}},
		Numbers: []cli.NumberConfig{
			{Number: 12125550100, Region: "NY", Country: "US", Pool: "p", Evidence: "LOA"},
			{Number: 12125550101, Region: "NY", Country: "US", Pool: "p", Evidence: "LOA"},
			{Number: 13105550100, Region: "CA", Country: "US", Pool: "p", Evidence: "LOA"},
		},
	})
	call := outdial.Call{To: 12125559000, Program: ids.Programs.ID("p")}
	for range 2 {
		p, _, _ := g.Reserve(time.Unix(1e9, 0), &call, &outdial.Candidate{}, 0)
		fmt.Println(p.Number)
		call.To++
	}
	// Output:
	// +12125550100
	// +13105550100
}

// doNotCall is a Suppression in memory.
type doNotCall map[outdial.Number]bool

func (d doNotCall) Suppressed(_ time.Time, _ outdial.ProgramID, callee outdial.Number) (bool, error) {
	return d[callee], nil
}

func ExampleSuppression() {
	ids := new(outdial.Registry)
	cfg := exampleConfig(ids)
	cfg.Suppression = doNotCall{14155559000: true}
	g, _ := cli.New(cfg)
	_, err := g.Admit(time.Unix(1e9, 0), &outdial.Call{To: 14155559000, Program: ids.Programs.ID("renewals")})
	fmt.Println(err)
	// Output: cli: the callee is suppressed for this program
}

// A Ledger counts with other nodes: here two Governors of one process share a cap.
func ExampleLedger() {
	var shared cli.Ledger = new(cli.MemoryLedger)
	for range 2 {
		ids := new(outdial.Registry)
		cfg := exampleConfig(ids)
		cfg.Numbers = cfg.Numbers[:1]
		cfg.Limits.Caps, cfg.Ledger = []cli.Cap{{Max: 1, Window: time.Hour}}, shared
		g, _ := cli.New(cfg)
		call := outdial.Call{To: 14155559000, Program: ids.Programs.ID("renewals")}
		p, _, err := g.Reserve(time.Unix(1e9, 0), &call, &outdial.Candidate{}, 0)
		fmt.Println(p.Number, err)
	}
	// Output:
	// +12125550100 <nil>
	//  cli: every number has reached a cap
}

func ExampleMemoryLedger() {
	var l cli.MemoryLedger
	caps := []cli.Cap{{Max: 1, Window: time.Hour}}
	now := time.Unix(1e9, 0)
	stamp, ok, _ := l.Take(now, 12125550100, caps)
	_, again, _ := l.Take(now, 12125550100, caps)
	l.Undo(12125550100, stamp)
	_, undone, _ := l.Take(now, 12125550100, caps)
	fmt.Println(ok, again, undone)
	// Output: true false true
}

// A Planning says how many numbers a volume takes: those in use, and those that rest, warm up or are still called back.
func ExamplePlanning() {
	needs, err := cli.Planning{Rest: 30 * 24 * time.Hour}.Plan(cli.Demand{Place: "NY", Daily: 10_000})
	fmt.Println(needs[0].Total(), err)
	// Output: 159 <nil>
}

func ExampleDemand() {
	needs, _ := cli.Planning{}.Plan(cli.Demand{Place: "212", Daily: 800, PeakHour: 400})
	fmt.Println(needs[0].Place, needs[0].Active, "in use, for the busiest hour")
	// Output: 212 25 in use, for the busiest hour
}

func ExampleNeed() {
	n := cli.Need{Active: 125, Resting: 19, Warming: 9, Holding: 6}
	fmt.Println(n.Total())
	// Output: 159
}

// An Order is due lead time and warm-up before the numbers are needed.
func ExampleOrder() {
	orders, _ := cli.Planning{Loss: 1e-9}.Orders(cli.Demand{Daily: 8000}, .01, 110, 40)
	fmt.Println("first on day", orders[0].Day, "of", len(orders))
	// Output: first on day 0 of 12
}

// A Cover says how long a pool's numbers will do.
func ExampleCover() {
	ids := new(outdial.Registry)
	g, _ := cli.New(exampleConfig(ids))
	c, _ := g.Cover(time.Unix(1e9, 0), ids.Pools.ID("renewals"), cli.Planning{})
	fmt.Printf("%d in use, %.0f calls a day, %.0f days\n", c.Active, c.Capacity, c.Days)
	// Output: 1 in use, 80 calls a day, 200 days
}

// An Offer grants what is safe, and says why not all.
func ExampleOffer() {
	ids := new(outdial.Registry)
	g, _ := cli.New(exampleConfig(ids))
	o, _ := g.OfferVolume(time.Unix(1e9, 0), ids.Pools.ID("renewals"), 1000, "kim", "end of quarter")
	fmt.Println(o.Granted, "of", o.Asked, "-", o.Reason)
	// Output: 100 of 1000 - 1 numbers in use carry 100 calls in 24 hours, and 0 were made
}

// An Attestation is a prediction for one number and one carrier.
func ExampleAttestation() {
	ids := new(outdial.Registry)
	cfg := exampleConfig(ids)
	cfg.Numbers[0].Assigned = "alpha"
	g, _ := cli.New(cfg)
	now := time.Unix(1e9, 0)
	n := cfg.Numbers[0].Number
	fmt.Println(g.Attestation(now, n, ids.Carriers.ID("alpha")), g.Attestation(now, n, ids.Carriers.ID("beta")))
	// Output: A B
}

// handsets is a LabelSource of test calls to telephones of one's own.
type handsets map[outdial.Number]outdial.LabelStatus

func (h handsets) Lookup(_ context.Context, numbers []outdial.Number) (list []outdial.Label, err error) {
	for _, n := range numbers {
		list = append(list, outdial.Label{Number: n, Engine: "handset", Status: h[n], TTL: 24 * time.Hour})
	}
	return list, nil
}

// What a LabelSource says is told to the engine as events, and moves numbers then.
func ExampleLabelSource() {
	var source cli.LabelSource = handsets{12125550100: outdial.LabelLabelled}
	g, _ := cli.New(exampleConfig(new(outdial.Registry)))
	now := time.Unix(1e9, 0)
	list, _ := source.Lookup(context.Background(), []outdial.Number{12125550100})
	for i := range list {
		g.Observe(&outdial.Event{Kind: outdial.EventLabelled, Time: now, Label: &list[i]}) // Engine.Label does this
	}
	n, _ := g.Number(now, 12125550100)
	fmt.Println(n.State)
	// Output: quarantined
}
