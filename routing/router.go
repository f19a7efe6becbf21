package routing

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// Router is the table in force, which can be replaced while calls are routed, and what is known of the calls so far: what
// was spent on exploring, shares of markets, minutes of commitments, overrides. The latter is a fold over events, the same
// live and in replay: an Engine tells its Router of them. Reads take no lock. All methods are safe for concurrent use; the
// zero value holds no table and refuses with ErrNoTable.
//
// Overrides come as controls: Action "routing.avoid", "routing.penalise", "routing.prefer", "routing.pin" or
// "routing.force", Target "trunk NAME" or "carrier NAME", Value which calls ("prefix=+1602; network=tmobile;
// campaign=spring; program=sales; tag=vip"; "" = all), and Expires, which is required. "routing.clear" with the same target and
// value ends them before that; with no value it ends all with that target. "routing.rollback" goes back to the policy that
// was in force before; in a replay it does nothing, as the host loads the policy.
type Router struct {
	force  atomic.Pointer[standing]
	shadow atomic.Pointer[shadow]
	past   atomic.Pointer[memory]

	resumed atomic.Uint64

	mu      sync.Mutex
	history []*Table // that were in force, the latest last
}

// standing is a table that is asked, and what it read lately for the router's decisions.
type standing struct {
	table *Table
	cells cells
}

var (
	_ outdial.Router         = (*Router)(nil)
	_ outdial.Observer       = (*Router)(nil)
	_ outdial.ControlChecker = (*Router)(nil)
	_ outdial.Router         = (*Table)(nil)
)

// NewRouter returns a Router that holds t; nil is no table.
func NewRouter(t *Table) *Router {
	r := new(Router)
	r.put(t)
	return r
}

// put brings a table into force; nil is none.
func (r *Router) put(t *Table) {
	if t == nil {
		r.force.Store(nil)
		return
	}
	r.force.Store(&standing{t, t.newCells()})
}

// Table returns the table in force, or nil.
func (r *Router) Table() *Table {
	if f := r.force.Load(); f != nil {
		return f.table
	}
	return nil
}

// maxHistory is how many tables can be gone back to.
const maxHistory = 8

// Swap puts t in force and returns the table that was. Each Admit and each Route answers wholly from one table. The old
// table stays valid for calls that are just reading it, and up to eight are kept for Rollback. Whoever has an engine says in
// its journal what is loaded: a Control with the action "policy.load" and the version as its value.
func (r *Router) Swap(t *Table) (old *Table) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old = r.Table()
	r.put(t)
	if old != nil && old != t {
		if len(r.history) == maxHistory {
			r.history = slices.Delete(r.history, 0, 1)
		}
		r.history = append(r.history, old)
	}
	return old
}

// Rollback puts the table in force again that was before the one that is, and returns it; false = there is none.
func (r *Router) Rollback() (*Table, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.history)
	if n == 0 {
		return nil, false
	}
	t := r.history[n-1]
	r.history = r.history[:n-1]
	r.put(t)
	return t, true
}

// memory returns what is known of the past.
func (r *Router) memory() *memory {
	if m := r.past.Load(); m != nil {
		return m
	}
	r.past.CompareAndSwap(nil, newMemory())
	return r.past.Load()
}

// Admit implements outdial.Router with the table in force.
func (r *Router) Admit(now time.Time, call *outdial.Call) (again time.Time, err error) {
	t := r.Table()
	if t == nil {
		return time.Time{}, ErrNoTable
	}
	again, err = t.Admit(now, call)
	if s := r.shadow.Load(); s != nil && err != nil && !call.Rehearsal() {
		s.refusal(now, call, err)
	}
	return again, err
}

// Route implements outdial.Router with the table in force.
func (r *Router) Route(now time.Time, call *outdial.Call, dst []outdial.Candidate) ([]outdial.Candidate, error) {
	f := r.force.Load()
	if f == nil {
		return dst, ErrNoTable
	}
	before := len(dst)
	m := r.memory()
	dst, err := f.table.route(now, call, dst, m, f.cells)
	if s := r.shadow.Load(); s != nil && !call.Rehearsal() {
		s.compare(now, call, dst[before:], err, m)
	}
	return dst, err
}

// Observe implements outdial.Observer: it counts attempts and applies controls whose action begins with "routing.".
func (r *Router) Observe(ev *outdial.Event) {
	if ev.Kind == outdial.EventControl {
		r.control(ev)
		return
	}
	r.memory().observe(ev)
}

// CheckControl implements outdial.ControlChecker.
func (r *Router) CheckControl(now time.Time, c *outdial.Control) error {
	if !strings.HasPrefix(c.Action, controlPrefix) {
		return nil
	}
	if err := r.checkControl(now, c); err != nil {
		return fmt.Errorf("routing: control: %w", err)
	}
	return nil
}

const rollbackAction = controlPrefix + "rollback"

func (r *Router) checkControl(now time.Time, c *outdial.Control) error {
	if c.Action == rollbackAction {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.history) == 0 {
			return errRollback
		}
		return nil
	}
	o, err := parseOverride(c)
	t := r.Table()
	switch {
	case err != nil:
		return err
	case t == nil:
		return ErrNoTable
	case o.Action == clearAction:
		return nil
	case !c.Expires.After(now):
		return errExpires
	}
	for i := range t.trunks[1:] {
		if m := &t.trunks[1+i]; o.Trunk != "" && m.Name == o.Trunk || o.Carrier != "" && m.Carrier == o.Carrier {
			return nil
		}
	}
	return fmt.Errorf("target: the policy has no %s", c.Target)
}

// control applies what was checked, or what a journal says was in force.
func (r *Router) control(ev *outdial.Event) {
	c := ev.Control
	if c.Action == rollbackAction && !ev.Replay {
		r.Rollback()
		return
	}
	t := r.Table()
	if t == nil || !strings.HasPrefix(c.Action, controlPrefix) {
		return
	}
	o, err := parseOverride(c)
	if err != nil {
		return // an action of another version
	}
	k := compileOrder(t.ids, o)
	m := r.memory()
	m.mu.Lock()
	defer m.mu.Unlock()
	var next []order
	for _, old := range *m.orders.Load() {
		ended := old.Expires != 0 && old.Expires <= InstantOf(ev.Time)
		replaced := old.target() == k.target() && (old.value() == k.value() && (old.Action == k.Action || k.Action == clearAction) ||
			k.Action == clearAction && c.Value == "")
		if !ended && !replaced {
			next = append(next, old)
		}
	}
	if k.Action != clearAction {
		next = append(next, k)
	}
	m.orders.Store(&next)
}

// Overrides returns what is in force at a time: those of the policy, and those that came as controls.
func (r *Router) Overrides(now time.Time) (all []Override) {
	var lists [][]order
	if t := r.Table(); t != nil {
		lists = append(lists, t.orders)
	}
	for _, list := range append(lists, *r.memory().orders.Load()) {
		for i := range list {
			if e := list[i].Expires; e == 0 || InstantOf(now) < e {
				all = append(all, list[i].Override)
			}
		}
	}
	return all
}

// Spent is what exploring took over the current hour and the 23 before it, as of the latest event.
type Spent struct {
	Calls    int64          // first attempts of calls
	Explored int64          // attempts made to learn: by the router, to keep standbys warm, to probe
	Money    outdial.Micros // that carriers charge for those, what open ones are expected to cost included
}

// Spent returns what exploring took.
func (r *Router) Spent() Spent {
	m := r.memory()
	return Spent{m.calls.sum.Load(), m.explored.sum.Load(), outdial.Micros(m.money.sum.Load())}
}
