package trunk_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// aSet is a Set with one trunk, for the examples.
func aSet(l trunk.Limits) (*trunk.Set, *outdial.Registry, *outdial.Candidate) {
	ids := &outdial.Registry{}
	l.Name = "alpha"
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{l}})
	if err != nil {
		panic(err)
	}
	return set, ids, &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
}

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Two channels are paid for; a third may be used for ten minutes of channel time a day, at a price.
func ExampleBurst() {
	set, _, alpha := aSet(trunk.Limits{
		Channels: 2, Burst: trunk.Burst{Channels: 3, Budget: 10 * time.Minute, Price: 12_000},
	})
	_, _, _ = set.Acquire(nine, nil, alpha)
	fmt.Println("price of the second:", set.BurstPrice(nine, alpha.Trunk))
	_, _, _ = set.Acquire(nine, nil, alpha)
	fmt.Println("of the third:", set.BurstPrice(nine, alpha.Trunk))
	third, _, _ := set.Acquire(nine, nil, alpha)

	later := nine.Add(11 * time.Minute)
	set.Release(later, third)
	_, _, err := set.Acquire(later, nil, alpha)
	fmt.Println(err)
	// Output:
	// price of the second: 0
	// of the third: 12000
	// trunk: no free channel, and no burst left
}

// Bursting tells what was used above the base.
func ExampleBursting() {
	set, _, alpha := aSet(trunk.Limits{Channels: 1, Burst: trunk.Burst{Channels: 3, Budget: time.Hour}})
	for range 3 {
		_, _, _ = set.Acquire(nine, nil, alpha)
	}
	st, _ := set.Status(nine.Add(5*time.Minute), alpha.Trunk)
	fmt.Println(st.Burst.Over, "channels above the base,", st.Burst.Today, "spent,", st.Burst.Left, "left")
	// Output: 2 channels above the base, 10m0s spent, 50m0s left
}

// A campaign's floor is kept free for it.
func ExampleFloor() {
	set, ids, alpha := aSet(trunk.Limits{Channels: 3, Floors: []trunk.Floor{{Campaign: "renewals", Channels: 1}}})
	sales := &outdial.Call{Campaign: ids.Campaigns.ID("sales")}
	renewals := &outdial.Call{Campaign: ids.Campaigns.ID("renewals")}
	for range 3 {
		_, _, err := set.Acquire(nine, sales, alpha)
		fmt.Println("sales:", err)
	}
	_, _, err := set.Acquire(nine, renewals, alpha)
	fmt.Println("renewals:", err)
	// Output:
	// sales: <nil>
	// sales: <nil>
	// sales: trunk: the free channels are guaranteed to others
	// renewals: <nil>
}

// A tenant that floods a trunk finds its quota.
func ExampleQuota() {
	set, ids, alpha := aSet(trunk.Limits{Channels: 10, Quotas: []trunk.Quota{{Channels: 1}}})
	flood := &outdial.Call{Tenant: ids.Tenants.ID("flood")}
	other := &outdial.Call{Tenant: ids.Tenants.ID("other")}
	for _, call := range []*outdial.Call{flood, flood, other} {
		_, _, err := set.Acquire(nine, call, alpha)
		fmt.Println(ids.Tenants.Name(call.Tenant), err)
	}
	// Output:
	// flood <nil>
	// flood trunk: the tenant's quota is used up
	// other <nil>
}

// Calls wait for the one channel, and the first to wait gets it.
func ExampleQueue() {
	set, _, alpha := aSet(trunk.Limits{Channels: 1, Queue: trunk.Queue{Length: 5}})
	up, _, _ := set.Acquire(nine, &outdial.Call{ID: 1}, alpha)
	second, third := &outdial.Call{ID: 2}, &outdial.Call{ID: 3}
	_, again, err := set.Acquire(nine, second, alpha)
	fmt.Println(err, "- ask again at", again.Format("15:04:05.0"))

	set.Release(nine, up)
	_, _, err = set.Acquire(nine, third, alpha)
	fmt.Println("the third:", err)
	_, _, err = set.Acquire(again, second, alpha)
	fmt.Println("the second:", err)
	// Output:
	// trunk: no free channel - ask again at 09:00:00.1
	// the third: trunk: no free channel
	// the second: <nil>
}

// Waiting counts what became of the calls in the queue.
func ExampleWaiting() {
	set, _, alpha := aSet(trunk.Limits{Channels: 1, Queue: trunk.Queue{Length: 1, Wait: time.Second}})
	for id := range outdial.CallID(3) {
		_, _, _ = set.Acquire(nine, &outdial.Call{ID: id + 1}, alpha)
	}
	st, _ := set.Status(nine, alpha.Trunk)
	fmt.Printf("%d waits, %d found the queue full\n", st.Waiting.Now, st.Waiting.Full)
	// Output: 1 waits, 1 found the queue full
}

// A trunk at 80 % of its channels raises an alert, and another when use is well below it again.
func ExampleAlert() {
	set, _, alpha := aSet(trunk.Limits{Channels: 10})
	var held []outdial.Lease
	for range 8 {
		l, _, _ := set.Acquire(nine, nil, alpha)
		held = append(held, l)
	}
	set.Release(nine, held[0])
	set.Release(nine, held[1])
	for _, a := range set.Alerts(nil) {
		fmt.Printf("%s %s: %.0f of %.0f\n", a.Name, a.Kind, a.Value, a.Limit)
	}
	// Output:
	// alpha saturated: 8 of 10
	// alpha relieved: 6 of 10
}

func ExampleAlertKind() {
	fmt.Println(trunk.AlertSaturated, trunk.AlertTrialPassed)
	// Output: saturated trial_passed
}

// A new trunk carries a few calls on trial; when enough of them got through, it goes live by itself.
func ExampleTrial() {
	set, ids, alpha := aSet(trunk.Limits{State: trunk.Canary, Trial: trunk.Trial{Calls: 3, Good: 0.9}})
	for range 3 {
		a := &outdial.Attempt{Candidate: *alpha, Result: outdial.Result{Origin: outdial.OriginCarrier, Code: 486}}
		set.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: nine, Attempt: a})
	}
	for _, c := range set.Changes(ids.Trunks.ID("alpha")) {
		fmt.Println(c.From, "to", c.To, "by", c.By)
	}
	// Output: canary to live by trial
}

// An operator's change says who, when and why, and ends by itself.
func ExampleChange() {
	set, _, alpha := aSet(trunk.Limits{Channels: 10, Hard: 50})
	set.Observe(&outdial.Event{Kind: outdial.EventControl, Time: nine, Control: &outdial.Control{
		Actor: "kim", Action: trunk.ActionChannels, Target: "alpha", Value: "40", Reason: "election night",
		Expires: nine.Add(8 * time.Hour),
	}})
	c := set.Changes(alpha.Trunk)[0]
	fmt.Println(c.Time.Format("15:04"), c.What, c.Value, "by", c.By, "for", c.Reason)
	for _, now := range []time.Time{nine, nine.Add(8 * time.Hour)} {
		channels, _ := set.Headroom(now, alpha.Trunk)
		fmt.Println(channels)
	}
	// Output:
	// 09:00 trunk.channels 40 by kim for election night
	// 40
	// 10
}
