package main

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/routing"
)

// ours is a routing.Router that learns from events, and a kpi.Meter over twelve hours.
type ours struct {
	router *routing.Router
	meter  *kpi.Meter
	groups []outdial.GroupID
	open   map[int]*outdial.Attempt
	plan   []outdial.Candidate
	broken int // times that the budget of exploration was exceeded
}

func newOurs(prefixes int) (*ours, error) {
	ids := new(outdial.Registry)
	o := &ours{open: map[int]*outdial.Attempt{}}
	var err error
	if o.meter, err = kpi.New(kpi.Config{
		IDs: ids, Window: 12 * time.Hour, Buckets: 48,
		Views: []kpi.View{kpi.Total, kpi.ByTrunk, kpi.ByTrunk | kpi.ByGroup},
	}); err != nil {
		return nil, err
	}
	p := routing.Policy{Version: "routesim", Rules: []routing.Rule{{Name: "all", Tiers: []routing.Tier{{
		Strategy: routing.CostPerContact, Success: routing.Success{AttemptCost: routing.Price(attemptCost * 1e6)},
	}}}}}
	p.Defaults.Quality.Strength = 1
	for c := range carriers {
		name := string(rune('A' + c))
		p.Trunks = append(p.Trunks, routing.Trunk{Name: name, Carrier: name, Deck: name})
		p.Decks = append(p.Decks, routing.Deck{Name: name, Rates: []routing.Rate{{PerMinute: routing.Price(prices[c]*1e6 + .5)}}})
		p.Rules[0].Tiers[0].Trunks = append(p.Rules[0].Tiers[0].Trunks, routing.Target{Trunk: name})
	}
	t, err := routing.Compile(p, routing.CompileConfig{IDs: ids, Quality: o.meter, Measures: o.meter})
	if err != nil {
		return nil, err
	}
	o.router = routing.NewRouter(t)
	for i := range prefixes {
		o.groups = append(o.groups, ids.Groups.ID(fmt.Sprint(i)))
	}
	return o, nil
}

func (o *ours) pick(now time.Time, call, prefix int) (int, bool) {
	a := &outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(call + 1), Leg: 1}, Start: now, State: outdial.AttemptOpen}
	a.Call = outdial.Call{
		ID: a.ID.Call, To: outdial.Number(12000000000 + uint64(prefix)*10_000_000 + uint64(call)%10_000_000), Begun: now,
		Dest: outdial.Destination{Country: [2]byte{'U', 'S'}, Group: o.groups[prefix]},
	}
	var err error
	if o.plan, err = o.router.Route(now, &a.Call, o.plan[:0]); err != nil {
		panic(err) // the rule routes every number
	}
	a.Candidate = o.plan[0]
	o.tell(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: a})
	if s := o.router.Spent(); a.Candidate.Explore && float64(s.Explored) > 0.05*float64(s.Calls) {
		o.broken++
	}
	o.open[call] = a
	return int(a.Candidate.Trunk) - 1, a.Candidate.Explore
}

func (o *ours) learn(out outcome) {
	a := o.open[out.call]
	delete(o.open, out.call)
	at := out.known.Sub(out.start)
	if !out.false {
		a.Timeline.Set(outdial.MarkProvisional, 2*time.Second)
		a.Timeline.Set(outdial.MarkRinging, 2*time.Second)
	}
	if out.looksAnswered() {
		a.Timeline.Set(outdial.MarkAnswer, at)
		a.State = outdial.AttemptAnswered
		o.tell(&outdial.Event{Kind: outdial.EventAnswered, Time: out.known, Attempt: a})
		at += talk
	}
	a.State, a.Result = outdial.AttemptEnded, outdial.Result{Origin: outdial.OriginCarrier, Code: 480, Cause: outdial.Cause{Value: 19}}
	a.Timeline.Set(outdial.MarkEnd, at)
	o.tell(&outdial.Event{Kind: outdial.EventEnded, Time: out.start.Add(at), Attempt: a})
}

func (o *ours) tell(ev *outdial.Event) {
	o.meter.Observe(ev)
	o.router.Observe(ev)
}
