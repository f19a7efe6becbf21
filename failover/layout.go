package failover

import (
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/outdial/outdial"
)

// layout is what can be computed of a plan beforehand: its tiers. Plans are few and come again and again, so the layouts
// of the latest are kept; one that is not kept is worked out anew each time. But for what is atomic it is immutable.
type layout struct {
	keys  []key // of the plan, in its order
	all   uint64
	tiers []section // in ascending order
	view  viewCache
}

// key is what tells a candidate from another: trunk and weight in one word, and the tier.
type key struct {
	member uint64
	tier   uint64
}

func keyOf(c *outdial.Candidate) key {
	return key{uint64(c.Trunk)<<32 | uint64(c.Weight), uint64(c.Tier)}
}

// section is a tier of a plan.
type section struct {
	tier     uint8
	members  uint64 // places in the plan
	weighted uint64 // those with a weight
	sorted   *tier
	inPlace  bool // the k-th member is at place k of the plan
	core     atomic.Pointer[core]
}

const layoutSlots = 256

// layouts keeps one layout for each hash of a plan. A plan takes the place of another when it misses twice in a
// row, so that plans that never come again cost nothing but their own work.
type layouts struct {
	slot   [layoutSlots]atomic.Pointer[layout]
	missed [layoutSlots]atomic.Uint64
}

// get returns the layout of a plan; nil = it is not kept.
func (ls *layouts) get(plan []outdial.Candidate) *layout {
	n := len(plan)
	if n == 0 {
		return nil
	}
	first, last := &plan[0], &plan[n-1]
	h := uint64(first.Trunk)*0x9e3779b97f4a7c15 ^ uint64(last.Trunk)*0xd1b54a32d192ed03 ^ uint64(n)*0x94d049bb133111eb
	h = h >> 32 % layoutSlots
	if l := ls.slot[h].Load(); l != nil && l.is(plan) {
		return l
	}
	return ls.miss(h, plan)
}

func (l *layout) is(plan []outdial.Candidate) bool {
	if len(plan) != len(l.keys) {
		return false
	}
	differs := uint64(0) // one branch for all of them
	for i := range plan {
		k := keyOf(&plan[i])
		differs |= k.member ^ l.keys[i].member | k.tier ^ l.keys[i].tier
	}
	return differs == 0
}

func (ls *layouts) miss(slot uint64, plan []outdial.Candidate) *layout {
	h := uint64(len(plan))
	for i := range plan {
		k := keyOf(&plan[i])
		h = (h ^ k.member ^ k.tier<<24) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	if ls.missed[slot].Swap(h) != h {
		return nil
	}
	l := newLayout(plan)
	ls.slot[slot].Store(l)
	return l
}

func newLayout(plan []outdial.Candidate) *layout {
	l := &layout{all: all(plan)}
	for i := range plan {
		l.keys = append(l.keys, keyOf(&plan[i]))
	}
	heavy := weighted(plan)
	for rest := l.all; rest != 0; {
		t := lowest(plan, rest)
		members := inTier(plan, t)
		l.tiers = append(l.tiers, section{tier: t, members: members, weighted: members & heavy})
		rest &^= members
	}
	for i := range l.tiers {
		t := &l.tiers[i]
		if t.weighted == 0 {
			continue
		}
		t.sorted = new(tier)
		t.sorted.sort(plan, t.members)
		t.inPlace = t.members&(t.members+1) == 0 && slices.IsSorted(t.sorted.index[:t.sorted.n])
	}
	return l
}

// lowest returns the lowest tier that has a place in set, which is not empty: its members and those with a weight. l may be
// nil.
func (l *layout) lowest(plan []outdial.Candidate, set uint64) (kept *section, members, heavy uint64) {
	if l == nil {
		members = inTier(plan, lowest(plan, set))
		return nil, members, members & weighted(plan)
	}
	for i := range l.tiers {
		if t := &l.tiers[i]; t.members&set != 0 {
			return t, t.members, t.weighted
		}
	}
	return nil, 0, 0 // cannot be: every place is in a tier
}

// all is the set of all places of a plan.
func all(plan []outdial.Candidate) uint64 { return ^uint64(0) >> (outdial.MaxCandidates - len(plan)) }

// lowest returns the lowest tier among the places in set, which is not empty.
func lowest(plan []outdial.Candidate, set uint64) uint8 {
	low := plan[bits.TrailingZeros64(set)].Tier
	for ; set != 0; set &= set - 1 {
		low = min(low, plan[bits.TrailingZeros64(set)].Tier)
	}
	return low
}

// inTier returns the places of one tier.
func inTier(plan []outdial.Candidate, tier uint8) (set uint64) {
	for i := range plan {
		if plan[i].Tier == tier {
			set |= 1 << i
		}
	}
	return set
}

// weighted returns the places that have a weight.
func weighted(plan []outdial.Candidate) (set uint64) {
	for i := range plan {
		if plan[i].Weight > 0 {
			set |= 1 << i
		}
	}
	return set
}
