package routing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/routing"
)

// TestMatchOrder holds the order in which rules count: campaign, program, tenant, mode; prefix; day-part; as written.
func TestMatchOrder(t *testing.T) {
	ids := new(outdial.Registry)
	evening := ids.DayParts.ID("evening")
	named := func(r routing.Rule, edit func(*routing.Rule)) routing.Rule {
		edit(&r)
		return r
	}
	p := routing.Policy{
		Trunks: trunks("any", "nyc", "nyc2", "col", "col-1", "eve", "camp", "ten", "man", "tenman"),
		Rules: []routing.Rule{
			via("", "any"),
			named(via("", "nyc"), func(r *routing.Rule) { r.Prefixes = []outdial.Prefix{1212, 1646} }),
			named(via("", "nyc2"), func(r *routing.Rule) { r.Prefixes = []outdial.Prefix{1212, 1917} }),
			named(via("", "col"), func(r *routing.Rule) { r.Programs = []string{"collections", "surveys"} }),
			named(via("", "col-1"), func(r *routing.Rule) {
				r.Programs, r.Prefixes = []string{"collections"}, []outdial.Prefix{1}
			}),
			named(via("", "eve"), func(r *routing.Rule) {
				r.Prefixes, r.DayParts = []outdial.Prefix{1212}, []string{"evening"}
			}),
			named(via("", "camp"), func(r *routing.Rule) {
				r.Campaigns, r.Prefixes = []string{"spring"}, []outdial.Prefix{44}
			}),
			named(via("", "ten"), func(r *routing.Rule) { r.Tenants = []string{"acme"} }),
			named(via("", "man"), func(r *routing.Rule) { r.Modes = []string{"manual"} }),
			named(via("", "tenman"), func(r *routing.Rule) {
				r.Tenants, r.Modes = []string{"acme"}, []string{"manual", "predictive"}
			}),
			{Campaigns: []string{"closed"}, Block: true},
		},
	}
	c := compile(t, p, routing.CompileConfig{IDs: ids})
	collections, surveys := ids.Programs.ID("collections"), ids.Programs.ID("surveys")
	spring, acme := ids.Campaigns.ID("spring"), ids.Tenants.ID("acme")
	const ny, la, uk = 12125550123, 13105550123, 442079460000
	for _, tc := range []struct {
		why, want string
		call      outdial.Call
	}{
		{"no prefix", "any", outdial.Call{To: uk}},
		{"the earlier of equal rules", "nyc", outdial.Call{To: ny}},
		{"the only one", "nyc2", outdial.Call{To: 19175550123}},
		{"a day-part before none", "eve", outdial.Call{To: ny, Dest: outdial.Destination{DayPart: evening}}},
		{"another day-part", "nyc", outdial.Call{To: ny, Dest: outdial.Destination{DayPart: evening + 1}}},
		{"a program before a longer prefix", "col-1", outdial.Call{To: ny, Program: collections}},
		{"a program before a longer prefix, without one", "col", outdial.Call{To: ny, Program: surveys}},
		{"the longer prefix within a program", "col-1", outdial.Call{To: la, Program: collections}},
		{"the shorter prefix within a program", "col", outdial.Call{To: uk, Program: collections}},
		{"a campaign before a program", "camp", outdial.Call{To: uk, Program: collections, Campaign: spring}},
		{"a campaign without the prefix", "col-1", outdial.Call{To: la, Program: collections, Campaign: spring}},
		{"a program before a tenant and a mode", "col", outdial.Call{To: uk, Program: surveys, Tenant: acme, Mode: outdial.ModeManual}},
		{"a tenant before a mode", "tenman", outdial.Call{To: uk, Tenant: acme, Mode: outdial.ModeManual}},
		{"a tenant", "ten", outdial.Call{To: ny, Tenant: acme, Mode: outdial.ModePrerecorded}},
		{"a mode", "man", outdial.Call{To: ny, Mode: outdial.ModeManual}},
		{"a program that no rule names", "nyc", outdial.Call{To: ny, Program: 99}},
	} {
		require.Equal(t, []string{tc.want}, c.route(t, monday, tc.call), tc.why)
	}
	_, err := c.Route(monday, &outdial.Call{To: ny, Campaign: ids.Campaigns.ID("closed"), Program: collections}, nil)
	require.ErrorIs(t, err, routing.ErrBlocked)
}

func TestNoRule(t *testing.T) {
	r := via("us", "a")
	r.Prefixes = []outdial.Prefix{1}
	c := compile(t, routing.Policy{Trunks: trunks("a"), Rules: []routing.Rule{r}}, routing.CompileConfig{})
	cs, err := c.Route(monday, &outdial.Call{To: 442079460000}, make([]outdial.Candidate, 3))
	require.ErrorIs(t, err, routing.ErrNoRule)
	require.Len(t, cs, 3, "what was in dst stays")
	_, err = routing.NewRouter(nil).Route(monday, &outdial.Call{To: 12125550123}, nil)
	require.ErrorIs(t, err, routing.ErrNoTable)
	_, err = new(routing.Router).Admit(monday, &outdial.Call{To: 12125550123})
	require.ErrorIs(t, err, routing.ErrNoTable)
}

// decks is a policy in which alpha is cheap for +1 212 only, and beta has +1 212 555 too, dearer.
func decks() routing.Policy {
	return routing.Policy{
		Trunks: []routing.Trunk{
			{Name: "alpha", Carrier: "a", Deck: "alpha"},
			{Name: "beta", Carrier: "b", Deck: "beta"},
			{Name: "gamma", Carrier: "c", Deck: "gamma"},
			{Name: "delta", Carrier: "d"},
		},
		Decks: []routing.Deck{
			{Name: "alpha", Rates: []routing.Rate{{Prefix: 1, PerMinute: 9000}, {Prefix: 1212, PerMinute: 3000}}},
			{Name: "beta", Rates: []routing.Rate{{Prefix: 1, PerMinute: 8000}, {Prefix: 1212555, PerMinute: 4000}}},
			{Name: "gamma", Rates: []routing.Rate{{Prefix: 1212555, PerMinute: 4000, Increment: routing.Increment{First: 60, Next: 60}}}},
		},
		Rules: []routing.Rule{via("all", "delta", "gamma", "beta", "alpha")},
	}
}

func TestLeastCost(t *testing.T) {
	p := decks()
	tier := &p.Rules[0].Tiers[0]
	tier.Strategy = routing.LeastCost
	call := outdial.Call{To: 12125550123}
	require.Equal(t, []string{"alpha", "gamma", "beta"}, compile(t, p, routing.CompileConfig{}).route(t, monday, call),
		"each by its own longest prefix, equal ones as written, the one without a rate left out")
	tier.LCR = routing.GlobalLPM
	c := compile(t, p, routing.CompileConfig{})
	require.Equal(t, []string{"gamma", "beta"}, c.route(t, monday, call), "only those with the longest prefix of all")
	require.Equal(t, []string{"alpha"}, c.route(t, monday, outdial.Call{To: 12125660123}))
	require.Equal(t, []string{"beta", "alpha"}, c.route(t, monday, outdial.Call{To: 13105550123}))
	_, err := c.Route(monday, &outdial.Call{To: 442079460000}, make([]outdial.Candidate, 1))
	require.ErrorIs(t, err, routing.ErrNoRate)

	tier.LCR, p.Defaults = "", routing.Defaults{LCR: routing.GlobalLPM, TypicalCall: 61}
	c = compile(t, p, routing.CompileConfig{})
	require.Equal(t, []string{"beta", "gamma"}, c.route(t, monday, call), "gamma bills 61 s as 120 s")
	cs, err := c.Route(monday, &call, nil)
	require.NoError(t, err)
	require.Equal(t, outdial.Micros(4001), cs[0].Cost, "4067 for 61 s, rounded up to a whole number per minute")
	require.Equal(t, outdial.Micros(7869), cs[1].Cost)
}

// TestCandidates holds what candidates carry besides the trunk.
func TestCandidates(t *testing.T) {
	p := decks()
	p.Rules[0].Prefixes = []outdial.Prefix{12}
	p.Rules[0].Tiers = []routing.Tier{
		{Trunks: []routing.Target{{Trunk: "alpha", Weight: 3, Pool: "east"}, {Carrier: "b", Weight: 1}}},
		{Trunks: []routing.Target{{Trunk: "delta"}}},
	}
	c := compile(t, p, routing.CompileConfig{})
	cs, err := c.Route(monday, &outdial.Call{To: 12125550123}, nil)
	require.NoError(t, err)
	ids := c.ids
	require.Equal(t, []outdial.Candidate{
		{
			Trunk: ids.Trunks.ID("alpha"), Carrier: ids.Carriers.ID("a"), Weight: 3, Pool: ids.Pools.ID("east"),
			Cost: 3000, Matched: 1212,
		},
		{Trunk: ids.Trunks.ID("beta"), Carrier: ids.Carriers.ID("b"), Weight: 1, Cost: 4000, Matched: 1212555},
		{Trunk: ids.Trunks.ID("delta"), Carrier: ids.Carriers.ID("d"), Tier: 1, Matched: 12},
	}, cs)
}

func TestQuality(t *testing.T) {
	p := routing.Policy{Trunks: trunks("new", "lucky", "good", "bad"), Rules: []routing.Rule{via("all", "new", "lucky", "good", "bad")}}
	p.Rules[0].Tiers[0].Strategy = routing.ByQuality
	ids := new(outdial.Registry)
	ids.Trunks.Add("new", "lucky", "good", "bad")
	cfg := routing.CompileConfig{IDs: ids, Quality: asr{
		ids.Trunks.ID("lucky"): {Mean: 1, N: 2},
		ids.Trunks.ID("good"):  {Mean: 0.6, N: 500},
		ids.Trunks.ID("bad"):   {Mean: 0.2, N: 500},
	}}
	call := outdial.Call{To: 12125550123}
	require.Equal(t, []string{"good", "lucky", "new", "bad"}, compile(t, p, cfg).route(t, monday, call))

	p.Defaults.Quality = routing.QualityPrior{Strength: -1, Z: -1}
	require.Equal(t, []string{"lucky", "good", "new", "bad"}, compile(t, p, cfg).route(t, monday, call), "no prior, no caution")

	p.Defaults.Quality = routing.QualityPrior{Mean: 0.1}
	require.Equal(t, []string{"good", "lucky", "bad", "new"}, compile(t, p, cfg).route(t, monday, call), "newcomers start low")

	cfg.Quality = nil
	require.Equal(t, []string{"new", "lucky", "good", "bad"}, compile(t, p, cfg).route(t, monday, call), "as written")
}

func TestScore(t *testing.T) {
	p := routing.QualityPrior{Mean: 0.4, Strength: 20, Z: 1}
	nothing := 0.4 - math.Sqrt(0.4*0.6/21)
	require.InDelta(t, nothing, p.Score(outdial.Estimate{}), 1e-12)
	for _, e := range []outdial.Estimate{
		{Mean: math.NaN(), N: 5},
		{Mean: 1.5, N: 5},
		{Mean: -0.1, N: 5},
		{Mean: 0.5, N: math.NaN()},
		{Mean: 0.5, N: math.Inf(1)},
		{Mean: 0.5, N: -3},
	} {
		require.InDelta(t, nothing, p.Score(e), 1e-12, e)
	}
	require.InDelta(t, 0.45-math.Sqrt(0.45*0.55/41), p.Score(outdial.Estimate{Mean: 0.5, N: 20}), 1e-12)
	require.InDelta(t, 0.45-math.Sqrt(0.04/4), p.Score(outdial.Estimate{Mean: 0.5, N: 20, Var: 0.04}), 1e-12,
		"an estimate that is less sure of itself than its size says")
	require.InDelta(t, 0.4, routing.QualityPrior{Mean: 0.4}.Score(outdial.Estimate{}), 0)
}

// TestRatesInForce holds that rows come and go by the time of the call.
func TestRatesInForce(t *testing.T) {
	april, may := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Deck: "d"}, {Name: "b", Deck: "e"}},
		Decks: []routing.Deck{
			{Name: "d", Rates: []routing.Rate{
				{Prefix: 1212, PerMinute: 5000, Effective: routing.InstantOf(april), End: routing.InstantOf(may)},
				{Prefix: 1, PerMinute: 100},
				{Prefix: 1212, PerMinute: 7000},
			}},
			{Name: "e", Rates: []routing.Rate{{Prefix: 1212, PerMinute: 6000, End: routing.InstantOf(may)}}},
		},
		Rules: []routing.Rule{{Tiers: []routing.Tier{{Strategy: routing.LeastCost, Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "b"}}}}}},
	}
	c := compile(t, p, routing.CompileConfig{})
	trunk := c.ids.Trunks.ID("a")
	for _, tc := range []struct {
		now   time.Time
		rate  routing.Price
		order []string
	}{
		{april.Add(-time.Nanosecond), 7000, []string{"b", "a"}},
		{april, 5000, []string{"a", "b"}},
		{may.Add(-time.Second), 5000, []string{"a", "b"}},
		{may, 7000, []string{"a"}},
		{time.Time{}, 7000, []string{"b", "a"}},
	} {
		call := outdial.Call{To: 12125550123}
		require.Equal(t, tc.order, c.route(t, tc.now, call), tc.now)
		rate, ok := c.Rate(tc.now, trunk, call.To)
		require.True(t, ok)
		require.Equal(t, tc.rate, rate.PerMinute, tc.now)
		require.Equal(t, outdial.Prefix(1212), rate.Prefix)
	}
	_, ok := c.Rate(monday, trunk, 442079460000)
	require.False(t, ok)
	_, ok = c.Rate(monday, 99, 12125550123)
	require.False(t, ok)
}

func TestRecord(t *testing.T) {
	p := decks()
	p.Version = "2026-03"
	p.Rules[0].Tiers[0].Strategy, p.Rules[0].Tiers[0].LCR = routing.LeastCost, routing.GlobalLPM
	c := compile(t, p, routing.CompileConfig{})
	var rec outdial.Record
	call := outdial.Call{To: 12125550123}
	call.SetRecord(&rec)
	_, err := c.Admit(monday, &call)
	require.NoError(t, err)
	_, err = c.Route(monday, &call, nil)
	require.NoError(t, err)
	gamma, beta, alpha := c.ids.Trunks.ID("gamma"), c.ids.Trunks.ID("beta"), c.ids.Trunks.ID("alpha")
	s := outdial.StageRouting
	require.Equal(t, []outdial.Reading{
		{Stage: s, Name: "policy", Text: "2026-03"},
		{Stage: s, Name: "rule", Text: "all"},
		{Stage: s, Name: "rule_prefix", Text: ""},
		{Stage: s, Name: "strategy", Text: "least-cost"},
		{Stage: s, Trunk: gamma, Name: "rate_prefix", Text: "+1212555"},
		{Stage: s, Trunk: gamma, Name: "rate", Value: 4000},
		{Stage: s, Trunk: gamma, Name: "setup", Value: 0},
		{Stage: s, Trunk: gamma, Name: "increment", Text: "60/60"},
		{Stage: s, Trunk: gamma, Name: "cost", Value: 4000},
		{Stage: s, Trunk: beta, Name: "rate_prefix", Text: "+1212555"},
		{Stage: s, Trunk: beta, Name: "rate", Value: 4000},
		{Stage: s, Trunk: beta, Name: "setup", Value: 0},
		{Stage: s, Trunk: beta, Name: "increment", Text: "1/1"},
		{Stage: s, Trunk: beta, Name: "cost", Value: 4000},
		{Stage: s, Trunk: alpha, Name: "rate_prefix", Text: "+1212"},
		{Stage: s, Trunk: alpha, Name: "rate", Value: 3000},
		{Stage: s, Trunk: alpha, Name: "setup", Value: 0},
		{Stage: s, Trunk: alpha, Name: "increment", Text: "1/1"},
		{Stage: s, Trunk: alpha, Name: "cost", Value: 3000},
		{Stage: s, Trunk: gamma, Name: "order", Value: 1},
		{Stage: s, Trunk: beta, Name: "order", Value: 2},
	}, rec.Readings())
	out := rec.LeftOut()
	require.Len(t, out, 2)
	require.Equal(t, "delta", c.ids.Trunks.Name(out[0].Candidate.Trunk))
	require.Equal(t, "no_rate", out[0].Code)
	require.Equal(t, alpha, out[1].Candidate.Trunk)
	require.Equal(t, outdial.Micros(3000), out[1].Candidate.Cost)
	require.Equal(t, "its rate is for a shorter prefix, +1212", out[1].Text)
}

func TestAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	ids := new(outdial.Registry)
	p, ps := market(2000, routing.LeastCost)
	p.Rules[0].Tiers = append(p.Rules[0].Tiers, routing.Tier{Strategy: routing.ByQuality})
	first := &p.Rules[0].Tiers[0]
	p.Rules[0].Tiers[1].Trunks, first.Trunks = first.Trunks[4:], first.Trunks[:4]
	campaign := p.Rules[0]
	campaign.Campaigns, campaign.Prefixes = []string{"c"}, []outdial.Prefix{99}
	p.Rules = append(p.Rules, campaign)
	p.Admission = routing.Admission{Deny: []outdial.Prefix{1900}, Windows: []routing.Window{{From: 0, To: routing.Day}}}
	c := compile(t, p, routing.CompileConfig{IDs: ids, Numbering: plan(), Quality: asr{}})
	r := routing.NewRouter(c.Table)
	call := outdial.Call{To: numbers(ps, 1, 1)[0], Campaign: ids.Campaigns.ID("c")}
	dst := make([]outdial.Candidate, 0, 8)
	var err error
	require.Zero(t, testing.AllocsPerRun(100, func() { dst, err = r.Route(monday, &call, dst[:0]) }))
	require.NoError(t, err)
	require.NotEmpty(t, dst)
	require.Zero(t, testing.AllocsPerRun(100, func() { c.Rate(monday, dst[0].Trunk, call.To) }))

	p.Admission.Windows[0].From = routing.Day / 2
	c = compile(t, p, routing.CompileConfig{Numbering: plan()})
	call.Dest = plan().Locate(monday, 12125550123)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, err = c.Admit(monday, &call) }))
	require.ErrorIs(t, err, routing.ErrWindow)
}
