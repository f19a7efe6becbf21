package failover

import (
	"sync"
	"sync/atomic"

	"github.com/outdial/outdial/internal/pick"
)

// core is the rota of one tier. As long as the same members take part, its picks repeat after a while; then they are
// known beforehand, and a turn is one step of a counter, without a lock. Whatever else happens ends that, with the
// rota brought up to where the counter stood.
type core struct {
	cycle atomic.Pointer[cycle]

	mu     sync.Mutex
	rota   *pick.Rota
	among  uint64 // who took part in the last pick
	steady int    // picks in a row among them
	try    int    // steady at which to look for a cycle
	used   bool   // since the shard's generations changed
	dead   bool   // forgotten: another may stand in its place
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

// pick takes a turn. The caller holds the lock.
func (c *core) pick(among uint64) int {
	c.leave()
	c.used = true
	if among != c.among {
		c.among, c.steady, c.try = among, 0, firstTry
	}
	k := c.rota.Pick(among)
	if c.steady++; c.steady >= c.try {
		c.enter()
	}
	return k
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

// refund gives a turn back that was not used.
func (c *core) refund(member int, among uint64) {
	c.leave()
	c.used = true
	c.steady, c.try = 0, firstTry
	_ = c.rota.Return(member, among) // it took part: the only error that Return knows cannot be
}
