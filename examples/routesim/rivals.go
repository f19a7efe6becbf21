package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// strategy decides which carrier a call tries first, and learns from outcomes when they are known.
type strategy interface {
	pick(now time.Time, call, prefix int) (carrier int, explored bool)
	learn(o outcome)
}

// outcome of a call. A false answer looks like an answer, but nobody rang.
type outcome struct {
	call, carrier, prefix int
	start, known          time.Time
	answered, false       bool
}

func (o *outcome) looksAnswered() bool { return o.answered || o.false }

// leastCost always takes the cheapest.
type leastCost struct{}

func (leastCost) pick(time.Time, int, int) (int, bool) { return 0, false }
func (leastCost) learn(outcome)                        {}

// oracle knows every chance.
type oracle struct{ m *market }

func (o oracle) pick(now time.Time, _, prefix int) (int, bool) {
	best, least := 0, 0.0
	for c := range carriers {
		p := o.m.ratio(o.m, hourOf(now), c, prefix)
		// A success costs its minute, the false answers before it, and an attempt for each try.
		per := prices[c]*(1+o.m.falseShare(c)) + attemptCost/p
		if c == 0 || per < least {
			best, least = c, per
		}
	}
	return best, false
}
func (oracle) learn(outcome) {}

// window is the outcomes of a carrier to a prefix within a span.
type window struct {
	at       []time.Time
	answered []bool
	k        int
}

func (w *window) add(at time.Time, answered bool) {
	w.at, w.answered = append(w.at, at), append(w.answered, answered)
	if answered {
		w.k++
	}
}

func (w *window) expire(before time.Time) {
	n := 0
	for n < len(w.at) && w.at[n].Before(before) {
		if w.answered[n] {
			w.k--
		}
		n++
	}
	w.at, w.answered = w.at[n:], w.answered[n:]
}

type cellKey struct{ carrier, prefix int }

// qrouting is the rule of a known SIP server's quality module with its defaults: by carrier and prefix, over 30 minutes,
// healthy below 30 samples; half the weight below the warning threshold, a twentieth below the critical one. The thresholds,
// which have no default there, are 30 % and 20 %. The weights are equal, so its choice is a draw.
type qrouting struct {
	r     *rand.Rand
	cells map[cellKey]*window
}

func (q *qrouting) pick(now time.Time, _, prefix int) (int, bool) {
	var w [carriers]float64
	sum := 0.0
	for c := range w {
		w[c] = 1
		if s := q.cells[cellKey{c, prefix}]; s != nil {
			s.expire(now.Add(-30 * time.Minute))
			if n := len(s.at); n >= 30 {
				switch asr := float64(s.k) / float64(n); {
				case asr < .2:
					w[c] = .05
				case asr < .3:
					w[c] = .5
				}
			}
		}
		sum += w[c]
	}
	x := q.r.Float64() * sum
	for c := range w {
		if x -= w[c]; x < 0 {
			return c, false
		}
	}
	return carriers - 1, false
}

func (q *qrouting) learn(o outcome) {
	k := cellKey{o.carrier, o.prefix}
	if q.cells[k] == nil {
		q.cells[k] = new(window)
	}
	q.cells[k].add(o.known, o.looksAnswered())
}

// qos sorts as a known rating engine's strategy of that name does: by the plain answer ratio of a carrier to a prefix over an
// hour and at most 100 calls, the greatest first, one without calls last; equal ones in the order of price.
type qos struct{ cells map[cellKey]*window }

func (q *qos) pick(now time.Time, _, prefix int) (int, bool) {
	order := []int{0, 1, 2}
	asr := func(c int) float64 {
		s := q.cells[cellKey{c, prefix}]
		if s == nil {
			return -1
		}
		s.expire(now.Add(-time.Hour))
		if len(s.at) == 0 {
			return -1
		}
		return float64(s.k) / float64(len(s.at))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(asr(b), asr(a)) })
	return order[0], false
}

func (q *qos) learn(o outcome) {
	k := cellKey{o.carrier, o.prefix}
	s := q.cells[k]
	if s == nil {
		s = new(window)
		q.cells[k] = s
	}
	s.add(o.known, o.looksAnswered())
	if len(s.at) > 100 {
		s.expire(s.at[1])
	}
}
