package siptrunk

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// sendInvite sends the INVITE, the first time or again with credentials, and starts its timers.
func (l *Leg) sendInvite(now time.Time) error {
	m := *l.initial
	m.branch, m.cseq = newBranch(), l.cseq
	m.lines = l.creds.lines(l.session.lines(m.lines, false))
	if v := l.supported(); v != "" {
		m.lines = append(m.lines, v)
	}
	p := l.parcel(&m, l.base)
	if err := l.d.send(p.packet, p.dst); err != nil {
		return err
	}
	l.sentTo = p.dst
	l.peer = l.meet(p.dst)
	l.nth = l.peer.invited()
	l.branch, l.seq = m.branch, m.cseq
	l.invite = newClientTx(sip.INVITE, m.branch, p, now)
	l.phase = calling
	l.awaitSilence(now)
	if l.route.PDDTimer > 0 && l.pdd.IsZero() {
		l.pdd = now.Add(l.route.PDDTimer)
	}
	return nil
}

// resendInvite sends the INVITE anew, with what a refusal has asked for. Credentials are asked for again: an answer to a challenge is good once.
func (l *Leg) resendInvite(now time.Time) bool {
	l.creds = credentials{}
	l.cseq++
	return l.sendInvite(now) == nil
}

// onResponse moves the transaction that a response belongs to.
func (l *Leg) onResponse(res *sip.Response, at time.Time) {
	if l.peer != nil {
		l.peer.responded()
	}
	method := res.CSeq().MethodName
	branch, _ := res.Via().Params.Get("branch")
	if l.invite != nil && method == sip.INVITE && branch == l.invite.branch {
		switch {
		case res.IsProvisional():
			l.onProvisional(res, at)
		case res.IsSuccess():
			l.onAnswer(res, at)
		default:
			l.onRejection(res, at)
		}
		return
	}
	if i := slices.IndexFunc(l.others, func(tx *clientTx) bool { return tx.method == method && tx.branch == branch }); i >= 0 {
		tx := l.others[i]
		if res.IsProvisional() {
			switch tx.provisional(); {
			case tx.former != nil:
				l.withdraw(tx, at)
			case method == sip.INVITE:
				tx.deadline = at.Add(timerC)
			}
			return
		}
		l.others = slices.Delete(l.others, i, i+1)
		if tx.final != nil {
			tx.final(res, at)
		}
		return
	}
	if method == sip.INVITE && !res.IsProvisional() {
		l.onRepeatedFinal(res, branch, at)
	}
}

func (l *Leg) onProvisional(res *sip.Response, at time.Time) {
	l.invite.provisional()
	if !l.acknowledges(res, at) {
		return
	}
	l.t100 = time.Time{}
	l.phase = max(l.phase, trying)
	if res.StatusCode > 100 {
		if l.phase < ringing && l.route.RingTimer > 0 {
			l.ring = at.Add(l.route.RingTimer)
		}
		l.phase, l.pdd = ringing, time.Time{}
	}
	switch {
	case l.cancelled: // bounded by then
	case l.ring.IsZero():
		l.bound = at.Add(timerC)
	default:
		l.bound = time.Time{}
	}
	if l.gaveUp != 0 {
		l.cancel(at)
	}
	ev := eventOf(res)
	marks := outdial.ProgressOf(res.StatusCode, ev.describes())
	if res.StatusCode > 100 && earlyMedia(res) {
		marks |= outdial.MarkEarlyMedia.Of()
	}
	l.progress(at, marks, ev)
}

// onRejection acknowledges a final response of 300 and above; a challenge is answered, anything else is the end.
func (l *Leg) onRejection(res *sip.Response, at time.Time) {
	l.invite = nil
	l.ackRejection(l.lastInvite().message, res, l.sentTo)
	if res.StatusCode == 503 && l.phase < ringing && l.elsewhere(at) { // who has rung somebody is asked no second time
		return
	}
	if l.redirect(res, at) || l.require(res, at) || l.tooBrief(res, at) {
		return
	}
	challenged := res.StatusCode == 401 || res.StatusCode == 407
	if challenged && l.gaveUp == 0 && l.authorize(&l.creds, sip.INVITE, l.uri, res) {
		l.cseq++
		if l.sendInvite(at) == nil {
			return
		}
		l.end(at, outdial.Result{Origin: outdial.OriginTransport}, Event{})
		return
	}
	r := resultOf(res, l.d.cfg.Headers)
	if l.gaveUp != 0 && (res.StatusCode == 487 || challenged) {
		r.Origin = l.gaveUp
	}
	l.end(at, r, eventOf(res))
}

// ackRejection acknowledges a final response of 300 and above to the INVITE that m says (RFC 3261 §17.1.1.3): of what it
// said besides, nothing is repeated.
func (l *Leg) ackRejection(m message, res *sip.Response, dst hop) {
	m.contact, m.extra, m.contentType, m.body, m.lines = false, nil, "", nil, authorization(m.lines)
	m.method, m.maxForwards, m.to = string(sip.ACK), maxForwards, res.To().Value()
	l.keepAck(ack{m.branch, toTagOf(res), parcel{packet: l.d.render(&m, dst), dst: dst}})
}

// keepAck sends an ACK, and remembers it for the next time that its response comes: that asks for a lost ACK.
func (l *Leg) keepAck(a ack) {
	if len(l.acks) >= maxAcks {
		l.acks = slices.Delete(l.acks, 0, 1)
	}
	kept := a
	kept.packet = bytes.Clone(a.packet) // without the room that render left
	l.acks = append(l.acks, kept)
	_ = l.d.send(a.packet, a.dst)
}

// onAnswer acknowledges a 2xx and makes the dialog of it.
func (l *Leg) onAnswer(res *sip.Response, at time.Time) {
	l.invite = nil
	l.phase = answered
	l.t100, l.pdd, l.ring, l.bound = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	l.others = slices.DeleteFunc(l.others, func(tx *clientTx) bool { return tx.method == sip.CANCEL && tx.branch == l.branch })
	l.remote, l.tag = res.To().Value(), toTagOf(res)
	l.target = targetOf(res, target{uri: l.uri, dst: l.base})
	l.meet(l.target.dst)
	l.describe(l.initial.contentType, l.initial.body)
	l.initial, l.early = nil, nil
	l.session.settle(res, at)
	if l.manualAck && !l.hungUp && !l.cancelled {
		l.unacked = at.Add(ackWait)
	} else {
		l.sendAck(l.remote, l.tag, l.target, "", nil)
	}
	ev := eventOf(res)
	ev.Kind, ev.Time = outdial.ReportAnswer, at
	l.report(ev)
	if l.hungUp || l.cancelled { // the answer crossed the CANCEL
		l.sendBye(at, outdial.Result{Origin: outdial.OriginHost, Cause: l.why.Cause})
	}
}

// onRepeatedFinal acknowledges again a final response whose ACK was lost. A 2xx with another tag is the answer of
// a second callee behind a forking proxy: nobody wanted it (RFC 3261 §13.2.2.4).
func (l *Leg) onRepeatedFinal(res *sip.Response, branch string, at time.Time) {
	tag := toTagOf(res)
	for _, a := range l.acks {
		if a.branch == branch && a.tag == tag {
			_ = l.d.send(a.packet, a.dst)
			return
		}
	}
	waits := l.phase == answered && tag == l.tag // for Leg.Ack
	if branch != l.branch || !res.IsSuccess() || waits || len(l.acks) >= maxAcks {
		return
	}
	f := l.lastInvite()
	l.decline(&f, res, at)
}

// sendAck acknowledges the answer of the attempt.
func (l *Leg) sendAck(to, tag string, t target, contentType string, body []byte) {
	m := l.inDialog(sip.ACK, to, t)
	m.cseq, m.contentType, m.body = l.seq, contentType, body
	m.lines = l.creds.lines(nil) // §13.2.2.4: the credentials of the INVITE
	l.keepAck(ack{l.branch, tag, l.parcel(&m, t.dst)})
}

// maxAcks bounds the ACKs that a leg remembers: forks, challenges and re-INVITEs are few.
const maxAcks = 16

// inDialog begins a request within the dialog, RFC 3261 §12.2.1.1, with the current CSeq.
func (l *Leg) inDialog(method sip.RequestMethod, to string, t target) message {
	return message{
		method: string(method), uri: t.uri, branch: newBranch(), routes: t.routes, maxForwards: maxForwards,
		from: l.from, to: to, callID: l.callID, cseq: l.cseq, secure: l.secure, allow: l.allow,
	}
}

// hangUp ends the leg by what its state calls for.
func (l *Leg) hangUp(origin outdial.Origin, why Reason) {
	if l.phase == ended || l.hungUp {
		return
	}
	now := time.Now()
	l.hungUp = true
	if l.why == (Reason{}) {
		l.why = why
	}
	after := origin >= outdial.OriginCallerHangup // the origin belongs to the time after the answer
	if l.phase == answered {
		switch {
		case after:
		case l.gaveUp != 0:
			origin = outdial.OriginHost
		default:
			origin = outdial.OriginCallerHangup
		}
		l.sendBye(now, outdial.Result{Origin: origin, Cause: why.Cause})
		return
	}
	if origin == outdial.OriginUnknown || after {
		origin = outdial.OriginCaller
	}
	l.giveUp(origin)
	l.cancel(now)
}

// cancel sends CANCEL, once, if one may be sent: after a provisional response (RFC 3261 §9.1). Otherwise the next
// one makes up for it.
func (l *Leg) cancel(now time.Time) {
	if l.cancelled || l.invite == nil || l.phase != trying && l.phase != ringing {
		return
	}
	l.cancelled = true
	l.t100, l.pdd, l.ring = time.Time{}, time.Time{}, time.Time{}
	l.bound = now.Add(timeout)
	l.sendCancel(now, l.lastInvite().message, l.sentTo)
}

// sendCancel sends the CANCEL of the INVITE that m says, and that went to dst.
func (l *Leg) sendCancel(now time.Time, m message, dst hop) {
	m.method, m.maxForwards, m.lines = string(sip.CANCEL), maxForwards, l.why.lines()
	tx := newClientTx(sip.CANCEL, m.branch, parcel{packet: l.d.render(&m, dst), dst: dst}, now)
	l.others = append(l.others, tx)
	_ = l.d.send(tx.packet, tx.dst)
}

// eventOf returns what a response brings to relay.
func eventOf(res *sip.Response) Event {
	ev := Event{Code: res.StatusCode, Phrase: res.Reason, ToTag: toTagOf(res), Response: res}
	if body := res.Body(); len(body) > 0 {
		if ct := res.ContentType(); ct != nil {
			ev.ContentType = ct.Value()
		}
		if hasPrefixFold(ev.ContentType, "application/sdp") || ev.ContentType == "" && bytes.HasPrefix(body, []byte("v=0")) {
			ev.SDP = body
		}
	}
	return ev
}

// describes reports whether the response has a session description, be it a part of its body.
func (ev *Event) describes() bool {
	return len(ev.SDP) > 0 ||
		hasPrefixFold(ev.ContentType, "multipart/") && bytes.Contains(ev.Response.Body(), []byte("application/sdp"))
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
