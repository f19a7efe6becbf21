// Failover splits calls 70 to 30 over two carriers, lets one rest when it goes silent, and takes it back.
//
//	go run ./examples/failover
package main

import (
	"fmt"
	"log"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

func main() {
	ids := new(outdial.Registry)
	hunt, err := failover.New(failover.Config{IDs: ids})
	if err != nil {
		log.Fatal(err)
	}
	plan := []outdial.Candidate{
		{Trunk: ids.Trunks.ID("alpha"), Weight: 70},
		{Trunk: ids.Trunks.ID("beta"), Weight: 30},
	}
	call := outdial.Call{To: outdial.MustNumber("+12125550123")}
	now := time.Now()
	for _, phase := range []struct {
		name        string
		alphaSilent bool
	}{{"both well", false}, {"alpha silent", true}, {"alpha back", false}} {
		share, lost := map[string]int{}, 0
		for range 1000 {
			now = now.Add(100 * time.Millisecond)
			i, choice := hunt.Pick(now, &call, plan, 0b11)
			a := outdial.Attempt{ID: outdial.AttemptID{Leg: 1}, Call: call, Candidate: plan[i], Choice: choice, Start: now}
			hunt.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &a})
			a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 486} // the callee is busy: the carrier is well
			if phase.alphaSilent && i == 0 {
				a.Result = outdial.Result{Origin: outdial.OriginNoTrying}
			}
			hunt.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: now, Attempt: &a})
			share[ids.Trunks.Name(plan[i].Trunk)]++
			if hunt.Verdict(&a) == outdial.VerdictAdvance {
				lost++ // here a host asks for the other one
			}
		}
		fmt.Printf("%-13s alpha %4d  beta %4d  tried again elsewhere %d\n", phase.name, share["alpha"], share["beta"], lost)
		for _, t := range hunt.Snapshot(now) {
			fmt.Printf("              %s %v %s\n", t.Name, t.State, t.Why)
		}
	}
}
