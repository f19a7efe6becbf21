package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
)

// TestShiftKeepsToValidCallerIDs: while calls are shifted little by little to another carrier, then at once because the first is
// out, and back again, each presents a caller ID that its own carrier accepts. Calls that have no such number are not sent there.
func TestShiftKeepsToValidCallerIDs(t *testing.T) {
	ids := named("a", "b", "c")
	carriers := map[outdial.TrunkID]string{1: "alpha", 2: "beta", 3: "gamma"}
	var plan outdial.Plan
	for trunk, carrier := range carriers {
		ids.Carriers.ID(carrier)
		plan = append(plan, outdial.Candidate{Trunk: trunk, Tier: uint8(trunk)})
	}
	for i := range plan {
		plan[i].Carrier = ids.Carriers.ID(carriers[plan[i].Trunk])
	}
	accepted := map[outdial.Number]outdial.CarrierID{}
	cfg := cli.Config{
		IDs: ids, Pools: []cli.PoolConfig{{Name: "sales", Program: "sales"}}, Callee: []cli.Cap{},
		Limits: cli.Limits{Caps: []cli.Cap{{Max: 1000, Window: time.Second}}, Spacing: -1},
	}
	for i, carrier := range []string{"alpha", "alpha", "beta"} { // gamma accepts none
		n := outdial.Number(12_120_000_100 + i)
		accepted[n] = ids.Carriers.ID(carrier)
		cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{Number: n, Pool: "sales", Evidence: "contract", Carriers: []string{carrier}})
	}
	numbers, err := cli.New(cfg)
	require.NoError(t, err)
	s := newSelector(t, failover.Config{IDs: ids, KeepWarm: -1})
	e, err := outdial.New(outdial.Config{IDs: ids, Router: plan, Failover: s, CLIs: numbers})
	require.NoError(t, err)

	to := outdial.Number(13_035_550_100) // each call another callee, as one that knows a number gets to see no other
	sent := map[outdial.TrunkID]int{}
	calls := func(from time.Time, n int, broken outdial.TrunkID) map[outdial.TrunkID]int {
		clear(sent)
		for i := range n {
			now := from.Add(time.Duration(i) * time.Second)
			session := e.NewSession()
			to++
			require.NoError(t, session.Begin(now, outdial.Call{
				To: to, Program: ids.Programs.ID("sales"), Mode: outdial.ModePredictive,
			}))
			for {
				step, err := session.Next(now)
				require.NoError(t, err)
				if step.Kind != outdial.StepDial {
					break
				}
				a := step.Attempt
				require.Equal(t, a.Candidate.Carrier, accepted[a.CLI], "%v on %s", a.CLI, ids.Trunks.Name(a.Candidate.Trunk))
				sent[a.Candidate.Trunk]++
				r := final(486)
				if a.Candidate.Trunk == broken {
					r = ended(outdial.OriginTransport)
				}
				require.NoError(t, session.End(now, a.ID, r))
			}
		}
		return sent
	}
	require.Equal(t, map[outdial.TrunkID]int{1: 100}, calls(start, 100, 0))
	order := failover.Flip{To: []string{"c", "b"}, Share: 1, Over: 100 * time.Second}
	require.NoError(t, e.Control(at(200*time.Second), order.Control(failover.ActionFlip, "ops", "test", at(400*time.Second))))
	got := calls(at(200*time.Second), 200, 0)
	require.Zero(t, got[3])
	require.InDelta(t, 150, got[2], 3, "half of the first hundred, and all of the second")
	got = calls(at(500*time.Second), 100, 1)
	require.Equal(t, 100, got[2], "the first is out")
	require.Zero(t, got[3])
	got = calls(at(1000*time.Second), 200, 0)
	require.Greater(t, got[1], 100, "and back, little by little")
	require.Less(t, got[1], 195)
}
