package cli

import (
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Ledger counts the uses of numbers that several nodes present, so that a cap holds over all of them. A Governor asks it
// for every use that its own counts allow, before it grants the number; its own counts stay, so a Ledger can only refuse
// more.
//
// What an implementation owes:
//
//   - Take is atomic: of all nodes that ask for the last use of a window, one gets it. It counts before it answers.
//   - A use that was taken stays counted although the node that took it dies: a crash over-counts. Only Undo takes it
//     back, by its node and stamp; undoing twice does nothing.
//   - It must not block a call. An implementation over a network hands out uses in advance (an escrow of some uses of a
//     number to one node, under a lease that ends by itself; what is not spent then is stranded until the lease ends) or
//     gives each number to one node (by rendezvous hashing, with a fencing epoch, so that a node that comes back from a
//     pause is refused). Counters that merge later (CRDTs) do not do: they learn of the excess after it.
//   - When it cannot know, it returns an error, and the use is not granted.
//
// MemoryLedger is one for several Governors in one process.
type Ledger interface {
	// Take counts a use of a number under caps at now. When there is no room it returns when there may be, and false.
	Take(now time.Time, n outdial.Number, caps []Cap) (stamp time.Time, ok bool, err error)

	// Undo takes a use back by the stamp that Take returned: nothing left the host.
	Undo(n outdial.Number, stamp time.Time)
}

// MemoryLedger is a Ledger in memory: for Governors of one process that share numbers, and for tests. The zero value is
// ready to use. It is safe for concurrent use. Numbers keep the caps that they were first taken under.
type MemoryLedger struct {
	mu    sync.Mutex
	epoch window.Epoch
	gates map[outdial.Number]*window.Gate
}

// Take implements Ledger.
func (l *MemoryLedger) Take(now time.Time, n outdial.Number, caps []Cap) (time.Time, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gates == nil {
		l.gates, l.epoch = map[outdial.Number]*window.Gate{}, window.NewEpoch(now)
	}
	g := l.gates[n]
	if g == nil {
		g = gateOf(caps)
		l.gates[n] = g
	}
	at, ok := g.Allow(l.epoch.Instant(now))
	return l.epoch.Time(at), ok, nil
}

// Undo implements Ledger.
func (l *MemoryLedger) Undo(n outdial.Number, stamp time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.gates[n]; g != nil {
		g.Undo(l.epoch.Instant(stamp))
	}
}

// gateOf wants checked caps.
func gateOf(caps []Cap) *window.Gate { return window.NewGate(gateCaps(caps), 1) }

func gateCaps(caps []Cap) window.Caps {
	list := make([]window.Cap, len(caps))
	for i, c := range caps {
		list[i] = window.Cap{Limit: c.Max, Window: c.Window}
	}
	all, _ := window.NewCaps(list...) // Cap.check is stricter
	return all
}
