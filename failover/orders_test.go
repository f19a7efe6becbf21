package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// TestFlipsTogether: several orders at once have their shares of all calls each, and a later one what is left where they are more
// than all. A trunk that an order sends a share to gets no more for being a standby.
func TestFlipsTogether(t *testing.T) {
	ids := named("a", "b", "c", "d")
	ids.Groups.Add("near", "far")
	b := newBench(t, failover.Config{IDs: ids}, on(1, 0, 0), on(2, 0, 0), on(3, 0, 0))
	order := func(f failover.Flip) { b.control(start, f.Control(failover.ActionFlip, "", "", at(time.Hour))) }
	order(flip(0.5, "b"))
	require.Equal(t, map[outdial.TrunkID]int{1: 451, 2: 500, 3: 49}, b.shares(start, 1000), "one is owed")
	order(flip(0.25, "c"))
	require.Equal(t, map[outdial.TrunkID]int{1: 250, 2: 500, 3: 250}, b.shares(start, 1000))
	order(flip(0.8, "c"))
	require.Equal(t, map[outdial.TrunkID]int{2: 500, 3: 500}, b.shares(start, 1000))

	// A turn that was not used is given back to an order for those calls, and not to one for others.
	b = newBench(t, failover.Config{IDs: ids, KeepWarm: -1}, on(1, 0, 0), on(2, 0, 0))
	near, far := flip(0.1, "b"), flip(0.5, "b")
	near.Group, far.Group = "near", "far"
	order(near)
	order(far)
	for range 100 { // b has no room for calls to far
		b.call.Dest.Group = ids.Groups.ID("far")
		if i, choice := b.s.Pick(start, &b.call, b.plan, 3); choice.Why == outdial.WhyFlip {
			b.s.Return(start, &b.call, b.plan, 3, i, choice)
		}
	}
	b.call.Dest.Group = ids.Groups.ID("near")
	require.Equal(t, map[outdial.TrunkID]int{1: 90, 2: 10}, b.shares(start, 100))
}
