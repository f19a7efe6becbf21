package routing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// overriding is a policy with an override more, in force for good.
func overriding(p routing.Policy, action routing.OverrideAction, trunk string) routing.Policy {
	p.Overrides = append(p.Overrides, routing.Override{
		Action: action, Trunk: trunk, Actor: "ops", Reason: "test", Expires: routing.InstantOf(monday.AddDate(1, 0, 0)),
	})
	return p
}

// takenBack tells a router that a call started, and that it did not leave after all.
func takenBack(r *routing.Router, id int, c outdial.Candidate, at time.Time) {
	ev := started(id, c, at, "US")
	r.Observe(ev)
	end := ended(ev, 0)
	end.Attempt.Result.Origin = outdial.OriginNeverSent
	r.Observe(end)
}

// TestDeckOddRows: what spreadsheets leave behind is passed over; what would be read as something else is named.
func TestDeckOddRows(t *testing.T) {
	for text, want := range map[string]string{
		"prefix,rate,,\n44,0.01,,\n":                         "+44 0.01",
		"prefix,rate\n44,0.01\n,\n \n , \n":                  "+44 0.01",
		"prefix,rate,\n44,0.01,x\n":                          `line 2: "x" stands in column 3, which has no name`,
		"prefix,rate\n;,0.01\n":                              `line 2: prefix: ";" names no prefix`,
		"prefix,rate\n\" , \",0.01\n":                        `line 2: prefix: "," names no prefix`,
		"npa,nxx,rate\n212,55,0.01\n":                        `line 2: nxx: "55" does not have 3 digits`,
		"npa,nxx,block,rate\n212,555,,0.01\n":                "+1212555 0.01",
		"npa,nxx,block,rate\n212,555,12,0.01\n":              `line 2: block: "12" does not have 1 digits`,
		"npa,nxx,block,rate\n2125,55,12,0.01\n":              `line 2: npa: "2125" does not have 3 digits`,
		"prefix,rate,end\n44,0.01,2026-03-01 00:00:00 EST\n": `line 2: end: "2026-03-01 00:00:00 EST" is not a date`,
	} {
		d, err := routing.ReadDeck("x", strings.NewReader(text))
		if err != nil {
			require.ErrorContains(t, err, want, text)
			continue
		}
		require.Len(t, d.Rates, 1, text)
		require.Equal(t, want, d.Rates[0].Prefix.String()+" "+d.Rates[0].PerMinute.String(), text)
	}
	for text, want := range map[string]string{
		"2026-03-01 00:00:00 UTC": "2026-03-01T00:00:00Z", "2026-03-01 00:00:00 +0100": "2026-02-28T23:00:00Z",
		"1-Mar-26": "2026-03-01T00:00:00Z", "3/31/2026 12:00 AM": "2026-03-31T00:00:00Z", "31-03-2026": "2026-03-31T00:00:00Z",
	} {
		d, err := routing.ReadDeck("x", strings.NewReader("prefix,rate,effective\n44,0.01,"+text+"\n"))
		require.NoError(t, err)
		require.Equal(t, want, d.Rates[0].Effective.String(), text)
	}
}

// TestDeckOfManyTimes: a prefix may have a price for each hour of years, in any order; a time that is said twice is found.
func TestDeckOfManyTimes(t *testing.T) {
	const n = 200_000
	lines := make([]string, 0, n)
	base := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		lines = append(lines, fmt.Sprintf("44,0.01,%s", base.Add(time.Duration(i*7919%n)*time.Hour).Format(time.RFC3339)))
	}
	header := "prefix,rate,effective\n"
	d, err := routing.ReadDeck("x", strings.NewReader(header+strings.Join(lines, "\n")))
	require.NoError(t, err)
	require.Len(t, d.Rates, n)
	twice := append(lines[:1000:1000], lines[7], strings.Replace(lines[9], "0.01", "0.02", 1))
	_, err = routing.ReadDeck("x", strings.NewReader(header+strings.Join(twice, "\n")))
	require.ErrorContains(t, err, "line 1003: prefix: +44 is already in line 11")
}

// TestPreferredWithoutRoom: the tiers of a plan are in order whatever is put first.
func TestPreferredWithoutRoom(t *testing.T) {
	w := newWorld()
	p := routing.Policy{Trunks: trunks("a", "b", "c"), Rules: []routing.Rule{via("all", "a")}}
	p.Rules[0].Tiers = append(p.Rules[0].Tiers, via("", "b", "c").Tiers...)
	c := compile(t, overriding(p, routing.Prefer, "b"), w.config())
	w.full[c.ids.Trunks.ID("b")] = true
	cs, err := c.Route(monday, &outdial.Call{To: 12125550123}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a", "c"}, c.trunks(cs))
	require.Equal(t, []uint8{0, 1, 2}, []uint8{cs[0].Tier, cs[1].Tier, cs[2].Tier})
}

// TestForcedTrunkHasItsPrice: also one that the rule does not name, by the jurisdiction of the call.
func TestForcedTrunkHasItsPrice(t *testing.T) {
	p := routing.Policy{
		Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", "a")},
		Decks: []routing.Deck{{Name: "d", Rates: []routing.Rate{{Prefix: 1212, PerMinute: 100, Intrastate: 300}}}},
	}
	p.Trunks[1].Deck = "d"
	c := compile(t, overriding(p, routing.Force, "b"), routing.CompileConfig{Numbering: plan()})
	cs, err := c.Route(monday, &outdial.Call{To: 12125550123, From: 17185550100}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, c.trunks(cs))
	require.Equal(t, outdial.Micros(300), cs[0].Cost)
	require.Equal(t, outdial.Prefix(1212), cs[0].Matched)
}

// TestGlobalLPMWithoutAvoided: a trunk that carries none of the calls has no say in which prefix is the longest.
func TestGlobalLPMWithoutAvoided(t *testing.T) {
	p := decks()
	p.Rules = []routing.Rule{{Tiers: []routing.Tier{{Strategy: routing.LeastCost, LCR: routing.GlobalLPM, Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "b"}}}}}}
	p.Trunks = []routing.Trunk{{Name: "a", Deck: "long"}, {Name: "b", Deck: "short"}}
	p.Decks = []routing.Deck{
		{Name: "long", Rates: []routing.Rate{{Prefix: 1212, PerMinute: 100}}}, {Name: "short", Rates: []routing.Rate{{Prefix: 1, PerMinute: 100}}},
	}
	call := outdial.Call{To: 12125550123}
	require.Equal(t, []string{"a"}, compile(t, p, routing.CompileConfig{}).route(t, monday, call))
	require.Equal(t, []string{"b"}, compile(t, overriding(p, routing.Avoid, "a"), routing.CompileConfig{}).route(t, monday, call))
	require.Equal(t, []string{"b"}, compile(t, overriding(p, routing.Pin, "b"), routing.CompileConfig{}).route(t, monday, call))
}

// TestExploresOnlyInFront: what is marked as exploring comes first, whatever else decides who does; with what comes first by word of
// an operator nothing is learned.
func TestExploresOnlyInFront(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*routing.Policy)
		learns bool
	}{
		"direct trunks first": {func(p *routing.Policy) {
			p.Rules[0].Tiers[0].PreferDirect = true
			p.Trunks[0].Interconnect, p.Trunks[1].Interconnect = routing.Direct, routing.Direct
		}, true},
		"one direct trunk": {func(p *routing.Policy) {
			p.Rules[0].Tiers[0].PreferDirect = true
			p.Trunks[2].Interconnect = routing.Direct
		}, false},
		"penalised": {func(p *routing.Policy) { *p = overriding(*p, routing.Penalise, "a") }, true},
		"preferred": {func(p *routing.Policy) { *p = overriding(*p, routing.Prefer, "b") }, false},
		"forced":    {func(p *routing.Policy) { *p = overriding(*p, routing.Force, "b") }, false},
		"preferred of another tier": {func(p *routing.Policy) {
			p.Trunks = append(p.Trunks, routing.Trunk{Name: "z"})
			p.Rules[0].Tiers = append(p.Rules[0].Tiers, via("", "z").Tiers...)
			*p = overriding(*p, routing.Prefer, "z")
		}, false},
		"a tier before": {func(p *routing.Policy) {
			p.Trunks = append(p.Trunks, routing.Trunk{Name: "z"})
			p.Rules[0].Tiers = append(via("", "z").Tiers, p.Rules[0].Tiers...)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := contest(routing.Success{}, 1000, 1001, 1002)
			p.Exploration.Share = 0.5
			tt.change(&p)
			c := compile(t, p, newWorld().config())
			r := routing.NewRouter(c.Table)
			explored := 0
			for i := range 1000 {
				now := monday.Add(time.Duration(i) * time.Second)
				var rec outdial.Record
				call := outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}
				call.SetRecord(&rec)
				cs, err := r.Route(now, &call, nil)
				require.NoError(t, err)
				for k := range cs {
					require.False(t, k > 0 && cs[k].Explore, "candidate %d", k)
				}
				if cs[0].Explore {
					explored++
				}
				again, err := c.Replay(now, &call, rec.Readings())
				require.NoError(t, err)
				require.Equal(t, cs, again)
				r.Observe(started(i+1, cs[0], now, "US"))
			}
			require.Equal(t, tt.learns, explored > 50, "%d", explored)
			if !tt.learns {
				require.Zero(t, explored)
			}
		})
	}
}

// TestBudgetOfCallsOnTheirWay: calls that are routed at once, before the first of them has started, do not explore beyond the
// budget together; what never starts gives its part back.
func TestBudgetOfCallsOnTheirWay(t *testing.T) {
	w := newWorld()
	p := contest(routing.Success{}, 9000, 7000)
	p.Exploration = routing.Exploration{Share: 0.05, Money: 300_000}
	c := compile(t, p, w.config())
	r := routing.NewRouter(c.Table)
	w.asr[1], w.asr[2] = estimate(.5, 500), estimate(.1, 500)
	for i := range 200 {
		tell(r, i, 2, monday, i%10 == 0)
	}
	tell(r, 201, 2, monday, true)
	tell(r, 202, 2, monday, true) // much hope: a quarter of the calls
	for i := range 100 {
		r.Observe(started(1000+i, outdial.Candidate{Trunk: 1}, monday, "US"))
	}
	id, most := 2000, 0
	for round := range 100 {
		now := monday.Add(time.Duration(round) * 10 * time.Second)
		var events []*outdial.Event
		for range 100 {
			id++
			cs, err := r.Route(now, &outdial.Call{ID: outdial.CallID(id), To: 12125550123}, nil)
			require.NoError(t, err)
			if round%10 < 9 { // else they never start
				events = append(events, started(id, cs[0], now, "US"))
			}
		}
		before := r.Spent().Explored
		for _, ev := range events {
			r.Observe(ev)
		}
		s := r.Spent()
		require.LessOrEqual(t, float64(s.Explored), 0.05*float64(s.Calls), "round %d", round)
		require.LessOrEqual(t, s.Money, outdial.Micros(300_000))
		most = max(most, int(s.Explored-before))
	}
	require.Greater(t, most, 4)
	require.EqualValues(t, 42, r.Spent().Explored, "as many as the money allows, at 7,000 each")
}

// TestMoneyIsOfWholeMinutes: a carrier that bills every minute begun charges no more than the budget for short calls.
func TestMoneyIsOfWholeMinutes(t *testing.T) {
	p := contest(routing.Success{}, 10_000, 10_000)
	for i := range p.Decks {
		p.Decks[i].Rates[0].Increment = routing.Increment{First: 60, Next: 60}
	}
	p.Exploration = routing.Exploration{Share: 0.5, Money: 100_000}
	c := compile(t, p, routing.CompileConfig{})
	r := routing.NewRouter(c.Table)
	var charged outdial.Micros
	for i := range 3000 {
		now := monday.Add(time.Duration(i) * time.Second)
		cs, err := r.Route(now, &outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}, nil)
		require.NoError(t, err)
		ev := started(i+1, cs[0], now, "US")
		r.Observe(ev)
		if cs[0].Explore {
			rate, _ := c.Rate(now, cs[0].Trunk, 12125550123)
			charged += rate.Cost(5 * time.Second)
		}
		r.Observe(ended(ev, 5*time.Second))
	}
	require.Equal(t, outdial.Micros(100_000), charged)
	require.Equal(t, charged, r.Spent().Money)
}

// TestReplayWithoutMoney: trunks whose price nobody knows are not explored on a budget that is used up, in a replay neither.
func TestReplayWithoutMoney(t *testing.T) {
	p := contest(routing.Success{}, 0, 0)
	for i := range p.Trunks {
		p.Trunks[i].Deck = ""
	}
	p.Exploration = routing.Exploration{Share: 0.5, Money: -1}
	c := compile(t, p, routing.CompileConfig{})
	r := routing.NewRouter(c.Table)
	for i := range 200 {
		now := monday.Add(time.Duration(i) * time.Second)
		var rec outdial.Record
		call := outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}
		call.SetRecord(&rec)
		cs, err := r.Route(now, &call, nil)
		require.NoError(t, err)
		require.False(t, cs[0].Explore)
		r.Observe(started(i+1, cs[0], now, "US"))
		again, err := c.Replay(now, &call, rec.Readings())
		require.NoError(t, err)
		require.Equal(t, cs, again)
	}
}

// TestCountriesAreCodes: a country that no callee has would keep nobody from being called on a holiday.
func TestCountriesAreCodes(t *testing.T) {
	p := routing.Policy{Trunks: trunks("a", "b"), Rules: []routing.Rule{via("all", "a", "b")}}
	p.Admission.Blackouts = []routing.Blackout{{Weekdays: []string{"sunday"}, Countries: []string{"us", "US"}, Programs: []string{""}}}
	p.Caps = []routing.Cap{{Countries: []string{"USA"}, Share: .5}}
	_, err := routing.Compile(p, routing.CompileConfig{IDs: new(outdial.Registry), Numbering: plan()})
	require.EqualError(t, err, `routing: policy: admission.blackouts[0].programs[0]: empty name
admission.blackouts[0].countries[0]: "us" is not a country code of two capital letters
caps[0].countries[0]: "USA" is not a country code of two capital letters`)
}

// TestStartBeforeTheEpoch: a clock that is wrong does no harm.
func TestStartBeforeTheEpoch(t *testing.T) {
	c := compile(t, contest(routing.Success{}, 1, 2), routing.CompileConfig{})
	r := routing.NewRouter(c.Table)
	for _, at := range []time.Time{{}, time.Unix(-7200, 0), time.Unix(-1, 0)} {
		require.NotPanics(t, func() { r.Observe(started(1, outdial.Candidate{Trunk: 1}, at, "US")) })
	}
}

// TestCrossingAnswerIsASuccess: the carrier reached the callee, though the caller gave up at that moment.
func TestCrossingAnswerIsASuccess(t *testing.T) {
	p := contest(routing.Success{}, 9000, 7000)
	p.Exploration.Share, p.Defaults.Quality = -1, routing.QualityPrior{Strength: 2}
	w := newWorld()
	w.asr[1] = estimate(.4, 100)
	c := compile(t, p, w.config())
	r := routing.NewRouter(c.Table)
	for i := range 30 {
		ev := started(i, outdial.Candidate{Trunk: 2}, monday, "US")
		ev.Kind, ev.Attempt.State, ev.Attempt.Late = outdial.EventAnswered, outdial.AttemptAnswered, true
		ev.Attempt.Timeline.Set(outdial.MarkRinging, time.Second)
		ev.Attempt.Timeline.Set(outdial.MarkProvisional, time.Second)
		ev.Attempt.Timeline.Set(outdial.MarkAnswer, 2*time.Second)
		r.Observe(ev)
	}
	cs, err := r.Route(monday.Add(time.Minute), &outdial.Call{To: 12125550123}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a"}, c.trunks(cs))
}
