package siptrunk

import (
	"time"

	"github.com/outdial/outdial"
)

// unreachable ends a leg whose INVITE could not be delivered, if there is no other way. Once somebody has answered, what was lost is left to
// its retransmission.
func (l *Leg) unreachable(to hop) {
	at := time.Now()
	l.post(input{run: func() { l.undelivered(to, at) }})
}

func (l *Leg) undelivered(to hop, at time.Time) {
	if l.shrink(to, at) || l.phase != calling || l.invite == nil || l.invite.dst != to || l.elsewhere(at) {
		return
	}
	l.giveUp(outdial.OriginTransport)
	l.end(at, outdial.Result{Origin: l.gaveUp}, Event{})
}

// shrink sends by UDP after all what was to go over TCP for its size, and notes that the carrier takes none there. It reports whether the
// INVITE of the attempt was among it.
func (l *Leg) shrink(to hop, at time.Time) (initial bool) {
	some := false
	again := func(p *parcel) bool {
		if p.dst != to || p.small == nil {
			return false
		}
		p.shrink()
		some = true
		return l.d.send(p.packet, p.dst) == nil
	}
	for _, tx := range l.others {
		if !tx.heard && tx.former == nil && again(&tx.parcel) {
			tx.repeats(at)
		}
	}
	for i := range l.acks {
		again(&l.acks[i].parcel)
	}
	if tx := l.invite; tx != nil && !tx.heard && l.gaveUp == 0 && again(&tx.parcel) {
		tx.repeats(at)
		l.sentTo = tx.dst
		l.awaitSilence(at)
		initial = true
	}
	if some {
		l.d.targets.refuse(hop{addr: to.addr, transport: TransportUDP}, at)
	}
	return initial
}

// disconnected sends again, once, what has no response and went over a connection that is over: the carrier closes those that are
// idle, and what crosses that is lost. It is the same request, so that a carrier which has it does nothing twice. What is lost twice is as good as not
// delivered.
func (l *Leg) disconnected(to hop) {
	if !l.streams.Load() {
		return
	}
	at := time.Now()
	l.post(input{run: func() {
		for _, tx := range l.others {
			if tx.dst == to && !tx.heard && !tx.again && tx.former == nil {
				tx.again = true
				_ = l.d.send(tx.packet, to)
			}
		}
		switch tx := l.invite; {
		case tx == nil || tx.dst != to || tx.heard || l.gaveUp != 0:
		case tx.again:
			l.undelivered(to, at)
		default:
			tx.again = true
			_ = l.d.send(tx.packet, to)
		}
	}})
}
