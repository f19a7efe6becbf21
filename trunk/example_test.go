package trunk_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// A trunk bought with two channels takes two calls, and a third when one of them is over.
func ExampleSet() {
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "alpha", Channels: 2, CPS: 10}}})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	alpha := &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}

	first, _, _ := set.Acquire(now, nil, alpha)
	_, _, _ = set.Acquire(now, nil, alpha)
	_, _, err = set.Acquire(now, nil, alpha)
	fmt.Println(err, errors.Is(err, trunk.ErrChannels))

	set.Release(now, first)
	_, _, err = set.Acquire(now, nil, alpha)
	fmt.Println(err)
	// Output:
	// trunk: no free channel true
	// <nil>
}

// A host that counts channels elsewhere uses the calls per second alone.
func ExampleSet_Seize() {
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "alpha", CPS: 1}}})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	alpha := &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
	_, err = set.Seize(now, nil, alpha, 0)
	fmt.Println(err)
	again, err := set.Seize(now.Add(300*time.Millisecond), nil, alpha, 0)
	fmt.Println(err, again.Format("15:04:05.000"))
	// Output:
	// <nil>
	// trunk: calls per second are used up 09:00:01.000
}

// A lowered limit drops no call and admits nobody until use is below it.
func ExampleConfig() {
	ids := &outdial.Registry{}
	cfg := trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "alpha", Channels: 10}}}
	set, err := trunk.New(cfg)
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	alpha := &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
	for range 3 {
		_, _, _ = set.Acquire(now, nil, alpha)
	}
	cfg.Trunks[0].Channels = 2
	fmt.Println(set.Update(cfg))
	_, _, err = set.Acquire(now, nil, alpha)
	fmt.Println(err)
	// Output:
	// <nil>
	// trunk: no free channel
}

// Limits of what a carrier sold: no CPS limit, bursts let through, holds reclaimed after two hours.
func ExampleLimits() {
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{
		{Name: "alpha", Channels: 120, CPS: 20, Smooth: 500 * time.Millisecond},
		{Name: "beta", Channels: 30, CPS: -1, MaxCall: 2 * time.Hour, State: trunk.Draining},
	}})
	if err != nil {
		panic(err)
	}
	for _, st := range set.Snapshot(time.Time{}) {
		fmt.Println(st.Name, st.State, st.Channels, st.CPS)
	}
	// Output:
	// alpha live 120 20
	// beta draining 30 -1
}

// A Status says what is in use and what was refused, by reason.
func ExampleStatus() {
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "alpha", Channels: 1}}})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	alpha := &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
	_, _, _ = set.Acquire(now, nil, alpha)
	_, _, _ = set.Acquire(now, nil, alpha)

	st, _ := set.Status(now, alpha.Trunk)
	fmt.Printf("%s: %d of %d in use, %d free, blocked %d\n", st.Name, st.InUse, st.Channels, st.Headroom, st.Blocked.Channels)
	// Output: alpha: 1 of 1 in use, 0 free, blocked 1
}

// Blocked tells apart what was refused for want of channels, of calls per second, or by order.
func ExampleBlocked() {
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "alpha", State: trunk.Draining}}})
	if err != nil {
		panic(err)
	}
	alpha := &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}
	_, _, _ = set.Acquire(time.Time{}, nil, alpha)
	blocked := set.Snapshot(time.Time{})[0].Blocked
	for reason, n := range blocked.All() {
		fmt.Println(reason, n)
	}
	// Output: draining 1
}

// An operator drains a trunk for an hour; the order ends by itself.
func ExampleState() {
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{{Name: "alpha"}}})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	set.Observe(&outdial.Event{Kind: outdial.EventControl, Control: &outdial.Control{
		Actor: "ops", Action: trunk.ActionDrain, Target: "alpha", Reason: "maintenance", Expires: now.Add(time.Hour),
	}})
	alpha := ids.Trunks.ID("alpha")
	before, _ := set.Status(now, alpha)
	after, _ := set.Status(now.Add(time.Hour), alpha)
	fmt.Println(before.State, after.State)
	// Output: draining live
}
