package trunk_test

import (
	"context"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// Two processes share a trunk of ten channels. The host of each renews its shares, here every two seconds.
func ExampleShare() {
	var ledger trunk.MemoryLedger // in a cluster: one that all nodes reach
	node := func(name string) (*trunk.Set, *outdial.Candidate) {
		ids := &outdial.Registry{}
		set, err := trunk.New(trunk.Config{IDs: ids, Ledger: &ledger, Node: name, Trunks: []trunk.Limits{
			{Name: "alpha", Channels: 10, Share: trunk.Share{Nodes: 2}},
		}})
		if err != nil {
			panic(err)
		}
		return set, &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
	}
	a, alpha := node("a#1")
	b, _ := node("b#1")
	up := map[*trunk.Set]int{}
	for now := nine; now.Before(nine.Add(20 * time.Second)); now = now.Add(2 * time.Second) {
		for _, set := range []*trunk.Set{a, b} {
			_ = set.Renew(context.Background(), now)
			for range 10 {
				if _, _, err := set.Acquire(now, nil, alpha); err == nil {
					up[set]++
				}
			}
		}
	}
	fmt.Println(up[a]+up[b], "are up")
	// Output: 10 are up
}

// A node whose ledger is away keeps its share until the lease ends; with FailFloor it has its floor even then, once a lease has
// covered it.
func ExampleFailPolicy() {
	set, err := trunk.New(trunk.Config{
		IDs: &outdial.Registry{}, Ledger: new(trunk.MemoryLedger), Node: "a#1", Trunks: []trunk.Limits{
			{Name: "alpha", Channels: 10, Share: trunk.Share{Nodes: 2, Policy: trunk.FailFloor, Floor: 3}},
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(set.Snapshot(nine)[0].Channels, set.Renew(context.Background(), nine))
	fmt.Println(set.Snapshot(nine.Add(time.Hour))[0].Channels)
	// Output:
	// 0 <nil>
	// 3
}

// A Ledger takes claims and hands out shares.
func ExampleLedger() {
	var ledger trunk.Ledger = new(trunk.MemoryLedger)
	claim := trunk.Claim{Trunk: "alpha", Node: "a#1", Time: nine, TTL: 10 * time.Second, Limit: 100, CPS: 20, Want: 70, WantRate: 20}
	grant, err := ledger.Renew(context.Background(), claim)
	fmt.Println(grant.Channels, grant.Rate, err)
	// Output: 70 20 <nil>
}

// What is asked for and what is left for the second.
func ExampleClaim() {
	var ledger trunk.MemoryLedger
	for _, node := range []string{"a#1", "b#1"} {
		grant, _ := ledger.Renew(context.Background(), trunk.Claim{
			Trunk: "alpha", Node: node, Time: nine, TTL: 10 * time.Second, Limit: 100, CPS: -1, Want: 70,
		})
		fmt.Println(node, grant.Channels)
	}
	// Output:
	// a#1 70
	// b#1 30
}

// A node that has more than its part is asked to come down when another one wants it.
func ExampleGrant() {
	var ledger trunk.MemoryLedger
	claim := func(node string, has, wants int) trunk.Grant {
		g, _ := ledger.Renew(context.Background(), trunk.Claim{
			Trunk: "alpha", Node: node, Time: nine, TTL: 10 * time.Second, Limit: 100, CPS: -1, Channels: has, Want: wants,
		})
		return g
	}
	claim("a#1", 0, 100)
	claim("b#1", 0, 100)
	g := claim("a#1", 100, 100)
	fmt.Println("has", g.Channels, "and is to come down to", g.Target)
	// Output: has 100 and is to come down to 50
}

// Calls that end while their node is away are what Hold is for.
func ExampleMemoryLedger() {
	var ledger trunk.MemoryLedger
	claim := func(node string, now time.Time) int {
		g, _ := ledger.Renew(context.Background(), trunk.Claim{
			Trunk: "alpha", Node: node, Time: now, TTL: 10 * time.Second, Hold: time.Minute, Limit: 100, CPS: -1, Want: 100,
		})
		return g.Channels
	}
	fmt.Println(claim("a#1", nine))
	fmt.Println("its lease has ended, its calls may go on:", claim("a#2", nine.Add(30*time.Second)))
	fmt.Println("they are over:", claim("a#2", nine.Add(2*time.Minute)))
	// Output:
	// 100
	// its lease has ended, its calls may go on: 0
	// they are over: 100
}

// watched is a Ledger that can tell of changes.
type watched struct{ trunk.MemoryLedger }

func (*watched) Watch(_ context.Context, changed func(string)) error {
	changed("alpha")
	return nil
}

func ExampleWatcher() {
	var ledger trunk.Ledger = new(watched)
	if w, ok := ledger.(trunk.Watcher); ok {
		_ = w.Watch(context.Background(), func(trunk string) { fmt.Println("renew the share of", trunk) })
	}
	// Output: renew the share of alpha
}
