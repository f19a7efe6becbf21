package trunk_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/race"
	"github.com/outdial/outdial/trunk"
)

// oneGoroutine skips a long simulation under the race detector, which finds nothing in one goroutine and takes ten times as
// long.
func oneGoroutine(t *testing.T) {
	if race.Enabled {
		t.Skip("a simulation in one goroutine")
	}
}

// simulation is traffic on synthetic time: whatever is due, in the order of time.
type simulation struct {
	*rand.Rand
	now    time.Time
	seq    int
	events events
}

type simEvent struct {
	at  time.Time
	seq int
	do  func()
}

type events []simEvent

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(simEvent)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	t.Logf("seed %d", seed)
	return &simulation{Rand: rand.New(rand.NewPCG(seed, 0)), now: start}
}

func (s *simulation) after(d time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, simEvent{s.now.Add(d), s.seq, do})
}

// exp draws an exponential time.
func (s *simulation) exp(mean time.Duration) time.Duration {
	return time.Duration(s.ExpFloat64() * float64(mean))
}

// poisson does something so many times a second on average, for as long as the simulation runs.
func (s *simulation) poisson(perSecond float64, do func()) {
	var next func()
	next = func() {
		do()
		s.after(s.exp(time.Duration(float64(time.Second)/perSecond)), next)
	}
	s.after(s.exp(time.Duration(float64(time.Second)/perSecond)), next)
}

func (s *simulation) every(d time.Duration, do func()) {
	var next func()
	next = func() { do(); s.after(d, next) }
	s.after(d, next)
}

func (s *simulation) run(d time.Duration) {
	until := s.now.Add(d)
	for len(s.events) > 0 && !s.events[0].at.After(until) {
		e := heap.Pop(&s.events).(simEvent)
		s.now = e.at
		e.do()
	}
	s.now = until
}

// average is the mean of a number over time.
type average struct {
	value float64
	since time.Time
	begun time.Time
	sum   float64
}

func (a *average) set(now time.Time, v float64) {
	if a.begun.IsZero() {
		a.begun, a.since = now, now
	}
	a.sum += a.value * now.Sub(a.since).Seconds()
	a.value, a.since = v, now
}

func (a *average) mean(now time.Time) float64 {
	a.set(now, a.value)
	return a.sum / now.Sub(a.begun).Seconds()
}

// TestReservationProtects: 60 Erlang of priority calls and 60 of bulk on 100 channels. Three reserved channels bring the
// blocking of priority calls from a fifth to a few per cent, for next to no use.
func TestReservationProtects(t *testing.T) {
	oneGoroutine(t)
	run := func(reserve int) (priority, bulk, use float64) {
		f := newFixture(t, trunk.Limits{Channels: 100, CPS: -1, Reserve: reserve, MaxCall: -1})
		s := newSimulation(t, 7)
		var asked, blocked [2]int
		var busy average
		offer := func(class int, call *outdial.Call) {
			s.poisson(1, func() {
				asked[class]++
				l, _, err := f.set.Acquire(s.now, call, f.c)
				if err != nil {
					blocked[class]++
					return
				}
				busy.set(s.now, busy.value+1)
				s.after(s.exp(time.Minute), func() {
					f.set.Release(s.now, l)
					busy.set(s.now, busy.value-1)
				})
			})
		}
		offer(0, &outdial.Call{Priority: outdial.PriorityNormal})
		offer(1, &outdial.Call{})
		s.run(40 * time.Hour)
		return float64(blocked[0]) / float64(asked[0]), float64(blocked[1]) / float64(asked[1]), busy.mean(s.now) / 100
	}
	without, _, full := run(-1)
	with, bulk, use := run(3)
	t.Logf("priority blocking %.1f %% -> %.1f %%, bulk %.1f %%, use %.1f %% -> %.1f %%", 100*without, 100*with, 100*bulk, 100*full, 100*use)
	require.InDelta(t, 0.196, without, 0.01)
	require.LessOrEqual(t, with, 0.04)
	require.LessOrEqual(t, full-use, 0.02)
}

// limiter is a way to find a hidden ceiling.
type finder interface {
	admit(now time.Time) (release func(now time.Time, rejected bool), ok bool)
}

// setFinder is a Set that is told of what happens as an Engine tells it.
type setFinder struct{ *fixture }

func (f setFinder) admit(now time.Time) (func(time.Time, bool), bool) {
	l, _, err := f.set.Acquire(now, nil, f.c)
	if err != nil {
		return nil, false
	}
	a := &outdial.Attempt{Candidate: *f.c, Start: now, Channel: l}
	tell := func(kind outdial.EventKind, now time.Time) {
		f.set.Observe(&outdial.Event{Kind: kind, Time: now, Attempt: a})
	}
	tell(outdial.EventStarted, now)
	return func(now time.Time, rejected bool) {
		if rejected {
			a.Result = outdial.Result{Origin: outdial.OriginCarrier, Code: 403, Phrase: "User channel limit exceeded D1"}
			f.set.Release(now, l)
			tell(outdial.EventEnded, now)
			return
		}
		if a.Timeline[outdial.MarkProvisional] == 0 {
			a.Timeline.Set(outdial.MarkProvisional, now.Sub(a.Start))
			tell(outdial.EventProgressed, now)
			return
		}
		f.set.Release(now, l)
		a.Result = outdial.Result{Origin: outdial.OriginCalleeHangup}
		tell(outdial.EventEnded, now)
	}, true
}

// aimd is what adaptive limiters do: a factor down at a rejection, one up every so often while it is full.
type aimd struct {
	limit, used int
	raised      time.Time
	factor      float64
	every       time.Duration
}

func (a *aimd) admit(now time.Time) (func(time.Time, bool), bool) {
	if a.used >= a.limit {
		if now.Sub(a.raised) < a.every {
			return nil, false
		}
		a.limit, a.raised = a.limit+1, now
	}
	a.used++
	first := true
	return func(now time.Time, rejected bool) {
		if !rejected && first {
			first = false
			return
		}
		a.used--
		if rejected {
			a.limit, a.raised = max(int(a.factor*float64(a.limit)), 1), now
		}
	}, true
}

// hidden is what a finder makes of a carrier that takes 80 calls and no more, at 150 Erlang.
type hidden struct {
	used        float64 // of the ceiling, once converged
	rejects     int
	inMinute    int // the most in any minute, once converged
	inTenSecond int
}

func findHidden(s *simulation, f finder) hidden {
	const ceiling, hold = 80, 45 * time.Second
	up := 0
	var busy average
	var rejects []time.Time
	converged := start.Add(10 * time.Minute)
	s.poisson(150/hold.Seconds(), func() {
		release, ok := f.admit(s.now)
		if !ok {
			return
		}
		if up >= ceiling {
			s.after(40*time.Millisecond, func() { release(s.now, true) })
			rejects = append(rejects, s.now)
			return
		}
		up++
		if s.now.After(converged) {
			busy.set(s.now, float64(up))
		}
		s.after(300*time.Millisecond, func() { release(s.now, false) })
		s.after(300*time.Millisecond+s.exp(hold), func() {
			up--
			if s.now.After(converged) {
				busy.set(s.now, float64(up))
			}
			release(s.now, false)
		})
	})
	s.run(70 * time.Minute)
	h := hidden{used: busy.mean(s.now) / ceiling}
	for i, at := range rejects {
		if at.Before(converged) {
			continue
		}
		h.rejects++
		minute, ten := 0, 0
		for _, later := range rejects[i:] {
			if later.Sub(at) < time.Minute {
				minute++
			}
			if later.Sub(at) < 10*time.Second {
				ten++
			}
		}
		h.inMinute, h.inTenSecond = max(h.inMinute, minute), max(h.inTenSecond, ten)
	}
	return h
}

// TestHiddenCeiling: a carrier that takes 80 calls of the 120 that the contract says. The ceiling is found and used, with
// one probe a minute; additive increase, multiplicative decrease stands beside it.
func TestHiddenCeiling(t *testing.T) {
	oneGoroutine(t)
	for seed := range uint64(5) {
		f := newFixture(t, trunk.Limits{Channels: 120, CPS: -1, MaxCall: -1, Reserve: -1})
		ours := findHidden(newSimulation(t, seed), setFinder{f})
		other := findHidden(newSimulation(t, seed), &aimd{limit: 120, factor: 0.9, every: 10 * time.Second})
		t.Logf("used %.1f %%, %d rejects, at most %d in a minute and %d in 10 s; AIMD %.1f %%, %d, %d and %d",
			100*ours.used, ours.rejects, ours.inMinute, ours.inTenSecond, 100*other.used, other.rejects, other.inMinute, other.inTenSecond)
		require.GreaterOrEqual(t, ours.used, 0.98)
		require.LessOrEqual(t, ours.inMinute, 1)
		require.LessOrEqual(t, ours.inTenSecond, 1)
		require.Greater(t, ours.used, other.used)
		st := f.status(start.Add(70 * time.Minute))
		require.InDelta(t, 80, st.Learned.Limit, 1)
		require.Equal(t, 120, st.Contracted)
		require.Greater(t, st.Learned.Confidence, 0.9)
		require.Positive(t, st.Learned.Probes)
	}
}

// TestCeilingGoesUp: a carrier that takes more than it did is found out by the probes, one call a minute, up to the contract.
func TestCeilingGoesUp(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: 12, CPS: -1, MaxCall: -1, Reserve: -1})
	for range 6 {
		f.acquire(start)
	}
	for range 2 {
		f.set.Reject(start, f.c.Trunk, outdial.ShortageChannels)
	}
	require.Equal(t, 6, f.status(start).Channels)
	now := start
	for want := 7; want <= 11; want++ {
		now = now.Add(time.Minute)
		release, ok := setFinder{f}.admit(now)
		require.True(t, ok)
		if want == 7 {
			for range 5 { // the events know of it alone; let them know of the six
				f.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &outdial.Attempt{Candidate: *f.c, Channel: 1}})
			}
			f.set.Observe(&outdial.Event{Kind: outdial.EventStarted, Time: now, Attempt: &outdial.Attempt{Candidate: *f.c, Channel: 1}})
		}
		_, again := setFinder{f}.admit(now)
		require.False(t, again, "one probe a minute")
		release(now, false)
		require.Equal(t, want, f.status(now).Learned.Limit)
	}
	now = now.Add(time.Minute)
	release, ok := setFinder{f}.admit(now)
	require.True(t, ok)
	release(now, false)
	require.Zero(t, f.status(now).Learned.Limit, "the contract is reached: nothing to hold to")
	require.Equal(t, 12, f.status(now).Channels)
}

// TestTakeover: a trunk takes over what is offered to two. The carrier sees no call beyond its limits, bulk calls are shed
// first, and a dialer that heeds the pressure is refused little.
func TestTakeover(t *testing.T) {
	ids := &outdial.Registry{}
	set, err := trunk.New(trunk.Config{IDs: ids, Trunks: []trunk.Limits{
		{Name: "dead", Channels: 100, CPS: -1}, {Name: "alpha", Channels: 100, CPS: -1, MaxCall: -1}, // nobody asks the dead one
	}})
	require.NoError(t, err)
	f := &fixture{t: t, set: set, ids: ids, c: &outdial.Candidate{Trunk: ids.Trunks.ID("alpha")}}
	s := newSimulation(t, 3)
	var busy average
	var asked, blocked [2]int
	offer := func(class int, call *outdial.Call) {
		pace := 1.0
		s.every(10*time.Second, func() {
			if s.now.After(at(10 * time.Minute)) {
				pace = min(pace*(1-f.set.Pressure(call.Priority))+0.02, 1)
			}
		})
		s.poisson(100./60, func() { // 100 Erlang
			if s.Float64() > pace {
				return // the dialer holds back
			}
			asked[class]++
			l, _, err := f.set.Acquire(s.now, call, f.c)
			if err != nil {
				blocked[class]++
				return
			}
			_, err = f.set.Seize(s.now, call, f.c, l)
			require.NoError(t, err)
			busy.set(s.now, busy.value+1)
			s.after(s.exp(time.Minute), func() {
				f.set.Release(s.now, l)
				busy.set(s.now, busy.value-1)
			})
		})
	}
	offer(0, &outdial.Call{Priority: outdial.PriorityNormal})
	offer(1, &outdial.Call{})
	s.every(time.Second, func() { f.set.Advance(s.now) })
	s.run(5 * time.Minute)
	asked, blocked, busy = [2]int{}, [2]int{}, average{value: busy.value}
	s.run(5 * time.Minute)
	full := busy.mean(s.now)
	unheeded := float64(blocked[0]+blocked[1]) / float64(asked[0]+asked[1])
	asked, blocked, busy = [2]int{}, [2]int{}, average{value: busy.value}
	s.run(4 * time.Hour)
	share := func(n, of int) float64 { return float64(n) / float64(of) }
	t.Logf("unheeded %.0f %% refused, use %.1f; heeded: normal %.1f %%, bulk %.1f %% of those still asked, %d bulk calls of %d; use %.1f",
		100*unheeded, full, 100*share(blocked[0], asked[0]), 100*share(blocked[1], asked[1]), asked[1], asked[0], busy.mean(s.now))
	require.GreaterOrEqual(t, full, 93.)
	require.GreaterOrEqual(t, busy.mean(s.now), 88.)
	require.LessOrEqual(t, f.status(s.now).Peak, 100)
	require.Less(t, share(blocked[0], asked[0]), 0.12, "priority calls are carried")
	require.Less(t, asked[1], asked[0]/2, "bulk calls are held back where they are made")
	require.Less(t, share(blocked[0]+blocked[1], asked[0]+asked[1]), unheeded/3)
}

// TestSmoothingLowersVariation: calls that come in bursts leave evenly, with the same throughput.
func TestSmoothingLowersVariation(t *testing.T) {
	f := newFixture(t, trunk.Limits{Channels: -1, CPS: 20, Smooth: 5 * time.Second, Jitter: 0.2})
	var in, out []float64
	came, left := start, start
	for burst := range 200 {
		now := at(time.Duration(burst) * time.Second)
		for range 16 {
			notBefore, err := f.set.Seize(now, nil, f.c, 0)
			require.NoError(t, err)
			if notBefore.IsZero() {
				notBefore = now
			}
			in, out = append(in, now.Sub(came).Seconds()), append(out, notBefore.Sub(left).Seconds())
			came, left = now, notBefore
		}
	}
	variation := func(gaps []float64) float64 {
		mean, sum := 0.0, 0.0
		for _, g := range gaps {
			mean += g / float64(len(gaps))
		}
		for _, g := range gaps {
			sum += (g - mean) * (g - mean) / float64(len(gaps))
		}
		return math.Sqrt(sum) / mean
	}
	require.Greater(t, variation(in), 3.)
	require.Less(t, variation(out), 1.)
	spread := map[time.Duration]bool{}
	f2 := newFixture(t, trunk.Limits{Channels: -1, CPS: 20, Smooth: trunk.MaxSmooth, Jitter: 0.2})
	for last, i := start, 0; i < 150; i++ {
		leave, err := f2.set.Seize(start, nil, f2.c, 0)
		require.NoError(t, err)
		if i > 0 {
			gap := leave.Sub(last)
			require.GreaterOrEqual(t, gap, 40*time.Millisecond)
			spread[gap.Round(time.Millisecond)] = true
			last = leave
		}
	}
	require.Greater(t, len(spread), 15, "gaps vary by a fifth either way: two nodes do not fall into step")
	require.InDelta(t, came.Sub(start).Seconds(), left.Sub(start).Seconds(), 1, "the same throughput")
	_, err := f.set.Seize(left, &outdial.Call{Mode: outdial.ModeManual}, f.c, 0)
	require.NoError(t, err)
}
