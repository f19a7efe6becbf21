package trunk

import (
	"github.com/outdial/outdial"
)

// Operator orders, as the Action of an outdial.Control. Target is the name of a trunk.
const (
	ActionDrain = "trunk.drain" // take no new calls, keep those that are up
	ActionOut   = "trunk.out"   // out of service
	ActionLive  = "trunk.live"  // end the order before; the configured state holds again
)

// Observe implements outdial.Observer. It folds operator orders, live or replayed: an order restricts the trunk,
// beside what is configured, until Control.Expires or until the next order. An order for a trunk that is not
// configured is dropped. Attempts are not folded: a live one was counted by Acquire and Seize, and a replayed one
// holds no channel.
func (s *Set) Observe(ev *outdial.Event) {
	if ev.Kind != outdial.EventControl || ev.Control == nil {
		return
	}
	var order State
	switch ev.Control.Action {
	case ActionDrain:
		order = Draining
	case ActionOut:
		order = Out
	case ActionLive:
	default:
		return
	}
	for _, t := range s.table.Load().all {
		if t.name == ev.Control.Target {
			t.mu.Lock()
			t.order, t.orderTo = order, ev.Control.Expires
			t.mu.Unlock()
		}
	}
}
