package trunk

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// relimit derives what is in force from the terms, the orders, the trial and what was learned. It must follow every
// change of one of these.
func (t *line) relimit(at window.Instant) {
	t.guard()
	if !t.known {
		t.state, t.expiry = Out, time.Time{}
		return
	}
	l := &t.terms.limits
	t.state = t.stateInForce()
	t.expiry = time.Time{}
	for _, to := range [...]time.Time{t.order.to, t.channels.to, t.rate.to} {
		if !to.IsZero() && (t.expiry.IsZero() || to.Before(t.expiry)) {
			t.expiry = to
		}
	}
	base, top, why := t.contract()
	t.probing = false
	if t.learned.limit > 0 && l.Learning == LearnAndHold {
		n := max(t.learned.limit, t.terms.guaranteed) // floors may have come since it was learned
		if t.probing = n < top; t.probing {
			top = n
		}
		if n < base {
			base, why = n, ErrLearned
		}
	}
	if l.Share.on() {
		if n, _ := t.grantInForce(); n < base || n == base && why == ErrLearned {
			base, top, why, t.probing = n, n, ErrShare, false
		}
	}
	if paid := t.paidFor(); paid != t.paid {
		t.bill(at) // by what was paid for until now
		t.paid = paid
	}
	t.base, t.top, t.why = base, top, why
	t.burst.over = t.above()
	var cps int
	if cps, t.probingCPS = t.cpsInForce(); cps != t.cps || t.pace.gate == nil {
		t.cps = cps
		t.repace()
	}
	t.saturate(at)
}

// recalm says how many channels may be in use before admissions must look closer.
func (t *line) recalm() {
	calm := 0
	if t.known && t.closed() == nil && !t.timed() && t.terms.quotas == nil && t.queue.Now == 0 && t.replayed == 0 && !t.saturated {
		calm = t.base - t.terms.guaranteed - t.reserve(outdial.PriorityBulk)
		if alarm := t.terms.limits.Alarm; alarm >= 0 && t.base < MaxChannels {
			calm = min(calm, int(alarm*float64(t.base))-1)
		}
	}
	t.slots.calm.Store(int32(max(calm, 0)))
}

// timed reports whether what is in force depends on the time.
func (t *line) timed() bool { return !t.expiry.IsZero() || t.terms.limits.Share.on() }

// refresh ends the orders whose time is over.
func (t *line) refresh(now time.Time) {
	if t.terms.limits.Share.on() && t.lease.held != (t.latest < t.lease.until) {
		t.lease.held = t.latest < t.lease.until
		t.relimit(t.latest)
	}
	if t.expiry.IsZero() || now.Before(t.expiry) {
		return
	}
	if ended(t.order.to, now) {
		t.order = order{}
	}
	if ended(t.channels.to, now) {
		t.channels = amount{}
	}
	if ended(t.rate.to, now) {
		t.rate = amount{}
	}
	t.relimit(t.latest)
}

// stateInForce is the state by configuration, trial and order.
func (t *line) stateInForce() State {
	state := t.terms.limits.State
	switch {
	case state == Draining || state == Out:
		if t.order.given {
			state = max(state, t.order.state)
		}
		return state
	case t.order.given:
		return t.order.state
	case t.promoted:
		return Live
	}
	return state
}

// paidFor is the number of channels that are paid for, by contract and order: what is used above them is a burst, whatever
// else keeps the ceiling down.
func (t *line) paidFor() int {
	l := &t.terms.limits
	paid := l.Channels
	if t.channels.given {
		paid = t.channels.n
	}
	if paid < 0 {
		paid = MaxChannels
	}
	if l.Hard > 0 {
		paid = min(paid, l.Hard)
	}
	return paid
}

// contract is what may be in use by contract and order, without and with bursts, and why there is no more.
func (t *line) contract() (base, top int, why *outdial.Refusal) {
	l := &t.terms.limits
	base, why = t.paidFor(), ErrChannels
	top = max(base, l.Burst.Channels)
	if l.Hard > 0 {
		top = min(top, l.Hard)
	}
	if t.state == Canary && l.Trial.Channels >= 0 && l.Trial.Channels < base {
		base, top, why = l.Trial.Channels, l.Trial.Channels, ErrCanary
	}
	return base, top, why
}

// contractCPS is the calls per second by contract and order; -1 = no limit.
func (t *line) contractCPS() int {
	l := &t.terms.limits
	cps := l.CPS
	if t.rate.given {
		cps = t.rate.n
	}
	if t.state == Canary && l.Trial.CPS >= 0 && (cps < 0 || l.Trial.CPS < cps) {
		cps = l.Trial.CPS
	}
	return cps
}

// cpsInForce is the limit of calls per second, and whether it is what was learned that keeps it down.
func (t *line) cpsInForce() (cps int, learned bool) {
	cps = t.contractCPS()
	if n := t.learnCPS.limit; n > 0 && t.terms.limits.Learning == LearnAndHold && (cps < 0 || n < cps) {
		cps, learned = n, true
	}
	if t.terms.limits.Share.on() {
		if _, rate := t.grantInForce(); rate >= 0 && (cps < 0 || rate <= cps) {
			cps, learned = rate, false
		}
	}
	return cps, learned
}

// restate puts a new state in force and notes the change.
func (t *line) restate(at window.Instant, by, reason string) {
	was := t.state
	t.relimit(at)
	if t.state != was {
		t.change(Change{Time: t.time(at), What: "trunk." + by, From: was, To: t.state, By: by, Reason: reason})
	}
}
