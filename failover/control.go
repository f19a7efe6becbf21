package failover

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// Operator orders, as the Action of an outdial.Control. Target is the name of a trunk, or for a flip or a drill of several
// with commas between them.
const (
	ActionHold    = "failover.hold"    // leave the trunk out of every choice until Control.Expires (zero = until released)
	ActionRelease = "failover.release" // end a hold
	ActionFlip    = "failover.flip"    // send a share of the calls to the trunks: see Flip. Until Expires (zero = until reverted)
	ActionDrill   = "failover.drill"   // the same until Expires, which is required, with a report: see Drill
	ActionRevert  = "failover.revert"  // end the flips and drills to a trunk; Target "" = all
	ActionPass    = "failover.pass"    // a test of the trunk was passed: see Trunk.Gated. Until Expires (zero = for good)
	ActionFail    = "failover.fail"    // … was not passed; a gated trunk is left out until one is
	ActionLaunch  = "failover.launch"  // hold the trunk to tighter thresholds until Expires (zero = for Config.Launch)
)

// CheckControl implements outdial.ControlChecker: it refuses an order for a trunk that is not known, one whose end has
// passed, and a flip or drill that cannot be read, has no end though it needs one, or finds no room. Actions of others
// give nil.
func (s *Selector) CheckControl(now time.Time, c *outdial.Control) error {
	switch c.Action {
	default:
		return nil
	case ActionRevert:
		if c.Target == "" {
			return nil
		}
	case ActionFlip, ActionDrill:
		f, err := ParseFlip(c)
		if err != nil {
			return err
		}
		if err := s.CheckFlip(now, f); err != nil {
			return err
		}
		if c.Action == ActionDrill && c.Expires.IsZero() {
			return fmt.Errorf("failover: %s: Expires is required: a drill ends by itself", c.Action)
		}
		return s.checkExpiry(now, c)
	case ActionHold, ActionRelease, ActionLaunch, ActionPass, ActionFail:
	}
	if s.ids == nil {
		return fmt.Errorf("failover: %s: no registry was configured, so that no trunk has a name", c.Action)
	}
	if id, ok := s.ids.Trunks.Lookup(c.Target); !ok || id == 0 || id > maxTrunk {
		return fmt.Errorf("failover: %s: no trunk %q", c.Action, c.Target)
	}
	if c.Action == ActionRelease || c.Action == ActionRevert || c.Action == ActionFail {
		return nil
	}
	return s.checkExpiry(now, c)
}

func (s *Selector) checkExpiry(now time.Time, c *outdial.Control) error {
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return fmt.Errorf("failover: %s: %v is past", c.Action, c.Expires)
	}
	return nil
}

// obey folds an operator's order.
func (s *Selector) obey(ev *outdial.Event) {
	c := ev.Control
	if s.ids == nil || c == nil {
		return
	}
	switch c.Action {
	case ActionFlip, ActionDrill:
		s.order(ev.Time, c)
		return
	case ActionRevert:
		s.revert(ev.Time, c.Target)
		return
	case ActionHold, ActionRelease, ActionLaunch, ActionPass, ActionFail:
	default:
		return
	}
	id, ok := s.ids.Trunks.Lookup(c.Target)
	if !ok {
		return
	}
	b := s.boards.open(id, s.cfg.baseline)
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch c.Action {
	case ActionHold:
		b.hold(ev.Time, c.Expires)
	case ActionRelease:
		b.held = false
	case ActionPass, ActionFail:
		b.gate.tell(ev.Time, c.Action == ActionPass, c.Expires)
	case ActionLaunch:
		if b.launchTo = c.Expires; b.launchTo.IsZero() {
			b.launchTo = ev.Time.Add(s.cfg.launch)
		}
	}
	b.settle(0)
	b.shown.epoch.Add(1)
}
