// Routing decides for a switch that keeps its own SIP: compile a policy, ask for a number, get the trunks in order.
//
//	go run ./examples/routing +442079460123
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

func main() {
	ids := new(outdial.Registry)
	uk := outdial.Prefix(44)
	table, err := routing.Compile(routing.Policy{
		Trunks: []routing.Trunk{
			{Name: "alpha", Carrier: "Alpha", Deck: "alpha"},
			{Name: "beta", Carrier: "Beta", Deck: "beta"},
		},
		Decks: []routing.Deck{
			{Name: "alpha", Rates: []routing.Rate{{Prefix: 1, PerMinute: 4000}, {Prefix: uk, PerMinute: 9000}}},
			{Name: "beta", Rates: []routing.Rate{{Prefix: 1, PerMinute: 6000}, {Prefix: uk, PerMinute: 7000}}},
		},
		Rules: []routing.Rule{{Name: "everywhere", Tiers: []routing.Tier{{
			Strategy: routing.LeastCost,
			Trunks:   []routing.Target{{Trunk: "alpha"}, {Trunk: "beta"}},
		}}}},
		Admission: routing.Admission{Deny: []outdial.Prefix{4470}}, // UK personal numbers
	}, routing.CompileConfig{IDs: ids})
	if err != nil {
		log.Fatal(err)
	}
	numbers := os.Args[1:]
	if len(numbers) == 0 {
		numbers = []string{"+12125550123", "+442079460123", "+447012345678"}
	}
	for _, text := range numbers {
		to, err := outdial.ParseNumber(text)
		if err != nil {
			log.Fatal(err)
		}
		now, call := time.Now(), outdial.Call{To: to}
		if _, err := table.Admit(now, &call); err != nil {
			fmt.Println(to, "refused:", err)
			continue
		}
		plan, _ := table.Route(now, &call, nil)
		for i, c := range plan {
			fmt.Printf("%s %d. %s at %d micros a minute (prefix %s)\n", to, i+1, ids.Trunks.Name(c.Trunk), c.Cost, c.Matched)
		}
	}
}
