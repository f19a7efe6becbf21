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
