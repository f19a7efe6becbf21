package siptrunk

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// former is an INVITE of the attempt of which nobody wants what comes: the one to an address that said nothing, when the next one was asked instead.
type former struct {
	message // what its CANCEL and its ACK repeat of it
	creds   credentials
	base    hop
	until   time.Time // how long its end is waited for, once it was cancelled; zero = it was not
}

// lastInvite is the INVITE of the attempt that was sent last.
func (l *Leg) lastInvite() former {
	m := message{uri: l.uri, branch: l.branch, from: l.from, to: l.to, callID: l.callID, cseq: l.seq}
	return former{message: m, creds: l.creds, base: l.base}
}

// onward asks the next address of the trunk, since the one that was asked is silent (RFC 3263 §4.3); false = there is none, or nobody wants it any
// more. The INVITE that had no response is not repeated; what comes of it all the same is cancelled, or acknowledged and ended.
func (l *Leg) onward(now time.Time) bool {
	tx, f := l.invite, l.lastInvite()
	if !l.elsewhere(now) {
		return false
	}
	tx.resend, tx.deadline, tx.former = time.Time{}, now.Add(timeout), &f
	tx.final = func(res *sip.Response, at time.Time) {
		switch {
		case res == nil:
		case res.IsSuccess():
			l.decline(&f, res, at)
		default:
			l.ackRejection(f.message, res, tx.dst)
		}
	}
	l.others = append(l.others, tx)
	return true
}

// withdraw cancels a former INVITE, now that it may be (RFC 3261 §9.1).
func (l *Leg) withdraw(tx *clientTx, now time.Time) {
	f := tx.former
	if f.until.IsZero() {
		f.until = now.Add(timeout)
		l.sendCancel(now, f.message, tx.dst)
	}
	tx.deadline = f.until
}

// decline acknowledges a 2xx that nobody wants, and ends its dialog (RFC 3261 §13.2.2.4).
func (l *Leg) decline(f *former, res *sip.Response, at time.Time) {
	to := res.To().Value()
	t := targetOf(res, target{uri: f.uri, dst: f.base})
	l.meet(t.dst)
	m := l.inDialog(sip.ACK, to, t)
	m.cseq, m.lines = f.cseq, f.creds.lines(nil)
	l.keepAck(ack{f.branch, toTagOf(res), l.parcel(&m, t.dst)})
	l.cseq++
	m = l.inDialog(sip.BYE, to, t)
	tx := newClientTx(sip.BYE, m.branch, l.parcel(&m, t.dst), at)
	tx.fork = true
	l.others = append(l.others, tx)
	_ = l.d.send(tx.packet, tx.dst)
}
