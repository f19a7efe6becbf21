package routing

import (
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// gate is compiled Admission.
type gate struct {
	list                          *digits.Table // denied or allowed, by the longest prefix
	premium, tollFree, unassigned bool          // allowed
	windows                       map[outdial.ProgramID]hours
	others                        hours // for programs without their own
	othersLimited                 bool
	blackouts                     []blackout
}

type hours struct{ from, to time.Duration }

const (
	denied uint32 = iota
	allowed
)

// serviceCodes are those of calling code 1: N11.
var serviceCodes = [...]outdial.Prefix{1211, 1311, 1411, 1511, 1611, 1711, 1811, 1911}

// checkAdmission reports what does not fit.
func checkAdmission(a *Admission, hasNumbering bool, bad *problems) {
	places := map[outdial.Prefix]string{}
	for _, l := range []struct {
		name string
		list []outdial.Prefix
	}{{"deny", a.Deny}, {"allow", a.Allow}} {
		bad := bad.limited()
		for i, p := range l.list {
			place := fmt.Sprintf("admission.%s[%d]", l.name, i)
			switch first, twice := places[p]; {
			case p >= tooLong:
				bad.add(place, "more than 15 digits")
			case twice:
				bad.add(place, "%s is already in %s", shown(p), first)
			default:
				places[p] = place
			}
		}
	}
	named := map[string]string{}
	for i, w := range a.Windows {
		place := fmt.Sprintf("admission.windows[%d]", i)
		if w.From < 0 || w.From > Day {
			bad.add(place+".from", "not between 00:00 and 24:00")
		}
		if w.To < 0 || w.To > Day {
			bad.add(place+".to", "not between 00:00 and 24:00")
		}
		if w.From == w.To {
			bad.add(place, "from and to are the same: nobody could be called")
		}
		for j, p := range orNone(w.Programs) {
			at := fmt.Sprintf("%s.programs[%d]", place, j)
			if first, twice := named[p]; twice {
				bad.add(at, "%q already has a window: %s", p, first)
			}
			if p == "" && len(w.Programs) > 0 {
				bad.add(at, "empty name")
			}
			named[p] = at
		}
	}
	checkBlackouts(a.Blackouts, hasNumbering, bad)
	if len(a.Windows) > 0 && !hasNumbering {
		bad.add("admission.windows", "need CompileConfig.Numbering, which knows the callee's clocks")
	}
}

// newGate compiles what was checked.
func newGate(ids *outdial.Registry, a *Admission) gate {
	g := gate{premium: a.AllowPremium, tollFree: a.AllowTollFree, unassigned: a.AllowUnassigned}
	verdicts := make(map[outdial.Prefix]uint32, len(a.Deny)+len(a.Allow)+len(serviceCodes))
	for _, p := range serviceCodes {
		verdicts[p] = denied
	}
	for _, p := range a.Deny {
		verdicts[p] = denied
	}
	for _, p := range a.Allow {
		verdicts[p] = allowed
	}
	var b digits.Builder
	for p, v := range verdicts {
		if err := b.Add(uint64(p), v); err != nil {
			panic(err) // checked
		}
	}
	g.list = b.Build()
	g.blackouts = newBlackouts(ids, a.Blackouts)
	for _, w := range a.Windows {
		h := hours{time.Duration(w.From), time.Duration(w.To)}
		if len(w.Programs) == 0 {
			g.others, g.othersLimited = h, true
		}
		for _, p := range w.Programs {
			if g.windows == nil {
				g.windows = map[outdial.ProgramID]hours{}
			}
			g.windows[ids.Programs.ID(p)] = h
		}
	}
	return g
}

// hoursOf returns the window for a program; false = not limited.
func (g *gate) hoursOf(p outdial.ProgramID) (hours, bool) {
	if h, ok := g.windows[p]; ok {
		return h, true
	}
	return g.others, g.othersLimited
}

// Admit implements outdial.Router: it refuses with ErrDenied, ErrUnassigned, ErrPremium, ErrTollFree, ErrWindow
// and ErrBlackout (with the next opening, if there is one within a fortnight), ErrSuppressed or ErrSuppressionUnavailable.
// It reads Call.To, Program and Dest: outside an Engine the caller fills Dest, since without it no class of numbers is known and every
// calling window is closed.
func (t *Table) Admit(now time.Time, call *outdial.Call) (again time.Time, err error) {
	if again, err = t.admit(now, call, call.Record()); err != nil || t.suppressor == nil {
		return again, err
	}
	switch listed, err := t.suppressor.Suppressed(now, call.To, call.Program); {
	case err != nil:
		if rec := call.Record(); rec.On() {
			rec.Text(outdial.StageRouting, 0, "suppression_error", err.Error())
		}
		return time.Time{}, ErrSuppressionUnavailable
	case listed:
		return time.Time{}, ErrSuppressed
	}
	return time.Time{}, nil
}

// admit is Admit but for the suppression list.
func (t *Table) admit(now time.Time, call *outdial.Call, rec *outdial.Record) (again time.Time, err error) {
	if verdict, n, ok := t.gate.list.Lookup(uint64(call.To)); ok {
		if rec.On() {
			rec.Text(outdial.StageRouting, 0, [...]string{"deny_prefix", "allow_prefix"}[verdict], shown(leading(call.To, n)))
		}
		if verdict == denied {
			return time.Time{}, ErrDenied
		}
	}
	switch d := &call.Dest; {
	case d.Unassigned && !t.gate.unassigned:
		return time.Time{}, ErrUnassigned
	case d.Premium && !t.gate.premium:
		return time.Time{}, ErrPremium
	case d.TollFree && !t.gate.tollFree:
		return time.Time{}, ErrTollFree
	}
	h, limited := t.gate.hoursOf(call.Program)
	if limited {
		if rec.On() {
			rec.Text(outdial.StageRouting, 0, "window", TimeOfDay(h.from).String()+"-"+TimeOfDay(h.to).String())
		}
		if !t.numbering.AllWithin(now, call.Dest.Zones, h.from, h.to) {
			return t.opening(now, call, h, limited), ErrWindow
		}
	}
	if k := t.blackedOut(now, call); k != nil {
		if rec.On() {
			rec.Text(outdial.StageRouting, 0, "blackout", k.name)
		}
		return t.opening(now, call, h, limited), ErrBlackout
	}
	return time.Time{}, nil
}

// leading returns the first n digits of a number.
func leading(to outdial.Number, n int) outdial.Prefix {
	return outdial.Prefix(uint64(to) / digits.Pow10(max(digits.Len(uint64(to))-n, 0)))
}
