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

	paid [maxCharges]paid // the latest picks in which some rested, at next−1 the last
	next uint32
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

// charge is what a pick took: among whom the shares were dealt out, as places in the plan.
type charge struct {
	call  outdial.CallID // 0 = it need not be remembered, or cannot be
	among uint64
	free  bool // a rehearsal: nothing is charged
}

// paid is a charge that is remembered, in the terms of its tier.
type paid struct {
	call   outdial.CallID
	tier   uint64 // hash
	among  uint64
	member int8
}

// maxCharges is how many picks a shard remembers.
const maxCharges = 256

// credits is what each candidate of a plan is owed, in calls.
type credits [outdial.MaxCandidates]float64

// pick returns the place in the plan whose turn it is. owed, where it is not nil, is filled with what each member is
// owed after that.
func (ts *turns) pick(t *tier, c *charge, owed *credits) int {
	own := t.own(c.among)
	s := &ts.shard[t.hash%shards]
	s.mu.Lock()
	var rota *pick.Rota
	if c.free {
		rota = s.copy(t)
	} else {
		rota = s.get(t)
	}
	k := rota.Pick(own)
	if c.call != 0 && !c.free {
		s.paid[s.next%maxCharges] = paid{c.call, t.hash, own, int8(k)}
		s.next++
	}
	if owed != nil {
		for m, i := range t.index[:t.n] {
			owed[i] = rota.Credit(m)
		}
	}
	s.mu.Unlock()
	return int(t.index[k])
}

// refund undoes a pick of plan[picked]. c.among is who took part in it, unless that is remembered.
func (ts *turns) refund(t *tier, c *charge, picked int) {
	k := bits.TrailingZeros64(t.own(1 << picked))
	own := t.own(c.among)
	s := &ts.shard[t.hash%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.call != 0 {
		for n := range uint32(maxCharges) {
			p := &s.paid[(s.next-1-n)%maxCharges]
			if p.call == c.call && p.tier == t.hash && p.member == int8(k) {
				own = p.among
				*p = paid{}
				break
			}
		}
	}
	if own&(own-1) != 0 {
		_ = s.get(t).Return(k, own) // it took part: the only error that Return knows cannot be
	}
}

// copy returns a copy of the rota of t, to be asked and thrown away.
func (s *turnShard) copy(t *tier) *pick.Rota {
	for _, list := range [2]*turn{s.now[t.hash], s.old[t.hash]} {
		if found := find(list, t); found != nil {
			return found.rota.Clone()
		}
	}
	return newTurn(t).rota
}

// get returns the rota of t and makes it if there is none.
func (s *turnShard) get(t *tier) *pick.Rota {
	if found := find(s.now[t.hash], t); found != nil {
		return found.rota
	}
	found := find(s.old[t.hash], t)
	if found == nil {
		found = newTurn(t)
	}
	if len(s.now) >= shardTiers || s.now == nil {
		s.old, s.now = s.now, make(map[uint64]*turn, shardTiers)
	}
	kept := &turn{members: found.members, rota: found.rota, next: s.now[t.hash]}
	s.now[t.hash] = kept
	return kept.rota
}

func newTurn(t *tier) *turn {
	weights := make([]uint32, t.n)
	for k, m := range t.members[:t.n] {
		weights[k] = m.weight
	}
	rota, _ := pick.NewRota(weights) // it fails for more than MaxTargets only
	return &turn{members: append([]member(nil), t.members[:t.n]...), rota: rota}
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
