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
)

// TestCapTrial lets 64 goroutines ask for numbers by clocks that run late and step back, and checks every window of every
// number afterwards, over what was counted: no cap is exceeded, and what the caps allow was granted. 4,000 tries each; a
// million with OUTDIAL_TRIALS=1.
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
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		tick    atomic.Int64
		granted = map[outdial.Number][]time.Time{}
		undone  int
	)
	step := span / time.Duration(workers*tries)
	for w := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			call, mine, back := callTo(ids, "survey", 0), map[outdial.Number][]time.Time{}, 0
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
				case err == nil && rng.IntN(50) == 0:
					g.Undo(told, p.Lease)
					back++
				case err == nil:
					mine[p.Number] = append(mine[p.Number], cli.Stamp(g, p.Lease))
					g.Release(told, p.Lease)
				case !errors.Is(err, cli.ErrCaps):
					t.Error(err)
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			undone += back
			for n, list := range mine {
				granted[n] = append(granted[n], list...)
			}
		})
	}
	wg.Wait()
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
