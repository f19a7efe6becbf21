package trunk

import (
	"sync"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/window"
)

// line is one trunk: its limits, what is held and what was counted. Once made, it stays in its Set for good, so
// that its counts outlive every change of configuration. All that decides is read and written under mu.
type line struct {
	id    outdial.TrunkID
	name  string
	index uint16

	mu      sync.Mutex
	known   bool // the configuration in force has it
	limits  Limits
	order   State     // what an operator ordered, Live = nothing
	orderTo time.Time // when the order ends; zero = it stands

	begun  bool
	epoch  window.Epoch
	latest window.Instant // the latest time told: the trunk's clock never goes back

	slots   slots
	peak    int
	sweepAt window.Instant // no hold is too old before

	gate *window.Gate   // seizures by the time at which they may leave
	gap  window.Instant // with smoothing: the next call leaves no earlier

	seized    uint64
	reclaimed uint64
	blocked   Blocked
}

// clock returns now as the trunk's own time, which it moves on. The zero time tells nothing new.
func (t *line) clock(now time.Time) window.Instant {
	if !t.begun && !now.IsZero() {
		t.begun, t.epoch = true, window.NewEpoch(now)
	}
	t.latest = t.instant(now)
	return t.latest
}

// instant is clock, without moving it on.
func (t *line) instant(now time.Time) window.Instant {
	if now.IsZero() || !t.begun {
		return t.latest
	}
	return max(t.latest, t.epoch.Instant(now))
}

// state returns the stricter of what is configured and what an operator ordered.
func (t *line) state(now time.Time) State {
	if t.order <= t.limits.State || !t.orderTo.IsZero() && !now.Before(t.orderTo) {
		return t.limits.State
	}
	return t.order
}

// room returns why no channel can be taken, nil if one can.
func (t *line) room(now time.Time) *outdial.Refusal {
	if !t.known {
		return ErrUnknownTrunk
	}
	if t.order|t.limits.State != Live {
		switch t.state(now) {
		case Live:
		case Draining:
			return ErrDraining
		default:
			return ErrOut
		}
	}
	if limit := t.limits.Channels; limit >= 0 && t.slots.used >= limit || t.slots.used >= MaxChannels {
		return ErrChannels
	}
	return nil
}

// acquire takes a channel.
func (t *line) acquire(now time.Time) (outdial.Lease, error) {
	if err := t.room(now); err != nil {
		switch err {
		case ErrChannels:
			t.blocked.Channels++
		case ErrDraining:
			t.blocked.Draining++
		case ErrOut:
			t.blocked.Out++
		}
		return 0, err
	}
	i, gen := t.slots.take(t.clock(now))
	t.peak = max(t.peak, t.slots.used)
	return leaseOf(gen, i, t.index), nil
}

// seize counts a call that leaves at the time returned, where that is in the future, or else now. On ErrCPS the
// time is when asking again may help. p is the channel's slot, nil = none.
func (t *line) seize(now time.Time, p *slot) (time.Time, error) {
	at := t.clock(now)
	if p != nil && p.seize {
		return after(now, p.left-at), nil
	}
	leave, again := t.turn(at)
	if again != 0 {
		t.blocked.CPS++
		return after(now, again-at), ErrCPS
	}
	leave = t.gate.Add(leave)
	t.seized++
	if t.limits.Smooth > 0 {
		t.gap = leave + (window.Instant(second)+window.Instant(t.limits.CPS)-1)/window.Instant(t.limits.CPS)
	}
	if p != nil {
		p.left, p.seize = leave, true
	}
	return after(now, leave-at), nil
}

// turn returns when a call that is ready may leave, or, where that is too far off, when asking again may help.
func (t *line) turn(at window.Instant) (leave, again window.Instant) {
	leave, smooth := at, window.Instant(t.limits.Smooth)
	if smooth > 0 {
		leave = max(leave, t.gap)
	}
	leave, ok := t.gate.Peek(leave)
	if leave > at+smooth && (!ok || smooth > 0) {
		return 0, leave - smooth
	}
	return leave, 0
}

// rehearse is seize, without counting anything.
func (t *line) rehearse(now time.Time) (time.Time, error) {
	at := t.instant(now)
	leave, again := t.turn(at)
	if again != 0 {
		return after(now, again-at), ErrCPS
	}
	return after(now, leave-at), nil
}

// after returns the time that is d after now, or the zero time if d is not positive.
func after(now time.Time, d window.Instant) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(d))
}

// undo takes the seizure of p back.
func (t *line) undo(p *slot) {
	if p.seize && t.gate.Undo(p.left) {
		t.seized--
		if t.gate.Last() < p.left { // it was the last to leave, so its gap is free again
			t.gap = min(t.gap, p.left)
		}
	}
}

// terms are limits with their defaults, ready to be put in force.
type terms struct {
	limits Limits
	caps   window.Caps
}

// termsOf fills the defaults of l.
func termsOf(l Limits) (*terms, error) {
	now := &terms{limits: l.withDefaults()}
	if now.limits.CPS < 0 {
		return now, nil
	}
	var err error
	now.caps, err = window.NewCaps(window.Cap{Limit: now.limits.CPS, Window: second})
	return now, err
}

// update puts terms in force; nil = the trunk is no longer configured.
func (t *line) update(now *terms) {
	if now == nil {
		t.known = false
		return
	}
	switch {
	case t.gate == nil:
		t.gate = window.NewGate(now.caps, history)
	case t.gate.SetCaps(now.caps) != nil:
		// More than the gate remembers: a longer memory, in which all of the last second stand at its newest moment.
		// That may refuse a little longer than needed, once, and never admits too much.
		gate := window.NewGate(now.caps, history)
		for range t.gate.Count(t.latest, second) {
			gate.Add(t.gate.Last())
		}
		t.gate = gate
	}
	t.limits, t.known = now.limits, true
	t.gap, t.sweepAt = 0, 0
}

// advance reclaims what was held too long and returns when the next hold may be too old; zero = none can be.
func (t *line) advance(now time.Time) time.Time {
	if t.limits.MaxCall < 0 || t.slots.used == 0 {
		return time.Time{}
	}
	at, most := t.clock(now), window.Instant(t.limits.MaxCall)
	if at >= t.sweepAt {
		oldest := at
		for i := range t.slots.all {
			p := &t.slots.all[i]
			switch {
			case !p.held:
			case at-p.since >= most:
				t.slots.drop(int32(i))
				t.reclaimed++
			default:
				oldest = min(oldest, p.since)
			}
		}
		t.sweepAt = oldest + most
	}
	if t.slots.used == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(t.sweepAt - at))
}
