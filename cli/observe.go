package cli

import (
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
	ActionSuppress   = "cli.suppress"
	ActionUnsuppress = "cli.unsuppress"
)

// Observe implements outdial.Observer. A Started event of an attempt whose number was not reserved here (a replayed one,
// or one from another node) counts a use of the number and a call of the callee at its time, whatever the caps say, and
// the Ended event of such an attempt that was never sent takes both back, as Undo does; an Ended event whose result is a
// block (outdial.Result.Blocked) suppresses the callee for the program, also where hunting had moved on from the leg; a
// Control is folded if it is one of the Actions and its target can be read.
func (g *Governor) Observe(ev *outdial.Event) {
	switch ev.Kind {
	case outdial.EventStarted:
		if a := ev.Attempt; uncounted(ev) {
			g.started(ev.Time, a)
		}
	case outdial.EventEnded:
		a := ev.Attempt
		if uncounted(ev) {
			g.ended(ev.Time, a)
		}
		if a.Result.Blocked() {
			g.suppress(ev.Time, a.Call.Program, a.Call.To, time.Time{})
		}
	case outdial.EventControl:
		g.control(ev.Time, ev.Control)
	}
}

// uncounted reports whether an attempt presented a number of a pool that Reserve did not count.
func uncounted(ev *outdial.Event) bool {
	a := ev.Attempt
	return a.CLI != 0 && a.Pool != 0 && (ev.Replay || a.Use == 0)
}

func (g *Governor) started(now time.Time, a *outdial.Attempt) {
	key := g.keys.of(a.Call.To)
	prev := outdial.Number(0)
	if a.ID.Leg > 1 {
		prev = a.CLI
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.clock.read(now)
	slot := g.slot(a.CLI)
	n := &g.numbers[slot]
	if n.gate == nil {
		n.setCaps(g.cfg.stock)
	}
	p := g.program(a.Call.Program)
	l := g.use(m, slot, p, p.callees.find(key), key, a.Call.ID, prev)
	if n.pool != nil {
		g.settle(slot, m, false)
	}
	if len(g.told) < maxTold && a.ID.Call != 0 {
		if g.told == nil {
			g.told = told{}
		}
		g.told[a.ID] = l
	}
}

// ended takes the use of an attempt back that never left.
func (g *Governor) ended(now time.Time, a *outdial.Attempt) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.told[a.ID]
	if !ok {
		return
	}
	delete(g.told, a.ID)
	if a.Result.Origin == outdial.OriginNeverSent && !a.Answered() {
		g.takeBack(g.clock.read(now), &l)
	}
}

// CheckControl implements outdial.ControlChecker: it refuses a change that would do nothing, or not what was meant. Its
// number must be in the inventory (a release will do with a quarantine), its callee must be a number, its program one
// that has a pool or whose calls are remembered, and its end must be to come. Actions of others give nil.
func (g *Governor) CheckControl(now time.Time, c *outdial.Control) error {
	switch c.Action {
	case ActionQuarantine, ActionRelease, ActionSuppress, ActionUnsuppress:
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
	if c.Action == ActionQuarantine || c.Action == ActionRelease {
		slot, ok := g.slots[n]
		if _, held := g.holds[n]; held && c.Action == ActionRelease || ok && g.numbers[slot].listed {
			return nil
		}
		return fmt.Errorf("cli: %s: Target: %v is not in the inventory", c.Action, n)
	}
	program, ok := g.ids.Programs.Lookup(c.Value)
	if !ok || program == 0 || g.layout.first[program] == nil && g.programs[program] == nil {
		return fmt.Errorf("cli: %s: Value: no program %q", c.Action, c.Value)
	}
	return nil
}

func (g *Governor) control(now time.Time, c *outdial.Control) {
	switch c.Action {
	case ActionQuarantine, ActionRelease:
		n, err := outdial.ParseNumber(c.Target)
		if err != nil || (!c.Expires.IsZero() && !c.Expires.After(now)) {
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		m := g.clock.read(now)
		until := window.Never
		if c.Action == ActionQuarantine {
			h := Hold{Actor: c.Actor, Reason: c.Reason, Since: now.Round(0), Expires: c.Expires}
			g.holds[n] = h
			until = g.holdUntil(h)
		} else {
			delete(g.holds, n)
		}
		if slot, ok := g.slots[n]; ok {
			g.numbers[slot].hold = until
			if g.numbers[slot].pool != nil {
				g.settle(slot, m, false)
			}
		}
	case ActionSuppress, ActionUnsuppress:
		n, err := outdial.ParseNumber(c.Target)
		if err != nil || c.Value == "" {
			return
		}
		program := g.ids.Programs.ID(c.Value)
		if c.Action == ActionSuppress {
			g.suppress(now, program, n, c.Expires)
			return
		}
		key := g.keys.of(n)
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.program(program).suppressed, key)
	}
}

func (g *Governor) suppress(now time.Time, program outdial.ProgramID, callee outdial.Number, expires time.Time) {
	key := g.keys.of(callee)
	until := int64(0)
	if !expires.IsZero() {
		until = max(expires.Unix(), 1)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clock.read(now)
	g.program(program).suppress(key, until)
}

func (g *Governor) holdUntil(h Hold) window.Instant {
	if h.Expires.IsZero() {
		return forever
	}
	return g.clock.epoch.Instant(h.Expires)
}
