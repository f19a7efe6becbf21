package main

import "math"

// governed is the name of the rule that package cli follows.
const governed = "cli: CUSUM against peers × own ratio, h = 6 and 13"

var rules = []struct {
	name string
	make func(*world) (player, error)
}{
	{"answer rate of the day < 10 %", func(w *world) (player, error) { return newDaily(w, .10), nil }},
	{"answer rate of the day < 5 %", func(w *world) (player, error) { return newDaily(w, .05), nil }},
	{"3 days < half of its own 14 days before", func(w *world) (player, error) { return newOwnMean(w), nil }},
	{"CUSUM against a fixed 20 %, h = 8", func(w *world) (player, error) { return newFixed(w, 8), nil }},
	{governed, newGoverned},
}

// rest is what the fixed rules have in common: whom they rest, for 21 days, and the answers of each day.
type rest struct {
	until   []int
	today   int
	answers [][]int // by number and day
	calls   [][]int
}

func newRest(w *world) rest {
	r := rest{until: make([]int, w.numbers), answers: make([][]int, w.numbers), calls: make([][]int, w.numbers)}
	for i := range r.answers {
		r.answers[i], r.calls[i] = make([]int, w.days), make([]int, w.days)
	}
	return r
}

func (r *rest) share(int, int) float64 { return 1 }
func (r *rest) resting(n int) bool     { return r.until[n] > r.today }
func (r *rest) put(n, day int)         { r.until[n] = day + 21 }

func (r *rest) call(n int, day, _ float64, answered bool) {
	r.calls[n][int(day)]++
	if answered {
		r.answers[n][int(day)]++
	}
}

// rate is the answer rate of a number over the days [from, to), and whether it made enough calls.
func (r *rest) rate(n, from, to int) (float64, bool) {
	a, c := 0, 0
	for d := max(from, 0); d < to; d++ {
		a += r.answers[n][d]
		c += r.calls[n][d]
	}
	return float64(a) / float64(max(c, 1)), from >= 0 && c >= 50*(to-from)
}

// daily rests a number after a day with a low answer rate.
type daily struct {
	rest
	least float64
}

func newDaily(w *world, least float64) *daily { return &daily{newRest(w), least} }

func (r *daily) endDay(day int) {
	for n := range r.until {
		if p, ok := r.rate(n, day, day+1); ok && p < r.least {
			r.put(n, day)
		}
	}
	r.today = day + 1
}

// ownMean rests a number whose last days are half as good as those before.
type ownMean struct{ rest }

func newOwnMean(w *world) *ownMean { return &ownMean{newRest(w)} }

func (r *ownMean) endDay(day int) {
	for n := range r.until {
		before, ok1 := r.rate(n, day-16, day-2)
		last, ok2 := r.rate(n, day-2, day+1)
		if ok1 && ok2 && last < before/2 {
			r.put(n, day)
		}
	}
	r.today = day + 1
}

// fixed is a cumulative sum against an answer rate that does not change.
type fixed struct {
	rest
	sum []float64
	h   float64
}

func newFixed(w *world, h float64) *fixed {
	return &fixed{rest: newRest(w), sum: make([]float64, w.numbers), h: h}
}

func (r *fixed) call(n int, day, _ float64, answered bool) {
	llr := math.Log((1 - baseRate/2) / (1 - baseRate))
	if answered {
		llr = -math.Ln2
	}
	if r.sum[n] = max(0, r.sum[n]+llr); r.sum[n] >= r.h {
		r.sum[n] = 0
		r.put(n, int(day))
	}
}

func (r *fixed) endDay(day int) { r.today = day + 1 }
