package trunk_test

import (
	"fmt"
	"time"

	"github.com/outdial/outdial/trunk"
)

// Fifty agents, of whose attempts 18 % are answered.
func ExampleStaffing() {
	need, err := trunk.Size(trunk.Staffing{
		Seats: 50, ASR: 0.18, Ring: 22 * time.Second, Talk: 90 * time.Second, Wrap: 10 * time.Second,
	})
	fmt.Printf("%.1f E, %d channels, %d calls per second %v\n", need.Erlangs, need.Channels, need.CPS, err)
	// Output: 90.2 E, 107 channels, 7 calls per second <nil>
}

// What the same agents cost above ninety channels that are paid for.
func ExampleSizing() {
	need, _ := trunk.Size(trunk.Staffing{
		Seats: 50, ASR: 0.18, Ring: 22 * time.Second, Talk: 90 * time.Second, Wrap: 10 * time.Second, Base: 90, Price: 10_000,
	})
	fmt.Printf("%.1f E in burst, %.2f an hour\n", need.Burst, float64(need.BurstCost)/1e6)
	// Output: 3.2 E in burst, 1.92 an hour
}

// An hour that brought more than the trunk was bought for.
func ExampleAdvice() {
	st := trunk.Status{Contracted: 120, Traffic: trunk.Traffic{Window: time.Hour, Attempts: 4200, Refused: 600, Hold: 97 * time.Second}}
	fmt.Println(st.WhatIf(0.01))
	// Output: the last hour (129.3 E) needs 148 channels for 1 %; you hold 120, which block 12 %
}

func ExampleErlangB() {
	fmt.Printf("%.4f\n", trunk.ErlangB(117, 100))
	// Output: 0.0098
}
