package trunk

import (
	"fmt"
	"strconv"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Operator orders, as the Action of an outdial.Control. Target is the name of a trunk. An order stands until
// Control.Expires, or until the next one of its kind. The order that ends it is the configured state or limit in force.
const (
	ActionCanary = "trunk.canary" // put it on trial
	ActionLive   = "trunk.live"   // put it into service; with Value "force" past the trial that a staged or canary trunk owes
	ActionDrain  = "trunk.drain"  // take no new calls, keep those that are up
	ActionOut    = "trunk.out"    // out of service
	ActionReset  = "trunk.reset"  // end the order before: the configured state holds again

	// The Value of these is a number, within Limits.Hard; "" ends the order before.
	ActionChannels = "trunk.channels" // another base ceiling
	ActionCPS      = "trunk.cps"      // another limit of calls per second

	ActionForget = "trunk.forget" // forget the learned ceilings
)

// force is the Value that puts a trunk into service past its trial.
const force = "force"

// order is the state that an operator ordered.
type order struct {
	given bool
	state State
	to    time.Time // when it ends; zero = it stands
}

// amount is a limit that an operator ordered.
type amount struct {
	given bool
	n     int
	to    time.Time
}

func ended(to, now time.Time) bool { return !to.IsZero() && !now.Before(to) }

// Change is a change of a trunk's state or of a limit: who made it, when and why.
type Change struct {
	Time   time.Time
	What   string // an Action; "trunk.trial" and "trunk.config" for what happened by itself or by Update
	Value  string // the number, for a limit
	From   State
	To     State
	By     string
	Reason string
}

// maxChanges are kept for each trunk.
const maxChanges = 32

// Changes returns the latest changes of a trunk, oldest first, at most 32.
func (s *Set) Changes(id outdial.TrunkID) []Change {
	t := s.line(id)
	if t == nil {
		return nil
	}
	t.lock()
	defer t.unlock()
	return append([]Change(nil), t.changes...)
}

func (t *line) change(c Change) {
	if len(t.changes) == maxChanges {
		t.changes = t.changes[:copy(t.changes, t.changes[1:])]
	}
	t.changes = append(t.changes, c)
}

// obey folds an order.
func (t *line) obey(at window.Instant, c *outdial.Control) {
	was := t.state
	switch c.Action {
	case ActionChannels:
		t.channels = amountOf(c)
	case ActionCPS:
		t.rate = amountOf(c)
	case ActionForget:
		t.learned.forget()
		t.learnCPS.forget()
	case ActionReset:
		t.order = order{}
	default:
		state, _ := stateOf(c.Action)
		t.order = order{true, state, c.Expires}
		if state == Canary {
			t.trial, t.trialFrom, t.promoted = tally{}, t.time(at), false
		}
	}
	t.relimit(at)
	t.change(Change{
		Time: t.time(at), What: c.Action, Value: c.Value, From: was, To: t.state, By: c.Actor, Reason: c.Reason,
	})
}

func amountOf(c *outdial.Control) amount {
	n, err := strconv.Atoi(c.Value)
	return amount{given: err == nil, n: n, to: c.Expires}
}

// stateOf returns the state that an action orders, and whether it orders one.
func stateOf(action string) (State, bool) {
	switch action {
	case ActionCanary:
		return Canary, true
	case ActionLive:
		return Live, true
	case ActionDrain:
		return Draining, true
	case ActionOut:
		return Out, true
	}
	return Live, false
}

func isOrder(action string) bool {
	switch action {
	case ActionReset, ActionChannels, ActionCPS, ActionForget:
		return true
	}
	_, ok := stateOf(action)
	return ok
}

// CheckControl implements outdial.ControlChecker: it refuses an order for a trunk that is not configured, one whose end has
// passed, one with a Value that it does not understand or that is beyond Limits.Hard, and ActionLive for a trunk that is
// configured as draining or out, or has not passed its trial, unless its Value is "force". Actions of others give nil.
func (s *Set) CheckControl(now time.Time, c *outdial.Control) error {
	if !isOrder(c.Action) {
		return nil
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("trunk: %s: %w", c.Action, fmt.Errorf(format, args...))
	}
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return bad("Expires: %v is past", c.Expires)
	}
	for _, t := range s.table.Load().all {
		if t.name == c.Target {
			t.lock()
			defer t.unlock()
			if t.known {
				return t.check(now, c, bad)
			}
		}
	}
	return bad("no trunk %q", c.Target)
}

func (t *line) check(now time.Time, c *outdial.Control, bad func(string, ...any) error) error {
	switch c.Action {
	case ActionChannels, ActionCPS:
		if c.Value == "" {
			return nil
		}
		n, err := strconv.Atoi(c.Value)
		most := MaxCPS
		if c.Action == ActionChannels {
			most = MaxChannels
			if hard := t.terms.limits.Hard; hard > 0 {
				most = hard
			}
		}
		if err != nil || n < 1 || n > most {
			return bad("Value: %q is not a number from 1 to %d", c.Value, most)
		}
	case ActionLive:
		if c.Value != "" && c.Value != force {
			return bad("Value: %q is not %q", c.Value, force)
		}
		t.refresh(now)
		if s := t.terms.limits.State; s == Draining || s == Out {
			return bad("%q is configured as %v, which no order lifts", t.name, s)
		}
		if (t.state == Staged || t.state == Canary || t.terms.limits.State == Staged || t.terms.limits.State == Canary) &&
			!t.promoted && c.Value != force {
			return bad("%q has not passed its trial; the Value %q puts it into service all the same", t.name, force)
		}
	default:
		if c.Value != "" {
			return bad("Value: %q has no meaning here", c.Value)
		}
	}
	return nil
}
