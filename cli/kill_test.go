package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/kpi/cdr"
)

const (
	killDir   = "OUTDIAL_KILL_DIR"    // set for the process that is killed
	killCount = "OUTDIAL_KILL_TRIALS" // trials; .ci/run makes 50
	inFlight  = 8                     // goroutines of that process
)

func killConfig(ids *outdial.Registry) cli.Config {
	cfg := survey(ids)
	cfg.Secret = []byte("0123456789abcdef")
	cfg.Limits = cli.Limits{Caps: []cli.Cap{{5000, 24 * time.Hour}}, Spacing: -1}
	cfg.MaxCallees = 1 << 20
	for i := range 20 {
		cfg.Numbers = append(cfg.Numbers, owned("survey", num(212, i))...)
	}
	return cfg
}

// TestKilled is the process that TestKillTrial kills: it places calls through an engine with a journal, saves its state now
// and then, and says of each INVITE that left which number it showed.
func TestKilled(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("run by TestKillTrial")
	}
	ids := new(outdial.Registry)
	g := mustNew(t, killConfig(ids))
	j, _, err := cdr.Open(cdr.Config{Dir: filepath.Join(dir, "journal"), IDs: ids})
	require.NoError(t, err)
	e, err := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t")}}, CLIs: g, Journal: j})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for w := range inFlight {
		wg.Go(func() {
			s := e.NewSession()
			for i := range 100_000 {
				now := time.Now()
				if s.Begin(now, outdial.Call{To: num(300+w, i), Program: ids.Programs.ID("survey")}) != nil {
					return
				}
				step, err := s.Next(now)
				if err != nil {
					return
				}
				_, _ = fmt.Fprintln(os.Stdout, uint64(step.Attempt.CLI)) // the INVITE: one write(2)
				_ = s.End(now, step.Attempt.ID, busy)
				if w == 0 && i%10 == 9 {
					save(e, g, dir)
				}
			}
		})
	}
	wg.Wait()
}

// saved is a checkpoint on disk.
type saved struct {
	Mark  outdial.Waterline
	State []byte
}

func save(e *outdial.Engine, g *cli.Governor, dir string) {
	var s saved
	var err error
	e.Checkpoint(func(m outdial.Waterline) {
		s.Mark = m
		s.State, err = g.Save(m.Seq)
	})
	data, bad := json.Marshal(s)
	if errors.Join(err, bad) == nil && os.WriteFile(filepath.Join(dir, "new"), data, 0o600) == nil {
		_ = os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "state"))
	}
}

// TestKillTrial kills a process in the middle of its calls (SIGKILL), and recovers from its last saved state and its journal:
// every use that a carrier saw is counted, and no more are counted than calls were in flight.
func TestKillTrial(t *testing.T) {
	trials := 3
	if s := os.Getenv(killCount); s != "" {
		var err error
		trials, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	checkpoints, most := 0, 0
	for trial := range trials {
		rng := rand.New(rand.NewPCG(uint64(trial), 4))
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.count=1")
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		seen := map[outdial.Number]int{}
		lines := bufio.NewScanner(out)
		for kill := 1 + rng.IntN(2000); lines.Scan(); kill-- {
			n, err := strconv.ParseUint(lines.Text(), 10, 64)
			if err != nil {
				continue // the last line may be cut; the first may be of package testing
			}
			seen[outdial.Number(n)]++
			if kill == 0 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "it was killed")

		ids := new(outdial.Registry)
		cfg := killConfig(ids)
		g, mark := mustNew(t, cfg), outdial.Waterline{}
		if data, err := os.ReadFile(filepath.Join(dir, "state")); err == nil {
			var s saved
			require.NoError(t, json.Unmarshal(data, &s))
			g, err = cli.Restore(cfg, s.State)
			require.NoError(t, err)
			mark = s.Mark
			checkpoints++
		}
		j, _, err := cdr.Open(cdr.Config{Dir: filepath.Join(dir, "journal"), IDs: ids})
		require.NoError(t, err)
		e, err := outdial.New(outdial.Config{IDs: ids, Router: outdial.Plan{{Trunk: ids.Trunks.ID("t")}}, CLIs: g, Journal: j})
		require.NoError(t, err)
		_, err = e.RecoverFrom(time.Now(), mark)
		require.NoError(t, err)
		require.NoError(t, j.Close())
		over := 0
		for _, n := range g.Snapshot(time.Now()).Pools[0].Numbers {
			require.GreaterOrEqual(t, n.Uses[0].Used, seen[n.Number], "trial %d: a use of %v is lost", trial, n.Number)
			over += n.Uses[0].Used - seen[n.Number]
		}
		require.LessOrEqual(t, over, inFlight, "trial %d", trial)
		most = max(most, over)
	}
	t.Logf("%d trials, %d of them from a checkpoint: %d counted too many at most", trials, checkpoints, most)
}
