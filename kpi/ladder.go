package kpi

import (
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// ladder is the cells that an estimate for one trunk and group goes through, coarsest first, once all of them are there. It
// holds while the meter's generation is what it was: the index, and what is known of the groups' places.
type ladder struct {
	trunk      outdial.TrunkID
	group      outdial.GroupID
	generation uint32
	rungs      []rung
}

type rung struct {
	s *state
	l *live
}

// ladders keeps those that are asked for; two that have one place take turns.
type ladders []atomic.Pointer[ladder]

// maxLadders bounds the memory: some 200 bytes each.
const maxLadders = 1 << 14

func newLadders(cells int) ladders {
	return make(ladders, 1<<bits.Len(uint(min(max(cells, 1), maxLadders)-1)))
}

func (t ladders) at(trunk outdial.TrunkID, group outdial.GroupID) *atomic.Pointer[ladder] {
	h := (uint64(trunk)<<32 | uint64(group)) * 0x9e3779b97f4a7c15
	return &t[h>>32&uint64(len(t)-1)]
}

// ladder returns the one that is kept for a trunk and group, if it still holds.
func (m *Meter) ladder(trunk outdial.TrunkID, group outdial.GroupID) *ladder {
	l := m.ladders.at(trunk, group).Load()
	if l == nil || l.trunk != trunk || l.group != group || l.generation != m.generation.Load() {
		return nil
	}
	return l
}

// keepLadder keeps one with these rungs, which were found in a generation, unless a cell is missing.
func (m *Meter) keepLadder(trunk outdial.TrunkID, group outdial.GroupID, generation uint32, rungs []rung) {
	for _, r := range rungs {
		if r.s == nil {
			return
		}
	}
	m.ladders.at(trunk, group).Store(&ladder{trunk, group, generation, slices.Clone(rungs)})
}
