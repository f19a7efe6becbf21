package routing_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/cdr"
	"github.com/outdial/outdial/routing"
)

// house is a process: an engine whose router goes by what kpi and it itself have seen, over a journal on disk. Its registry has the
// trunks in some order of its own.
type house struct {
	*outdial.Engine
	ids     *outdial.Registry
	plan    *outdial.NumberingPlan
	router  *routing.Router
	meter   *kpi.Meter
	journal *cdr.Journal
}

func newHouse(t *testing.T, dir string, first int) *house {
	t.Helper()
	h := &house{ids: new(outdial.Registry)}
	for i := range 4 {
		h.ids.Trunks.ID(string(rune('a' + (first+i)%4)))
	}
	var err error
	h.plan, err = outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: h.ids})
	require.NoError(t, err)
	h.meter, err = kpi.New(kpi.Config{IDs: h.ids})
	require.NoError(t, err)
	p := contest(routing.Success{AttemptCost: 2000}, 9000, 8000, 7000, 8500)
	p.Defaults.Quality.Strength = 0
	h.router = routing.NewRouter(compile(t, p, routing.CompileConfig{IDs: h.ids, Quality: h.meter, Measures: h.meter}).Table)
	h.journal, _, err = cdr.Open(cdr.Config{Dir: dir, IDs: h.ids})
	require.NoError(t, err)
	h.Engine, err = outdial.New(outdial.Config{
		IDs: h.ids, Numbering: h.plan, Router: h.router, Observers: []outdial.Observer{h.meter}, Journal: h.journal,
	})
	require.NoError(t, err)
	return h
}

// judgement is what a call at now would be given, and everything that was read for it.
func (h *house) judgement(t *testing.T, now time.Time, id int, to outdial.Number) (all []string) {
	t.Helper()
	rec := new(outdial.Record)
	call := outdial.Call{ID: outdial.CallID(id), To: to, Dest: h.plan.Locate(now, to)}
	call.SetRecord(rec)
	cs, err := h.router.Route(now, &call, nil)
	require.NoError(t, err)
	for _, c := range cs {
		all = append(all, fmt.Sprint(h.ids.Trunks.Name(c.Trunk), c.Tier, c.Cost, c.Propensity, c.Explore))
	}
	for _, r := range rec.Readings() {
		all = append(all, fmt.Sprint(h.ids.Trunks.Name(r.Trunk), r.Name, r.Value, r.Text))
	}
	return all
}

// TestRestartWithoutSnapshot: a router that has lost its snapshot is told all of the journal, also where kpi has its own and is told the
// tail: it judges every trunk as the one that ran on, those that it has hardly seen and those that have changed before kpi's
// window began.
func TestRestartWithoutSnapshot(t *testing.T) {
	dir := t.TempDir()
	live := newHouse(t, dir, 0)
	now, rnd := monday, rand.New(rand.NewPCG(3, 1))
	tos := []outdial.Number{12125550123, 13125550123, 442079460000}
	tried := map[string]int{}
	var mark outdial.Waterline
	var saved, savedMeter []byte
	s := live.NewSession()
	const calls = 600
	for i := range calls {
		now = now.Add(time.Duration(20+rnd.IntN(30)) * time.Second)
		require.NoError(t, s.Begin(now, outdial.Call{To: tos[i%len(tos)]}))
		step, err := s.Next(now)
		require.NoError(t, err)
		a := step.Attempt
		name := live.ids.Trunks.Name(a.Candidate.Trunk)
		tried[name]++
		ratio := map[string]float64{"a": 0.4, "b": 0.45, "c": 0.5, "d": 0.3}[name]
		if i > calls/4 && name == "c" {
			ratio = 0.05
		}
		switch {
		case i == calls-1: // the crash comes before its end
		case rnd.Float64() < ratio:
			require.NoError(t, s.Progress(now.Add(2*time.Second), a.ID, outdial.ProgressOf(180, false)))
			_, err := s.Answer(now.Add(9*time.Second), a.ID)
			require.NoError(t, err)
			require.NoError(t, s.End(now.Add(70*time.Second), a.ID, outdial.Result{Origin: outdial.OriginCarrier, Code: 200}))
		default:
			require.NoError(t, s.End(now.Add(time.Second), a.ID, outdial.Result{Origin: outdial.OriginCarrier, Code: 503}))
		}
		if i == calls/2 {
			live.Checkpoint(func(m outdial.Waterline) {
				mark = m
				saved, err = live.router.Save(m.Seq)
				require.NoError(t, err)
				savedMeter, err = live.meter.Save(m.Seq)
				require.NoError(t, err)
			})
		}
	}
	require.NoError(t, live.journal.Close())
	require.NotZero(t, tried["d"])
	require.Less(t, tried["d"], 40, "so few that the router goes by its own count, where kpi goes by all traffic")

	now = now.Add(time.Minute)
	for _, tc := range []struct {
		name          string
		router, meter bool // restored from its snapshot
	}{{"none", false, false}, {"meter", false, true}, {"router", true, false}, {"both", true, true}} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t, dir, 2)
			early := now.Add(-time.Minute)
			require.NotEqual(t, live.judgement(t, early, 1, tos[0]), h.judgement(t, early, 1, tos[0]), "it knows nothing yet")
			if tc.router {
				require.NoError(t, h.router.Restore(saved))
			}
			if tc.meter {
				require.NoError(t, h.meter.Restore(savedMeter))
			}
			_, err := h.RecoverFrom(now, mark)
			require.NoError(t, err)
			require.NoError(t, h.journal.Close())
			require.Equal(t, tc.router, h.router.Resumed() != 0)
			require.Equal(t, live.router.Spent(), h.router.Spent())
			for i := range 60 {
				at, to := now.Add(time.Duration(i)*time.Minute), tos[i%len(tos)]
				require.Equal(t, live.judgement(t, at, i+1, to), h.judgement(t, at, i+1, to))
			}
		})
	}
}
