package trunk_test

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/trunk"
)

// limited is what the trial asks for channels: a Set, or something broken that must be found out.
type limited interface {
	acquire(call *outdial.Call) (outdial.Lease, bool)
	release(l outdial.Lease)
	setLimit(n int)
	inUse() int
}

type limitedSet struct {
	*fixture
	floors []trunk.Floor
}

func (s *limitedSet) acquire(call *outdial.Call) (outdial.Lease, bool) {
	l, _, err := s.set.Acquire(start, call, s.c)
	return l, err == nil
}
func (s *limitedSet) release(l outdial.Lease) { s.set.Release(start, l); s.set.Release(start, l) }
func (s *limitedSet) setLimit(n int)          { s.update(trunk.Limits{Channels: n, CPS: -1, Floors: s.floors}) }
func (s *limitedSet) inUse() int              { return s.status(start).InUse }

// brokenLimit checks, and then acts.
type brokenLimit struct{ limit, n atomic.Int64 }

func (b *brokenLimit) acquire(*outdial.Call) (outdial.Lease, bool) {
	if b.n.Load() >= b.limit.Load() {
		return 0, false
	}
	runtime.Gosched()
	b.n.Add(1)
	return 1, true
}
func (b *brokenLimit) release(outdial.Lease) { b.n.Add(-1) }
func (b *brokenLimit) setLimit(n int)        { b.limit.Store(int64(n)) }
func (b *brokenLimit) inUse() int            { return int(b.n.Load()) }

// overAdmissions lets goroutines take and give back, tries times each, while the limit moves, and counts the admissions
// that found as many held as the limit in force, or more. Held counts from after a grant to before its return, so it is
// never more than what is granted. A lowered limit is in force once use is within it.
func overAdmissions(lim limited, goroutines, tries int, calls []*outdial.Call) (over int64, admitted int64) {
	const most = 100
	var held, bad, total, inForce, epoch atomic.Int64
	lim.setLimit(most)
	inForce.Store(most)
	var wg sync.WaitGroup
	var stop atomic.Bool
	for g := range goroutines {
		wg.Go(func() {
			for i := range tries {
				e, limit := epoch.Load(), inForce.Load()
				l, ok := lim.acquire(calls[(g+i)%len(calls)])
				if !ok {
					if i%8 == 0 {
						runtime.Gosched()
					}
					continue
				}
				n := held.Add(1)
				if epoch.Load() == e && n > limit {
					bad.Add(1)
				}
				if i%4 == 0 { // keep it for a while
					runtime.Gosched()
				}
				held.Add(-1)
				total.Add(1)
				lim.release(l)
			}
		})
	}
	var changer sync.WaitGroup
	changer.Go(func() {
		for i := 0; !stop.Load(); i++ {
			limit := []int{20, 90, 45, 100, 12, 70}[i%6]
			inForce.Store(most)
			epoch.Add(1)
			lim.setLimit(limit)
			for !stop.Load() && lim.inUse() > limit {
				runtime.Gosched()
			}
			inForce.Store(int64(limit))
			epoch.Add(1)
			for range 200 {
				runtime.Gosched()
			}
		}
	})
	wg.Wait()
	stop.Store(true)
	changer.Wait()
	return bad.Load(), total.Load()
}

// TestNoOverAdmission: with 1,024 goroutines and limits that move there is no admission at or above the limit in force;
// all comes back, whatever is given back twice; and the check bites. OUTDIAL_LONG=1 makes 2 million tries each.
func TestNoOverAdmission(t *testing.T) {
	tries := 500
	if race.Enabled {
		tries = 40
	}
	if os.Getenv("OUTDIAL_LONG") != "" {
		tries = 2_000_000
	}
	for _, floors := range [][]trunk.Floor{nil, {{Campaign: "a", Channels: 4}, {Campaign: "b", Channels: 3}}} {
		t.Run(fmt.Sprintf("%d floors", len(floors)), func(t *testing.T) {
			f := &limitedSet{newFixture(t, trunk.Limits{Channels: 100, CPS: -1, Floors: floors}), floors}
			calls := []*outdial.Call{
				nil, {Priority: outdial.PriorityNormal}, {Campaign: f.ids.Campaigns.ID("a")}, {Campaign: f.ids.Campaigns.ID("b")},
			}
			over, admitted := overAdmissions(f, 1024, tries, calls)
			require.Zero(t, over)
			require.Positive(t, admitted)
			st := f.status(start)
			require.Zero(t, st.InUse, "all came back")
			require.LessOrEqual(t, st.Peak, 100)
			guaranteed := 0
			for _, fl := range floors {
				guaranteed += fl.Channels
			}
			require.Equal(t, guaranteed, st.Guaranteed, "no floor is used")
			t.Logf("%d admitted of %d", admitted, 1024*tries)
		})
	}
	broken := &brokenLimit{}
	over, _ := overAdmissions(broken, 1024, 100, []*outdial.Call{nil})
	require.Positive(t, over, "a limiter that checks and then acts is found out")
}

// TestShareCountsSurviveTheGuard: while goroutines of several campaigns take and give back, with the guard going up and
// down, floors are never broken: who is below its floor is never refused.
func TestShareCountsSurviveTheGuard(t *testing.T) {
	floors := []trunk.Floor{{Campaign: "a", Channels: 5}, {Campaign: "b", Channels: 5}}
	f := newFixture(t, trunk.Limits{Channels: 20, CPS: -1, Floors: floors})
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b"} { // each never holds more than its floor
		call := &outdial.Call{Campaign: f.ids.Campaigns.ID(name)}
		for range 5 {
			wg.Go(func() {
				for i := range 3000 {
					l, _, err := f.set.Acquire(start, call, f.c)
					if err != nil {
						t.Errorf("below its floor: %v", err)
						return
					}
					if i%5 == 0 {
						runtime.Gosched()
					}
					f.set.Release(start, l)
				}
			})
		}
	}
	for range 20 { // borrowers, at the edge
		wg.Go(func() {
			for range 3000 {
				if l, _, err := f.set.Acquire(start, nil, f.c); err == nil {
					runtime.Gosched()
					f.set.Release(start, l)
				}
			}
		})
	}
	wg.Go(func() {
		for range 500 {
			f.status(start) // puts the guard up and down
			runtime.Gosched()
		}
	})
	wg.Wait()
	st := f.status(start)
	require.Zero(t, st.InUse)
	require.Equal(t, 10, st.Guaranteed)
}
