package routing_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// contest is a policy with one cost-per-contact tier over trunks with these prices a minute.
func contest(s routing.Success, prices ...routing.Price) routing.Policy {
	p := routing.Policy{Rules: []routing.Rule{{Name: "all", Tiers: []routing.Tier{{Strategy: routing.CostPerContact, Success: s}}}}}
	for i, price := range prices {
		name := string(rune('a' + i))
		p.Trunks = append(p.Trunks, routing.Trunk{Name: name, Carrier: name, Deck: name})
		p.Decks = append(p.Decks, routing.Deck{Name: name, Rates: []routing.Rate{{PerMinute: price}}})
		p.Rules[0].Tiers[0].Trunks = append(p.Rules[0].Tiers[0].Trunks, routing.Target{Trunk: name})
	}
	p.Defaults.Quality.Strength = -1
	return p
}

// TestCostPerContact: the cheapest per success of those that are as good as the best, floors before all (ledger row 58).
func TestCostPerContact(t *testing.T) {
	for _, tc := range []struct {
		why     string
		success routing.Success
		prices  []routing.Price
		asr     []outdial.Estimate
		ner     []outdial.Estimate
		fas     []outdial.Estimate
		want    string
	}{
		{
			why: "equal success: the cheapest", prices: []routing.Price{9000, 8000, 7000},
			asr: []outdial.Estimate{estimate(.5, 1000), estimate(.5, 1000), estimate(.5, 1000)}, want: "cba",
		},
		{
			why: "ten percent less is as good", prices: []routing.Price{9000, 8000},
			asr: []outdial.Estimate{estimate(.50, 1e6), estimate(.46, 1e6)}, want: "ba",
		},
		{
			why: "more is not", prices: []routing.Price{9000, 8000},
			asr: []outdial.Estimate{estimate(.50, 1e6), estimate(.44, 1e6)}, want: "ab",
		},
		{
			why: "but one has to be sure", prices: []routing.Price{9000, 8000},
			asr: []outdial.Estimate{estimate(.50, 100), estimate(.44, 100)}, want: "ba",
		},
		{
			why: "an attempt costs: cheap and bad loses", prices: []routing.Price{9000, 7000},
			success: routing.Success{Alpha: 0.9, AttemptCost: 2000},
			asr:     []outdial.Estimate{estimate(.5, 1000), estimate(.25, 1000)}, want: "ab",
		},
		{
			why: "without that it wins", prices: []routing.Price{9000, 7000}, success: routing.Success{Alpha: 0.9},
			asr: []outdial.Estimate{estimate(.5, 1000), estimate(.25, 1000)}, want: "ba",
		},
		{
			why: "below a floor: last", prices: []routing.Price{9000, 7000}, success: routing.Success{Floors: routing.Floors{NER: 0.8}},
			asr: []outdial.Estimate{estimate(.5, 1000), estimate(.5, 1000)},
			ner: []outdial.Estimate{estimate(.9, 1000), estimate(.7, 1000)}, want: "ab",
		},
		{
			why: "answers without ringing are no success", prices: []routing.Price{9000, 7000},
			asr: []outdial.Estimate{estimate(.4, 1000), estimate(.6, 1000)},
			fas: []outdial.Estimate{estimate(0, 1000), estimate(.5, 1000)}, want: "ab",
		},
	} {
		w := newWorld()
		c := compile(t, contest(tc.success, tc.prices...), w.config())
		set := func(m outdial.Metric, es []outdial.Estimate) {
			w.measures[m] = map[outdial.TrunkID]outdial.Estimate{}
			for i, e := range es {
				w.measures[m][outdial.TrunkID(i+1)] = e
			}
		}
		set(outdial.MetricNER, tc.ner)
		set(outdial.MetricFAS, tc.fas)
		for i, e := range tc.asr {
			w.asr[outdial.TrunkID(i+1)] = e
		}
		got := ""
		for _, name := range c.route(t, monday, outdial.Call{To: 12125550123}) {
			got += name
		}
		require.Equal(t, tc.want, got, tc.why)
	}
}

// TestPropensity: the probability that is noted with the first candidate is the share of decisions in which it comes first,
// and exploring calls are marked. Over calls whose posteriors are the same, the mean of 1/p over the calls that begin with a
// trunk is the number of calls (inverse propensity).
func TestPropensity(t *testing.T) {
	w := newWorld()
	p := contest(routing.Success{AttemptCost: 2000}, 9000, 8000, 7000)
	p.Exploration.Share = 0.2
	c := compile(t, p, w.config())
	for i, mean := range []float64{.5, .45, .2} {
		w.asr[outdial.TrunkID(i+1)] = estimate(mean, 100)
	}
	r := routing.NewRouter(c.Table)
	const calls = 40_000
	var sum [4]float64
	explored := 0
	best := c.route(t, monday, outdial.Call{To: 12125550123})[0]
	for i := range calls {
		cs, err := r.Route(monday, &outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}, nil)
		require.NoError(t, err)
		require.Len(t, cs, 3)
		require.Positive(t, cs[0].Propensity)
		require.Equal(t, c.ids.Trunks.Name(cs[0].Trunk) != best, cs[0].Explore)
		require.Zero(t, cs[1].Propensity+cs[2].Propensity)
		sum[cs[0].Trunk] += 1 / cs[0].Propensity
		r.Observe(started(i+1, cs[0], monday, "US"))
		if cs[0].Explore {
			explored++
		}
	}
	for trunk, s := range sum[1:] {
		require.InEpsilon(t, calls, s, 0.1, "trunk %d: 1/p must add up to the number of calls", trunk+1)
	}
	require.Greater(t, explored, calls/20)
	require.Less(t, explored, calls/5)
}

// started is the event of an attempt that leaves.
func started(id int, c outdial.Candidate, at time.Time, country string) *outdial.Event {
	a := &outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(id), Leg: 1}, Candidate: c, Start: at, State: outdial.AttemptOpen}
	copy(a.Call.Dest.Country[:], country)
	return &outdial.Event{Kind: outdial.EventStarted, Time: at, Attempt: a}
}

// ended is the event of its end, answered for talk.
func ended(ev *outdial.Event, talk time.Duration) *outdial.Event {
	a := *ev.Attempt
	a.State, a.Result.Origin = outdial.AttemptEnded, outdial.OriginCarrier
	if talk > 0 {
		a.Timeline.Set(outdial.MarkAnswer, time.Second)
	}
	a.Timeline.Set(outdial.MarkEnd, time.Second+talk)
	return &outdial.Event{Kind: outdial.EventEnded, Time: ev.Time.Add(time.Second + talk), Attempt: &a}
}

// TestExplorationBudget: share and money are never exceeded, what failover keeps warm counts, and a replay of the events
// leaves the same.
func TestExplorationBudget(t *testing.T) {
	for _, tc := range []struct {
		budget routing.Exploration
		warm   int // every so many calls is a standby's turn
	}{
		{routing.Exploration{Share: 0.1}, 0},
		{routing.Exploration{Share: 0.1, Money: 400_000}, 0},
		{routing.Exploration{Share: 0.1, Money: -1}, 0},
		{routing.Exploration{Share: -1}, 0},
		{routing.Exploration{Share: 0.06}, 20},
	} {
		w := newWorld()
		p := contest(routing.Success{AttemptCost: 2000}, 9000, 8000, 7000)
		p.Exploration = tc.budget
		c := compile(t, p, w.config())
		for i, mean := range []float64{.5, .45, .2} {
			w.asr[outdial.TrunkID(i+1)] = estimate(mean, 20)
		}
		r, again := routing.NewRouter(c.Table), routing.NewRouter(c.Table)
		now := monday
		for i := range 20_000 {
			now = now.Add(10 * time.Second)
			cs, err := r.Route(now, &outdial.Call{ID: outdial.CallID(i + 1), To: 12125550123}, nil)
			require.NoError(t, err)
			ev := started(i+1, cs[0], now, "US")
			if tc.warm > 0 && i%tc.warm == 0 {
				ev.Attempt.Choice.Why = outdial.WhyKeepWarm
			}
			var end *outdial.Event
			if i%2 == 0 {
				end = ended(ev, time.Duration(i%90)*time.Second)
			} else {
				end = ended(ev, 0)
			}
			for _, e := range []*outdial.Event{ev, end} {
				r.Observe(e)
				replayed := *e
				replayed.Replay = true
				again.Observe(&replayed)
			}
			s := r.Spent()
			if cs[0].Explore {
				require.LessOrEqual(t, float64(s.Explored), max(tc.budget.Share, 0)*float64(s.Calls), "call %d", i)
			}
			if tc.budget.Money > 0 {
				require.LessOrEqual(t, s.Money, outdial.Micros(tc.budget.Money)+9000, "what a call costs beyond a minute may exceed it once")
			}
		}
		require.Equal(t, r.Spent(), again.Spent())
		if tc.budget.Share > 0 && tc.budget.Money >= 0 {
			require.Positive(t, r.Spent().Explored, "%+v", tc.budget)
		}
	}
}

// TestPosteriorsAreReadAnew: what was read stands for five seconds and no longer.
func TestPosteriorsAreReadAnew(t *testing.T) {
	w := newWorld()
	c := compile(t, contest(routing.Success{}, 9000, 7000), w.config())
	call := outdial.Call{To: 12125550123}
	w.asr[1], w.asr[2] = estimate(.5, 500), estimate(.5, 500)
	require.Equal(t, "b", c.route(t, monday, call)[0])
	w.asr[2] = estimate(.1, 500)
	require.Equal(t, "b", c.route(t, monday.Add(4*time.Second), call)[0])
	require.Equal(t, "a", c.route(t, monday.Add(5*time.Second), call)[0])
	require.Equal(t, "a", c.route(t, monday, call)[0], "a clock that goes back reads anew")
}

// TestReplay: a decision is repeated from its record alone, sources gone.
func TestReplay(t *testing.T) {
	w := newWorld()
	p := contest(routing.Success{AttemptCost: 1000, Floors: routing.Floors{NER: .5}}, 9000, 8000, 7000, 6000)
	p.Rules[0].Tiers[0].PreferDirect = true
	p.Trunks[3].Surcharges = []routing.Surcharge{{Above: 0.1, Fee: 5000}}
	p.Trunks[2].Interconnect = routing.Direct
	p.Rules[0].Tiers[0].Trunks[1].Pool = "sales"
	p.Exploration = routing.Exploration{Share: 0.5, Money: 1_000_000}
	p.Caps = []routing.Cap{{Carrier: "a", Share: 0.2, Least: 10}}
	p.Commits = []routing.Commit{{Trunk: "b", Minutes: 100_000}}
	c := compile(t, p, w.config())
	r := routing.NewRouter(c.Table)
	require.NoError(t, control(r, "routing.penalise", "trunk c", "prefix=+1213", time.Hour))
	quiet := compile(t, p, routing.CompileConfig{IDs: c.ids, Measures: newWorld(), Risk: newWorld()}).Table
	names := new(outdial.Registry) // of another process
	names.Trunks.Add("x", "d", "c")
	elsewhere := compile(t, p, routing.CompileConfig{IDs: names, Measures: newWorld(), Risk: newWorld()}).Table
	engine, err := outdial.New(outdial.Config{IDs: c.ids, Router: r})
	require.NoError(t, err)
	explored, capped, left := 0, 0, 0
	for i := range 3000 {
		now := monday.Add(time.Duration(i) * time.Second)
		trunk := outdial.TrunkID(i%4 + 1)
		w.asr[trunk] = estimate(float64(i*7%60)/100, float64(i%50))
		w.measures[outdial.MetricNER] = map[outdial.TrunkID]outdial.Estimate{trunk: estimate(float64(i%10)/10, 100)}
		w.measures[outdial.MetricShort] = map[outdial.TrunkID]outdial.Estimate{4: estimate(float64(i%30)/100, 100)}
		w.full[trunk] = i%5 == 0
		w.burst[trunk] = outdial.Micros(i % 3 * 1000)
		w.health[trunk] = float64(i % 3)
		w.risk[c.ids.Pools.ID("sales")] = float64(i%4) / 4
		call := outdial.Call{ID: outdial.CallID(i + 1), To: []outdial.Number{12125550123, 12135550123}[i%2]}
		rec := new(outdial.Record)
		call.SetRecord(rec)
		want, err := r.Route(now, &call, nil)
		got, gotErr := quiet.Replay(now, &call, rec.Readings())
		require.Equal(t, err, gotErr, i)
		require.Equal(t, want, got, "%d: %v", i, rec.Readings())
		left += len(rec.LeftOut())
		require.Len(t, append(rec.LeftOut(), make([]outdial.LeftOut, len(want))...), 4, "every candidate is told of")
		if i%30 == 0 { // and from the JSON of an explanation, by another process
			x := engine.Explain(now, outdial.Call{To: call.To})
			text, err := json.Marshal(x)
			require.NoError(t, err)
			var read outdial.Explanation
			require.NoError(t, json.Unmarshal(text, &read))
			at, again, readings, err := read.Recall(names)
			require.NoError(t, err)
			cs, _ := elsewhere.Replay(at, &again, readings)
			for j, k := range x.Candidates {
				if k.Fate == "left_out" {
					require.Len(t, cs, j)
					break
				}
				require.Equal(t, k.Trunk, names.Trunks.Name(cs[j].Trunk), "%d: %s", i, text)
				require.Equal(t, k.CostMicros, cs[j].Cost)
			}
		}
		if err == nil {
			if want[0].Explore {
				explored++
			}
			if want[len(want)-1].Carrier == c.ids.Carriers.ID("a") {
				capped++
			}
			r.Observe(started(i, want[0], now, "US"))
		}
	}
	require.Greater(t, explored, 20)
	require.Greater(t, capped, 20)
	require.Greater(t, left, 20)
}

// control passes a control on as an engine does.
func control(r *routing.Router, action, target, value string, ttl time.Duration) error {
	c := outdial.Control{Actor: "ops", Action: action, Target: target, Value: value, Reason: "test"}
	if ttl != 0 {
		c.Expires = monday.Add(ttl)
	}
	if err := r.CheckControl(monday, &c); err != nil {
		return err
	}
	r.Observe(&outdial.Event{Kind: outdial.EventControl, Time: monday, Control: &c})
	return nil
}

func ExampleSuccess() {
	p := contest(routing.Success{Alpha: 0.1, AttemptCost: 2000}, 9000, 7000)
	w := newWorld()
	ids := new(outdial.Registry)
	cfg := w.config()
	cfg.IDs = ids
	table, _ := routing.Compile(p, cfg)
	w.asr[ids.Trunks.ID("a")], w.asr[ids.Trunks.ID("b")] = estimate(.42, 800), estimate(.20, 800)
	plan, _ := table.Route(monday, &outdial.Call{To: 12125550123}, nil)
	fmt.Println("first", ids.Trunks.Name(plan[0].Trunk), "although", ids.Trunks.Name(plan[1].Trunk), "is cheaper")
	// Output: first a although b is cheaper
}

func ExampleFloors() {
	p := contest(routing.Success{Floors: routing.Floors{NER: 0.8, PDD: 6}}, 9000, 7000)
	w := newWorld()
	ids := new(outdial.Registry)
	cfg := w.config()
	cfg.IDs = ids
	table, _ := routing.Compile(p, cfg)
	w.measures[outdial.MetricPDD] = map[outdial.TrunkID]outdial.Estimate{
		ids.Trunks.ID("a"): {Mean: 3, Var: .1, N: 100}, ids.Trunks.ID("b"): {Mean: 9, Var: .1, N: 100},
	}
	plan, _ := table.Route(monday, &outdial.Call{To: 12125550123}, nil)
	fmt.Println(ids.Trunks.Name(plan[0].Trunk), "first: the other takes nine seconds to ring")
	// Output: a first: the other takes nine seconds to ring
}
