package trunk

import (
	"math/bits"
	"sync/atomic"

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
func slotOf(l outdial.Lease) int32 { return int32(l >> trunkBits & (1<<slotBits - 1)) }
func genOf(l outdial.Lease) uint32 { return uint32(l >> (slotBits + trunkBits)) }

// slots are the channels of one trunk: a stack of free slots whose head stands in one word with the number of those in use.
// They grow to the most that were ever in use.
//
// While a trunk is calm (few channels in use, see line.recalm) a channel is taken with one compare-and-swap of that word and
// given back with two: one ends the lease, so that it can be given back only once, one frees the slot. Everything else
// takes the line's lock and guards the word first: from then on only the holder of the lock changes it, with all shares
// counted. Whoever was half way through without the lock when the guard went up finds the word changed and comes to the
// lock.
type slots struct {
	word  atomic.Uint64
	calm  atomic.Int32 // with fewer in use, and no guard, there is room for everyone
	peak  atomic.Int32
	cells [slotBits - 6 + 1]atomic.Pointer[[]atomic.Uint64] // 64, 64, 128, 256 … slots
	info  []slot                                            // what only the holder of the lock needs
}

// slot is what is known of a channel beside its cell. It is taken without a look at the clock: when a channel was taken is
// noted when its call is seized, or else by the sweep (see line.reclaim).
type slot struct {
	gen    uint32 // what follows is of this generation
	seized bool
	side   bool // by the side, see pace
	dated  bool // since is known
	tenant outdial.TenantID
	since  window.Instant // when its INVITE may leave, or when the sweep first saw it

	share uint16 // that it was counted for, under the guard
	idle  bool   // scratch of recount
}

// The word: guard, used, head (1 + the slot that is free next, 0 = none), and a tag that moves on with every change, so
// that a word that has come back is not taken for the one that was read (unless 2^23 changes lie in between).
const (
	tagBits   = 64 - 2*slotBits - 1
	headShift = tagBits
	usedShift = tagBits + slotBits
	guarded   = 1 << 63
	slotMask  = 1<<slotBits - 1
	tagMask   = 1<<tagBits - 1
)

func usedIn(w uint64) int   { return int(w >> usedShift & slotMask) }
func headIn(w uint64) int32 { return int32(w >> headShift & slotMask) }

// wordOf keeps the guard of w and moves its tag on.
func wordOf(w uint64, used int, head int32) uint64 {
	return w&guarded | uint64(used)<<usedShift | uint64(head)<<headShift | (w+1)&tagMask
}

// A cell: generation, the next free slot (as head), and the share that its holder counts for.
const shareBits = trunkBits

func cellOf(gen uint32, next int32, share uint16) uint64 {
	return uint64(gen)<<(slotBits+shareBits) | uint64(next)<<shareBits | uint64(share)
}

func genIn(c uint64) uint32   { return uint32(c >> (slotBits + shareBits)) }
func nextIn(c uint64) int32   { return int32(c >> shareBits & slotMask) }
func shareIn(c uint64) uint16 { return uint16(c & (1<<shareBits - 1)) }

func nextGen(gen uint32) uint32 {
	if gen++; gen > maxGen {
		return 1
	}
	return gen
}

// cell returns the cell of a slot, nil if it was never made.
func (s *slots) cell(i int32) *atomic.Uint64 {
	part := bits.Len32(uint32(i) >> 6)
	list := s.cells[part].Load()
	if list == nil {
		return nil
	}
	return &(*list)[i-64<<part>>1&^63] // part 0 begins at 0, part k at 64<<(k−1)
}

func (s *slots) used() int { return usedIn(s.word.Load()) }

// takeCalmly takes a slot for a share without the lock; 0 = it must be asked for under it. recount says that the slot may
// have been counted for another share by somebody who put the guard up meanwhile.
func (s *slots) takeCalmly(share uint16, trunk uint16) (l outdial.Lease, recount bool) {
	for tries := 1; ; tries++ {
		w := s.word.Load()
		used, head := usedIn(w), headIn(w)
		if w&guarded != 0 || head == 0 || used >= int(s.calm.Load()) {
			return 0, false
		}
		c := s.cell(head - 1)
		v := c.Load()
		if !s.word.CompareAndSwap(w, wordOf(w, used+1, nextIn(v))) {
			yield(tries)
			continue
		}
		if used >= int(s.peak.Load()) {
			s.rise(used + 1)
		}
		if shareIn(v) != share {
			c.Store(cellOf(genIn(v), 0, share))
			recount = s.word.Load()&guarded != 0
		}
		return leaseOf(genIn(v), head-1, trunk), recount
	}
}

// yieldTurns is how often an empty loop turns in some 600 ns.
const yieldTurns = 2048

// yield leaves the word alone for a while, up to some 2.4 µs, after so many tries that somebody else has spoiled: who has its
// cache line then gets several turns done, instead of one for each time that the line moves between two cores. Without
// it, two cores that do nothing else take seven times as long.
//
//go:noinline
func yield(tries int) {
	for range min(tries, 4) * yieldTurns {
	}
}

// rise notes a peak.
func (s *slots) rise(used int) {
	for p := s.peak.Load(); used > int(p) && !s.peak.CompareAndSwap(p, int32(used)); p = s.peak.Load() {
	}
}

// How a give-back without the lock ended.
type given uint8

const (
	done    given = iota // or the lease was stale
	locked               // it must be given back under the lock
	started              // the lease has ended; the slot must be freed under the lock
)

// giveCalmly ends a lease and frees its slot without the lock.
func (s *slots) giveCalmly(l outdial.Lease) given {
	i, gen := slotOf(l), genOf(l)
	c := s.cell(i)
	if c == nil || gen == 0 {
		return done
	}
	for {
		w := s.word.Load()
		v := c.Load()
		switch {
		case genIn(v) != gen:
			return done
		case w&guarded != 0:
			return locked
		case !c.CompareAndSwap(v, cellOf(nextGen(gen), headIn(w), shareIn(v))):
			continue
		}
		for tries := 1; !s.word.CompareAndSwap(w, wordOf(w, usedIn(w)-1, i+1)); tries++ {
			yield(tries)
			if w = s.word.Load(); w&guarded != 0 {
				return started
			}
			if genIn(c.Load()) != nextGen(gen) {
				return done // the sweep took it for a leak, and has freed it
			}
			c.Store(cellOf(nextGen(gen), headIn(w), shareIn(v)))
		}
		return done
	}
}

// valid reports whether l is held.
func (s *slots) valid(l outdial.Lease) bool {
	c := s.cell(slotOf(l))
	return c != nil && genOf(l) != 0 && genIn(c.Load()) == genOf(l)
}

// The methods below are for the holder of the lock; those from guard on, with the guard up.

// get returns what is known of the slot that l holds, or nil when l is stale.
func (s *slots) get(l outdial.Lease) *slot {
	if !s.valid(l) {
		return nil
	}
	return s.of(slotOf(l), genOf(l))
}

func (s *slots) of(i int32, gen uint32) *slot {
	p := &s.info[i]
	if p.gen != gen {
		*p = slot{gen: gen, share: p.share}
	}
	return p
}

// guard keeps everyone without the lock out, and reports whether they were not already.
func (s *slots) guard() bool {
	for {
		w := s.word.Load()
		if w&guarded != 0 {
			return false
		}
		if s.word.CompareAndSwap(w, wordOf(w|guarded, usedIn(w), headIn(w))) {
			return true
		}
	}
}

func (s *slots) guarded() bool { return s.word.Load()&guarded != 0 }

func (s *slots) unguard() {
	w := s.word.Load()
	s.word.Store(wordOf(w&^guarded, usedIn(w), headIn(w)))
}

// take returns a free slot; the caller has made sure that fewer than MaxChannels are used.
func (s *slots) take(share uint16) (i int32, gen uint32) {
	w := s.word.Load()
	if headIn(w) == 0 {
		s.make()
		w = s.word.Load()
	}
	i = headIn(w) - 1
	c := s.cell(i)
	v := c.Load()
	c.Store(cellOf(genIn(v), 0, share))
	s.word.Store(wordOf(w, usedIn(w)+1, nextIn(v)))
	s.rise(usedIn(w) + 1)
	return i, genIn(v)
}

// make makes more slots: the first 64, then as many as there are.
func (s *slots) make() {
	first := int32(len(s.info))
	n := max(first, 64)
	if first+n > MaxChannels { // a slot and one more must fit into slotBits
		n = MaxChannels - first
	}
	list := make([]atomic.Uint64, max(first, 64))
	for k := range n {
		next := first + k + 2
		if k == n-1 {
			next = 0
		}
		list[k].Store(cellOf(1, next, 0))
	}
	s.info = append(s.info, make([]slot, n)...)
	s.cells[bits.Len32(uint32(first)>>6)].Store(&list)
	w := s.word.Load()
	s.word.Store(wordOf(w, usedIn(w), first+1))
}

// end makes the lease of a held slot stale, and reports whether nobody else has.
func (s *slots) end(l outdial.Lease) bool {
	c := s.cell(slotOf(l))
	v := c.Load()
	return genIn(v) == genOf(l) && c.CompareAndSwap(v, cellOf(nextGen(genIn(v)), 0, shareIn(v)))
}

// free puts a slot whose lease has ended back.
func (s *slots) free(i int32) {
	w := s.word.Load()
	c := s.cell(i)
	v := c.Load()
	c.Store(cellOf(genIn(v), headIn(w), shareIn(v)))
	s.word.Store(wordOf(w, usedIn(w)-1, i+1))
}

// held calls fn for every slot that is not free, with its lease's generation and its share.
func (s *slots) held(fn func(i int32, gen uint32, share uint16)) {
	for i := range s.info {
		s.info[i].idle = false
	}
	for i := headIn(s.word.Load()); i != 0; i = nextIn(s.cell(i - 1).Load()) {
		s.info[i-1].idle = true
	}
	for i := range s.info {
		if !s.info[i].idle {
			v := s.cell(int32(i)).Load()
			fn(int32(i), genIn(v), shareIn(v))
		}
	}
}
