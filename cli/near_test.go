package cli_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

// TestPlannedStockIsNear closes the loop of the planning: where every area code has the numbers that the plan asks for, calls
// that come by chance, each to another callee, are served from the callee's area code or nearer, and next to none is refused.
func TestPlannedStockIsNear(t *testing.T) {
	const areas, seed = 40, 11
	rng := rand.New(rand.NewPCG(seed, 1))
	ids := new(outdial.Registry)
	cfg := survey(ids)
	cfg.Limits = cli.Limits{} // the defaults: 5/1m, 20/1h, 100/24h, 30 s apart
	weights, total := make([]float64, areas), 0.
	for i := range weights {
		weights[i] = 400 + 3000*rng.Float64()*rng.Float64() // calls a day
		total += weights[i]
	}
	for i, w := range weights {
		needs, err := cli.Planning{}.Plan(cli.Demand{Daily: w, PeakHour: w / 10})
		require.NoError(t, err)
		for k := range needs[0].Active {
			cfg.Numbers = append(cfg.Numbers, owned("survey", num(200+i, k))...)
		}
	}
	g := mustNew(t, cfg)
	near, served, refused := 0, 0, 0
	now := t0
	for i := range int(2 * total) { // two days of twelve calling hours
		if i == int(total) {
			now = now.Add(12 * time.Hour)
		}
		now = now.Add(time.Duration(rng.ExpFloat64() * float64(12*time.Hour) / total))
		x, area := rng.Float64()*total, 0
		for x > weights[area] {
			x -= weights[area]
			area++
		}
		p, _, err := g.Reserve(now, callTo(ids, "survey", num(200+area, 1_000_000+i)), &outdial.Candidate{}, 0)
		if err != nil {
			refused++
			continue
		}
		served++
		if int(p.Number/1e7)%1000 == 200+area {
			near++
		}
		g.Release(now, p.Lease)
	}
	t.Logf("seed %d: %d of %d at the area code or nearer, %d refused", seed, near, served, refused)
	require.GreaterOrEqual(t, float64(near), .95*float64(served))
	require.LessOrEqual(t, refused, served/1000)
}

// TestExposureIsEven: within an area numbers take turns, so that none is exposed much more than another (Gini coefficient).
func TestExposureIsEven(t *testing.T) {
	f := newFleet(t, 0, func(cfg *cli.Config) {
		for i := range 50 {
			cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, i))...)
		}
	})
	for i := range 2000 {
		f.now = f.now.Add(10 * time.Second)
		p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(212, 10_000+i)), &outdial.Candidate{}, 0)
		require.NoError(t, err)
		f.g.Release(f.now, p.Lease)
	}
	sum, diff := 0, 0
	var uses []int
	for _, n := range f.g.Snapshot(f.now).Pools[0].Numbers {
		uses = append(uses, n.Uses[2].Used)
	}
	for _, a := range uses {
		sum += a
		for _, b := range uses {
			diff += max(a-b, b-a)
		}
	}
	gini := float64(diff) / float64(2*len(uses)*sum)
	require.Less(t, gini, .05)
}

// TestWeakNumbersComeLater: a number under suspicion, and one that the carrier is not expected to sign fully, is chosen less
// often than its equals, and is not starved.
func TestWeakNumbersComeLater(t *testing.T) {
	f := newFleet(t, 0, func(cfg *cli.Config) {
		for i := range 4 {
			cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, i))...)
			cfg.Numbers[i].Assigned = "alpha"
		}
		cfg.Numbers[0].Assigned = "beta"
		cfg.Limits = noLimits()
	})
	count := map[outdial.Number]int{}
	for i := range 400 {
		f.now = f.now.Add(10 * time.Second)
		p, _, err := f.g.Reserve(f.now, callTo(f.ids, "survey", num(212, 10_000+i)), &outdial.Candidate{Carrier: f.ids.Carriers.ID("alpha")}, 0)
		require.NoError(t, err)
		count[p.Number]++
		f.g.Release(f.now, p.Lease)
	}
	require.Greater(t, count[num(212, 0)], 40)
	require.Less(t, count[num(212, 0)], 90)
	for i := 1; i < 4; i++ {
		require.Greater(t, count[num(212, i)], 100)
	}
}
