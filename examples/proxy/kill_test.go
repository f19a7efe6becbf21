package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/internal/siptest"
	"github.com/outdial/outdial/kpi/cdr"
)

// The process is killed under load. What the carriers saw of every caller ID must be counted when it is back, every attempt
// that was open must have ended as unknown, and nothing that was on record may be lost, however the last record is torn.
func TestKill(t *testing.T) {
	first := carrier(t, siptest.Unavailable(0))
	second := carrier(t, siptest.Answer(0, 20*time.Millisecond, 0))
	journal := filepath.Join(t.TempDir(), "journal")
	config := write(t, first.Addr().String(), second.Addr().String(), journal)
	binary := build(t)

	p := start(t, binary, config)
	stop := load(t, p, second)
	require.NoError(t, p.cmd.Process.Kill()) // in the midst of it
	_ = p.cmd.Wait()                         // "signal: killed"
	interrupted := stop()
	require.Positive(t, interrupted, "calls were being set up or up")
	seen := sightings(first, second)

	// Copies of what the dead process left, one of which nobody has touched.
	garbage, cut := filepath.Join(t.TempDir(), "garbage"), filepath.Join(t.TempDir(), "cut")
	require.NoError(t, os.CopyFS(garbage, os.DirFS(journal)))
	require.NoError(t, os.CopyFS(cut, os.DirFS(journal)))

	whole, found := recoverAll(t, config, journal, seen)
	require.Zero(t, found.Cut, "one write a record: kill -9 tears nothing")
	require.Positive(t, whole.Unknown, "calls were up")

	end := found.Offset // of the last record; the room that the process had made for more is behind it
	f, err := os.OpenFile(last(t, garbage), os.O_WRONLY, 0)
	require.NoError(t, err)
	torn, err := f.WriteAt([]byte("\x17half a record"), end)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	r, found := recoverAll(t, config, garbage, seen)
	require.EqualValues(t, torn, found.Cut, "what stands behind the last record is cut")
	require.Equal(t, whole, r, "and nothing else is lost")

	require.NoError(t, os.Truncate(last(t, cut), end-3))
	r, found = recoverAll(t, config, cut, nil) // that record may have been a use
	require.Positive(t, found.Cut, "what is left of the last record is cut")
	require.Equal(t, whole.Events-1, r.Events, "and nothing else is lost")

	again, _ := recoverAll(t, config, journal, seen)
	require.Equal(t, whole.Events+whole.Unknown, again.Events)
	require.Zero(t, again.Unknown, "their ends are on record now")

	p = start(t, binary, config) // and it goes on
	require.Equal(t, 200, dial(t, p, siptest.CallerCall{HangupAfter: time.Millisecond}).Code())
	p.end(t, "level=INFO msg=call ")
	require.NotContains(t, p.text(), "+12125550123", "numbers are masked")
}

// load places calls without end, and returns when the carrier has answered enough of them. stop ends the load, and says
// how many callers had not finished their last call.
func load(t *testing.T, p *process, carrier *siptest.Carrier) (stop func() int) {
	t.Helper()
	caller, err := siptest.StartCaller(siptest.CallerConfig{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var interrupted atomic.Int64
	for range 20 {
		wg.Go(func() {
			for ctx.Err() == nil {
				r, err := caller.Call(ctx, p.addr, siptest.CallerCall{To: "+12125550123", HangupAfter: 50 * time.Millisecond})
				if err != nil || r.ByeCode != 200 {
					interrupted.Add(1)
				}
			}
		})
	}
	stop = sync.OnceValue(func() int {
		cancel()
		_ = caller.Close() // as a dialer that loses power
		wg.Wait()
		return int(interrupted.Load())
	})
	t.Cleanup(func() { stop() })
	require.Eventually(t, func() bool { return carrier.Stats().Answered >= 200 }, 20*time.Second, time.Millisecond)
	require.Zero(t, interrupted.Load())
	return stop
}

// sightings are the INVITEs that carriers saw, by caller ID, when nothing is under way any more.
func sightings(carriers ...*siptest.Carrier) map[string]int {
	var before, sum map[string]int
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		<-tick.C
		sum = map[string]int{}
		for _, c := range carriers {
			for from, n := range c.Stats().ByFrom {
				sum[from] += n
			}
		}
		same := before != nil
		for from, n := range sum {
			same = same && before[from] == n
		}
		if same {
			return sum
		}
		before = sum
	}
}

// recoverAll makes a proxy on a journal and looks at what it knows: at least as many uses of every caller ID as were seen.
func recoverAll(t *testing.T, config, journal string, seen map[string]int) (outdial.Recovery, cdr.Recovery) {
	t.Helper()
	data, err := os.ReadFile(config)
	require.NoError(t, err)
	cfg, err := b2bua.Load(config, data)
	require.NoError(t, err)
	cfg.Journal.Dir = journal
	p, err := b2bua.New(cfg, b2bua.Options{})
	require.NoError(t, err)
	for _, n := range numbers {
		s, ok := p.CLIs().Number(time.Now(), outdial.MustNumber(n))
		require.True(t, ok)
		require.Positive(t, s.Uses[0].Used)
		require.GreaterOrEqual(t, s.Uses[0].Used, seen[n], "uses of %s", n)
		require.Zero(t, s.InFlight)
	}
	for _, s := range p.Trunks().Snapshot(time.Now()) {
		require.Zero(t, s.InUse)
	}
	require.NoError(t, p.Close())
	found, replayed := p.Recovered()
	return replayed, found
}

// last is the newest segment of the journal that holds something.
func last(t *testing.T, journal string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(journal, "*"))
	require.NoError(t, err)
	best := ""
	for _, n := range names {
		if info, err := os.Stat(n); err == nil && info.Size() > 0 && n > best {
			best = n
		}
	}
	require.NotEmpty(t, best)
	return best
}

func dial(t *testing.T, p *process, c siptest.CallerCall) *siptest.CallResult {
	t.Helper()
	caller := p.caller(t)
	c.To = "+12125550123"
	r, err := caller.Call(context.Background(), p.addr, c)
	require.NoError(t, err)
	require.NoError(t, caller.Close())
	return r
}
