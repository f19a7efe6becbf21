package failover

import (
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial/internal/pick"
)

// core is the rota of one tier. Most calls choose among the same members: as long as they do, the picks repeat after a while;
// then they are known beforehand, and a turn is one step of a counter, without a lock. A call that hunts on among others, or
// one to a destination group where a member is out, does not end that: it takes its turn in a second rota. When another
// set has become the usual one, or a turn is given back, the cycle ends: the rota is brought up to where the counter stood, and
// takes over what the second one owes.
type core struct {
	cycle atomic.Pointer[cycle]

	mu     sync.Mutex
	rota   *pick.Rota
	among  uint64 // who usually takes part; 0 = nobody has yet
	steady int    // picks among them
	try    int    // steady at which to look for a cycle

	stray  *pick.Rota // for others; nil = there were none
	rival  uint64     // the set that comes most often among others (R. S. Boyer, J. S. Moore: a majority vote)
	votes  int        // by how much more often than any other set, that of the cycle included
	votedN uint64     // where the counter of the cycle stood then

	used bool // since the shard's generations changed
	dead bool // forgotten: another may stand in its place
}

// cycle is a run of picks that repeats.
type cycle struct {
	among uint64
	picks []uint8
	_     [64]byte      // those are only read, and this is not
	n     atomic.Uint64 // picks made of it
	_     [56]byte
}

const (
	firstTry  = 64      // steady picks before a cycle is looked for
	cycleEnd  = 1 << 31 // picks of one cycle, at most
	cycleOver = 1 << 62 // added to n: it is over
	mostVotes = 16      // by which another set becomes the usual one
)

// next takes a turn of the cycle in force; -1 = there is none.
func (c *core) next(among uint64) int {
	y := c.cycle.Load()
	if y == nil || y.among != among {
		return -1
	}
	n := y.n.Add(1) - 1
	if n >= cycleEnd {
		return -1
	}
	return int(y.picks[uint32(n)%uint32(len(y.picks))])
}

// pick takes a turn, and returns the rota that it was taken in. The caller holds the lock.
func (c *core) pick(among uint64) (member int, in *pick.Rota) {
	c.used = true
	if among != c.among && c.among != 0 {
		if !c.elects(among) {
			return c.stray.Pick(among), c.stray
		}
		c.leave()
		c.rota.Absorb(c.stray)
	}
	c.leave()
	if among != c.among {
		c.among, c.steady, c.try = among, 0, firstTry
	}
	c.votes = max(c.votes-1, 0)
	member = c.rota.Pick(among)
	if c.steady++; c.steady >= c.try {
		c.enter()
	}
	return member, c.rota
}

// elects counts a pick among others than usual, and reports whether they have become the usual ones.
func (c *core) elects(among uint64) bool {
	if c.stray == nil {
		c.stray = c.rota.Fresh()
	}
	if y := c.cycle.Load(); y != nil {
		n := y.n.Load()
		c.votes -= int(min(n-c.votedN, mostVotes))
		c.votedN = n
	}
	if c.votes = max(c.votes, 0); c.votes == 0 {
		c.rival = among
	}
	if c.rival != among {
		c.votes--
		return false
	}
	if c.votes++; c.votes < mostVotes {
		return false
	}
	c.votes = 0
	return true
}

// ask returns whose turn it would be, and a copy of the rota as it would stand then. The caller holds the lock.
func (c *core) ask(among uint64) (member int, in *pick.Rota) {
	switch {
	case among == c.among || c.among == 0:
		c.leave()
		in = c.rota.Clone()
	case c.stray == nil:
		in = c.rota.Fresh()
	default:
		in = c.stray.Clone()
	}
	return in.Pick(among), in
}

// enter makes a cycle of the picks to come, or says when to try again.
func (c *core) enter() {
	period := c.rota.Period(c.among)
	if period == 0 || period > pick.MaxCycle {
		c.try = int(^uint(0) >> 1)
		return
	}
	if c.try = c.steady + 2*period; c.steady < period {
		return // as long as it takes to compute, and not before it pays
	}
	if picks := c.rota.Cycle(c.among); picks != nil {
		c.votedN = 0
		c.cycle.Store(&cycle{among: c.among, picks: picks})
	}
}

// leave ends the cycle in force. The caller holds the lock.
func (c *core) leave() {
	y := c.cycle.Load()
	if y == nil {
		return
	}
	n := min(y.n.Swap(cycleOver), cycleEnd)
	c.cycle.Store(nil)
	c.rota.Skip(y.picks[:n%uint64(len(y.picks))], y.among) // whole cycles leave the credits as they are
	c.steady, c.try = 0, firstTry
}

// refund gives a turn back that was not used. The caller holds the lock.
func (c *core) refund(member int, among uint64) {
	c.used = true
	in := c.stray
	if among == c.among || in == nil {
		c.leave()
		c.steady, c.try = 0, firstTry
		in = c.rota
	}
	_ = in.Return(member, among) // it took part: the only error that Return knows cannot be
}
