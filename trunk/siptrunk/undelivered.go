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
	if to != l.base && to == l.sentTo {
		l.d.targets.refuse(l.base, at)
	}
	if l.phase != calling || l.invite == nil || l.invite.dst != to || l.smaller(to, at) || l.elsewhere(at) {
		return
	}
	l.giveUp(outdial.OriginTransport)
	l.end(at, outdial.Result{Origin: l.gaveUp}, Event{})
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
			if tx.dst == to && !tx.heard && !tx.again {
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

// larger is where an INVITE of so many bytes goes that is too large for a datagram to its hop (RFC 3261 §18.1.1): over TCP, if the trunk takes
// that and has not refused it lately.
func (l *Leg) larger(to hop, size int, now time.Time) (hop, bool) {
	limit := l.route.UDPLimit
	if !l.route.TCP || to.transport != TransportUDP || limit <= 0 || size <= limit || l.d.targets.refused(to, now) {
		return to, false
	}
	return hop{addr: to.addr, transport: TransportTCP}, true
}

// smaller sends an INVITE by UDP after all, where the carrier would not take TCP; false = that was not it.
func (l *Leg) smaller(to hop, at time.Time) bool {
	return to != l.base && to == l.sentTo && l.gaveUp == 0 && l.sendInvite(at) == nil
}
