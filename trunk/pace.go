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
}

// capsOf are the caps of so many calls per second (-1 = no limit) under the terms.
func (t *terms) capsOf(cps int) window.Caps {
	var list []window.Cap
	if cps >= 0 {
		list = append(list, window.Cap{Limit: max(cps, 1), Window: second})
	}
	if t.limits.Sustain > 0 {
		w := t.limits.SustainWindow
		list = append(list, window.Cap{Limit: max(int(float64(t.limits.Sustain)*w.Seconds()), 1), Window: w})
	}
	caps, err := window.NewCaps(list...)
	if err != nil {
		panic(err) // validate has checked all of it
	}
	return caps
}

// repace puts the calls per second in force.
func (t *line) repace() {
	t.pace.probe = t.terms.capsOf(max(t.cps, 0) + 1)
	setCaps(&t.pace.gate, t.terms.capsOf(t.cps), history)
	t.pace.gap = 0
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
	leave, again, why := t.turn(at, call)
	t.lease.seized++
	if why != nil {
		t.load.now.refused[priorityOf(call)]++
		if t.terms.limits.Queue.Length > 0 {
			w := t.want(call)
			ask := t.turnOf(at, again, t.queue.ahead(&w, true))
			if ask, ok := t.wait(now, at, &w, ask, true); ok {
				return after(now, ask-at), why
			}
		}
		*t.blocked.of(why)++
		return after(now, again-at), why
	}
	leave = t.pace.gate.Add(leave)
	t.seized++
	t.load.now.left[priorityOf(call)]++
	if t.terms.quotas != nil {
		if g := t.tenantGate(call); g != nil {
			g.Add(leave)
		}
	}
	if t.terms.limits.Smooth > 0 && t.cps > 0 {
		t.pace.gap = leave + t.spacing()
	}
	if p != nil {
		p.since, p.seized, p.dated = leave, true, true
	}
	if t.queue.Now > 0 {
		t.queue.leave(call, &t.queue.Served)
	}
	return after(now, leave-at), nil
}

// turn returns when a call that is ready may leave, or, where that is too far off, when asking again may help.
func (t *line) turn(at window.Instant, call *outdial.Call) (leave, again window.Instant, why *outdial.Refusal) {
	if t.cps == 0 { // this node's share of them
		return 0, at + window.Instant(DefaultQueueRetry), ErrShare
	}
	leave, smooth := at, window.Instant(t.terms.limits.Smooth)
	if call != nil && call.Mode == outdial.ModeManual {
		smooth = 0
	}
	if smooth > 0 {
		leave = max(leave, t.pace.gap)
	}
	if t.queue.Now > 0 {
		w := t.want(call)
		if n := t.queue.ahead(&w, true); n > 0 { // they leave first
			if first, ok := t.pace.gate.PeekNth(leave, n+1); !ok {
				return 0, max(first, at+1), ErrCPS
			}
		}
	}
	leave, ok := t.pace.gate.Peek(leave)
	why = ErrCPS
	if !ok && t.learnCPS.binds(t.cps) {
		if to, free := t.pace.gate.PeekUnder(t.pace.probe, at); free && t.learnCPS.probe(at, !t.dry) {
			return to, 0, nil
		}
		why = ErrLearned
	}
	if t.terms.quotas != nil {
		if g := t.tenantGate(call); g != nil {
			if to, free := g.Peek(leave); !free {
				leave, ok, why = max(leave, to), false, ErrQuota
			}
		}
	}
	if leave > at+smooth && (!ok || smooth > 0) {
		return 0, leave - smooth, why
	}
	return leave, 0, nil
}

// turnOf is when a call that has n others before it comes to its turn; first is when the first of them does.
func (t *line) turnOf(at, first window.Instant, n int) window.Instant {
	if t.terms.limits.Smooth > 0 && t.cps > 0 {
		return first + window.Instant(n)*window.Instant(second)/window.Instant(t.cps)
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
	gap := (window.Instant(second) + window.Instant(t.cps) - 1) / window.Instant(t.cps)
	if j := t.terms.limits.Jitter; j > 0 {
		t.pace.dice = t.pace.dice*6364136223846793005 + 1442695040888963407 // an LCG (Knuth): any spread will do
		u := float64(t.pace.dice>>11) / (1 << 53)
		gap += window.Instant(j * (2*u - 1) * float64(gap))
	}
	return gap
}

// undo takes the seizure of p back.
func (t *line) undo(p *slot) {
	if !p.seized || !t.pace.gate.Undo(p.since) {
		return
	}
	t.seized--
	if p.tenant != 0 {
		if g := t.tenant(p.tenant).gate; g != nil {
			g.Undo(p.since)
		}
	}
	if t.pace.gate.Last() < p.since { // it was the last to leave, so its gap is free again
		t.pace.gap = min(t.pace.gap, p.since)
	}
}
