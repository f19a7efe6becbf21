package kpi

import (
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// sum adds up what cells counted, in a form that costs little to add to: a reader takes one, and gives it back.
type sum struct {
	any    bool
	counts []uint64 // by the number of the kind
	delays [distCount]pile
	whole  pile // some of them together
	sums   [sumKinds]int64
}

var sums = sync.Pool{New: func() any { return new(sum) }}

func (x *sum) count(kind uint16, n uint64) {
	if int(kind) >= len(x.counts) {
		x.counts = append(x.counts, make([]uint64, int(kind)+1-len(x.counts))...)
	}
	x.counts[kind] += n
}

func (x *sum) addPart(p *part, does *effects) {
	x.any = true
	x.count(p.kind, 1)
	for i, d := range does.dists[:does.n] {
		x.delays[d].addQuantum(p.q[i])
	}
	x.sums[does.sum] += p.sum
}

func (x *sum) addBucket(b *bucket) {
	x.any = true
	for kind, n := range b.counts {
		if n > 0 {
			x.count(uint16(kind), uint64(n))
		}
	}
	for _, s := range b.delays.slots {
		if s != 0 {
			key := s >> tallyBits
			x.delays[key>>binBits].add(int(key%binCount), uint64(s&tallyMost))
		}
	}
	for d, sum := range b.delays.sum {
		x.delays[d].sum += sum
	}
	for i, n := range b.sums {
		x.sums[i] += n
	}
}

// Distributions that a Cell shows, by what they are put together from.
const (
	pddDists       dists = 1<<answeredRang | 1<<answeredHeard | 1<<answeredFirst | 1<<failedRang | 1<<failedHeard | 1<<failedFirst
	ringingDists   dists = 1<<answeredRang | 1<<failedRang | 1<<laterRang
	audibleDists   dists = 1<<answeredRang | 1<<answeredHeard | 1<<failedRang | 1<<failedHeard | 1<<laterHeard
	srdDists       dists = 1<<answeredRang | 1<<answeredHeard | 1<<answeredFirst | 1<<answeredFinal
	srdFailedDists dists = 1<<failedRang | 1<<failedHeard | 1<<failedFirst | 1<<failedFinal
)

// shown is what each of Cell.sketches is put together from.
var shown = [...]dists{
	pddDists, ringingDists, audibleDists, srdDists, srdFailedDists, 1 << ringTime, 1 << talkTime, 1 << byeTaken, 1 << byeFailed,
}

// pile puts distributions together; it holds until the next call.
func (x *sum) pile(of dists) *pile {
	x.whole.reset()
	for d := range distCount {
		if of.has(d) && x.delays[d].n > 0 {
			x.whole.merge(&x.delays[d])
		}
	}
	return &x.whole
}

// cell turns the sum into a Cell and empties it.
func (x *sum) cell(m *Meter, key Key) Cell {
	c := Cell{
		Key:  key,
		Cost: outdial.Micros(x.sums[sumCost]), AgentTime: time.Duration(x.sums[sumAgent]) * time.Millisecond,
		CohortTime: time.Duration(x.sums[sumCohort]) * time.Millisecond,
	}
	var codes []RefusalCount
	for number, n := range x.counts {
		if n == 0 {
			continue
		}
		k := m.kinds.kinds[number]
		k.addTo(&c.Counters, n, len(m.cfg.ShortCalls))
		if k.family() == famRefused {
			if codes == nil {
				codes = m.codes.Load().list
			}
			c.refused(codes[k&refusedCodeMask], n)
		}
		if k.family() == famOutcome && k.class().Seizure() && k.code() != 0 {
			c.status(k.code(), n)
		}
	}
	if key.View&perLeg != 0 {
		c.Calls, c.CallsAnswered = 0, 0
	}
	for i, s := range c.sketches() {
		*s = x.pile(shown[i]).sketch()
	}
	x.reset()
	return c
}

func (x *sum) reset() {
	x.any = false
	clear(x.counts)
	x.sums = [sumKinds]int64{}
	for i := range x.delays {
		x.delays[i].reset()
	}
}

// status counts n legs that ended with a SIP status.
func (c *Cell) status(code uint16, n uint64) {
	i, ok := slices.BinarySearchFunc(c.Statuses, code, func(s StatusCount, code uint16) int { return int(s.Code) - int(code) })
	if !ok {
		c.Statuses = slices.Insert(c.Statuses, i, StatusCount{Code: code})
	}
	c.Statuses[i].N += n
}
