package siptrunk

import (
	"time"

	"github.com/outdial/outdial"
)

// arm sets the timer to the next thing that is due.
func (l *Leg) arm() {
	var next time.Time
	for _, t := range [...]time.Time{l.t100, l.pdd, l.ring, l.bound, l.unacked, l.linger, l.session.refresh, l.session.expiry} {
		next = earliest(next, t)
	}
	if l.invite != nil {
		next = earliest(next, earliest(l.invite.resend, l.invite.deadline))
	}
	for _, tx := range l.others {
		next = earliest(next, earliest(tx.resend, tx.deadline))
	}
	if next.IsZero() {
		l.timer.Stop()
		return
	}
	l.timer.Reset(time.Until(next))
}

// onTimer does what is due.
func (l *Leg) onTimer(now time.Time) {
	if due(&l.t100, now) && l.phase == calling {
		switch {
		case l.half && !l.peer.silent(l.nth):
			l.half, l.t100 = false, now.Add(l.route.T100-l.route.T100/2)
		case l.last && l.onward(now):
		default:
			l.abandon(now, outdial.OriginNoTrying)
		}
	}
	if due(&l.pdd, now) && l.phase <= trying {
		l.abandon(now, l.missing())
		l.cancel(now)
	}
	if due(&l.ring, now) && l.phase < answered {
		l.abandon(now, outdial.OriginNoAnswer)
		l.cancel(now)
	}
	if due(&l.bound, now) && l.phase < answered {
		if l.cancelled {
			l.end(now, outdial.Result{Origin: l.gaveUp}, Event{})
		} else {
			l.abandon(now, l.missing())
			l.cancel(now)
		}
	}
	if due(&l.unacked, now) && l.phase == answered {
		l.ackBare()
		l.sendBye(now, outdial.Result{Origin: outdial.OriginHost})
	}
	l.onSession(now)
	l.onTransactions(now)
	if due(&l.linger, now) {
		if len(l.others) > 0 { // the BYE of a forked answer still waits
			l.linger = now.Add(timeout)
			return
		}
		l.forget()
	}
}

// awaitSilence sets when a leg that has heard nothing since now is given up: at T100, or half-way where others are not heard either. The last attempt
// of a call has nobody to hunt on to: when its trunk has no other address any more, it waits for as long as the call may, or until the other timers.
func (l *Leg) awaitSilence(now time.Time) {
	alone := l.last && len(l.targets) == 0
	switch l.half = false; {
	case l.route.T100 <= 0, alone && l.callBy.IsZero():
		l.t100 = time.Time{}
	case alone:
		l.t100 = latest(now.Add(l.route.T100), l.callBy)
	default:
		l.half, l.t100 = true, now.Add(l.route.T100/2)
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// missing is what a leg that is not answered still waits for, as the reason to give it up.
func (l *Leg) missing() outdial.Origin {
	switch l.phase {
	case calling:
		return outdial.OriginNoTrying
	case trying:
		return outdial.OriginNoProgress
	}
	return outdial.OriginNoAnswer
}

// onTransactions sends again what is not answered, and gives up what never was.
func (l *Leg) onTransactions(now time.Time) {
	if tx := l.invite; tx != nil {
		switch {
		case tx.expired(now) && l.onward(now):
		case tx.expired(now):
			l.giveUp(outdial.OriginNoTrying)
			l.end(now, outdial.Result{Origin: l.gaveUp}, Event{})
		case tx.due(now):
			if err := l.d.send(tx.packet, tx.dst); err != nil {
				l.giveUp(outdial.OriginTransport)
				l.end(now, outdial.Result{Origin: l.gaveUp}, Event{})
			}
		}
	}
	kept := l.others[:0:0]
	var timedOut []*clientTx
	for _, tx := range l.others {
		switch {
		case tx.expired(now):
			timedOut = append(timedOut, tx)
			continue
		case tx.due(now):
			// An error is as good as a loss: the next one may pass, or the deadline ends it.
			_ = l.d.send(tx.packet, tx.dst)
		}
		kept = append(kept, tx)
	}
	l.others = kept
	for _, tx := range timedOut {
		if tx.final != nil {
			tx.final(nil, now)
		}
	}
}

// due reports whether a deadline has come, and clears it then.
func due(t *time.Time, now time.Time) bool {
	if t.IsZero() || t.After(now) {
		return false
	}
	*t = time.Time{}
	return true
}
