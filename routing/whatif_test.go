package routing_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// whatIfWorld is two policies over three trunks: by price, and as written.
func whatIfWorld(t testing.TB) (ids *outdial.Registry, live, other *routing.Table) {
	ids = new(outdial.Registry)
	p := contest(routing.Success{}, 9000, 7000, 8000)
	p.Rules[0].Tiers[0].Strategy = routing.LeastCost
	p.Version = "by price"
	live = compile(t, p, routing.CompileConfig{IDs: ids}).Table
	p.Rules[0].Tiers[0].Strategy, p.Version = routing.Priority, "as written"
	p.Rules = append(p.Rules, routing.Rule{Prefixes: []outdial.Prefix{44}, Block: true})
	other = compile(t, p, routing.CompileConfig{IDs: ids}).Table
	return ids, live, other
}

func TestWhatIf(t *testing.T) {
	ids, live, other := whatIfWorld(t)
	w, err := routing.NewWhatIf(live, other)
	require.NoError(t, err)
	b := ids.Trunks.ID("b")
	for i := range 100 {
		ev := started(i, outdial.Candidate{Trunk: b, Cost: 7000}, monday.Add(time.Duration(i)*time.Second), "US")
		ev.Attempt.Call.To = 12125550123
		if i%10 == 0 {
			ev.Attempt.Call.To = 442079460123
		}
		w.Observe(ev)
		w.Observe(ended(ev, time.Duration(i%2)*90*time.Second))
	}
	same, moved := w.Policies()[0], w.Policies()[1]
	require.Equal(t, int64(100), same.Calls)
	require.Zero(t, same.Moved+same.Refused+same.Unrated)
	require.Equal(t, int64(50), same.Answered)
	require.Equal(t, outdial.Micros(50*10_500), same.Cost)
	ratio, effective, ok := same.Answers()
	require.True(t, ok)
	require.InDelta(t, 0.5, ratio, 1e-9)
	require.InDelta(t, 100, effective, 1e-9)

	require.Equal(t, int64(10), moved.Refused)
	require.Equal(t, int64(90), moved.Moved)
	require.Equal(t, map[[2]outdial.TrunkID]int64{{b, ids.Trunks.ID("a")}: 90}, moved.Moves)
	require.Equal(t, outdial.Micros(50*13_500), moved.Cost)
	_, _, ok = moved.Answers()
	require.False(t, ok, "it never agrees with what was done")

	_, err = routing.NewWhatIf()
	require.Error(t, err)
	_, err = routing.NewWhatIf(live, compile(t, contest(routing.Success{}, 1), routing.CompileConfig{}).Table)
	require.ErrorContains(t, err, "tables[1]")
}

// TestWhatIfLaterAttempts: the time of a call that another attempt answered costs too; an attempt that never left is none; of
// calls that nobody answered nothing is kept.
func TestWhatIfLaterAttempts(t *testing.T) {
	ids, live, other := whatIfWorld(t)
	w, err := routing.NewWhatIf(live, other)
	require.NoError(t, err)
	a, b := ids.Trunks.ID("a"), ids.Trunks.ID("b")
	leg := func(call, n int, trunk outdial.TrunkID, at time.Duration, origin outdial.Origin, talk time.Duration) (start, end *outdial.Event) {
		start = started(call, outdial.Candidate{Trunk: trunk}, monday.Add(at), "US")
		start.Attempt.ID.Leg, start.Attempt.Call.To = uint8(n), 12125550123
		end = ended(start, talk)
		end.Attempt.Result.Origin = origin
		return start, end
	}
	tell := func(events ...*outdial.Event) {
		for _, ev := range events {
			w.Observe(ev)
		}
	}
	s1, e1 := leg(1, 1, b, 0, outdial.OriginCarrier, 0)
	s2, e2 := leg(1, 2, a, 2*time.Second, outdial.OriginCarrier, 0)
	s3, e3 := leg(1, 3, a, 5*time.Second, outdial.OriginCarrier, time.Hour)
	tell(s1, s2, e1, e2, s3)
	for i := range 100 { // meanwhile others are tried in vain
		s, e := leg(1000+i, 1, b, time.Duration(i)*10*time.Second, outdial.OriginCarrier, 0)
		tell(s, e)
	}
	tell(e3)
	s1, e1 = leg(2, 1, a, 0, outdial.OriginNeverSent, 0)
	s2, e2 = leg(2, 2, b, 2*time.Second, outdial.OriginCarrier, time.Minute)
	tell(s1, e1, s2, e2)

	same, moved := w.Policies()[0], w.Policies()[1]
	require.EqualValues(t, 102, same.Calls)
	require.Zero(t, same.Moved)
	require.EqualValues(t, 2, same.Answered)
	require.Equal(t, outdial.Micros(61*7000), same.Cost)
	require.Equal(t, outdial.Micros(61*9000), moved.Cost)
	ratio, n, _ := same.Answers()
	require.InDelta(t, 1./102, ratio, 1e-9, "of first attempts")
	require.InDelta(t, 102, n, 1e-9)
}

// TestWhatIfAdmission: a policy that admits fewer calls refuses them, in the shadow too; a suppression list is not asked again.
func TestWhatIfAdmission(t *testing.T) {
	ids := new(outdial.Registry)
	p := contest(routing.Success{}, 9000, 8000)
	live := compile(t, p, routing.CompileConfig{IDs: ids, Suppressor: suppression{}}).Table
	p.Admission = routing.Admission{Deny: []outdial.Prefix{1212}}
	strict := compile(t, p, routing.CompileConfig{IDs: ids, Suppressor: suppression{broken: 13125550123}}).Table
	w, err := routing.NewWhatIf(live, strict)
	require.NoError(t, err)
	r, back := routing.NewRouter(live), routing.NewRouter(strict)
	r.SetShadow(strict)
	back.SetShadow(live)
	for i, to := range []outdial.Number{12125550123, 13125550123, 13125550123} {
		ev := started(i, outdial.Candidate{Trunk: ids.Trunks.ID("b")}, monday, "US")
		ev.Attempt.Call.To = to
		w.Observe(ev)
		w.Observe(ended(ev, time.Minute))
		for _, router := range []*routing.Router{r, back} {
			call := outdial.Call{ID: outdial.CallID(i + 1), To: to}
			if _, err := router.Admit(monday, &call); err == nil {
				_, err = router.Route(monday, &call, nil)
				require.NoError(t, err)
			}
		}
	}
	require.Zero(t, w.Policies()[0].Refused)
	require.EqualValues(t, 1, w.Policies()[1].Refused)
	report, _ := r.ShadowReport()
	require.Equal(t, routing.ShadowReport{Calls: 3, Same: 2, Refused: 1, Live: 16_000, Shadow: 16_000}, report)
	report, _ = back.ShadowReport()
	require.EqualValues(t, 3, report.Calls)
	require.EqualValues(t, 1, report.Admitted)
	require.EqualValues(t, 2, report.Same, "the list of the policy in force does not answer: that is not the policy's")
}

// TestWhatIfTogether: policies that are judged together say what each says alone, whether or not they have the same decks.
func TestWhatIfTogether(t *testing.T) {
	ids := new(outdial.Registry)
	p, ps := market(500, routing.LeastCost)
	tables := []*routing.Table{compile(t, p, routing.CompileConfig{IDs: ids}).Table}
	p.Rules[0].Tiers[0].Strategy = routing.CostPerContact
	tables = append(tables, compile(t, p, routing.CompileConfig{IDs: ids}).Table)
	p.Rules[0].Tiers[0].Strategy, p.Rules[0].Tiers[0].Trunks = routing.LeastCost, p.Rules[0].Tiers[0].Trunks[3:]
	tables = append(tables, compile(t, p, routing.CompileConfig{IDs: ids}).Table)
	p.Decks[5].Rates = p.Decks[5].Rates[:100]
	tables = append(tables, compile(t, p, routing.CompileConfig{IDs: ids}).Table)
	judge := func(tables ...*routing.Table) (all []*routing.WhatIfPolicy) {
		w, err := routing.NewWhatIf(tables...)
		require.NoError(t, err)
		for i, to := range numbers(ps, 2000, 4) {
			for _, ev := range recordedCall(i, to) {
				w.Observe(&ev)
			}
		}
		return w.Policies()
	}
	p.Admission.Deny = []outdial.Prefix{0}
	none := compile(t, p, routing.CompileConfig{IDs: ids}).Table
	for i, got := range judge(tables[0], none, tables[1], none, none, tables[2], tables[3]) {
		if i = []int{0, -1, 1, -1, -1, 2, 3}[i]; i < 0 {
			require.Equal(t, got.Calls, got.Refused)
			continue
		}
		alone := judge(tables[i])[0]
		require.Equal(t, alone.Moves, got.Moves)
		require.Equal(t, alone.Cost, got.Cost)
		require.Equal(t, alone.Unrated, got.Unrated)
	}
}

// TestWhatIfEstimatesAnswers: from calls that were spread with known probabilities, the answer ratio of another policy is
// found: the truth lies within four standard errors of a sample of the effective size.
func TestWhatIfEstimatesAnswers(t *testing.T) {
	ids, live, other := whatIfWorld(t)
	w, err := routing.NewWhatIf(live, other)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(3, 0))
	truth := map[string]float64{"a": .6, "b": .3, "c": .1}
	chance := map[string]float64{"a": .1, "b": .7, "c": .2}
	for i := range 20_000 {
		name, x := "a", r.Float64()
		if x > .1 {
			name = "b"
		}
		if x > .8 {
			name = "c"
		}
		ev := started(i, outdial.Candidate{Trunk: ids.Trunks.ID(name), Propensity: chance[name]}, monday, "US")
		ev.Attempt.Call.To = 12125550123
		w.Observe(ev)
		talk := time.Duration(0)
		if r.Float64() < truth[name] {
			talk = time.Minute
		}
		w.Observe(ended(ev, talk))
	}
	for i, name := range []string{"b", "a"} {
		ratio, n, ok := w.Policies()[i].Answers()
		require.True(t, ok)
		require.InDelta(t, truth[name], ratio, 4*.5/sqrt(n))
	}
}

func sqrt(x float64) (y float64) {
	for y = 1; y*y < x; y++ {
	}
	return y - 1
}

func ExampleWhatIf() {
	ids := new(outdial.Registry)
	p := contest(routing.Success{}, 9000, 7000)
	p.Rules[0].Tiers[0].Strategy = routing.LeastCost
	table, _ := routing.Compile(p, routing.CompileConfig{IDs: ids})
	w, _ := routing.NewWhatIf(table)
	call := started(1, outdial.Candidate{Trunk: ids.Trunks.ID("a"), Cost: 9000}, monday, "US") // from a journal: cdr.Journal.Replay
	call.Attempt.Call.To = 12125550123
	w.Observe(call)
	w.Observe(ended(call, time.Minute))
	fmt.Println(w.Policies()[0].Moved, "would move; cost", w.Policies()[0].Cost)
	// Output: 1 would move; cost 7000
}

func ExampleWhatIfPolicy() {
	ids := new(outdial.Registry)
	p := contest(routing.Success{}, 9000, 7000)
	table, _ := routing.Compile(p, routing.CompileConfig{IDs: ids})
	w, _ := routing.NewWhatIf(table)
	_, _, ok := w.Policies()[0].Answers()
	fmt.Println("enough calls to tell:", ok)
	// Output: enough calls to tell: false
}
