// Trunk limits what leaves on a carrier: 20 channels and 5 calls per second, offered four times as much by a campaign that
// sells, beside a smaller one that 4 channels are guaranteed to.
//
//	go run ./examples/trunk
package main

import (
	"fmt"
	"log"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

func main() {
	ids := new(outdial.Registry)
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{
		Name: "east", Channels: 20, CPS: 5, Floors: []trunk.Floor{{Campaign: "renewals", Channels: 4}},
	}}})
	if err != nil {
		log.Fatal(err)
	}
	east := outdial.Candidate{Trunk: ids.Trunks.ID("east")}
	sales := outdial.Call{Campaign: ids.Campaigns.ID("sales")}
	renewals := outdial.Call{Campaign: ids.Campaigns.ID("renewals"), Priority: outdial.PriorityNormal}
	var leases []outdial.Lease // of the calls that are up, and until when
	var until []time.Time
	now := time.Now() // time is an argument: a minute of traffic takes no time
	carried := map[outdial.CampaignID]int{}
	dial := func(call *outdial.Call) {
		lease, _, err := set.Acquire(now, call, &east)
		if err != nil {
			return // trunk.ErrChannels, trunk.ErrFloor …: later
		}
		if _, err := set.Seize(now, call, &east, lease); err != nil {
			set.Undo(now, lease) // trunk.ErrCPS: nothing left, so the channel goes back
			return
		}
		leases, until = append(leases, lease), append(until, now.Add(10*time.Second))
		carried[call.Campaign]++
	}
	for i := range 20 * 60 {
		now = now.Add(50 * time.Millisecond)
		for len(until) > 0 && now.After(until[0]) {
			set.Release(now, leases[0])
			leases, until = leases[1:], until[1:]
		}
		if i%60 == 0 {
			dial(&renewals)
		}
		dial(&sales)
	}
	s, _ := set.Status(now, east.Trunk)
	fmt.Printf("carried %d sales and %d renewals; peak %d of %d channels, in use %d, %d free for sales\n",
		carried[sales.Campaign], carried[renewals.Campaign], s.Peak, s.Channels, s.InUse, s.Headroom)
	for reason, n := range s.Blocked.All() {
		fmt.Printf("blocked %4d by %s\n", n, reason)
	}
}
