// Cli presents caller IDs from a pool: local where it can be, the same to the same callee, never above its caps.
//
//	go run ./examples/cli
package main

import (
	"fmt"
	"log"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func main() {
	ids := new(outdial.Registry)
	governor, err := cli.New(cli.Config{
		IDs:    ids,
		Pools:  []cli.PoolConfig{{Name: "north-east", Program: "survey"}},
		Limits: cli.Limits{Caps: []cli.Cap{{Max: 2, Window: time.Hour}}, Spacing: -1},
		Numbers: []cli.NumberConfig{
			{Number: 12125550100, Pool: "north-east", Evidence: "contract 4711"},
			{Number: 16175550100, Pool: "north-east", Evidence: "contract 4711"},
			{Number: 13125550100, Pool: "north-east"}, // no right to use on record: never presented, as Lint says
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Now()
	for _, f := range governor.Lint(now) {
		fmt.Println(f.Pool+":", f.Text, f.Numbers)
	}
	for i, to := range []outdial.Number{12125550001, 16175550002, 12125550001, 12125550003, 12125550004, 12125550005} {
		now = now.Add(time.Minute)
		call := outdial.Call{ID: outdial.CallID(i + 1), To: to, Program: ids.Programs.ID("survey")}
		if _, err := governor.Admit(now, &call); err != nil {
			fmt.Println(to, "not called:", err)
			continue
		}
		p, again, err := governor.Reserve(now, &call, &outdial.Candidate{}, 0)
		if err != nil {
			fmt.Printf("%s not called: %v; again in %v\n", to, err, again.Sub(now).Round(time.Minute))
			continue
		}
		fmt.Println(to, "is called from", p.Number)
		governor.Release(now.Add(30*time.Second), p.Lease)
	}
}
