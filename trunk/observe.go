package trunk

import (
	"fmt"
	"time"

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
	order, ok := orderOf(ev.Control.Action)
	if !ok {
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

// CheckControl implements outdial.ControlChecker: it refuses an order for a trunk that is not configured, one that asks
// for a state in its Value, which stands in the Action, and one whose end has passed. Actions of others give nil.
func (s *Set) CheckControl(now time.Time, c *outdial.Control) error {
	if _, ok := orderOf(c.Action); !ok {
		return nil
	}
	if c.Value != "" {
		return fmt.Errorf("trunk: %s: Value: %q has no meaning here: the action is the state", c.Action, c.Value)
	}
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return fmt.Errorf("trunk: %s: Expires: %v is past", c.Action, c.Expires)
	}
	for _, t := range s.table.Load().all {
		if t.name != c.Target {
			continue
		}
		t.mu.Lock()
		known := t.known
		t.mu.Unlock()
		if known {
			return nil
		}
	}
	return fmt.Errorf("trunk: %s: no trunk %q", c.Action, c.Target)
}

// orderOf returns the state that an action orders, and whether it is one of this package.
func orderOf(action string) (State, bool) {
	switch action {
	case ActionDrain:
		return Draining, true
	case ActionOut:
		return Out, true
	case ActionLive:
		return Live, true
	}
	return Live, false
}
