package b2bua

import (
	"container/list"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// call is one call: the dialer's dialog, the Session that decides, and the legs towards carriers. One goroutine owns
// all of it and works off what has happened, in order; nothing is locked while it does.
type call struct {
	p       *Proxy
	kit     *kit // while it runs
	in      *inbox
	key     string // in Proxy.calls
	dialog  dialog
	session *outdial.Session
	id      atomic.Uint64 // of the Session's call, for operators; 0 = the engine was not asked
	began   time.Time

	legs     [outdial.MaxAttempts]*siptrunk.Leg
	open     int               // legs whose end was not reported
	current  outdial.AttemptID // the attempt that hunting waits for; zero = none
	answered *siptrunk.Leg     // the leg that the dialer talks to
	gap      gap               // what hunting waits for besides
	over     bool              // hunting is over
	until    time.Time         // when an answered call has lasted long enough; zero = it may go on
	delayed  bool              // the INVITE had no offer: the dialer's ACK brings the answer

	retired bool          // Proxy.retire knows
	lingers *list.Element // in Proxy.lingering; the proxy's mutex guards it

	held    held          // a call that was redirected
	passing int           // requests of the dialer's that the carrier has not answered
	wish    *wish         // an INVITE of the carrier's that was passed on and is not acknowledged
	gone    chan struct{} // closed when nothing of the call is left

	outcome outcome  // what the dialer was told, for the log
	copied  []string // Call-IDs of its legs that Proxy.capture knows
}

// gap is a pause that the Session asked for.
type gap struct {
	until time.Time         // zero = none
	dial  outdial.AttemptID // then dial this attempt; zero = ask the Session again
}

// shutdown tells a call to end because the proxy does; dismissal, after its legs are over, not to wait for the dialer.
type (
	shutdown  struct{}
	dismissal struct{}
)

func newCall(p *Proxy, invite *request, key string) *call {
	c := &call{
		p: p, in: newInbox(), key: key, dialog: newDialog(p, invite), delayed: len(invite.Body()) == 0,
		gone: make(chan struct{}),
	}
	c.dialog.over = c.retire
	return c
}

// run carries the call from its INVITE until nothing of it is left.
func (c *call) run(k *kit) {
	defer c.p.leave(c)
	c.kit = k
	c.began = c.p.now()
	c.dialog.provisional(response{code: 100, phrase: "Trying"})
	c.begin()
	timer := k.clock()
	defer k.rest()
	for !c.done() {
		timer.Reset(c.pause())
		select {
		case <-c.in.wake:
		case <-timer.C:
		}
		k.items = c.in.take(k.items)
		for _, item := range k.items {
			c.handle(item)
		}
		c.tick(c.p.now())
	}
	c.finish()
}

// retire gives the call's place to another one: it is over for the dialer, whatever its legs and copies of its messages still need. The
// dialer may take the place as soon as it learns of that.
func (c *call) retire() {
	if !c.retired {
		c.retired = true
		c.p.retire(c)
	}
}

func (c *call) done() bool { return c.over && c.open == 0 && c.dialog.state == closed }

// pause is how long nothing is to be done but wait.
func (c *call) pause() time.Duration {
	next := earliest(earliest(c.dialog.next(), c.gap.until), earliest(c.held.until, c.until))
	if next.IsZero() {
		return time.Hour
	}
	return max(next.Sub(c.p.now()), 0)
}

func (c *call) tick(now time.Time) {
	switch c.dialog.tick(now) {
	case lapseAck:
		c.p.stats.lost.Add(1)
		c.hangUpAll(outdial.OriginHost, siptrunk.Reason{})
	case lapseSession:
		c.p.stats.expired.Add(1)
		c.timeOut(now)
	}
	c.expire(now)
	c.limit(now)
	if g := c.gap; !g.until.IsZero() && !g.until.After(now) {
		c.gap = gap{}
		if g.dial == (outdial.AttemptID{}) || !c.dial(now, g.dial) {
			c.hunt(now)
		}
	}
}

// limit ends an answered call that has lasted as long as its dialer's may.
func (c *call) limit(now time.Time) {
	if c.until.IsZero() || c.until.After(now) {
		return
	}
	c.until = time.Time{}
	if c.dialog.state != accepted && c.dialog.state != confirmed {
		return
	}
	c.p.stats.overlong.Add(1)
	c.timeOut(now)
}

// timeOut ends an answered call on both sides, because of a timer of ours.
func (c *call) timeOut(now time.Time) {
	why := siptrunk.Reason{Cause: outdial.Cause{Value: 102}} // recovery on timer expiry
	c.hangUpAll(outdial.OriginHost, why)
	c.dialog.hangUp(now, why.String())
}

func (c *call) handle(item any) {
	switch x := item.(type) {
	case *siptrunk.Event:
		c.onEvent(x)
	case *request:
		c.onRequest(x)
	case *sip.Response:
		c.dialog.onResponse(c.p.now(), x)
	case passed:
		c.onPassed(x)
	case *wish:
		c.onWish(x)
	case Outcome:
		c.onOutcome(x)
	case shutdown:
		c.shutDown()
	case inquiry:
		x.answer <- c.describe(x.decision)
	case hangup:
		c.endByOperator()
	case dismissal:
		c.dialog.close()
	}
}

// onRequest answers a request of the dialer that belongs to this call.
func (c *call) onRequest(r *request) {
	now, d := c.p.now(), &c.dialog
	switch {
	case r.IsAck():
		offered := d.onAck(now, r) && c.delayed || d.onServedAck(r) && len(d.served.request.Body()) == 0
		if offered && c.answered != nil {
			c.answered.Ack(r.contentType(), r.Body())
		}
		return
	case r.key == d.invite.key:
		d.onInvite()
		return
	case d.isServed(r), c.p.repeat(r):
		return
	case r.IsCancel() && d.served != nil && d.served.request.key == r.transaction(sip.INVITE):
		d.answer(now, r, 200, "OK") // its INVITE is answered by the carrier all the same
		return
	case r.IsCancel() && r.transaction(sip.INVITE) != d.invite.key:
		d.answer(now, r, 481, "Call/Transaction Does Not Exist")
		return
	case r.IsCancel(): // RFC 3261 §9.2
		d.answer(now, r, 200, "OK")
		c.cancel(now, reason(r.Request))
		return
	case !d.knows(r.toTag()), d.state == rejected, d.state == closed, d.state == closing && r.Method != sip.BYE:
		d.answer(now, r, 481, "Call/Transaction Does Not Exist")
		return
	case r.CSeq().SeqNo <= d.seq:
		d.answer(now, r, 500, "CSeq Out Of Order")
		return
	}
	d.seq, d.at = r.CSeq().SeqNo, r.at
	if r.Method == sip.BYE {
		c.onBye(now, r)
		return
	}
	if c.p.passes(r) {
		c.pass(now, r)
		return
	}
	code, phrase, headers := c.inDialog(now, r)
	d.answer(now, r, code, phrase, headers...)
}

// inDialog is the answer to a request within a dialog that ends nothing and concerns the dialer's side alone.
func (c *call) inDialog(now time.Time, r *request) (code int, phrase string, headers []header) {
	d := &c.dialog
	switch r.Method {
	case sip.UPDATE: // a refresh (RFC 3311 §5.2): it may move the remote target
		if refusal := brief(r); refusal != nil {
			return refusal.code, refusal.phrase, refusal.headers
		}
		if at := r.Contact(); at != nil {
			d.contact = at
		}
		headers = []header{{"Contact", d.contactOf()}, {"Allow", c.p.allow()}, {"Supported", supported}}
		if d.state == accepted || d.state == confirmed {
			headers = append(headers, d.session.agree(now, r, d.invite.source.session)...)
		}
		return 200, "OK", headers
	case sip.INFO, sip.OPTIONS:
		return 200, "OK", []header{{"Allow", c.p.allow()}}
	case sip.REFER:
		return 403, "Forbidden", nil
	}
	return 405, "Method Not Allowed", []header{{"Allow", c.p.allow()}}
}

// onBye ends the call for the dialer. Within an early dialog a BYE is as good as a CANCEL (§15).
func (c *call) onBye(now time.Time, r *request) {
	why := reason(r.Request)
	if c.dialog.state == proceeding {
		c.dialog.answer(now, r, 200, "OK")
		c.cancel(now, why)
		return
	}
	c.retire()
	c.dialog.answer(now, r, 200, "OK")
	c.dialog.close()
	c.hangUpAll(outdial.OriginCallerHangup, why)
}

// reason is what a request that ends a call gives as its reasons (RFC 3326).
func reason(r *sip.Request) siptrunk.Reason {
	var why siptrunk.Reason
	for _, h := range r.GetHeaders("reason") {
		why.Add(clean(h.Value()))
	}
	return why
}

// cancel is the caller giving up. After a final response it comes too late and means nothing.
func (c *call) cancel(now time.Time, why siptrunk.Reason) {
	if c.dialog.state != proceeding {
		return
	}
	c.stop(now, outdial.OriginCaller, why)
	c.p.stats.cancelled.Add(1)
	c.reject(now, byOrigin[outdial.OriginCaller].response())
}

// shutDown ends the call because the proxy ends.
func (c *call) shutDown() {
	now := c.p.now()
	if c.dialog.state == proceeding {
		c.stop(now, outdial.OriginHost, siptrunk.Reason{})
		c.reject(now, unavailable(drainRetry))
		return
	}
	c.hangUpAll(outdial.OriginHost, siptrunk.Reason{})
	c.release(now, outdial.Result{Origin: outdial.OriginUnknown}) // the call goes on elsewhere
	c.dialog.hangUp(now, "")
}

// stop ends hunting: nothing more is dialled, and what was dialled is hung up.
func (c *call) stop(now time.Time, origin outdial.Origin, why siptrunk.Reason) {
	c.over = true
	if id := c.gap.dial; id != (outdial.AttemptID{}) {
		_ = c.session.End(now, id, outdial.Result{Origin: outdial.OriginNeverSent})
	}
	c.gap, c.current = gap{}, outdial.AttemptID{}
	if c.session == nil {
		return
	}
	for i, a := range c.session.Attempts() {
		if a.State == outdial.AttemptOpen && c.legs[i] != nil {
			_ = c.session.Abandon(now, a.ID, outdial.Result{Origin: origin})
		}
	}
	c.hangUpAll(origin, why)
}

func (c *call) hangUpAll(origin outdial.Origin, why siptrunk.Reason) {
	for _, l := range c.legs {
		if l != nil {
			l.HangupAs(origin, why)
		}
	}
}

// finish gives back what is left and says how the call went.
func (c *call) finish() {
	now := c.p.now()
	d := &c.dialog
	packet := d.last
	if d.tag != "" {
		packet = nil
	}
	c.p.finished.put(now, d.invite.key, packet, d.to)
	if c.session != nil {
		_ = c.session.Cancel(now)
	}
	c.p.capture.forget(c.copied)
	c.remember(now)
	c.p.report(c, now)
}
