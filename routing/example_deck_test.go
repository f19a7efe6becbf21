package routing_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial/routing"
)

func ExampleDeckReader() {
	file := "NPA-NXX,Inter Rate,Intra Rate,Effective Date\n212555,0.0031,0.0058,3/1/2026\n"
	d, _, err := routing.DeckReader{Name: "alpha", Dates: routing.MonthDayYear}.Read(strings.NewReader(file))
	fmt.Println(d.Rates[0].Prefix, d.Rates[0].PerMinute, d.Rates[0].Intrastate, d.Rates[0].Effective, err)
	// Output: +1212555 0.0031 0.0058 2026-03-01T00:00:00Z <nil>
}

func ExampleDeckReport() {
	file := "prefix,rate,end\n44,0.01,2026-02-01\n33,0.01,\n33,0.010,\n"
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	_, report, _ := routing.DeckReader{Name: "alpha", Now: now}.Read(strings.NewReader(file))
	fmt.Println(report.Lines, "lines,", report.Rates, "kept,", report.Dropped, "dropped")
	// Output: 3 lines, 1 kept, 2 dropped
}

func ExampleDeckNote() {
	file := "prefix,rate\n33,0.01\n44,0.02\n33,0.01\n"
	_, report, _ := routing.DeckReader{Name: "alpha"}.Read(strings.NewReader(file))
	for _, n := range report.Duplicates {
		fmt.Printf("line %d says of %s what line %d says\n", n.Line, n.Prefix, n.First)
	}
	// Output: line 4 says of +33 what line 2 says
}

func ExampleDeckDiff() {
	old := routing.Deck{Rates: []routing.Rate{{Prefix: 33, PerMinute: 4000}, {Prefix: 44, PerMinute: 5000}}}
	next := routing.Deck{Rates: []routing.Rate{{Prefix: 44, PerMinute: 6000}, {Prefix: 49, PerMinute: 3000}}}
	d := routing.DiffDecks(old, next, time.Now(), time.Minute)
	fmt.Println(len(d.Added), "added,", len(d.Removed), "removed,", len(d.Raised), "raised")
	// Output: 1 added, 1 removed, 1 raised
}

func ExampleDeckChange() {
	old := routing.Deck{Rates: []routing.Rate{{Prefix: 44, PerMinute: 5000}}}
	next := routing.Deck{Rates: []routing.Rate{{Prefix: 44, PerMinute: 6000}}}
	for _, c := range routing.DiffDecks(old, next, time.Now(), time.Minute).Raised {
		fmt.Println(c.Prefix, "from", c.Old.PerMinute, "to", c.New.PerMinute)
	}
	// Output: +44 from 0.005 to 0.006
}

func ExampleJurisdiction() {
	r := routing.Rate{Prefix: 1212555, PerMinute: 3100, Intrastate: 5800}
	for _, j := range []routing.Jurisdiction{routing.Interstate, routing.Intrastate, routing.Indeterminate} {
		fmt.Println(j, r.Price(j))
	}
	// Output:
	// interstate 0.0031
	// intrastate 0.0058
	// indeterminate 0.0058
}

func ExampleDateOrder() {
	file := "prefix,rate,effective\n1,0.01,3/1/2026\n"
	_, err := routing.ReadDeck("alpha", strings.NewReader(file))
	fmt.Println(err)
	d, _, _ := routing.DeckReader{Name: "alpha", Dates: routing.DayMonthYear}.Read(strings.NewReader(file))
	fmt.Println(d.Rates[0].Effective)
	// Output:
	// routing: deck alpha: line 2: effective: "3/1/2026" may be 2026-03-01 or 2026-01-03: say whether the month or the day comes first
	// 2026-01-03T00:00:00Z
}
