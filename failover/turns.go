package failover

import (
	"math/bits"
	"sync"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/pick"
)

const (
	shards     = 16
	shardTiers = 256 // per generation; a shard keeps two
)

// A tier has at most MaxCandidates members, and a Rota takes them all.
var _ [pick.MaxTargets - outdial.MaxCandidates]struct{}

// turns keeps whose turn it is, for each weighted tier that is in use. A tier is known by its set of (trunk,
// weight), so that two routes to the same trunks share one count. It keeps up to shards × shardTiers × 2 tiers; those
// that were not used for longest are forgotten and start anew.
type turns struct {
	shard [shards]turnShard
}

type turnShard struct {
	mu       sync.Mutex
	now, old map[uint64]*turn // old is what now was before it was full
	count    int              // turns in now
}

// turn is the rota of one tier, with its members in ascending order.
type turn struct {
	members []member
	core    *core
	next    *turn // another tier of the same hash
}

type member struct {
	trunk  outdial.TrunkID
	weight uint32
}

// tier is a weighted tier of a plan, in the order of its set: index[k] is the place in the plan of the k-th member.
type tier struct {
	n       int
	hash    uint64
	index   [outdial.MaxCandidates]uint8
	members [outdial.MaxCandidates]member
}

// sort fills t from the candidates of plan whose bits are set.
func (t *tier) sort(plan []outdial.Candidate, set uint64) {
	t.n, t.hash = 0, 0
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros64(set)
		m := member{plan[i].Trunk, plan[i].Weight}
		k := t.n
		for ; k > 0 && m.less(t.members[k-1]); k-- {
			t.members[k], t.index[k] = t.members[k-1], t.index[k-1]
		}
		t.members[k], t.index[k] = m, uint8(i)
		t.n++
	}
	for _, m := range t.members[:t.n] {
		t.hash = (t.hash ^ (uint64(m.trunk)<<32 | uint64(m.weight))) * 0x9e3779b97f4a7c15
		t.hash ^= t.hash >> 29
	}
}

func (m member) less(o member) bool {
	return m.trunk < o.trunk || m.trunk == o.trunk && m.weight < o.weight
}

// own translates a set of places in the plan to a set of members.
func (t *tier) own(set uint64) (own uint64) {
	for k, i := range t.index[:t.n] {
		own |= set >> i & 1 << k
	}
	return own
}

// credits is what each candidate of a plan is owed, in calls.
type credits [outdial.MaxCandidates]float64

// pick returns the place in the plan whose turn it is among a set of places. In a rehearsal nothing is charged. owed,
// where it is not nil, is filled with what each member is owed after that. kept, where it is not nil, is t as a plan's
// layout has it.
func (ts *turns) pick(t *tier, kept *section, among uint64, rehearsal bool, owed *credits) int {
	own := t.own(among)
	if kept != nil && !rehearsal && owed == nil {
		if c := kept.core.Load(); c != nil {
			if k := c.next(own); k >= 0 {
				return int(t.index[k])
			}
		}
	}
	c := ts.open(t, kept)
	defer c.mu.Unlock()
	take := c.pick
	if rehearsal {
		take = c.ask
	}
	k, rota := take(own)
	if owed != nil {
		for m, i := range t.index[:t.n] {
			owed[i] = rota.Credit(m)
		}
	}
	return int(t.index[k])
}

// refund undoes a pick of plan[picked] among a set of places.
func (ts *turns) refund(t *tier, among uint64, picked int) {
	own := t.own(among)
	if own&(own-1) == 0 {
		return // alone, it was charged nothing
	}
	c := ts.open(t, nil)
	c.refund(bits.TrailingZeros64(t.own(1<<picked)), own)
	c.mu.Unlock()
}

// open returns the core of t, locked, and makes it if there is none.
func (ts *turns) open(t *tier, kept *section) *core {
	if kept != nil {
		if c := kept.core.Load(); c != nil {
			c.mu.Lock()
			if !c.dead {
				return c
			}
			c.mu.Unlock()
		}
	}
	s := &ts.shard[t.hash%shards]
	s.mu.Lock()
	c := s.get(t)
	c.mu.Lock()
	s.mu.Unlock()
	if kept != nil {
		kept.core.Store(c)
	}
	return c
}

// get returns the core of t and makes it if there is none.
func (s *turnShard) get(t *tier) *core {
	if found := find(s.now[t.hash], t); found != nil {
		return found.core
	}
	found := find(s.old[t.hash], t)
	if found == nil {
		found = newTurn(t)
	}
	if s.now == nil || s.count >= shardTiers {
		s.rotate(found.core)
	}
	s.add(t.hash, found)
	return found.core
}

func (s *turnShard) add(hash uint64, found *turn) {
	s.now[hash] = &turn{members: found.members, core: found.core, next: s.now[hash]}
	s.count++
}

// rotate makes room: what was not used since the last time is forgotten, but for the one that is wanted now.
func (s *turnShard) rotate(wanted *core) {
	old := s.old
	s.old, s.now, s.count = s.now, make(map[uint64]*turn, shardTiers), 0
	for hash, list := range old {
		for ; list != nil; list = list.next {
			c := list.core
			c.mu.Lock()
			switch {
			case c == wanted || s.has(hash, c):
			case s.count < shardTiers/2 && (c.used || c.cycle.Load() != nil):
				c.used = false
				s.add(hash, list)
			default:
				c.leave()
				c.dead = true
			}
			c.mu.Unlock()
		}
	}
}

// has reports whether a core is among those that are still kept: it moves to a new list when it is used.
func (s *turnShard) has(hash uint64, c *core) bool {
	for _, list := range [2]*turn{s.now[hash], s.old[hash]} {
		for ; list != nil; list = list.next {
			if list.core == c {
				return true
			}
		}
	}
	return false
}

func newTurn(t *tier) *turn {
	weights := make([]uint32, t.n)
	for k, m := range t.members[:t.n] {
		weights[k] = m.weight
	}
	rota, _ := pick.NewRota(weights) // it fails for more than MaxTargets only
	return &turn{members: append([]member(nil), t.members[:t.n]...), core: &core{rota: rota, try: firstTry}}
}

// find returns the turn of t in a list, or nil.
func find(list *turn, t *tier) *turn {
	for ; list != nil; list = list.next {
		if len(list.members) != t.n {
			continue
		}
		same := true
		for k := range list.members {
			if list.members[k] != t.members[k] {
				same = false
				break
			}
		}
		if same {
			return list
		}
	}
	return nil
}
