package cli_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
)

func TestTiers(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids)
	cfg.Limits, cfg.Callee, cfg.Sticky.Mode = noLimits(), []cli.Cap{}, cli.StickyOff
	cfg.Limits.Concurrent = 1
	add := func(n outdial.Number, country, region string) {
		cfg.Numbers = append(cfg.Numbers, cli.NumberConfig{
			Number: n, Pool: "survey", Evidence: "LOA", Country: country, Region: region,
		})
	}
	london := outdial.MustNumber("+442079460000")
	add(london, "GB", "")
	add(num(415, 1), "US", "CA")
	add(num(646, 1), "US", "NY")
	add(num(212, 1), "US", "NY")
	add(num(212, 7_000_000-5_550_000+1), "US", "NY") // another exchange
	add(num(917, 1), "US", "NY")                     // beside 212
	add(num(716, 7_000_000-5_550_000+1), "US", "NY") // of the same rate centre, by configuration
	cfg.Numbers[len(cfg.Numbers)-1].Centre = "NWYRCYZN01"
	cfg.RateCentres = map[outdial.Prefix]string{1212555: "NWYRCYZN01"}
	cfg.Adjacent = map[outdial.Prefix][]outdial.Prefix{1212: {1917}}
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{}
	call.SetRecord(new(outdial.Record))
	for _, want := range []struct {
		n    outdial.Number
		tier string
	}{
		{num(212, 1), "exchange"},
		{num(716, 7_000_000-5_550_000+1), "centre"},
		{num(212, 7_000_000-5_550_000+1), "area"},
		{num(917, 1), "overlay"},
		{num(646, 1), "region"},
		{num(415, 1), "country"},
		{london, "pool"},
	} {
		call.Record().Reset()
		p, _, err := g.Reserve(t0, call, c, 0)
		require.NoError(t, err)
		require.Equal(t, want.n, p.Number)
		readings := map[string]string{}
		for _, r := range call.Record().Readings() {
			readings[r.Name] = r.Text
		}
		require.Equal(t, want.tier, readings["tier"])
		require.Equal(t, want.n.String(), readings["number"])
	}
	// A callee whose area no number tells about is found by the country that numbering gives.
	g = mustNew(t, cfg)
	call = callTo(&ids, "survey", num(907, 1))
	call.Dest.Country = [2]byte{'U', 'S'}
	p, _, err := g.Reserve(t0, call, c, 0)
	require.NoError(t, err)
	require.Equal(t, num(415, 1), p.Number)
}

// TestExplain: each tier that had no number is listed with its numbers by what kept them, and so are those that were weighed
// in the tier that had one.
func TestExplain(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids)
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{1, time.Hour}}, Spacing: -1}, []cli.Cap{}
	cfg.Pools[0].Budgets = []cli.Budget{{Region: "CT", Cap: cli.Cap{1, time.Hour}}}
	add := func(n outdial.Number, region string, change func(*cli.NumberConfig)) {
		c := cli.NumberConfig{Number: n, Pool: "survey", Evidence: "LOA", Country: "US", Region: region}
		if change != nil {
			change(&c)
		}
		cfg.Numbers = append(cfg.Numbers, c)
	}
	add(num(212, 1), "NY", nil)
	add(num(212, 2), "NY", func(c *cli.NumberConfig) { c.State = cli.StateQuarantined })
	add(num(212, 1_000_001), "NY", func(c *cli.NumberConfig) { c.Evidence = "" })
	add(num(917, 1), "NY", func(c *cli.NumberConfig) { c.Carriers = []string{"beta"} })
	add(num(203, 1), "CT", nil)
	add(num(203, 2), "CT", nil)
	add(num(415, 1), "CA", nil)
	cfg.Adjacent = map[outdial.Prefix][]outdial.Prefix{1212: {1917, 1203}}
	g := mustNew(t, cfg)
	c := &outdial.Candidate{Carrier: ids.Carriers.ID("alpha"), Trunk: ids.Trunks.ID("t1")}
	for i, from := range []outdial.Number{num(212, 9), num(203, 9)} { // one of 212 and one of 203 reach their caps
		_, _, err := g.Reserve(t0, callTo(&ids, "survey", from+outdial.Number(i)), c, 0)
		require.NoError(t, err)
	}
	explain := func() map[string][]string {
		call := callTo(&ids, "survey", num(212, 77))
		call.SetRecord(new(outdial.Record))
		_, _, _ = g.Reserve(t0, call, c, 0)
		readings := map[string][]string{}
		for _, r := range call.Record().Readings() {
			readings[r.Name] = append(readings[r.Name], r.Text)
		}
		return readings
	}
	got := explain()
	for tier, want := range map[string]string{
		"exchange": "2 numbers: 1 waiting, 1 resting",
		"centre":   "no stock",
		"area":     "3 numbers: 1 waiting, 1 no right, 1 resting",
		"overlay":  "3 numbers: 1 not accepted by the carrier, 2 out of their region's budget",
		"region":   "4 numbers: 1 waiting, 1 no right, 1 resting, 1 not accepted by the carrier",
	} {
		require.Equal(t, []string{want}, got["tier_"+tier], tier)
	}
	require.Equal(t, []string{"country"}, got["tier"])
	require.Equal(t, []string{num(415, 1).String()}, got["considered"])
	got = explain()
	require.Equal(t, []string{"7 numbers: 2 waiting, 1 no right, 1 resting, 1 not accepted by the carrier, 2 out of their region's budget"},
		got["tier_pool"], "nothing is left")
	require.Nil(t, got["number"])
}

// TestLeastRecentlyUsed: numbers of one tier take turns, whichever carriers accept them, also over a reload.
func TestLeastRecentlyUsed(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids, num(212, 1), num(212, 2), num(212, 3), num(212, 4))
	cfg.Numbers[0].Carriers = []string{"alpha"}
	cfg.Numbers[2].Carriers = []string{"alpha", "beta"}
	cfg.Limits, cfg.Callee, cfg.Sticky.Mode = noLimits(), []cli.Cap{}, cli.StickyOff
	g := mustNew(t, cfg)
	call, c := callTo(&ids, "survey", callee), &outdial.Candidate{Carrier: ids.Carriers.ID("alpha")}
	var order []outdial.Number
	for i := range 20 {
		now := at(time.Duration(i) * time.Second)
		p, _, err := g.Reserve(now, call, c, 0)
		require.NoError(t, err)
		if i%7 == 3 { // given back, and so next in turn
			g.Undo(now, p.Lease)
			again, _, err := g.Reserve(now, call, c, 0)
			require.NoError(t, err)
			require.Equal(t, p.Number, again.Number)
		}
		order = append(order, p.Number)
		if i%5 == 4 {
			require.NoError(t, g.Update(cfg))
		}
	}
	for i := range order[4:] {
		require.Equal(t, order[i], order[i+4], i)
	}
	require.Len(t, map[outdial.Number]bool{order[0]: true, order[1]: true, order[2]: true, order[3]: true}, 4)
}

func TestIsolation(t *testing.T) {
	var ids outdial.Registry
	cfg := cli.Config{
		IDs: &ids,
		Pools: []cli.PoolConfig{
			{Name: "a", Program: "A"}, {Name: "a2", Program: "A"}, {Name: "b", Program: "B"},
		},
		Campaigns: []cli.CampaignConfig{{Campaign: "autumn", Pool: "a2"}},
		Limits:    cli.Limits{Caps: []cli.Cap{{1, time.Hour}}, Spacing: -1},
		Sticky:    cli.Sticky{Strict: -1},
		Numbers: append(append(owned("a", num(212, 1)), owned("a2", num(212, 2))...),
			append(owned("b", num(212, 3), num(212, 4)), owned("", num(212, 5))...)...),
	}
	g := mustNew(t, cfg)
	pool := ids.Pools.ID
	reserve := func(program, campaign, inPool string) (outdial.Number, error) {
		call := callTo(&ids, program, num(305, ids.Campaigns.Len()))
		call.Campaign = ids.Campaigns.ID(campaign)
		p, _, err := g.Reserve(t0, call, &outdial.Candidate{Pool: pool(inPool)}, 0)
		return p.Number, err
	}
	n, err := reserve("A", "", "")
	require.NoError(t, err)
	require.Equal(t, num(212, 1), n)
	_, err = reserve("A", "", "")
	require.ErrorIs(t, err, cli.ErrCaps, "overflow stays within the pool")
	_, err = reserve("A", "", "b")
	require.ErrorIs(t, err, cli.ErrForeignPool)
	_, err = reserve("B", "autumn", "")
	require.ErrorIs(t, err, cli.ErrForeignPool)
	n, err = reserve("A", "autumn", "")
	require.NoError(t, err)
	require.Equal(t, num(212, 2), n)
	_, err = reserve("A", "", "none such")
	require.ErrorIs(t, err, cli.ErrNoPool)
	_, err = reserve("", "", "")
	require.ErrorIs(t, err, cli.ErrNoPool)
	_, err = g.Admit(t0, callTo(&ids, "C", callee))
	require.ErrorIs(t, err, cli.ErrNoPool)
}

// TestCapacityExactly has many goroutines ask at one instant: what is granted is the capacity, no more and no less.
func TestCapacityExactly(t *testing.T) {
	const numbers, most, tries = 500, 10, 300
	var ids outdial.Registry
	cfg := survey(&ids)
	for i := range numbers {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(200+i%50, i))...)
	}
	cfg.Limits, cfg.Callee = cli.Limits{Caps: []cli.Cap{{most, time.Hour}}, Spacing: -1}, []cli.Cap{{2, time.Hour}}
	g := mustNew(t, cfg)
	granted := make([]map[outdial.Number]int, 64)
	for hour := range 3 {
		var wg sync.WaitGroup
		for w := range granted {
			wg.Go(func() {
				granted[w] = map[outdial.Number]int{}
				c := &outdial.Candidate{}
				for i := range tries {
					call := callTo(&ids, "survey", num(200+i%60, 5000+w*tries+i))
					p, _, err := g.Reserve(at(time.Duration(hour)*time.Hour), call, c, 0)
					if err != nil {
						if err != cli.ErrCaps {
							panic(fmt.Sprint("unexpected: ", err))
						}
						continue
					}
					granted[w][p.Number]++
					g.Release(at(time.Duration(hour)*time.Hour), p.Lease)
				}
			})
		}
		wg.Wait()
		total := map[outdial.Number]int{}
		for _, m := range granted {
			for n, k := range m {
				total[n] += k
			}
		}
		require.Len(t, total, numbers)
		for n, k := range total {
			require.Equal(t, most, k, n)
		}
	}
}

// TestManyDue lets more numbers become ready at once than one Reserve settles: the nearest is found all the same.
func TestManyDue(t *testing.T) {
	var ids outdial.Registry
	cfg := survey(&ids)
	for i := range 100 {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(300+i, 1))...)
	}
	cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, 1))...)
	g := mustNew(t, cfg)
	for i := range 100 {
		_, _, err := g.Reserve(t0, callTo(&ids, "survey", num(300+i, 9)), &outdial.Candidate{}, 0)
		require.NoError(t, err)
	}
	_, _, err := g.Reserve(at(time.Second), callTo(&ids, "survey", callee), &outdial.Candidate{}, 0)
	require.NoError(t, err)
	p, _, err := g.Reserve(at(time.Hour), callTo(&ids, "survey", num(212, 1234)), &outdial.Candidate{}, 0)
	require.NoError(t, err)
	require.Equal(t, num(212, 1), p.Number)
}
