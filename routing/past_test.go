package routing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// TestOverrides: what each action does, who may give it, and that it ends (ledger rows 73, 85).
func TestOverrides(t *testing.T) {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "A"}, {Name: "b", Carrier: "B"}, {Name: "c", Carrier: "C"}, {Name: "d", Carrier: "D"}},
		Rules:  []routing.Rule{via("all", "a", "b", "c")},
	}
	phoenix, other := outdial.Call{To: 16025550123}, outdial.Call{To: 12125550123}
	for _, tc := range []struct {
		action, target string
		want           []string
	}{
		{"routing.avoid", "carrier A", []string{"b", "c"}},
		{"routing.penalise", "trunk a", []string{"b", "c", "a"}},
		{"routing.prefer", "trunk c", []string{"c", "a", "b"}},
		{"routing.pin", "carrier B", []string{"b"}},
		{"routing.force", "trunk d", []string{"d"}},
		{"routing.force", "trunk b", []string{"b"}},
	} {
		c := compile(t, p, routing.CompileConfig{})
		r := routing.NewRouter(c.Table)
		require.NoError(t, control(r, tc.action, tc.target, "prefix=+1602", time.Hour))
		route := func(at time.Time, call outdial.Call) []string {
			cs, err := r.Route(at, &call, nil)
			require.NoError(t, err)
			for i := 1; i < len(cs); i++ {
				require.LessOrEqual(t, cs[i-1].Tier, cs[i].Tier)
			}
			return c.trunks(cs)
		}
		require.Equal(t, tc.want, route(monday, phoenix), tc.action)
		require.Equal(t, []string{"a", "b", "c"}, route(monday, other), tc.action)
		require.Equal(t, []string{"a", "b", "c"}, route(monday.Add(time.Hour), phoenix), "%s ends", tc.action)
		require.Equal(t, "ops", r.Overrides(monday)[0].Actor)
		require.Empty(t, r.Overrides(monday.Add(time.Hour)))
		require.NoError(t, control(r, "routing.clear", tc.target, "", 0))
		require.Equal(t, []string{"a", "b", "c"}, route(monday, phoenix), "cleared")
	}

	c := compile(t, p, routing.CompileConfig{})
	r := routing.NewRouter(c.Table)
	require.NoError(t, control(r, "routing.avoid", "carrier A", "", time.Hour))
	require.NoError(t, control(r, "routing.pin", "trunk a", "", time.Hour))
	_, err := r.Route(monday, &other, nil)
	require.ErrorIs(t, err, routing.ErrPinned, "what is pinned is avoided: nobody is left")
	for want, c := range map[string]outdial.Control{
		"expires":              {Action: "routing.avoid", Target: "trunk a"},
		"the policy has no":    {Action: "routing.avoid", Target: "trunk zz", Expires: monday.Add(1)},
		"neither":              {Action: "routing.avoid", Target: "a", Expires: monday.Add(1)},
		"is none of":           {Action: "routing.explode", Target: "trunk a", Expires: monday.Add(1)},
		"is not prefix":        {Action: "routing.avoid", Target: "trunk a", Value: "colour=red", Expires: monday.Add(1)},
		"want prefix=":         {Action: "routing.avoid", Target: "trunk a", Value: "prefix", Expires: monday.Add(1)},
		"not a digit":          {Action: "routing.avoid", Target: "trunk a", Value: "prefix=x", Expires: monday.Add(1)},
		"no policy to go back": {Action: "routing.rollback"},
	} {
		require.ErrorContains(t, r.CheckControl(monday, &c), want)
	}
	require.NoError(t, r.CheckControl(monday, &outdial.Control{Action: "trunk.drain"}))
}

// TestPastIsAFold: through an engine and its journal, a router that replays the events knows what the live one does.
func TestPastIsAFold(t *testing.T) {
	ids := new(outdial.Registry)
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "A"}, {Name: "b", Carrier: "B"}}, Rules: []routing.Rule{via("all", "a", "b")},
		Caps: []routing.Cap{{Carrier: "A", Countries: []string{"US"}, Share: 0.6, Least: 10}},
	}
	var journal memoryJournal
	live := routing.NewRouter(compile(t, p, routing.CompileConfig{IDs: ids}).Table)
	engine, err := outdial.New(outdial.Config{IDs: ids, Numbering: plan(), Router: live, Journal: &journal})
	require.NoError(t, err)
	require.NoError(t, engine.Control(monday, outdial.Control{
		Actor: "ops", Action: "routing.penalise", Target: "trunk a", Value: "prefix=+1213", Reason: "noise", Expires: monday.Add(time.Hour),
	}))
	now, s := monday, engine.NewSession()
	onA := 0
	const calls = 400
	for i := range calls {
		now = now.Add(time.Minute / 4)
		require.NoError(t, s.Begin(now, outdial.Call{To: []outdial.Number{12125550123, 12135550123}[i%10/9]}))
		step, err := s.Next(now)
		require.NoError(t, err)
		if ids.Carriers.Name(step.Attempt.Candidate.Carrier) == "A" {
			onA++
		}
		res := outdial.Result{Origin: outdial.OriginCarrier, Code: 486}
		if i%7 == 0 {
			res = outdial.Result{Origin: outdial.OriginNeverSent}
		}
		require.NoError(t, s.End(now.Add(time.Second), step.Attempt.ID, res))
	}
	require.InDelta(t, 0.6*calls, onA, 15, "no carrier above its share, but for what did not leave")

	again := routing.NewRouter(compile(t, p, routing.CompileConfig{IDs: ids}).Table)
	for i := range journal {
		ev := journal[i]
		ev.Replay = true
		again.Observe(&ev)
	}
	require.Equal(t, live.Spent(), again.Spent())
	require.Equal(t, live.Overrides(now), again.Overrides(now))
	for i := range 50 {
		call := outdial.Call{ID: outdial.CallID(i), To: 12125550123, Dest: plan().Locate(now, 12125550123)}
		want, err1 := live.Route(now, &call, nil)
		got, err2 := again.Route(now, &call, nil)
		require.Equal(t, err1, err2)
		require.Equal(t, want, got)
	}
}

// memoryJournal keeps events.
type memoryJournal []outdial.Event

func (j *memoryJournal) Append(ev *outdial.Event) error {
	ev.Seq = uint64(len(*j) + 1)
	kept := *ev
	if ev.Attempt != nil {
		a := *ev.Attempt
		kept.Attempt = &a
	}
	*j = append(*j, kept)
	return nil
}

func (j *memoryJournal) Replay(after uint64, fn func(*outdial.Event) error) error {
	for i := range *j {
		if ev := (*j)[i]; ev.Seq > after {
			ev.Replay = true
			if err := fn(&ev); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestCommit: a volume that is paid for is used before a cheaper price while the month is ahead of it.
func TestCommit(t *testing.T) {
	p := routing.Policy{
		Trunks: []routing.Trunk{{Name: "a", Carrier: "A", Deck: "a"}, {Name: "b", Carrier: "B", Deck: "b"}},
		Decks: []routing.Deck{
			{Name: "a", Rates: []routing.Rate{{PerMinute: 4000}}}, {Name: "b", Rates: []routing.Rate{{PerMinute: 9000}}},
		},
		Rules: []routing.Rule{{Tiers: []routing.Tier{{
			Strategy: routing.LeastCost, Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "b"}},
		}}}},
		Commits: []routing.Commit{{Carrier: "B", Minutes: 3100}}, // 100 a day in March
	}
	c := compile(t, p, routing.CompileConfig{})
	r := routing.NewRouter(c.Table)
	first := func(at time.Time) string {
		cs, err := r.Route(at, &outdial.Call{To: 12125550123}, nil)
		require.NoError(t, err)
		return c.trunks(cs)[0]
	}
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) // a day and a half gone: 150 minutes
	require.Equal(t, "b", first(noon))
	b := outdial.Candidate{Trunk: c.ids.Trunks.ID("b"), Carrier: c.ids.Carriers.ID("B")}
	start := started(1, b, noon.Add(-160*time.Minute), "US")
	r.Observe(start)
	r.Observe(ended(start, 149*time.Minute))
	require.Equal(t, "b", first(noon))
	start = started(2, b, noon.Add(-5*time.Minute), "US")
	r.Observe(start)
	r.Observe(ended(start, 2*time.Minute))
	require.Equal(t, "a", first(noon), "the month's pace is met")
	require.Equal(t, "b", first(noon.AddDate(0, 1, 0)), "another month")
}

func TestRollback(t *testing.T) {
	ids := new(outdial.Registry)
	table := func(version, trunk string) *routing.Table {
		return compile(t, routing.Policy{Version: version, Trunks: trunks(trunk), Rules: []routing.Rule{via("all", trunk)}},
			routing.CompileConfig{IDs: ids}).Table
	}
	r := routing.NewRouter(table("1", "a"))
	_, ok := r.Rollback()
	require.False(t, ok)
	r.Swap(table("2", "b"))
	r.Swap(table("3", "c"))
	got, ok := r.Rollback()
	require.True(t, ok)
	require.Equal(t, "2", got.Version())
	require.NoError(t, control(r, "routing.rollback", "", "", 0))
	require.Equal(t, "1", r.Table().Version())
	require.Error(t, control(r, "routing.rollback", "", "", 0))
	for i := range 20 {
		r.Swap(table(string(rune('a'+i)), "a"))
	}
	n := 0
	for ; ; n++ {
		if _, ok := r.Rollback(); !ok {
			break
		}
	}
	require.Equal(t, 8, n)
}

func TestShadow(t *testing.T) {
	ids := new(outdial.Registry)
	p := contest(routing.Success{}, 9000, 8000)
	live := compile(t, p, routing.CompileConfig{IDs: ids})
	p.Version = "next"
	p.Rules[0].Tiers[0] = routing.Tier{Trunks: []routing.Target{{Trunk: "a"}, {Trunk: "b"}}}
	p.Rules = append(p.Rules, routing.Rule{Prefixes: []outdial.Prefix{44}, Block: true})
	next := compile(t, p, routing.CompileConfig{IDs: ids})
	r := routing.NewRouter(live.Table)
	_, ok := r.ShadowReport()
	require.False(t, ok)
	r.SetShadow(next.Table)
	for i := range 10 {
		cs, err := r.Route(monday, &outdial.Call{ID: outdial.CallID(i), To: []outdial.Number{12125550123, 442079460123}[i%5/4]}, nil)
		require.NoError(t, err)
		require.Equal(t, "b", ids.Trunks.Name(cs[0].Trunk), "it has no effect")
	}
	got, ok := r.ShadowReport()
	require.True(t, ok)
	require.Equal(t, routing.ShadowReport{Version: "next", Calls: 10, Moved: 8, Refused: 2, Live: 8 * 8000, Shadow: 8 * 9000}, got)
	r.SetShadow(nil)
	_, ok = r.ShadowReport()
	require.False(t, ok)
}
