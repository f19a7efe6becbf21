package routing_test

import (
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
)

// BenchmarkCores has one core do a piece of work, then each core that much at the same time, and reports how many times as much gets
// done, of the shortest rounds of either. Beside decisions of one router stand multiplications in registers, which show how far the
// machine's cores are apart (virtual ones may share one that is real), and decisions of a router a core, which share nothing: what
// lies between them and 2 is the machine's, what lies between shared and apart is the router's.
func BenchmarkCores(b *testing.B) {
	if runtime.GOMAXPROCS(0) < 2 {
		b.Skip("one core")
	}
	one, tos := contestRouter(b, benchRows)
	other, _ := contestRouter(b, benchRows)
	subjects := []*scaling{
		newScaling("alu", multiply, multiply),
		newScaling("apart", decisions(one, tos, 0), decisions(other, tos, 0)),
		newScaling("shared", decisions(one, tos, 0), decisions(one, tos, 1<<15)),
	}
	for b.Loop() {
		for _, s := range subjects {
			s.round()
		}
	}
	for _, s := range subjects {
		b.ReportMetric(2*s.alone.Seconds()/s.both.Seconds(), s.name+"-x")
	}
	b.ReportMetric(0, "ns/op")
}

// scaling compares one core at work with two.
type scaling struct {
	name        string
	work        [2]func()
	alone, both time.Duration // of the shortest rounds
}

func newScaling(name string, work ...func()) *scaling {
	return &scaling{name, [2]func(){work[0], work[1]}, math.MaxInt64, math.MaxInt64}
}

func (s *scaling) round() {
	start := time.Now()
	s.work[0]()
	s.alone = min(s.alone, time.Since(start))
	start = time.Now()
	var wg sync.WaitGroup
	wg.Go(s.work[1])
	s.work[0]()
	wg.Wait()
	s.both = min(s.both, time.Since(start))
}

func multiply() {
	x := uint64(1)
	for range 5_000_000 {
		x = x*6364136223846793005 + 1442695040888963407
	}
	if x == 0 {
		panic("unreachable")
	}
}

// decisions is a piece of work: the next 5,000 decisions about callees from one on.
func decisions(r *routing.Router, tos []outdial.Number, from int) func() {
	d := newDecider(r, tos, from)
	return func() {
		for range 5000 {
			d.decide()
			d.tell()
		}
	}
}

// decider routes one call after the other, and tells the router that those which explored did not leave after all, so that the
// budget does not run out. It allocates nothing, so that what a page of memory costs is nobody's time.
type decider struct {
	router  *routing.Router
	tos     []outdial.Number
	next    int
	call    outdial.Call
	dst     []outdial.Candidate
	attempt outdial.Attempt
	event   outdial.Event
}

func newDecider(r *routing.Router, tos []outdial.Number, from int) *decider {
	return &decider{router: r, tos: tos, next: from, dst: make([]outdial.Candidate, 0, 8)}
}

func (d *decider) decide() {
	d.next++
	d.call = outdial.Call{
		ID: outdial.CallID(d.next), To: d.tos[d.next&(1<<16-1)], Dest: outdial.Destination{Group: outdial.GroupID(d.next%300 + 1)},
	}
	d.dst, _ = d.router.Route(monday, &d.call, d.dst[:0])
}

func (d *decider) tell() {
	if !d.dst[0].Explore {
		return
	}
	d.attempt = outdial.Attempt{
		ID: outdial.AttemptID{Call: d.call.ID, Leg: 1}, Candidate: d.dst[0], Start: monday, State: outdial.AttemptOpen,
	}
	d.event = outdial.Event{Kind: outdial.EventStarted, Time: monday, Attempt: &d.attempt}
	d.router.Observe(&d.event)
	d.attempt.State, d.attempt.Result.Origin = outdial.AttemptEnded, outdial.OriginNeverSent
	d.event.Kind = outdial.EventEnded
	d.router.Observe(&d.event)
}

func TestDeciderAllocatesNothing(t *testing.T) {
	r, tos := contestRouter(t, 1000)
	d := newDecider(r, tos, 0)
	require.Zero(t, testing.AllocsPerRun(2000, func() { d.decide(); d.tell() }))
}
