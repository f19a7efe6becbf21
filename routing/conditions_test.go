package routing_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/routing"
)

// world is everything that a table reads of others, by trunk.
type world struct {
	asr      map[outdial.TrunkID]outdial.Estimate
	measures map[outdial.Metric]map[outdial.TrunkID]outdial.Estimate
	full     map[outdial.TrunkID]bool
	burst    map[outdial.TrunkID]outdial.Micros
	health   map[outdial.TrunkID]float64
	risk     map[outdial.PoolID]float64
}

func newWorld() *world {
	return &world{
		asr: map[outdial.TrunkID]outdial.Estimate{}, measures: map[outdial.Metric]map[outdial.TrunkID]outdial.Estimate{},
		full: map[outdial.TrunkID]bool{}, burst: map[outdial.TrunkID]outdial.Micros{},
		health: map[outdial.TrunkID]float64{}, risk: map[outdial.PoolID]float64{},
	}
}

func (w *world) Estimate(_ time.Time, c *outdial.Candidate, _ outdial.GroupID) outdial.Estimate {
	return w.asr[c.Trunk]
}

func (w *world) Measure(_ time.Time, m outdial.Metric, c *outdial.Candidate, _ outdial.GroupID) outdial.Estimate {
	return w.measures[m][c.Trunk]
}

func (w *world) Headroom(_ time.Time, t outdial.TrunkID) (channels, cps int) {
	if w.full[t] {
		return 0, 10
	}
	return math.MaxInt32, 10
}

func (w *world) BurstPrice(_ time.Time, t outdial.TrunkID) outdial.Micros { return w.burst[t] }

func (w *world) Health(_ time.Time, t outdial.TrunkID, _ outdial.GroupID) float64 {
	if h, ok := w.health[t]; ok {
		return h
	}
	return 1
}

func (w *world) Risk(_ time.Time, p outdial.PoolID) outdial.Estimate {
	return outdial.Estimate{Mean: w.risk[p], N: 100}
}

func (w *world) config() routing.CompileConfig {
	return routing.CompileConfig{
		Quality: w, Measures: w, Headroom: w, BurstPrices: w, Health: w, Risk: w, Numbering: plan(),
	}
}

// estimate is one of n observations with a mean.
func estimate(mean, n float64) outdial.Estimate {
	return outdial.Estimate{Mean: mean, Var: mean * (1 - mean) / (n + 1), N: n}
}

// TestNetworks: a rule for a network comes before one with a day-part, and "network=tmobile avoid carrier B" keeps every
// such call off B (ledger row 19).
func TestNetworks(t *testing.T) {
	mobile := via("mobile", "b", "a")
	mobile.Networks = []string{"tmobile"}
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "A"}, {Name: "b", Carrier: "B"}},
		Rules:  []routing.Rule{via("all", "a", "b"), mobile},
	}
	c := compile(t, p, routing.CompileConfig{})
	ported := outdial.Call{To: 12125550123, Dest: outdial.Destination{Network: c.ids.Networks.ID("tmobile")}}
	require.Equal(t, []string{"b", "a"}, c.route(t, monday, ported))
	require.Equal(t, []string{"a", "b"}, c.route(t, monday, outdial.Call{To: 12125550123}))

	p.Overrides = []routing.Override{{
		Action: routing.Avoid, Carrier: "B", Networks: []string{"tmobile"}, Actor: "ops", Reason: "blocked there",
		Expires: routing.InstantOf(monday.Add(time.Hour)),
	}}
	c = compile(t, p, routing.CompileConfig{IDs: c.ids})
	require.Equal(t, []string{"a"}, c.route(t, monday, ported))
	require.Equal(t, []string{"a", "b"}, c.route(t, monday, outdial.Call{To: 12125550123}))
	require.Equal(t, []string{"b", "a"}, c.route(t, monday.Add(time.Hour), ported), "an override ends by itself")
}

// TestTags: tags say whose call it is, behind tenant and before mode; a rule may want several at once.
func TestTags(t *testing.T) {
	p := routing.Policy{Trunks: trunks("a", "b", "c", "d", "e")}
	rule := func(trunk string, change func(*routing.Rule)) {
		r := via(trunk, trunk)
		change(&r)
		p.Rules = append(p.Rules, r)
	}
	rule("a", func(r *routing.Rule) { r.Prefixes = []outdial.Prefix{1212} })
	rule("b", func(r *routing.Rule) { r.Tags = []string{"vip", "callback"} })
	rule("c", func(r *routing.Rule) { r.Tags, r.AllTags = []string{"callback", "retry"}, true })
	rule("d", func(r *routing.Rule) { r.Tags, r.Prefixes = []string{"retry"}, []outdial.Prefix{1212} })
	rule("e", func(r *routing.Rule) { r.Campaigns = []string{"spring"} })
	table := compile(t, p, routing.CompileConfig{})
	tag, spring := table.ids.Tags.ID, table.ids.Campaigns.ID("spring")
	for _, tt := range []struct {
		tags     outdial.Tags
		campaign outdial.CampaignID
		to       outdial.Number
		want     string
	}{
		{outdial.Tags{}, 0, 12125550100, "a"},
		{outdial.Tags{tag("vip")}, 0, 12125550100, "b"},
		{outdial.Tags{tag("other"), tag("vip")}, 0, 12125550100, "b"},
		{outdial.Tags{tag("retry"), tag("callback")}, 0, 13125550100, "c"},
		{outdial.Tags{tag("callback"), tag("retry")}, 0, 12125550100, "d"}, // the longer prefix, under whichever tag
		{outdial.Tags{tag("callback")}, 0, 13125550100, "b"},
		{outdial.Tags{tag("vip")}, spring, 12125550100, "e"},
	} {
		require.Equal(t, []string{tt.want}, table.route(t, monday, outdial.Call{To: tt.to, Tags: tt.tags, Campaign: tt.campaign}), "%v", tt)
	}
	_, err := table.Route(monday, &outdial.Call{To: 13125550100, Tags: outdial.Tags{tag("retry")}}, nil)
	require.ErrorIs(t, err, routing.ErrNoRule)
}

// TestTagsOfOverrides: an operator keeps calls with a tag from a carrier, by the policy and by word, and a replay does too.
func TestTagsOfOverrides(t *testing.T) {
	p := routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", "a", "b")}}
	p.Overrides = []routing.Override{{
		Action: routing.Penalise, Trunk: "a", Tags: []string{"vip"}, Campaigns: []string{"one; two=three"}, Actor: "ops", Reason: "x",
		Expires: routing.InstantOf(monday.Add(time.Hour)),
	}}
	table := compile(t, p, routing.CompileConfig{})
	r := routing.NewRouter(table.Table)
	call := outdial.Call{To: 12125550100, Campaign: table.ids.Campaigns.ID("one; two=three")}
	route := func() []string {
		var rec outdial.Record
		call.SetRecord(&rec)
		cs, err := r.Route(monday, &call, nil)
		require.NoError(t, err)
		again, err := table.Replay(monday, &call, rec.Readings())
		require.NoError(t, err)
		require.Equal(t, cs, again)
		return table.trunks(cs)
	}
	require.Equal(t, []string{"a", "b"}, route())
	call.Tags.Add(table.ids.Tags.ID("vip"))
	require.Equal(t, []string{"b", "a"}, route())
	require.NoError(t, control(r, "routing.avoid", "trunk b", "tag=callback", time.Hour))
	require.Equal(t, []string{"b", "a"}, route())
	call.Tags.Add(table.ids.Tags.ID("callback"))
	require.Equal(t, []string{"a"}, route())
}

func TestRulesComeIntoForceAndEnd(t *testing.T) {
	sale := via("sale", "b")
	sale.Effective, sale.End = routing.InstantOf(monday), routing.InstantOf(monday.Add(time.Hour))
	c := compile(t, routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", "a"), sale}}, routing.CompileConfig{})
	call := outdial.Call{To: 12125550123}
	require.Equal(t, []string{"a"}, c.route(t, monday.Add(-time.Second), call))
	require.Equal(t, []string{"b"}, c.route(t, monday, call))
	require.Equal(t, []string{"a"}, c.route(t, monday.Add(time.Hour), call))
}

// TestPoolRisk: a risk of one half halves the calls that present the pool, and a rule may route by it (ledger row 98).
func TestPoolRisk(t *testing.T) {
	w := newWorld()
	suspect := via("suspect", "b")
	suspect.Risk = routing.PoolRisk{Pool: "sales", AtLeast: 0.8}
	p := routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", "a"), suspect}}
	p.Rules[0].Tiers[0].Trunks[0].Pool = "sales"
	c := compile(t, p, w.config())
	w.risk[c.ids.Pools.ID("sales")] = 0.5
	offered := 0
	for i := range 10_000 {
		cs, err := c.Route(monday, &outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}, nil)
		if err == nil {
			require.Len(t, cs, 1)
			offered++
		} else {
			require.ErrorIs(t, err, routing.ErrExposure)
		}
	}
	require.InDelta(t, 5000, offered, 200) // four standard deviations; the draws are fixed
	w.risk[c.ids.Pools.ID("sales")] = 0.8
	require.Equal(t, []string{"b"}, c.route(t, monday, outdial.Call{To: 12125550123}))
}

// TestPreferDirect: direct trunks come first while they have room; then transit does, and the record says why
// (ledger row 23).
func TestPreferDirect(t *testing.T) {
	w := newWorld()
	p := routing.Policy{
		Trunks: []routing.Trunk{
			{Name: "t", Carrier: "T", Hop: "X", Interconnect: routing.Transit},
			{Name: "d", Carrier: "D", Interconnect: routing.Direct},
		},
		Rules: []routing.Rule{via("all", "t", "d")},
	}
	p.Rules[0].Tiers[0].PreferDirect = true
	c := compile(t, p, w.config())
	require.Equal(t, []string{"d", "t"}, c.route(t, monday, outdial.Call{To: 12125550123}))
	w.full[c.ids.Trunks.ID("d")] = true
	var rec outdial.Record
	call := outdial.Call{To: 12125550123}
	call.SetRecord(&rec)
	require.Equal(t, []string{"t", "d"}, c.route(t, monday, call))
	require.Contains(t, fmt.Sprint(rec.Readings()), "no room")
	require.Contains(t, fmt.Sprint(rec.Readings()), "hop")
	got, ok := c.Table.Trunk(c.ids.Trunks.ID("t"))
	require.True(t, ok)
	require.Equal(t, "X", got.Hop)
}

func TestDiverse(t *testing.T) {
	p := routing.Policy{
		Trunks: []routing.Trunk{
			{Name: "a1", Carrier: "A"},
			{Name: "a2", Carrier: "A"},
			{Name: "b", Carrier: "B", Hop: "X"},
			{Name: "c", Carrier: "C", Hop: "X", Tags: []string{"good"}},
			{Name: "d", Carrier: "D", Hop: "Y", Tags: []string{"good"}},
		},
		Rules: []routing.Rule{via("first", "a1", "a2", "b"), via("hops", "b", "c", "d")},
	}
	p.Rules[0].Prefixes, p.Rules[1].Prefixes = []outdial.Prefix{1}, []outdial.Prefix{44}
	p.Rules[0].Tiers[0].Diverse, p.Rules[1].Tiers[0].Diverse = true, true
	p.Rules = append(p.Rules, routing.Rule{Prefixes: []outdial.Prefix{33}, Tiers: []routing.Tier{{Trunks: []routing.Target{{Tag: "good"}}}}})
	c := compile(t, p, routing.CompileConfig{})
	require.Equal(t, []string{"a1", "b", "a2"}, c.route(t, monday, outdial.Call{To: 12125550123}))
	require.Equal(t, []string{"b", "d", "c"}, c.route(t, monday, outdial.Call{To: 442079460123}))
	require.Equal(t, []string{"c", "d"}, c.route(t, monday, outdial.Call{To: 33123456789}))
}

// TestHealthAndRoom: what is out or full stands last in its tier; a weighted tier is left to failover.
func TestHealthAndRoom(t *testing.T) {
	w := newWorld()
	r := via("all", "a", "b", "c")
	r.Tiers = append(r.Tiers, routing.Tier{Trunks: []routing.Target{{Trunk: "d"}}})
	weighted := via("weighted", "a", "b", "c")
	weighted.Prefixes = []outdial.Prefix{44}
	for i := range weighted.Tiers[0].Trunks {
		weighted.Tiers[0].Trunks[i].Weight = 10
	}
	c := compile(t, routing.Policy{Trunks: trunks("a", "b", "c", "d"), Rules: []routing.Rule{r, weighted}}, w.config())
	w.health[c.ids.Trunks.ID("a")] = 0
	w.full[c.ids.Trunks.ID("b")] = true
	w.health[c.ids.Trunks.ID("c")] = 0.3 // on its way back: failover weighs it
	cs, err := c.Route(monday, &outdial.Call{To: 12125550123}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"c", "a", "b", "d"}, c.trunks(cs))
	require.Equal(t, []uint8{0, 0, 0, 1}, []uint8{cs[0].Tier, cs[1].Tier, cs[2].Tier, cs[3].Tier})
	require.Equal(t, []string{"a", "b", "c"}, c.route(t, monday, outdial.Call{To: 442079460123}))
}

// TestBurstPriceEntersCost (ledger row 17).
func TestBurstPriceEntersCost(t *testing.T) {
	w := newWorld()
	c := compile(t, routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Deck: "a"}, {Name: "b", Deck: "b"}},
		Decks: []routing.Deck{
			{Name: "a", Rates: []routing.Rate{{Prefix: 1, PerMinute: 4000}}},
			{Name: "b", Rates: []routing.Rate{{Prefix: 1, PerMinute: 5000}}},
		},
		Rules: []routing.Rule{{Tiers: []routing.Tier{{
			Strategy: routing.LeastCost, Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "b"}},
		}}}},
	}, w.config())
	call := outdial.Call{To: 12125550123}
	require.Equal(t, []string{"a", "b"}, c.route(t, monday, call))
	w.burst[c.ids.Trunks.ID("a")] = 2000
	cs, err := c.Route(monday, &call, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a"}, c.trunks(cs))
	require.Equal(t, outdial.Micros(6000), cs[1].Cost)
}

// TestSurchargeCliff: the fee for short calls counts as far as the carrier will find too many of them.
func TestSurchargeCliff(t *testing.T) {
	w := newWorld()
	c := compile(t, routing.Policy{
		Trunks: []routing.Trunk{
			{Name: "a", Deck: "a", Surcharges: []routing.Surcharge{{Above: 0.15, Fee: 10_000}}},
			{Name: "b", Deck: "b"},
		},
		Decks: []routing.Deck{
			{Name: "a", Rates: []routing.Rate{{Prefix: 1, PerMinute: 4000}}},
			{Name: "b", Rates: []routing.Rate{{Prefix: 1, PerMinute: 5000}}},
		},
		Rules: []routing.Rule{{Tiers: []routing.Tier{{
			Strategy: routing.LeastCost, Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "b"}},
		}}}},
	}, w.config())
	a, call := c.ids.Trunks.ID("a"), outdial.Call{To: 12125550123}
	for short, first := range map[float64]string{0.10: "a", 0.149: "a", 0.20: "b"} {
		w.measures[outdial.MetricShort] = map[outdial.TrunkID]outdial.Estimate{a: estimate(short, 1000)}
		require.Equal(t, first, c.route(t, monday, call)[0], "%v short", short)
	}
}

// TestJurisdiction: a call within a state is billed as such, one of a caller that is not known at the dearer price.
func TestJurisdiction(t *testing.T) {
	c := compile(t, routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Deck: "a"}},
		Decks:  []routing.Deck{{Name: "a", Rates: []routing.Rate{{Prefix: 1, PerMinute: 100, Intrastate: 200, Indeterminate: 300}}}},
		Rules:  []routing.Rule{via("all", "a")},
	}, routing.CompileConfig{Numbering: plan()})
	for from, want := range map[outdial.Number]outdial.Micros{
		17185550100:  200, // New York, as the callee
		12135550100:  100,
		442079460123: 100,
		0:            300,
		18005550100:  300,
	} {
		cs, err := c.Route(monday, &outdial.Call{To: 12125550123, From: from}, nil)
		require.NoError(t, err)
		require.Equal(t, want, cs[0].Cost, from)
	}
}

// TestBlackout: no call on such a day in any zone of the callee, and the time to ask again is after it, within the window
// (ledger row 127).
func TestBlackout(t *testing.T) {
	c := compile(t, routing.Policy{
		Trunks: trunks("a"), Rules: []routing.Rule{via("all", "a")},
		Admission: routing.Admission{
			Windows: []routing.Window{{From: hours(9), To: hours(20)}},
			Blackouts: []routing.Blackout{
				{Name: "Christmas", Dates: []routing.Date{{Month: time.December, Day: 25}}},
				{Weekdays: []string{"Sunday"}, Countries: []string{"US"}},
				{Dates: []routing.Date{{Year: 2026, Month: time.March, Day: 4}}, Programs: []string{"sales"}},
			},
		},
	}, routing.CompileConfig{Numbering: plan()})
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	call := outdial.Call{To: 12125550123}
	call.Dest = plan().Locate(monday, call.To)
	calls := 0
	for at := time.Date(2026, 12, 25, 0, 0, 0, 0, newYork); at.Day() == 25; at = at.Add(10 * time.Minute) {
		if _, err := c.Admit(at, &call); err == nil {
			calls++
		}
	}
	require.Zero(t, calls)
	again, err := c.Admit(time.Date(2026, 12, 25, 12, 0, 0, 0, newYork), &call)
	require.ErrorIs(t, err, routing.ErrBlackout)
	require.Equal(t, time.Date(2026, 12, 26, 9, 0, 0, 0, newYork).UTC(), again.UTC())
	again, err = c.Admit(time.Date(2026, 3, 7, 21, 0, 0, 0, newYork), &call) // Saturday night
	require.ErrorIs(t, err, routing.ErrWindow)
	require.Equal(t, time.Date(2026, 3, 9, 9, 0, 0, 0, newYork).UTC(), again.UTC(), "not on Sunday")
	wednesday := time.Date(2026, 3, 4, 12, 0, 0, 0, newYork)
	_, err = c.Admit(wednesday, &call)
	require.NoError(t, err)
	call.Program = c.ids.Programs.ID("sales")
	_, err = c.Admit(wednesday, &call)
	require.ErrorIs(t, err, routing.ErrBlackout)
	call.Program, call.Dest.Zones = 0, 0
	_, err = c.Admit(time.Date(2026, 12, 26, 8, 0, 0, 0, time.UTC), &call)
	require.ErrorIs(t, err, routing.ErrWindow)
}

func TestConditionsAllocateNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	w := newWorld()
	p, _ := market(1000, routing.CostPerContact)
	p.Rules[0].Tiers[0].PreferDirect, p.Rules[0].Tiers[0].Diverse = true, true
	p.Rules[0].Networks = []string{"n"}
	p.Overrides = []routing.Override{{
		Action: routing.Prefer, Trunk: "carrier-3", Actor: "a", Reason: "b", Expires: routing.InstantOf(monday.AddDate(1, 0, 0)),
	}}
	p.Caps = []routing.Cap{{Share: 0.5}}
	p.Commits = []routing.Commit{{Trunk: "carrier-1", Minutes: 1000}}
	p.Trunks[0].Surcharges = []routing.Surcharge{{Above: 0.1, Fee: 1}}
	p.Admission.Blackouts = []routing.Blackout{{Weekdays: []string{"sunday"}}}
	c := compile(t, p, w.config())
	r := routing.NewRouter(c.Table)
	call := outdial.Call{ID: 1, To: 12125550123, Dest: outdial.Destination{Network: c.ids.Networks.ID("n")}}
	dst := make([]outdial.Candidate, 0, 8)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		call.ID++
		_, _ = r.Admit(monday, &call)
		dst, _ = r.Route(monday, &call, dst[:0])
	}))
	require.Len(t, dst, 8)
}
