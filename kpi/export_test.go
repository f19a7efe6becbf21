package kpi

import (
	"slices"
	"time"

	"github.com/outdial/outdial/internal/seal"
)

// lanesInTests are more than a machine with two cores has by itself.
const lanesInTests = 3

// Spread makes every cell of m keep rings from its first count on, and readies m for several cores. It comes before all else.
func (m *Meter) Spread() { m.diaryMost, m.lanes.n = -1, lanesInTests }

// Divide gives every cell of m parts, of which whoever counts next takes the given one.
func (m *Meter) Divide(lane int) {
	m.lanes.n = lanesInTests
	m.Sit(lane)
	for _, s := range m.sorted() {
		s.mu.Lock()
		if s.parts.Load() == nil && s.newest != noTick {
			if s.rings == nil {
				s.outgrow(m, s.newest)
			}
			s.divide(m)
		}
		s.mu.Unlock()
	}
}

// Sit gives whoever counts next a lane.
func (m *Meter) Sit(lane int) { m.lanes.mine().lane.Store(uint32(lane % lanesInTests)) }

// Divided reports whether any cell has parts.
func (m *Meter) Divided() bool {
	return slices.ContainsFunc(m.sorted(), func(s *state) bool { return s.parts.Load() != nil })
}

// Floor divides as a meter finds ticks.
func Floor(v, by int64) int64 {
	d := divisorOf(by)
	return d.floor(v)
}

// Kept is d as cells keep it.
func Kept(d time.Duration) time.Duration { return quantumOf(d).duration() }

// Resealed is a snapshot with the checksum of what it holds.
func Resealed(b []byte) []byte {
	return seal.Close(keptKind, slices.Clone(b))
}

// Tally counts d so many times in a tally, and returns how many it has and how many slots of the bin stand before the one with
// room.
func Tally(d time.Duration, times int) (n uint64, before int) {
	var t tally
	q := quantumOf(d)
	for range times {
		t.addQuantum(talkTime, q)
	}
	key := uint32(talkTime)<<binBits | uint32(binOf(q.duration()))
	mask := uint32(len(t.slots) - 1)
	room := false
	for i := range t.slots {
		s := t.slots[(key*0x9e3779b1>>8+uint32(i))&mask]
		if s != 0 && s>>tallyBits == key {
			n += uint64(s & tallyMost)
			room = room || s&tallyMost < tallyMost
			if !room {
				before++
			}
		}
	}
	return n, before
}
