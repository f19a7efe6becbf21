package cli_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/kpi/cdr"
)

// TestCapTrial lets 64 goroutines ask for numbers by clocks that run late and step back, and writes every use, and what was taken
// back, to a journal on disk. Afterwards the journal alone is read, and every window of every number in it is checked: no cap is
// exceeded, and what the caps allow was granted. 4,000 tries each; a million with OUTDIAL_TRIALS=1.
func TestCapTrial(t *testing.T) {
	tries := int64(4_000)
	if os.Getenv("OUTDIAL_TRIALS") != "" {
		tries = 1_000_000
	}
	const workers, numbers, seed, span = 64, 500, 6, 47 * time.Hour
	t.Log("seed", seed)
	ids := new(outdial.Registry)
	cfg := survey(ids)
	caps := []cli.Cap{{5, time.Minute}, {20, time.Hour}, {100, 24 * time.Hour}}
	cfg.Limits = cli.Limits{Caps: caps, Spacing: 2 * time.Second}
	cfg.Callee, cfg.Sticky.Mode = []cli.Cap{}, cli.StickyOff
	for i := range numbers {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(200+i%50, i))...)
	}
	g := mustNew(t, cfg)
	g.Advance(t0)
	dir := t.TempDir()
	j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	require.NoError(t, err)
	var (
		wg   sync.WaitGroup
		tick atomic.Int64
	)
	step := span / time.Duration(workers*tries)
	for w := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			call := callTo(ids, "survey", 0)
			for range tries {
				told := t0.Add(time.Duration(tick.Add(1)) * step)
				switch rng.IntN(1000) {
				case 0:
					told = told.Add(-time.Duration(rng.IntN(7200)) * time.Second)
				default:
					told = told.Add(-time.Duration(rng.IntN(1000)) * time.Millisecond)
				}
				call.To = num(200+rng.IntN(50), 100_000+rng.IntN(50_000))
				p, _, err := g.Reserve(told, call, &outdial.Candidate{}, 0)
				switch {
				case err == nil:
					err = used(j, g, told, call, &p, rng.IntN(50) == 0)
				case errors.Is(err, cli.ErrCaps):
					err = nil
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, j.Close())
	granted, undone := usesOf(t, dir)
	total := 0
	for n, uses := range granted {
		total += len(uses)
		for _, c := range append([]cli.Cap{{1, 2 * time.Second}}, caps...) {
			require.LessOrEqual(t, most(uses, c.Window), c.Max, "%v in %v", n, c.Window)
		}
	}
	capacity := 2 * 100 * numbers // in 47 hours two days' worth begin
	t.Log(total, "granted of", capacity, "-", undone, "undone")
	require.LessOrEqual(t, total, capacity)
	require.GreaterOrEqual(t, total, capacity*99/100, "nothing starves; what was undone may be allowed a little later")
}

// used writes a use to a journal, at the time that it was counted at, and ends it: taken back if it never left.
func used(j *cdr.Journal, g *cli.Governor, now time.Time, call *outdial.Call, p *outdial.Presentation, unsent bool) error {
	a := outdial.Attempt{
		ID: outdial.AttemptID{Call: outdial.CallID(p.Lease), Leg: 1}, Call: *call, CLI: p.Number, Pool: p.Pool, Start: cli.Stamp(g, p.Lease),
	}
	if err := j.Append(&outdial.Event{Kind: outdial.EventStarted, Time: a.Start, Attempt: &a}); err != nil {
		return err
	}
	if a.State, a.Result = outdial.AttemptEnded, busy; unsent {
		g.Undo(now, p.Lease)
		a.Result = outdial.Result{Origin: outdial.OriginNeverSent}
	} else {
		g.Release(now, p.Lease)
	}
	return j.Append(&outdial.Event{Kind: outdial.EventEnded, Time: a.Start, Attempt: &a})
}

// usesOf reads a journal: when each number was used, and how many uses were taken back.
func usesOf(t *testing.T, dir string) (granted map[outdial.Number][]time.Time, undone int) {
	type use struct {
		number outdial.Number
		at     time.Time
	}
	open := map[outdial.AttemptID]use{}
	granted = map[outdial.Number][]time.Time{}
	j, recovery, err := cdr.Open(cdr.Config{Dir: dir, IDs: new(outdial.Registry)})
	require.NoError(t, err)
	require.Zero(t, recovery.Cut)
	require.NoError(t, j.Replay(0, func(ev *outdial.Event) error {
		a := ev.Attempt
		switch {
		case ev.Kind == outdial.EventStarted:
			require.NotContains(t, open, a.ID)
			open[a.ID] = use{a.CLI, a.Start}
		case a.Result.Origin == outdial.OriginNeverSent:
			undone++
			delete(open, a.ID)
		default:
			granted[open[a.ID].number] = append(granted[open[a.ID].number], open[a.ID].at)
			delete(open, a.ID)
		}
		return nil
	}))
	require.Empty(t, open)
	require.NoError(t, j.Close())
	return granted, undone
}

// most is the most uses in any half-open window of a length.
func most(uses []time.Time, window time.Duration) int {
	slices.SortFunc(uses, time.Time.Compare)
	n, from := 0, 0
	for to := range uses {
		for !uses[from].Add(window).After(uses[to]) {
			from++
		}
		n = max(n, to-from+1)
	}
	return n
}

// TestCrashTrial dies at a random point between any two steps of a call, 50 times (1,000 with OUTDIAL_TRIALS=1), and recovers
// from a checkpoint somewhere before and the journal since: no use that a carrier saw is missing, and no more are
// counted than were in flight. What dies in earnest is the process of TestKillTrial.
func TestCrashTrial(t *testing.T) {
	trials := 50
	if os.Getenv("OUTDIAL_TRIALS") != "" {
		trials = 1000
	}
	for trial := range trials {
		rng := rand.New(rand.NewPCG(uint64(trial), 9))
		ids := new(outdial.Registry)
		cfg := survey(ids)
		cfg.Secret = []byte("0123456789abcdef")
		for i := range 20 {
			cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, i))...)
		}
		j := &journal{}
		engine := func(g *cli.Governor) *outdial.Engine {
			e, err := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t")}}, CLIs: g, Journal: j})
			require.NoError(t, err)
			return e
		}
		g := mustNew(t, cfg)
		e := engine(g)
		seen := map[outdial.Number]int{}
		var file []byte
		var mark outdial.Waterline
		open := map[*outdial.Session]*outdial.Attempt{}
		now, sum := t0, 0
		for steps := rng.IntN(400); steps > 0; steps-- {
			now = now.Add(time.Duration(rng.IntN(20)) * time.Second)
			switch k := rng.IntN(10); {
			case k == 0:
				e.Checkpoint(func(m outdial.Waterline) {
					var err error
					file, err = g.Save(m.Seq)
					require.NoError(t, err)
					mark = m
				})
			case k < 6:
				s := e.NewSession()
				if s.Begin(now, outdial.Call{To: num(300, rng.IntN(90_000)), Program: ids.Programs.ID("survey")}) != nil {
					continue
				}
				step, err := s.Next(now)
				if err != nil || step.Kind != outdial.StepDial {
					continue
				}
				switch rng.IntN(10) {
				case 0: // it dies between the journal and the INVITE
				case 1:
					require.NoError(t, s.End(now, step.Attempt.ID, outdial.Result{Origin: outdial.OriginNeverSent}))
					continue
				default:
					seen[step.Attempt.CLI]++
					sum++
				}
				open[s] = step.Attempt
			default:
				for s, a := range open {
					require.NoError(t, s.End(now, a.ID, busy))
					delete(open, s)
					break
				}
			}
		}
		back := mustNew(t, cfg)
		if file != nil {
			var err error
			back, err = cli.Restore(cfg, file)
			require.NoError(t, err)
		}
		_, err := engine(back).RecoverFrom(now, mark)
		require.NoError(t, err)
		over := 0
		for _, n := range back.Snapshot(now).Pools[0].Numbers {
			counted := n.Uses[2].Used
			require.GreaterOrEqual(t, counted, seen[n.Number], "trial %d: a use is missing", trial)
			over += counted - seen[n.Number]
		}
		started := 0
		for i := range j.events {
			switch ev := &j.events[i]; {
			case ev.Kind == outdial.EventStarted:
				started++
			case ev.Kind == outdial.EventEnded && ev.Attempt.Result.Origin == outdial.OriginNeverSent:
				started--
			}
		}
		require.Equal(t, started-sum, over, "trial %d: what is counted too much is what was about to leave", trial)
	}
}
