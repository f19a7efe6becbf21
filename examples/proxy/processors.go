package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// Go wakes another thread for every goroutine that becomes ready while a core is idle, and lets it look for more work before it sleeps. A
// proxy handles a message in some 50 µs and then waits, so that at low rates most of what it used was that: on one core at a time a
// call costs a third less. Only a load that needs more than one core is worth more than one.

const (
	// weighEvery is how often the use of the cores is looked at; meanwhile the sockets' buffers take what is too much.
	weighEvery = 250 * time.Millisecond
	// busy is the share of the cores above which, in two looks that follow one another, one more is used; above full, one is enough: a
	// collection of garbage makes one core busy for a moment, and no more than that.
	busy, full = .8, .95
	// calm is for how many looks one core less would have been enough until it is tried, of which single ones may be busy too. What is used of n cores is more than the same load
	// uses of one less, so that only a try can tell; one that fails soon makes the wait for the next twice as long, up to patient looks.
	calm, patient = 8, 240
)

// processors keeps the number of cores that Go uses at one time at what the load needs, until ctx is done. limit is the most: 0 = all there
// are, negative = leave it alone. So does GOMAXPROCS in the environment.
func processors(ctx context.Context, limit int) {
	if limit < 0 || os.Getenv("GOMAXPROCS") != "" {
		return
	}
	most := runtime.GOMAXPROCS(0)
	if limit > 0 {
		most = min(most, limit)
	}
	g := newGovernor(most)
	runtime.GOMAXPROCS(g.now)
	if most == 1 {
		return
	}
	tick := time.NewTicker(weighEvery)
	defer tick.Stop()
	at, used := time.Now(), cpuTime()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at2, used2 := time.Now(), cpuTime()
		if before := g.now; g.weigh((used2-used).Seconds()/at2.Sub(at).Seconds()) != before {
			runtime.GOMAXPROCS(g.now) // it stops the program for some microseconds
		}
		at, used = at2, used2
	}
}

// garbage is how much garbage there may be for each hundred bytes that are in use. A call leaves some for half a minute, until nothing of it can
// come any more; at Go's own 100 that makes the process larger than it need be, and what collecting a little sooner costs is hardly seen.
const garbage = 70

// collector sets how soon garbage is collected, unless GOGC in the environment does.
func collector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}

// governor decides how many cores are used at one time.
type governor struct {
	most, now int
	hot       bool // the last look found them busy
	tight     bool // … and too busy for one less
	quiet     int  // looks for which one less would have been enough
	wait      int  // how many such looks there must be
	tried     int  // looks since one less was tried
}

func newGovernor(most int) governor { return governor{most: most, now: 1, wait: calm, tried: calm} }

// weigh takes the number of cores that were used on average, and returns how many there shall be.
func (g *governor) weigh(used float64) int {
	g.tried = min(g.tried+1, calm+1)
	hot := used > busy*float64(g.now)
	switch {
	case g.now < g.most && hot && (g.hot || used > full*float64(g.now)):
		g.now++
		g.hot, g.tight, g.quiet = false, false, 0
		if g.tried <= calm {
			g.wait = min(2*g.wait, patient)
		} else {
			g.wait = calm
		}
		return g.now
	case g.now == 1:
	case used > full*float64(g.now-1):
		if g.tight {
			g.quiet = 0
		}
		g.tight = true
	default:
		g.tight = false
		if g.quiet++; g.quiet >= g.wait {
			g.now--
			g.quiet, g.tried = 0, 0
		}
	}
	g.hot = hot
	return g.now
}

// cpuTime is what the process has used of the processors so far.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
