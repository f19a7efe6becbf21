package kpi

import (
	"slices"
	"sync"
	"time"

	"github.com/outdial/outdial"
)

// sum adds up what cells counted, in a form that costs little to add to: a reader takes one, and gives it back.
type sum struct {
	any             bool
	counts          []uint64 // by the number of the kind
	pdd, ring, long pile
	cost, agent     int64
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
	if does.pdd {
		x.pdd.addQuantum(p.pdd)
	}
	if does.ring {
		x.ring.addQuantum(p.ring)
	}
	if does.duration {
		x.long.addQuantum(p.long)
		x.cost += p.sum
	} else {
		x.agent += p.sum
	}
}

func (x *sum) addBucket(b *bucket) {
	x.any = true
	for kind, n := range b.counts {
		if n > 0 {
			x.count(uint16(kind), uint64(n))
		}
	}
	x.pdd.addTally(&b.pdd)
	x.ring.addTally(&b.ring)
	x.long.addTally(&b.long)
	x.cost += b.cost
	x.agent += b.agent
}

// cell turns the sum into a Cell and empties it.
func (x *sum) cell(m *Meter, key Key) Cell {
	c := Cell{Key: key, Cost: outdial.Micros(x.cost), AgentTime: time.Duration(x.agent) * time.Millisecond}
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
	c.PDD, c.Ring, c.Duration = x.pdd.sketch(), x.ring.sketch(), x.long.sketch()
	x.reset()
	return c
}

func (x *sum) reset() {
	x.any = false
	clear(x.counts)
	x.cost, x.agent = 0, 0
	for _, p := range []*pile{&x.pdd, &x.ring, &x.long} {
		p.reset()
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
