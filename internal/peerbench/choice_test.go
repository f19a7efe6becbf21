package peerbench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/internal/pick"
)

// smooth is nginx's smooth weighted round robin: each eligible target gains its weight, the one that has most is
// picked and pays the sum.
type smooth struct{ weight, current []int }

func newSmooth(weights []uint32) *smooth {
	s := &smooth{current: make([]int, len(weights))}
	for _, w := range weights {
		s.weight = append(s.weight, int(w))
	}
	return s
}

func (s *smooth) pick(eligible uint64) int {
	best, sum := -1, 0
	for i, w := range s.weight {
		if eligible&(1<<i) == 0 {
			continue
		}
		s.current[i] += w
		sum += w
		if best < 0 || s.current[i] > s.current[best] {
			best = i
		}
	}
	if best >= 0 {
		s.current[best] -= sum
	}
	return best
}

func weights(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(10 + 7*i)
	}
	return out
}

func everyone(n int) uint64 { return 1<<n - 1 }

func TestTurnsAgree(t *testing.T) {
	w := weights(10)
	sum := 0
	for _, x := range w {
		sum += int(x)
	}
	rota, err := pick.NewRota(w)
	require.NoError(t, err)
	s := newSmooth(w)
	a, b := make([]int, len(w)), make([]int, len(w))
	for range sum {
		a[rota.Pick(everyone(10))]++
		b[s.pick(everyone(10))]++
	}
	require.Equal(t, s.weight, a, "a whole cycle gives each its weight")
	require.Equal(t, s.weight, b)
}

// BenchmarkTurns is the choice by weight alone, without a lock.
func BenchmarkTurns(b *testing.B) {
	for _, n := range []int{2, 10} {
		for _, state := range []string{"all", "one_out"} {
			b.Run(fmt.Sprintf("%d_%s", n, state), func(b *testing.B) {
				eligible := everyone(n)
				if state == "one_out" {
					eligible &^= 1
				}
				rota, err := pick.NewRota(weights(n))
				require.NoError(b, err)
				s := newSmooth(weights(n))
				beside(b,
					serial(ours, func() { rota.Pick(eligible) }),
					serial("swrr", func() { s.pick(eligible) }),
				)
			})
		}
	}
}

// hunt is a Selector with a plan of n trunks in one tier.
type hunt struct {
	s    *failover.Selector
	call outdial.Call
	plan []outdial.Candidate
	good outdial.Attempt
	ev   outdial.Event
}

func newHunt(t testing.TB, n int) *hunt {
	s, err := failover.New(failover.Config{})
	require.NoError(t, err)
	h := &hunt{s: s, call: outdial.Call{Dest: outdial.Destination{Group: 7}}}
	for i, w := range weights(n) {
		h.plan = append(h.plan, outdial.Candidate{Trunk: outdial.TrunkID(i + 1), Weight: w})
	}
	h.good = outdial.Attempt{Call: h.call, Start: monday, State: outdial.AttemptOpen}
	h.good.Timeline.Set(outdial.MarkProvisional, time.Second)
	h.ev = outdial.Event{
		Kind: outdial.EventProgressed, Time: monday, Attempt: &h.good, Marks: outdial.MarkProvisional.Of(),
	}
	return h
}

// eject fails trunk 1 until it is out.
func (h *hunt) eject(t testing.TB) {
	for i := range 10 {
		a := outdial.Attempt{
			ID: outdial.AttemptID{Call: outdial.CallID(1_000_000 + i), Leg: 1}, Call: h.call, Candidate: h.plan[0],
			Start: monday, State: outdial.AttemptEnded, Result: outdial.Result{Origin: outdial.OriginTransport},
		}
		h.s.Observe(&outdial.Event{Kind: outdial.EventEnded, Time: monday, Attempt: &a})
	}
	for range 1000 {
		i, _ := h.s.Pick(monday, &h.call, h.plan, everyone(len(h.plan)))
		require.NotZero(t, i, "trunk 1 should be out")
	}
}

func (h *hunt) pick() { h.s.Pick(monday, &h.call, h.plan, everyone(len(h.plan))) }

// decide picks, and tells that the callee's phone rings.
func (h *hunt) decide() {
	i, choice := h.s.Pick(monday, &h.call, h.plan, everyone(len(h.plan)))
	h.good.ID.Call++
	h.good.Candidate, h.good.Choice = h.plan[i], choice
	h.s.Observe(&h.ev)
}

// hunting calls pick, and after every tenth call again for a second attempt, among the others.
func hunting(pick func(eligible uint64) int, everyone uint64) func() {
	n := 0
	return func() {
		i := pick(everyone)
		if n++; n%10 == 0 {
			pick(everyone &^ (1 << i))
		}
	}
}

// BenchmarkChoice is the choice with health, tiers, probes and turns that several goroutines may take; smooth weighted round
// robin has a lock only.
func BenchmarkChoice(b *testing.B) {
	for _, n := range []int{2, 10} {
		for _, state := range []string{"all", "one_out", "hunting", "parallel"} {
			b.Run(fmt.Sprintf("%d_%s", n, state), func(b *testing.B) {
				h, way, eligible := newHunt(b, n), serial, everyone(n)
				switch state {
				case "one_out":
					h.eject(b)
					eligible &^= 1
				case "parallel":
					way = parallel
				}
				s := newSmooth(weights(n))
				var mu sync.Mutex
				locked := func(eligible uint64) int {
					mu.Lock()
					defer mu.Unlock()
					return s.pick(eligible)
				}
				if state == "hunting" {
					beside(b,
						serial(ours, hunting(func(eligible uint64) int {
							i, _ := h.s.Pick(monday, &h.call, h.plan, eligible)
							return i
						}, eligible)),
						serial("swrr", hunting(locked, eligible)),
					)
					return
				}
				beside(b,
					way(ours, h.pick),
					way("swrr", func() { locked(eligible) }),
				)
			})
		}
	}
}

// BenchmarkDecision is the choice and the report of a good outcome.
func BenchmarkDecision(b *testing.B) {
	for _, n := range []int{3, 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := newHunt(b, n)
			breakers := make([]*gobreaker.CircuitBreaker[int], n)
			for i := range breakers {
				breakers[i] = gobreaker.NewCircuitBreaker[int](gobreaker.Settings{})
			}
			s := newSmooth(weights(n))
			var mu sync.Mutex
			good := func() (int, error) { return 180, nil }
			beside(b,
				serial(ours, h.decide),
				serial("gobreaker", func() { _, _ = breakers[0].Execute(good) }),
				serial("swrr_and_gobreaker", func() {
					mu.Lock()
					i := s.pick(everyone(n))
					mu.Unlock()
					_, _ = breakers[i].Execute(good)
				}),
			)
		})
	}
}
