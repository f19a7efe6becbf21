package siptest

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

func (c *Carrier) stray() {
	c.book.mu.Lock()
	c.book.stats.Strays++
	c.book.mu.Unlock()
}

func (c *Carrier) onAck(req *sip.Request) {
	l := c.legs[legKey(req)]
	if l == nil {
		c.stray()
		return
	}
	if l.state == legChallenged {
		if toTag(req) != l.finalTag {
			c.stray()
			return
		}
		l.resend.stop()
		l.resend = nil
		l.chAcked = true
		return
	}
	if l.rec.Code == 0 || l.rec.Code >= 300 && branchOf(req) != branchOf(l.invite) {
		return // the ACK of a challenge, arriving late
	}
	if !c.acknowledges(l, req) {
		c.stray()
		return
	}
	l.resend.stop()
	l.resend = nil
	first := !l.rec.Acked
	if first {
		c.book.mu.Lock()
		l.rec.Acked, l.rec.AckedAt = true, time.Now()
		c.book.stats.Acks++
		c.book.mu.Unlock()
	}
	if l.byeWant && l.state == legAnswered {
		c.hangUp(l)
	}
}

// acknowledges reports whether an ACK is one of the final response: RFC 3261 §17.1.1.3, and §13.2.2.4 for a 2xx, where the
// answer to an INVITE within the dialog may be meant too.
func (c *Carrier) acknowledges(l *leg, req *sip.Request) bool {
	first := req.CSeq().SeqNo == l.invite.CSeq().SeqNo
	if l.rec.Code >= 300 {
		return first && toTag(req) == l.finalTag && len(req.GetHeaders("Route")) == 0
	}
	return (first || req.CSeq().SeqNo == l.seq) && toTag(req) == l.finalTag && c.routed(l, req)
}

// routed reports whether a request within a dialog goes where it was told to: to our Contact, over what recorded its route.
func (c *Carrier) routed(l *leg, req *sip.Request) bool {
	routes := values(req, "Route")
	slices.Reverse(routes)
	return "<"+req.Recipient.String()+">" == c.contact() && slices.Equal(routes, l.script.RecordRoute)
}

// misfit is the status that answers a request which is not one of the dialog as RFC 3261 §12.2.1.1 has it; 0 = it is.
func (c *Carrier) misfit(l *leg, req *sip.Request) int {
	seq, branch := req.CSeq().SeqNo, branchOf(req)
	switch {
	case toTag(req) != l.finalTag:
		return 481
	case !c.routed(l, req):
		return 400
	case seq == l.seq && branch == l.branch: // once more
	case seq <= l.seq:
		return 500
	}
	l.seq, l.branch = seq, branch
	return 0
}

func (c *Carrier) onCancel(req *sip.Request, src netip.AddrPort) {
	l := c.legs[legKey(req)]
	if l == nil || branchOf(l.invite) != branchOf(req) {
		c.stray()
		c.answer(req, src, reply{code: 481, toTag: randomToken()})
		return
	}
	intime := l.state == legPending
	first := intime && !l.cancel
	c.book.mu.Lock()
	c.book.stats.CancelsReceived++
	if first {
		c.book.stats.Cancelled++
		l.rec.Cancelled = true
	}
	if l.rec.CancelledAt.IsZero() {
		l.rec.CancelledAt = time.Now()
	}
	c.book.mu.Unlock()
	if !intime || l.script.OnCancel != CancelUnanswered {
		c.answer(req, src, reply{code: 200, toTag: l.tag})
	}
	if !first {
		return
	}
	l.cancel = true
	switch {
	case l.script.OnCancel == CancelHonoured:
		l.step.stop()
		c.reject(l, Step{Code: 487})
	case l.script.AfterCancel != nil:
		l.step.stop()
		l.steps = l.script.AfterCancel
		c.next(l)
	}
}

func (c *Carrier) onBye(req *sip.Request, src netip.AddrPort) {
	l := c.legs[legKey(req)]
	if l == nil || l.rec.Code < 200 || l.rec.Code > 299 {
		c.stray()
		c.answer(req, src, reply{code: 481, toTag: randomToken()})
		return
	}
	if code := c.misfit(l, req); code != 0 {
		c.stray()
		c.answer(req, src, reply{code: code})
		return
	}
	if l.state == legAnswered {
		c.book.mu.Lock()
		c.book.stats.ByesReceived++
		l.rec.ByeHeaders = allHeaders(req)
		c.book.mu.Unlock()
		c.end(l, CallerSide)
		l.resend.stop() // a BYE ends the wait for the ACK too
		l.resend = nil
	}
	if !l.script.IgnoreBye {
		c.answer(req, src, reply{code: 200})
	}
}

func (c *Carrier) onPrack(req *sip.Request, src netip.AddrPort) {
	l := c.legs[legKey(req)]
	rack := strings.Fields(headerValue(req, "RAck"))
	if l == nil || len(rack) != 3 || rack[0] != strconv.Itoa(l.rseq) || rack[2] != "INVITE" ||
		rack[1] != strconv.FormatUint(uint64(l.invite.CSeq().SeqNo), 10) || toTag(req) != l.rseqTag || req.CSeq().SeqNo <= l.invite.CSeq().SeqNo {
		c.stray()
		c.answer(req, src, reply{code: 481})
		return
	}
	if l.prack != nil {
		c.book.mu.Lock()
		c.book.stats.Pracks++
		c.book.mu.Unlock()
	}
	l.prack.stop()
	l.prack = nil
	c.answer(req, src, reply{code: 200})
}

// hangUpAcked sends BYE, but not before the ACK (RFC 3261 §15).
func (c *Carrier) hangUpAcked(l *leg) {
	if !l.rec.Acked {
		l.byeWant = true
		return
	}
	c.hangUp(l)
}

func (c *Carrier) hangUp(l *leg) {
	if l.state != legAnswered {
		return
	}
	c.book.mu.Lock()
	c.book.stats.ByesSent++
	c.book.mu.Unlock()
	c.end(l, CarrierSide)
	l.resend.stop()
	l.resend = nil
	l.byeCSeq++
	c.byCallID[l.rec.CallID] = l

	var routes []string
	for _, h := range l.invite.GetHeaders("Record-Route") {
		routes = append(routes, h.Value())
	}
	uri, to := remoteTarget(l.invite.Contact(), routes, l.src)
	from := headerValue(l.invite, "To")
	if toTag(l.invite) == "" {
		from += ";tag=" + l.tag
	}
	msg := outbound{
		method: "BYE", uri: uri, branch: newBranch(), from: from, to: headerValue(l.invite, "From"),
		callID: l.rec.CallID, cseq: l.byeCSeq, routes: slices.Clip(routes), headers: l.script.ByeHeaders,
	}.render(c.ep)
	c.ep.send(to, msg)
	c.ep.repeat(&l.bye, &backoff{cap: T2}, func() { c.ep.send(to, msg) }, func() { l.bye = nil })
}

// onResponse takes the answer to a BYE of ours.
func (c *Carrier) onResponse(res *sip.Response) {
	if res.CallID() == nil || res.CSeq() == nil || res.CSeq().MethodName != sip.BYE || res.StatusCode < 200 {
		return
	}
	l := c.byCallID[res.CallID().Value()]
	if l == nil {
		return
	}
	l.bye.stop()
	l.bye = nil
	c.book.mu.Lock()
	l.rec.ByeAnswered = res.StatusCode < 300
	c.book.mu.Unlock()
}
