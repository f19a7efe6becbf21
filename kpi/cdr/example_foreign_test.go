package cdr_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
)

// A file of another switch becomes a scorecard.
func ExampleImport() {
	file := "started,callee,route,code,billed,total\n" +
		"2026-03-02 10:00:00,+12125550101,gold,200,60,69\n" +
		"2026-03-02 10:00:05,+12125550102,gold,486,0,4\n"
	ids := new(outdial.Registry)
	meter, _ := kpi.New(kpi.Config{IDs: ids})
	mapping := cdr.Mapping{
		Header: true, Start: "started", To: "callee", Trunk: "route", Status: "code", Billed: "billed", Total: "total",
	}
	var last time.Time
	for ev, err := range cdr.Import(strings.NewReader(file), mapping, ids) {
		if err != nil {
			fmt.Println(err) // names line and column
			return
		}
		meter.Observe(ev)
		last = ev.Time
	}
	c, _ := meter.Cell(last.Add(time.Minute), kpi.Key{View: kpi.ByTrunk, Trunk: ids.Trunks.ID("gold")})
	fmt.Println(c.ASR(), c.NER())
	// Output: {1 2} {2 2}
}

func ExampleMapping() {
	for ev, err := range cdr.Import(strings.NewReader("1772445610,soon\n"), cdr.Mapping{Start: "1", End: "2"}, new(outdial.Registry)) {
		fmt.Println(ev == nil, err)
	}
	// Output: true cdr: line 1: column "2": "soon" is not a time
}

// What a journal exported as CSV says about its trunks.
func ExampleLives() {
	file, err := os.Open("../../examples/kpi/calls.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	ids := new(outdial.Registry)
	started := 0
	for ev, err := range cdr.Lives(cdr.ReadCSV(file, ids)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if ev.Kind == outdial.EventStarted {
			started++
		}
	}
	fmt.Println(started > 0, ids.Trunks.Len())
	// Output: true 3
}
