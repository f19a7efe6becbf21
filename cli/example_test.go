package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// A Governor in front of a dialer of one's own.
func Example() {
	var ids outdial.Registry
	governor, err := cli.New(cli.Config{
		IDs:   &ids,
		Pools: []cli.PoolConfig{{Name: "renewals", Program: "renewals"}},
		Numbers: []cli.NumberConfig{
			{Number: outdial.MustNumber("+12125550100"), Pool: "renewals", Evidence: "LOA 17"},
			{Number: outdial.MustNumber("+14155550100"), Pool: "renewals", Evidence: "LOA 17"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	call := outdial.Call{To: outdial.MustNumber("+14155559999"), Program: ids.Programs.ID("renewals")}
	if _, err := governor.Admit(now, &call); err != nil {
		fmt.Println(err)
		return
	}
	p, again, err := governor.Reserve(now, &call, &outdial.Candidate{}, 0)
	if err != nil {
		fmt.Println("not before", again, err)
		return
	}
	fmt.Println("present", p.Number)
	governor.Release(now.Add(time.Minute), p.Lease)
	// Output: present +14155550100
}

func ExampleGovernor_Observe() {
	ids := new(outdial.Registry)
	g, _ := cli.New(exampleConfig(ids))
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	g.Observe(&outdial.Event{Kind: outdial.EventControl, Time: now, Control: &outdial.Control{
		Actor: "ann", Action: cli.ActionQuarantine, Target: "+12125550100", Reason: "labelled by two engines",
		Expires: now.Add(21 * 24 * time.Hour),
	}})
	n, _ := g.Number(now, outdial.MustNumber("+12125550100"))
	fmt.Println(n.State, n.Status, n.Hold.Reason)
	// Output: quarantined resting labelled by two engines
}

func exampleConfig(ids *outdial.Registry) cli.Config {
	return cli.Config{
		IDs:   ids,
		Pools: []cli.PoolConfig{{Name: "renewals", Program: "renewals"}},
		Numbers: []cli.NumberConfig{
			{Number: outdial.MustNumber("+12125550100"), Pool: "renewals", Evidence: "LOA 17"},
		},
	}
}

// A configuration from a file.
func ExampleConfig() {
	cfg := cli.Config{IDs: new(outdial.Registry)}
	err := json.Unmarshal([]byte(`{
		"Pools": [{"Name": "renewals", "Program": "renewals", "Limits": {"Caps": ["5/1m", "80/24h"]}}],
		"Campaigns": [{"Campaign": "autumn", "Pool": "renewals"}],
		"Numbers": [{"Number": "+12125550100", "Pool": "renewals", "Evidence": "LOA 17", "Expires": "2027-01-31T00:00:00Z"}],
		"Callee": ["3/24h", "7/168h"]
	}`), &cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = cli.New(cfg)
	fmt.Println(err)
	cfg.Numbers[0].Pool = "renewal"
	_, err = cli.New(cfg)
	fmt.Println(err)
	// Output:
	// <nil>
	// cli: Numbers[0] +12125550100: Pool: "renewal" is not configured
}

func ExamplePoolConfig() {
	p := cli.PoolConfig{Name: "renewals", Program: "renewals", Sticky: cli.Sticky{Mode: cli.StickyStrict}}
	text, _ := json.Marshal(p)
	fmt.Println(string(text))
	// Output: {"Name":"renewals","Program":"renewals","Sticky":{"Mode":"strict"}}
}

func ExampleCampaignConfig() {
	text, _ := json.Marshal(cli.CampaignConfig{Campaign: "autumn", Pool: "renewals"})
	fmt.Println(string(text))
	// Output: {"Campaign":"autumn","Pool":"renewals"}
}

func ExampleNumberConfig() {
	n := cli.NumberConfig{
		Number: outdial.MustNumber("+12125550100"), Pool: "renewals", State: cli.StateWarming,
		Country: "US", Area: 1212, Region: "NY", Type: cli.TypeLocal, Evidence: "LOA 17",
	}
	text, _ := json.Marshal(n)
	fmt.Println(string(text))
	// Output: {"Number":"+12125550100","Pool":"renewals","State":"warming","Country":"US","Area":"+1212","Region":"NY","Type":"local","Evidence":"LOA 17"}
}

func ExampleReadCSV() {
	list, err := cli.ReadCSV(strings.NewReader(`number,pool,country,evidence,expires
+12125550100,renewals,US,LOA 17,2027-01-31
2125550101,renewals,US,LOA 17,2027-01-31
`))
	fmt.Println(len(list), err)
	// Output: 1 cli: line 3: number: outdial: number "2125550101": no leading +: not in international form
}

func ExampleLineError() {
	_, err := cli.ReadCSV(strings.NewReader("number,state\n+12125550100,burnt\n"))
	var bad *cli.LineError
	if errors.As(err, &bad) {
		fmt.Println(bad.Line, bad.Column)
	}
	// Output: 2 state
}

func ExampleCap() {
	c, err := cli.ParseCap("100/24h")
	fmt.Println(c.Max, c.Window, err)
	// Output: 100 24h0m0s <nil>
}

func ExampleLimits() {
	ids := new(outdial.Registry)
	cfg := exampleConfig(ids)
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{Max: 2, Window: time.Hour}}, Spacing: 10 * time.Second, Concurrent: 1}
	cfg.Sticky.Mode = cli.StickyOff
	g, _ := cli.New(cfg)
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	call := outdial.Call{To: outdial.MustNumber("+14155559999"), Program: ids.Programs.ID("renewals")}
	for range 3 {
		p, again, err := g.Reserve(now, &call, &outdial.Candidate{}, 0)
		g.Release(now, p.Lease)
		if err == nil {
			fmt.Println("present", p.Number)
		} else {
			fmt.Println(err, "again in", again.Sub(now))
		}
		now = now.Add(15 * time.Second)
	}
	// Output:
	// present +12125550100
	// present +12125550100
	// cli: every number has reached a cap again in 59m30s
}

func ExampleState() {
	for s := cli.StateOrdered; s <= cli.StateReleased; s++ {
		if s.Presentable() {
			fmt.Print(s, " ")
		}
	}
	// Output: warming active probation rehab
}

func ExampleType() {
	fmt.Println(cli.TypeLocal, cli.TypeTollFree)
	// Output: local toll_free
}

func ExampleStatus() {
	fmt.Println(cli.StatusReady, cli.StatusWaiting, cli.StatusNoRight)
	// Output: ready waiting no_right
}

func ExampleSticky() {
	text, _ := json.Marshal(cli.Sticky{Mode: cli.StickyStrict, TTL: time.Second})
	fmt.Println(string(text))
	// Output: {"Mode":"strict","TTL":1000000000}
}

func ExampleStickyMode() {
	fmt.Println(cli.StickyPrefer, cli.StickyStrict, cli.StickyOff)
	// Output: prefer strict off
}

func ExampleSnapshot() {
	ids := new(outdial.Registry)
	g, _ := cli.New(exampleConfig(ids))
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	call := outdial.Call{To: outdial.MustNumber("+14155559999"), Program: ids.Programs.ID("renewals")}
	_, _, _ = g.Reserve(now, &call, &outdial.Candidate{}, 0)
	s := g.Snapshot(now)
	fmt.Println(s.Programs[0].Name, s.Programs[0].Callees, "callee")
	// Output: renewals 1 callee
}

func ExamplePoolSnapshot() {
	g, _ := cli.New(exampleConfig(new(outdial.Registry)))
	p := g.Snapshot(time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)).Pools[0]
	fmt.Println(p.Name, "ready:", p.Ready, "active:", p.States[cli.StateActive])
	// Output: renewals ready: 1 active: 1
}

func ExampleProgramSnapshot() {
	ids := new(outdial.Registry)
	g, _ := cli.New(exampleConfig(ids))
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	call := outdial.Call{To: outdial.MustNumber("+14155559999"), Program: ids.Programs.ID("renewals")}
	g.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &outdial.Attempt{
		Call: call, Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 607}, // RFC 8197: unwanted
	}})
	_, err := g.Admit(now, &call)
	fmt.Println(g.Snapshot(now).Programs[0].Suppressed, err)
	// Output: 1 cli: the callee is suppressed for this program
}

func ExampleNumberSnapshot() {
	ids := new(outdial.Registry)
	g, _ := cli.New(exampleConfig(ids))
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	call := outdial.Call{To: outdial.MustNumber("+14155559999"), Program: ids.Programs.ID("renewals")}
	p, _, _ := g.Reserve(now, &call, &outdial.Candidate{}, 0)
	n, _ := g.Number(now, p.Number)
	fmt.Println(n.Number, n.Status, "until", n.Until.Format(time.TimeOnly), "in flight", n.InFlight)
	// Output: +12125550100 waiting until 12:00:30 in flight 1
}

func ExampleUse() {
	g, _ := cli.New(exampleConfig(new(outdial.Registry)))
	n, _ := g.Number(time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC), outdial.MustNumber("+12125550100"))
	for _, u := range n.Uses {
		fmt.Println(u.Used, "of", u.Cap)
	}
	// Output:
	// 0 of 5/1m
	// 0 of 20/1h
	// 0 of 100/24h
}

func ExampleHold() {
	h := cli.Hold{Actor: "ann", Reason: "complaints", Since: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)}
	text, _ := json.Marshal(h)
	fmt.Println(string(text))
	// Output: {"Actor":"ann","Reason":"complaints","Since":"2026-09-01T12:00:00Z"}
}
