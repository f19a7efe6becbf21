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
}

// turn is the rota of one tier, with its members in ascending order.
type turn struct {
	members []member
	rota    *pick.Rota
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

// pick returns the place in the plan whose turn it is among eligible, and what it was owed after that.
func (ts *turns) pick(t *tier, eligible uint64) (i int, credit float64) {
	s := &ts.shard[t.hash%shards]
	s.mu.Lock()
	rota := s.get(t)
	k := rota.Pick(t.own(eligible))
	credit = rota.Credit(max(k, 0))
	s.mu.Unlock()
	if k < 0 {
		return -1, 0
	}
	return int(t.index[k]), credit
}

// refund undoes a pick of plan[picked] among eligible.
func (ts *turns) refund(t *tier, eligible uint64, picked int) {
	s := &ts.shard[t.hash%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, i := range t.index[:t.n] {
		if int(i) == picked {
			// It was eligible when it was picked: the only error that Return knows cannot be.
			_ = s.get(t).Return(k, t.own(eligible))
			return
		}
	}
}

// get returns the rota of t and makes it if there is none.
func (s *turnShard) get(t *tier) *pick.Rota {
	if found := find(s.now[t.hash], t); found != nil {
		return found.rota
	}
	found := find(s.old[t.hash], t)
	if found == nil {
		weights := make([]uint32, t.n)
		for k, m := range t.members[:t.n] {
			weights[k] = m.weight
		}
		rota, _ := pick.NewRota(weights) // it fails for more than MaxTargets only
		found = &turn{members: append([]member(nil), t.members[:t.n]...), rota: rota}
	}
	if len(s.now) >= shardTiers || s.now == nil {
		s.old, s.now = s.now, make(map[uint64]*turn, shardTiers)
	}
	kept := &turn{members: found.members, rota: found.rota, next: s.now[t.hash]}
	s.now[t.hash] = kept
	return kept.rota
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
