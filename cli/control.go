package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// Hold is a quarantine that a Control began.
type Hold struct {
	Actor   string
	Reason  string
	Since   time.Time
	Expires time.Time `json:",omitzero"` // zero = until it is released
}

// Actions of outdial.Control that a Governor folds; see the package comment for their Target and Value.
const (
	ActionQuarantine = "cli.quarantine"
	ActionRelease    = "cli.release"
	ActionState      = "cli.state"
	ActionComplaint  = "cli.complaint"
	ActionAttested   = "cli.attested"
	ActionSuppress   = "cli.suppress"
	ActionUnsuppress = "cli.unsuppress"
)

// CheckControl implements outdial.ControlChecker: it refuses a change that would do nothing, or not what was meant. Its
// number must be in the inventory (a release will do with a quarantine), a state one that the number can go to, its callee
// a number, its program one that has a pool or whose calls are remembered, and its end must be to come. Actions of others
// give nil.
func (g *Governor) CheckControl(now time.Time, c *outdial.Control) error {
	switch c.Action {
	case ActionQuarantine, ActionRelease, ActionState, ActionComplaint, ActionAttested, ActionSuppress, ActionUnsuppress:
	default:
		return nil
	}
	n, err := outdial.ParseNumber(c.Target)
	if err != nil {
		return fmt.Errorf("cli: %s: Target: %w", c.Action, err)
	}
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return fmt.Errorf("cli: %s: Expires: %v is past", c.Action, c.Expires)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch c.Action {
	case ActionQuarantine, ActionRelease, ActionState, ActionComplaint, ActionAttested:
		slot, ok := g.slots[n]
		if _, held := g.holds[n]; held && c.Action == ActionRelease {
			return nil
		}
		if !ok || !g.numbers[slot].listed {
			return fmt.Errorf("cli: %s: Target: %v is not in the inventory", c.Action, n)
		}
		if c.Action == ActionState {
			if _, err := nextState(g.numbers[slot].state, c.Value); err != nil {
				return fmt.Errorf("cli: %s: Value: %w", c.Action, err)
			}
		}
		if c.Action == ActionAttested {
			_, carrier, err := parseReport(c.Value)
			if _, known := g.ids.Carriers.Lookup(carrier); err == nil && !known {
				err = fmt.Errorf("no carrier %q", carrier)
			}
			if err != nil {
				return fmt.Errorf("cli: %s: Value: %w", c.Action, err)
			}
		}
		return nil
	}
	program, ok := g.ids.Programs.Lookup(c.Value)
	if !ok || program == 0 || g.layout.first[program] == nil && g.programs[program] == nil {
		return fmt.Errorf("cli: %s: Value: no program %q", c.Action, c.Value)
	}
	return nil
}

// nextState reads the state that an operator wants a number in. There is no way out of released, and none back from
// retiring but release; one that rests goes on trial, or out of use.
func nextState(from State, value string) (State, error) {
	var to State
	if err := to.UnmarshalText([]byte(value)); err != nil {
		return 0, err
	}
	switch {
	case to == StateUnset:
		return 0, errRequired
	case from == StateReleased:
		return 0, errors.New("the number was released, and there is no way back")
	case from == StateQuarantined && to != StateRehab && !to.gone() && to != from:
		return 0, errors.New("the number is in quarantine: it goes on trial (rehab) or out of use")
	case from == StateRetiring && to != StateReleased:
		return 0, errors.New("the number is retiring, and there is no way back: it can only be released")
	case to == from:
		return 0, fmt.Errorf("it is %v already", to)
	}
	return to, nil
}

func (g *Governor) control(m moment, now time.Time, c *outdial.Control) {
	n, err := outdial.ParseNumber(c.Target)
	if err != nil {
		return
	}
	switch c.Action {
	case ActionQuarantine, ActionRelease:
		if c.Expires.IsZero() || c.Expires.After(now) {
			g.holdControl(m, now, n, c)
		}
	case ActionState:
		slot, ok := g.slots[n]
		if !ok {
			return
		}
		g.due(m, slot)
		if to, err := nextState(g.numbers[slot].state, c.Value); err == nil {
			g.enter(m, &g.numbers[slot], to, c.Actor, c.Reason)
			g.resettle(m, slot)
		}
	case ActionAttested:
		slot, ok := g.slots[n]
		if level, carrier, err := parseReport(c.Value); ok && err == nil {
			g.numbers[slot].report(report{g.ids.Carriers.ID(carrier), level})
		}
	case ActionComplaint:
		slot, ok := g.slots[n]
		if ok {
			g.due(m, slot)
		}
		if !ok || g.rules.off || g.numbers[slot].pool == nil || !g.numbers[slot].state.Presentable() {
			return
		}
		x := &g.numbers[slot]
		x.conduct.complaint = climb(x.conduct.complaint, g.rules.complaining.hit)
		g.verdict(m, slot, nil, nil)
	case ActionSuppress, ActionUnsuppress:
		if c.Value == "" {
			return
		}
		p, key := g.program(g.ids.Programs.ID(c.Value)), g.keys.of(n)
		if c.Action == ActionUnsuppress {
			delete(p.suppressed, key)
			return
		}
		until := int64(0)
		if !c.Expires.IsZero() {
			until = max(c.Expires.Unix(), 1)
		}
		p.suppress(key, until)
	}
}

// holdControl begins or ends an operator's quarantine. Releasing also ends one by the rules: the number is on
// trial then. One by configuration stands.
func (g *Governor) holdControl(m moment, now time.Time, n outdial.Number, c *outdial.Control) {
	until, slot := window.Never, none
	if i, ok := g.slots[n]; ok {
		slot = i
	}
	if c.Action == ActionQuarantine {
		h := Hold{Actor: c.Actor, Reason: c.Reason, Since: now.Round(0), Expires: c.Expires}
		g.holds[n] = h
		until = g.holdUntil(h)
	} else {
		delete(g.holds, n)
	}
	if slot == none {
		return
	}
	g.due(m, slot)
	x := &g.numbers[slot]
	x.setHold(until)
	from, to := x.state, StateQuarantined
	if c.Action == ActionRelease {
		if from, to = StateQuarantined, x.state; x.state == StateQuarantined && x.life.until != noWake {
			g.enter(m, x, StateRehab, c.Actor, c.Reason)
			g.resettle(m, slot)
			return
		}
	}
	e := Entry{Time: g.clock.time(m.at), Number: n, From: from, To: to, Actor: c.Actor, Reason: c.Reason}
	if x.pool != nil {
		e.Pool = x.pool.name
	}
	g.audit.add(e)
	g.resettle(m, slot)
}

func (g *Governor) resettle(m moment, slot int32) {
	if g.numbers[slot].pool != nil {
		g.settle(slot, m, false)
	}
}

func (g *Governor) holdUntil(h Hold) window.Instant {
	if h.Expires.IsZero() {
		return forever
	}
	return g.clock.epoch.Instant(h.Expires)
}
