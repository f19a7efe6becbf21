package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// pace is a trunk's calls per second.
type pace struct {
	gate  *window.Gate   // seizures by the time at which they may leave
	probe window.Caps    // what holds for a call that probes a learned ceiling: one more a second
	gap   window.Instant // with smoothing: the next call leaves no earlier
	dice  uint64         // state of the jitter

	// The side is for calls that an agent dials while others have their times already: a gate cannot admit an event before
	// those that it has counted. The caps of both together are those of the trunk. See Limits.Manual.
	side     *window.Gate   // nil = nothing was ever kept
	kept     int            // calls per second that only the side admits; 0 = it admits none
	sideFrom window.Instant // none before: what the gate has counted by then is by other caps
}

// capsOf are the caps of so many calls per second (-1 = no limit) under the terms, without those that are kept, or, with
// side, of those that are kept.
func (t *terms) capsOf(cps, kept int, side bool) window.Caps {
	var list []window.Cap
	add := func(limit, part int, w time.Duration) {
		if side {
			limit = part
		} else {
			limit -= part
		}
		list = append(list, window.Cap{Limit: max(limit, 1), Window: w})
	}
	if cps >= 0 {
		add(max(cps, 1), kept, second)
	}
	if t.limits.Sustain > 0 {
		add(t.sustained(), t.sustained()*kept/max(cps, 1), t.limits.SustainWindow)
	}
	caps, err := window.NewCaps(list...)
	if err != nil {
		panic(err) // validate has checked all of it
	}
	return caps
}

// sustained is the number of calls in a SustainWindow.
func (t *terms) sustained() int {
	return max(int(float64(t.limits.Sustain)*t.limits.SustainWindow.Seconds()), 1)
}

// longest is how far back the limits look.
func (t *terms) longest() time.Duration {
	if t.limits.Sustain > 0 {
		return max(second, t.limits.SustainWindow)
	}
	return second
}

// keep is how many calls per second are kept for calls that an agent dials.
func (t *line) keep() int {
	l := &t.terms.limits
	kept := min(l.Manual, t.cps-1)
	if l.Smooth <= 0 || kept <= 0 || l.Sustain > 0 && t.terms.sustained()*kept/t.cps == 0 {
		return 0
	}
	return kept
}

// repace puts the calls per second in force.
func (t *line) repace() {
	p, longest := &t.pace, window.Instant(t.terms.longest())
	if p.kept > 0 { // what left by the side counts for all from now on, as if it left now
		for range p.side.Since(t.latest - longest) {
			p.gate.Add(t.latest)
		}
	}
	p.kept = t.keep()
	p.probe = t.terms.capsOf(max(t.cps, 0)+1, p.kept, false)
	setCaps(&p.gate, t.terms.capsOf(t.cps, p.kept, false), history)
	if p.gap = 0; p.kept > 0 {
		p.side, p.sideFrom = window.NewGate(t.terms.capsOf(t.cps, p.kept, true), history), window.Never
		if last := p.gate.Last(); last != window.Never {
			p.sideFrom = last + longest
		}
	}
}

// counted is how many calls left in a window that ends now.
func (p *pace) counted(at window.Instant, w time.Duration) int {
	n := p.gate.Count(at, w)
	if p.kept > 0 {
		n += p.side.Count(at, w)
	}
	return n
}

// setCaps gives a gate new caps. More than it remembers means a longer memory, in which all that it knows of stands as it
// was, and whatever it has forgotten at its newest moment: that may refuse a little longer than needed, once, and never
// admits too much.
func setCaps(g **window.Gate, caps window.Caps, history int) {
	switch {
	case *g == nil:
		*g = window.NewGate(caps, history)
	case (*g).SetCaps(caps) != nil:
		*g = (*g).Grow(caps)
	}
}

// seize counts a call that leaves at the time returned, where that is in the future, or else now. On a refusal the
// time is when asking again may help. p is the channel's slot, nil = none.
func (t *line) seize(now time.Time, p *slot, call *outdial.Call) (time.Time, *outdial.Refusal) {
	at := t.clock(now)
	if t.timed() {
		t.refresh(now)
	}
	if p != nil && p.seized {
		return after(now, p.since-at), nil
	}
	leave, again, side, why := t.turn(at, call)
	t.asked.seized++
	if why != nil {
		t.flow.refused[priorityOf(call)]++
		if t.terms.limits.Queue.Length > 0 {
			w := t.want(call)
			ask := t.turnOf(at, again, t.queue.ahead(&w, true, MaxChannels))
			if ask, ok := t.wait(now, at, &w, ask, true); ok {
				return after(now, ask-at), why
			}
		}
		*t.blocked.of(why)++
		return after(now, again-at), why
	}
	if side {
		leave = t.pace.side.Add(leave)
	} else {
		leave = t.pace.gate.Add(leave)
	}
	t.seized++
	t.flow.left[priorityOf(call)]++
	if t.terms.quotas != nil {
		if g := t.tenantGate(call); g != nil {
			g.Add(leave)
		}
	}
	if t.terms.limits.Smooth > 0 && t.cps > 0 && !side {
		t.pace.gap = leave + t.spacing()
	}
	if p != nil {
		p.since, p.seized, p.dated, p.side = leave, true, true, side
	}
	if t.queue.Now > 0 {
		t.queue.leave(call, &t.queue.Served)
	}
	return after(now, leave-at), nil
}

// turn returns when a call that is ready may leave, and whether by the side, or, where that is too far off, when asking again
// may help.
func (t *line) turn(at window.Instant, call *outdial.Call) (leave, again window.Instant, side bool, why *outdial.Refusal) {
	if t.cps == 0 { // this node's share of them
		return 0, at + window.Instant(DefaultQueueRetry), false, ErrShare
	}
	leave, smooth := at, window.Instant(t.terms.limits.Smooth)
	manual := smooth > 0 && call != nil && call.Mode == outdial.ModeManual
	if manual {
		smooth += window.Instant(second) // so that the others cannot take every place that it might have
	} else if smooth > 0 {
		leave = max(leave, t.pace.gap)
	}
	if t.queue.Now > 0 {
		w := t.want(call)
		if n := t.queue.ahead(&w, true, MaxChannels); n > 0 { // they leave first
			if first, ok := t.pace.gate.PeekNth(leave, n+1); !ok {
				return 0, max(first, at+1), false, ErrCPS
			}
		}
	}
	leave, ok := t.pace.gate.Peek(leave)
	why = ErrCPS
	var quota *window.Gate
	if t.terms.quotas != nil {
		quota = t.tenantGate(call)
	}
	if quota != nil {
		// It is refused and not held back: the trunk's calls leave in order, so that all others would wait with it.
		if to, free := quota.Peek(leave); !free {
			return 0, max(leave, to), false, ErrQuota
		}
	}
	now := leave == at || quota == nil // whether the quota has room now, and not only then
	if !now {
		_, now = quota.Peek(at)
	}
	if manual && leave > at && t.pace.kept > 0 && at >= t.pace.sideFrom && now {
		if to, free := t.pace.side.Peek(at); free && to == at {
			return at, 0, true, nil
		}
	}
	if !ok && t.probingCPS {
		if to, free := t.pace.gate.PeekUnder(t.pace.probe, at); free && now && t.learnCPS.probe(at, !t.dry) {
			return to, 0, false, nil
		}
		why = ErrLearned
	}
	if leave > at+smooth && (!ok || smooth > 0) {
		return 0, leave - smooth, false, why
	}
	return leave, 0, false, nil
}

// turnOf is when a call that has n others before it comes to its turn; first is when the first of them does.
func (t *line) turnOf(at, first window.Instant, n int) window.Instant {
	if t.terms.limits.Smooth > 0 && t.cps > 0 {
		return first + window.Instant(n)*window.Instant(second)/window.Instant(t.cps-t.pace.kept)
	}
	nth, _ := t.pace.gate.PeekNth(at, n+1)
	return max(first, nth)
}

// tenantGate is the gate of the call's tenant; nil = it has no quota of calls per second.
func (t *line) tenantGate(call *outdial.Call) *window.Gate {
	if call == nil {
		return nil
	}
	q, ok := t.terms.quota(call.Tenant)
	if !ok || q.CPS <= 0 {
		return nil
	}
	n := t.tenant(call.Tenant)
	if n.gate == nil {
		caps, _ := window.NewCaps(window.Cap{Limit: q.CPS, Window: second})
		n.gate = window.NewGate(caps, q.CPS)
	}
	return n.gate
}

// spacing is the time between two calls that are smoothed.
func (t *line) spacing() window.Instant {
	cps := window.Instant(t.cps - t.pace.kept)
	gap := (window.Instant(second) + cps - 1) / cps
	if j := t.terms.limits.Jitter; j > 0 {
		t.pace.dice = t.pace.dice*6364136223846793005 + 1442695040888963407 // an LCG (Knuth): any spread will do
		u := float64(t.pace.dice>>11) / (1 << 53)
		gap += window.Instant(j * (2*u - 1) * float64(gap))
	}
	return gap
}

// undo takes the seizure of p back.
func (t *line) undo(p *slot) {
	gate := t.pace.gate
	if p.side {
		gate = t.pace.side
	}
	if !p.seized || !gate.Undo(p.since) {
		return
	}
	t.seized--
	if p.tenant != 0 {
		if g := t.tenant(p.tenant).gate; g != nil {
			g.Undo(p.since)
		}
	}
	if !p.side && gate.Last() < p.since { // it was the last to leave, so its gap is free again
		t.pace.gap = min(t.pace.gap, p.since)
	}
}
