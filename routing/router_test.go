package routing_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// TestSwap replaces the table while calls are routed: every answer is wholly that of one of the tables.
func TestSwap(t *testing.T) {
	ids := new(outdial.Registry)
	var tables []*routing.Table
	var want [][]outdial.Candidate
	call := outdial.Call{To: 12125550123}
	for i := range 3 {
		p := decks()
		p.Version = fmt.Sprint(i)
		p.Rules[0].Tiers[0].Strategy = []routing.Strategy{routing.Priority, routing.LeastCost, routing.ByQuality}[i]
		for j := range p.Decks {
			p.Decks[j].Rates[0].Prefix, p.Decks[j].Rates[0].PerMinute = 12125, routing.Price(1000*(i+1)+(j+i)%3)
		}
		c := compile(t, p, routing.CompileConfig{IDs: ids})
		cs, err := c.Route(monday, &call, nil)
		require.NoError(t, err)
		tables, want = append(tables, c.Table), append(want, cs)
	}
	require.NotEqual(t, want[0], want[1])
	require.NotEqual(t, want[1], want[2])

	r := routing.NewRouter(tables[0])
	require.Same(t, tables[0], r.Table())
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dst := make([]outdial.Candidate, 0, 8)
			for seen := 0; !stop.Load() || seen < 1000; seen++ {
				mine := call
				var err error
				if _, err = r.Admit(monday, &mine); err == nil {
					dst, err = r.Route(monday, &mine, dst[:0])
				}
				if err != nil || !equalsOne(want, dst) {
					t.Errorf("%v %v", err, dst)
					return
				}
			}
		})
	}
	for i := range 2000 {
		old := r.Swap(tables[(i+1)%3])
		if old != tables[i%3] {
			t.Errorf("swap %d returned version %s", i, old.Version())
		}
	}
	stop.Store(true)
	wg.Wait()
}

func equalsOne(want [][]outdial.Candidate, got []outdial.Candidate) bool {
	for _, w := range want {
		same := len(w) == len(got)
		for i := 0; same && i < len(w); i++ {
			same = w[i] == got[i]
		}
		if same {
			return true
		}
	}
	return false
}

// TestInEngine routes a call through an Engine, which explains it.
func TestInEngine(t *testing.T) {
	p := decks()
	p.Rules[0].Tiers[0].Strategy = routing.LeastCost
	p.Admission.Deny = []outdial.Prefix{12125559}
	ids := new(outdial.Registry)
	c := compile(t, p, routing.CompileConfig{IDs: ids})
	e, err := outdial.New(outdial.Config{IDs: ids, Router: routing.NewRouter(c.Table), Explain: true})
	require.NoError(t, err)

	x := e.Explain(monday, outdial.Call{To: 12125550123})
	require.Equal(t, "alpha", x.Candidates[0].Trunk)
	require.Equal(t, outdial.Prefix(1212), x.Candidates[0].Matched)
	last := x.Candidates[len(x.Candidates)-1]
	require.Equal(t, "delta", last.Trunk)
	require.Equal(t, "left_out", last.Fate)
	require.Equal(t, outdial.ExplainedRefusal{Stage: "routing", Code: "no_rate", Text: "no rate for the number"}, *last.Refused)

	err = e.NewSession().Begin(monday, outdial.Call{To: 12125559123})
	require.ErrorIs(t, err, routing.ErrDenied)
	err = e.NewSession().Begin(monday, outdial.Call{To: 442079460000})
	require.ErrorIs(t, err, routing.ErrNoRate)
}
