package trunk

import (
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// A lease is, from the top, a generation, a slot and the index of its trunk in the Set. A slot's generation moves
// on when the slot is freed, so an old lease never matches the slot's next holder, unless it is presented exactly
// 2^30−1 holders later.
const (
	trunkBits = 14
	slotBits  = 20
	genBits   = 64 - slotBits - trunkBits
	maxGen    = 1<<genBits - 1
)

func leaseOf(gen uint32, slot int32, trunk uint16) outdial.Lease {
	return outdial.Lease(uint64(gen)<<(slotBits+trunkBits) | uint64(slot)<<trunkBits | uint64(trunk))
}

func trunkOf(l outdial.Lease) int  { return int(l & (1<<trunkBits - 1)) }
func slotOf(l outdial.Lease) int   { return int(l >> trunkBits & (1<<slotBits - 1)) }
func genOf(l outdial.Lease) uint32 { return uint32(l >> (slotBits + trunkBits)) }

// slots are the channels of one trunk. They grow to the most that were ever in use and are reused, the last freed
// first. The zero value is empty; the caller holds its lock.
type slots struct {
	all  []slot
	free int32 // 1 + the first free slot; 0 = none
	used int
}

type slot struct {
	gen   uint32 // of the present holder, or of the next one; from 1
	next  int32  // 1 + the next free slot
	held  bool
	since window.Instant // when it was taken
	left  window.Instant // when its INVITE may leave, if it was seized
	seize bool
}

// take returns a free slot; the caller has made sure that fewer than MaxChannels are used.
func (s *slots) take(at window.Instant) (i int32, gen uint32) {
	if s.free == 0 {
		s.all = append(s.all, slot{gen: 1})
		s.free = int32(len(s.all))
	}
	i = s.free - 1
	p := &s.all[i]
	s.free = p.next
	*p = slot{gen: p.gen, held: true, since: at}
	s.used++
	return i, p.gen
}

// get returns the slot that l holds, or nil when l is stale.
func (s *slots) get(l outdial.Lease) *slot {
	i := slotOf(l)
	if i >= len(s.all) {
		return nil
	}
	if p := &s.all[i]; p.held && p.gen == genOf(l) {
		return p
	}
	return nil
}

// drop frees a held slot and makes its lease stale.
func (s *slots) drop(i int32) {
	p := &s.all[i]
	gen := p.gen + 1
	if gen > maxGen {
		gen = 1
	}
	*p = slot{gen: gen, next: s.free}
	s.free = i + 1
	s.used--
}
