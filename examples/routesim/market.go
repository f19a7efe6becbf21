package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// The market: what a call would meet, which nobody who routes is told but the oracle.

const (
	carriers    = 3
	attemptCost = 0.004 // what an attempt costs the dialer itself: an agent's wait, a caller ID's exposure
	talk        = time.Minute
)

// prices of a minute, by carrier: the first is the cheapest.
var prices = [carriers]float64{0.008, 0.009, 0.010}

// scenario is how success differs and changes. good is the usual success; ratio returns that of a carrier towards a prefix
// at a time of the day.
type scenario struct {
	name, text string
	behind     string // why another strategy may be cheaper than ours

	ratio func(m *market, hour float64, carrier, prefix int) float64

	bad      int                     // the carrier whose exposure is counted; -1 = none
	affected func(prefix int) bool   // nil = all prefixes
	faulty   func(hour float64) bool // nil = always
	healed   float64                 // hour at which it is well again; 0 = never
}

// market is a scenario with its chances drawn.
type market struct {
	*scenario
	drift [carriers][24 * 4]float64 // log-odds by quarter of an hour
}

const good = 0.5

const nothing = "Nothing is to be found: the cheapest stays the right choice, and exploring costs this much."

func scenarios() []*scenario {
	one := func(prefix int) bool { return prefix == 0 }
	between := func(from, to float64) func(float64) bool {
		return func(h float64) bool { return h >= from && h < to }
	}
	step := func(gap float64, where func(int) bool, when func(float64) bool) func(*market, float64, int, int) float64 {
		return func(_ *market, hour float64, carrier, prefix int) float64 {
			if carrier == 0 && (where == nil || where(prefix)) && (when == nil || when(hour)) {
				return good - gap
			}
			return good
		}
	}
	return []*scenario{
		{name: "equal", behind: nothing, text: "all carriers succeed alike; only prices differ", bad: -1, ratio: step(0, nil, nil)},
		{name: "wide-40", text: "the cheapest is 40 points worse everywhere", ratio: step(.4, nil, nil)},
		{name: "wide-5", behind: nothing, text: "the cheapest is 5 points worse everywhere", ratio: step(.05, nil, nil)},
		{name: "prefix-40", text: "the cheapest is 40 points worse on one prefix of 50", ratio: step(.4, one, nil), affected: one},
		{name: "prefix-5", behind: nothing, text: "the cheapest is 5 points worse on one prefix of 50", ratio: step(.05, one, nil), affected: one},
		{
			name: "fault", text: "the cheapest fails everywhere (40 points) from 8 to 12 o'clock",
			ratio: step(.4, nil, between(8, 12)), faulty: between(8, 12), healed: 12,
		},
		{
			name: "prefix-fault", behind: "One prefix of 50 is sick for a third of the day: what exploring costs on the others is more.", text: "the cheapest fails on one prefix (40 points) from 8 to 16 o'clock",
			ratio: step(.4, one, between(8, 16)), affected: one, faulty: between(8, 16),
		},
		{
			name: "day-parts", behind: nothing, text: "20 points fewer people answer from 18 to 22 o'clock, on every carrier", bad: -1,
			ratio: func(_ *market, hour float64, _, _ int) float64 {
				if hour >= 18 && hour < 22 {
					return good - .2
				}
				return good
			},
		},
		{
			name: "drift", behind: "Carriers change in hours, within what calls of a few per cent can tell apart late; a carrier that is never left pays neither for looking nor for being late.", text: "each carrier's success wanders, 0.1 of log-odds in a quarter of an hour", bad: -1,
			ratio: func(m *market, hour float64, carrier, _ int) float64 {
				return 1 / (1 + math.Exp(-m.drift[carrier][min(int(hour*4), 95)]))
			},
		},
		{
			name: "false-answers", text: "half of the cheapest one's answers are false: at once, nobody there", bad: 0,
			ratio: step(.25, nil, nil),
		},
	}
}

func (s *scenario) open(seed uint64) *market {
	m := &market{scenario: s}
	r := rand.New(rand.NewPCG(seed, 77))
	for c := range m.drift {
		x := 0.0
		for q := range m.drift[c] {
			x = 0.98*x + 0.1*r.NormFloat64()
			m.drift[c][q] = x
		}
	}
	return m
}

// hit reports whether a call counts in the exposure to the bad carrier.
func (s *scenario) hit(hour float64, prefix int) bool {
	return s.bad >= 0 && (s.affected == nil || s.affected(prefix)) && (s.faulty == nil || s.faulty(hour))
}

// falseShare is the share of a carrier's answers that are false.
func (s *scenario) falseShare(carrier int) float64 {
	if s.name == "false-answers" && carrier == 0 {
		return 0.5
	}
	return 0
}
