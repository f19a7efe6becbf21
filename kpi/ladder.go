package kpi

import (
	"math/bits"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// ladder is the cells that an estimate for one trunk and group goes through, coarsest first. It is kept once all of them are
// there, and holds while the meter's generation is what it was: the index, and what is known of the groups' places.
//
// What a reading needs stands in one cache line.
type ladder struct {
	trunk      outdial.TrunkID
	group      outdial.GroupID
	generation uint32
	n          uint32                                      // of rungs
	accounts   [len(estimateViews)]atomic.Pointer[account] // by rung, as read last
	rungs      [len(estimateViews)]rung
}

// rung is a cell and its live sums; nil = it is not there yet.
type rung struct {
	s *state
	l *live
}

func (l *ladder) add(r rung) {
	l.rungs[l.n] = r
	l.n++
}

// account is that of a rung, for the window that ends with epoch; nil where there is no cell.
func (l *ladder) account(m *Meter, i int, epoch int64) *account {
	if a := l.accounts[i].Load(); a != nil && a.epoch.Load() == epoch {
		return a
	}
	return l.look(m, i, epoch)
}

// look is account for one that is not there yet, or holds no more.
func (l *ladder) look(m *Meter, i int, epoch int64) *account {
	r := &l.rungs[i]
	if r.s == nil {
		return nil
	}
	a := r.l.now.Load()
	if a == nil || a.epoch.Load() != epoch {
		a = m.open(r.s, r.l, epoch)
	}
	l.accounts[i].Store(a)
	return a
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

// keepLadder keeps one, unless a cell is missing.
func (m *Meter) keepLadder(l *ladder) {
	for _, r := range l.rungs[:l.n] {
		if r.s == nil {
			return
		}
	}
	m.ladders.at(l.trunk, l.group).Store(&ladder{trunk: l.trunk, group: l.group, generation: l.generation, n: l.n, rungs: l.rungs})
}
