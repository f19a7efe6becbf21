package trunk_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk"
)

// limiter is what the race harness drives.
type limiter interface {
	acquire() (outdial.Lease, bool)
	release(outdial.Lease)
}

// setLimiter is a Set with one trunk.
type setLimiter struct {
	set *trunk.Set
	c   *outdial.Candidate
}

func (s setLimiter) acquire() (outdial.Lease, bool) {
	l, _, err := s.set.Acquire(start, nil, s.c)
	return l, err == nil
}

func (s setLimiter) release(l outdial.Lease) { s.set.Release(start, l); s.set.Release(start, l) }

// checkThenAct reads the count, and then counts: what a dial-plan script with a profile size does.
type checkThenAct struct {
	n     atomic.Int64
	limit int64
	pause func()
}

func (c *checkThenAct) acquire() (outdial.Lease, bool) {
	if c.n.Load() >= c.limit {
		return 0, false
	}
	c.pause()
	c.n.Add(1)
	return 1, true
}

func (c *checkThenAct) release(outdial.Lease) { c.n.Add(-1) }

// peakOf lets goroutines take and give back tries times each, and returns the most that were held at once.
func peakOf(lim limiter, goroutines, tries int) int64 {
	var held, peak atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range tries {
				l, ok := lim.acquire()
				if !ok {
					continue
				}
				n := held.Add(1)
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				runtime.Gosched() // others meet a trunk that is in use
				held.Add(-1)      // before the channel is given back, so held is never more than what is granted
				lim.release(l)
			}
		})
	}
	wg.Wait()
	return peak.Load()
}

func TestNeverOverAdmits(t *testing.T) {
	const limit = 20
	f := newFixture(t, trunk.Limits{Channels: limit})
	require.EqualValues(t, limit, peakOf(setLimiter{f.set, f.c}, 1024, 200), "the limit was met, and not passed")
	st := f.status(start)
	require.Zero(t, st.InUse)
	require.LessOrEqual(t, st.Peak, limit)

	// The harness bites: all goroutines pass the check before any of them counts.
	var arrived atomic.Int64
	gate := make(chan struct{})
	broken := &checkThenAct{limit: limit, pause: func() {
		if arrived.Add(1) == 64 {
			close(gate)
		}
		<-gate
	}}
	taken := &keep{limiter: broken}
	peakOf(taken, 64, 1)
	require.Equal(t, int64(64), taken.n.Load(), "a check-then-act limiter of 20 lets all 64 in")
	kept := &keep{limiter: setLimiter{f.set, f.c}}
	peakOf(kept, 64, 1)
	require.Equal(t, int64(limit), kept.n.Load())
}

// keep gives nothing back, and counts what was taken.
type keep struct {
	limiter
	n atomic.Int64
}

func (k *keep) acquire() (outdial.Lease, bool) {
	l, ok := k.limiter.acquire()
	if ok {
		k.n.Add(1)
	}
	return l, ok
}

func (k *keep) release(outdial.Lease) {}

// TestLimitChangesUnderLoad: while limits move, no admit is granted at or above the limit in force.
func TestLimitChangesUnderLoad(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 30})
	var wg sync.WaitGroup
	var stop atomic.Bool
	for range 64 {
		wg.Go(func() {
			var mine []outdial.Lease
			for i := range 400 {
				if l, _, err := f.set.Acquire(start, nil, f.c); err == nil {
					mine = append(mine, l)
				}
				if i%3 == 2 && len(mine) > 0 {
					f.set.Release(start, mine[0])
					mine = mine[1:]
				}
			}
			for _, l := range mine {
				f.set.Release(start, l)
			}
		})
	}
	var changer sync.WaitGroup
	changer.Go(func() {
		for i := 0; !stop.Load(); i++ {
			limit := 5 + i%26
			f.update(trunk.Limits{Channels: limit})
			before := f.status(start)
			after := f.status(start)
			if before.InUse > limit && after.InUse > before.InUse {
				t.Errorf("admitted at %d in use, the limit being %d", before.InUse, limit)
			}
		}
	})
	wg.Wait()
	stop.Store(true)
	changer.Wait()
	st := f.status(start)
	require.Zero(t, st.InUse, "all that was taken came back")
	require.LessOrEqual(t, st.Peak, 30)
}

// TestCPSUnderContention: 256 goroutines, each with its own reading of one clock that it uses late, saturate a
// trunk for some seconds. The trunk's clock runs from the first reading to the last, so a single call too many in
// any second shows in the sum.
func TestCPSUnderContention(t *testing.T) {
	const cps, goroutines, tries, step = 50, 256, 200, 97_003 * time.Nanosecond
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: cps})
	var clock, admitted atomic.Int64
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range tries {
				read := clock.Add(int64(step)) // every reading moves the clock
				if (g+i)%7 == 0 {
					read -= min(read, 300_000_000)
				}
				if _, err := f.set.Seize(at(time.Duration(read)), nil, f.c, 0); err == nil {
					admitted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	const seconds = (goroutines*tries*step + time.Second - 1) / time.Second
	require.LessOrEqual(t, admitted.Load(), int64(cps*seconds))
	require.GreaterOrEqual(t, admitted.Load(), int64(cps*(seconds-1)), "and not many fewer")
	require.Equal(t, uint64(admitted.Load()), f.status(time.Time{}).Seized)
}
