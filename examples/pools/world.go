package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// world is a pool whose numbers make calls: a weekday cycle and a list that drifts move all of them together, each has an
// answer rate of its own, and some decay: from one call on, half as many of their calls are answered.
type world struct {
	numbers, days, calls int
	spread               float64 // sd of the logarithm of a number's own rate
	hazard               float64 // share of the healthy numbers that decay in a day
}

// player is a rule that decides on numbers.
type player interface {
	share(n, day int) float64                   // of a day's calls that the number may make
	call(n int, day, at float64, answered bool) // one call, at a moment of the day in [0, 1)
	endDay(day int)
	resting(n int) bool
}

const baseRate = .20

// tally is what became of the numbers under one rule.
type tally struct {
	numbers, wrong int   // numbers that were rested at least once while healthy
	decays         int   // with settleDays to go, so that there was time to find them
	delays         []int // calls from decay to rest, of those that were found
}

const settleDays = 20

func (t *tally) add(o tally) {
	t.numbers += o.numbers
	t.wrong += o.wrong
	t.decays += o.decays
	t.delays = append(t.delays, o.delays...)
}

func (t *tally) falseShare() float64 { return float64(t.wrong) / float64(max(t.numbers, 1)) }

// member is a number of the world.
type member struct {
	rate     float64 // its own, against the others'
	decayed  bool
	counts   bool // as a decay that there was time to find
	since    int  // calls since it decayed
	wronged  bool
	lastRest bool
}

// play runs the world under a rule. A number that was rested comes back healthy.
func (w *world) play(seed uint64, p player, tr *trace) tally {
	rng := rand.New(rand.NewPCG(seed, 17))
	list := make([]member, w.numbers)
	for i := range list {
		list[i].rate = math.Exp(w.spread*rng.NormFloat64() - w.spread*w.spread/2)
	}
	t := tally{numbers: w.numbers}
	drift := 0.
	for day := range w.days {
		drift = .8*drift + .12*rng.NormFloat64()
		list1 := []float64{1.05, 1.10, 1.05, 1, .95, .75, .70}[day%7] * math.Exp(drift)
		for i := range list {
			if m := &list[i]; !m.decayed && !p.resting(i) && rng.Float64() < w.hazard {
				m.decayed, m.since, m.counts = true, 0, day < w.days-settleDays
				if m.counts {
					t.decays++
				}
			}
		}
		answered, made, sick := 0, 0, 0
		for k := range w.calls { // the numbers take turns, as they do in a pool
			at := (float64(k) + .5) / float64(w.calls)
			for i := range list {
				m := &list[i]
				if p.resting(i) || float64(k) >= p.share(i, day)*float64(w.calls) {
					continue
				}
				q := min(baseRate*list1*m.rate, .9)
				if m.decayed {
					q /= 2
					m.since++
				}
				yes := rng.Float64() < q
				p.call(i, float64(day), at, yes)
				made++
				if yes {
					answered++
				}
				if p.resting(i) {
					w.rested(m, &t)
				}
			}
		}
		p.endDay(day)
		for i := range list {
			m := &list[i]
			if now := p.resting(i); now && !m.lastRest {
				w.rested(m, &t)
			}
			m.lastRest = p.resting(i)
			if m.decayed {
				sick++
			}
		}
		if tr != nil {
			tr.day(answered, made, sick, p)
		}
	}
	return t
}

// rested counts a number that was rested, once, and heals it.
func (w *world) rested(m *member, t *tally) {
	switch {
	case m.lastRest:
		return
	case m.decayed && m.counts:
		t.delays = append(t.delays, m.since)
	case !m.decayed && !m.wronged:
		m.wronged = true
		t.wrong++
	}
	m.decayed, m.lastRest = false, true
}

func quantile(v []int, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return float64(s[min(int(q*float64(len(s))), len(s)-1)])
}

func mean(v []int) float64 {
	sum := 0
	for _, x := range v {
		sum += x
	}
	return float64(sum) / float64(max(len(v), 1))
}
