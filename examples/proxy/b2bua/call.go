package b2bua

import (
	"container/list"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// call is one call: the dialer's dialog, the Session that decides, and the legs towards carriers. One goroutine owns
// all of it and works off what has happened, in order; nothing is locked while it does.
type call struct {
	p       *Proxy
	in      *inbox
	key     string // in Proxy.calls
	dialog  dialog
	session *outdial.Session
	began   time.Time

	legs     [outdial.MaxAttempts]*siptrunk.Leg
	open     int               // legs whose end was not reported
	current  outdial.AttemptID // the attempt that hunting waits for; zero = none
	answered *siptrunk.Leg     // the leg that the dialer talks to
	gap      gap               // what hunting waits for besides
	over     bool              // hunting is over
	delayed  bool              // the INVITE had no offer: the dialer's ACK brings the answer

	retired bool          // Proxy.retire knows
	lingers *list.Element // in Proxy.lingering; the proxy's mutex guards it

	outcome outcome // what the dialer was told, for the log
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
	return &call{
		p: p, in: newInbox(), key: key, dialog: newDialog(p, invite), delayed: len(invite.Body()) == 0,
	}
}

// run carries the call from its INVITE until nothing of it is left.
func (c *call) run() {
	defer c.p.leave(c)
	c.began = c.p.now()
	c.dialog.provisional(response{code: 100, phrase: "Trying"})
	c.begin()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var spare, items []any
	for c.retire(); !c.done(); c.retire() {
		timer.Reset(c.pause())
		select {
		case <-c.in.wake:
		case <-timer.C:
		}
		items = c.in.take(spare)
		for _, item := range items {
			c.handle(item)
		}
		spare = items
		c.tick(c.p.now())
	}
	c.finish()
}

// retire gives the call's place to another one when it is over for the dialer, whatever its legs and copies of its
// messages still need.
func (c *call) retire() {
	if s := c.dialog.state; !c.retired && (s == rejected || s >= closing) {
		c.retired = true
		c.p.retire(c)
	}
}

func (c *call) done() bool { return c.over && c.open == 0 && c.dialog.state == closed }

// pause is how long nothing is to be done but wait.
func (c *call) pause() time.Duration {
	next := earliest(c.dialog.next(), c.gap.until)
	if next.IsZero() {
		return time.Hour
	}
	return max(next.Sub(c.p.now()), 0)
}

func (c *call) tick(now time.Time) {
	if c.dialog.tick(now) { // the dialer never acknowledged the answer
		c.p.stats.lost.Add(1)
		c.hangUpAll(outdial.OriginHost, siptrunk.Reason{})
	}
	if g := c.gap; !g.until.IsZero() && !g.until.After(now) {
		c.gap = gap{}
		if g.dial == (outdial.AttemptID{}) || !c.dial(now, g.dial) {
			c.hunt(now)
		}
	}
}

func (c *call) handle(item any) {
	switch x := item.(type) {
	case *siptrunk.Event:
		c.onEvent(x)
	case *request:
		c.onRequest(x)
	case *sip.Response:
		c.dialog.onResponse(x)
	case shutdown:
		c.shutDown()
	case dismissal:
		c.dialog.close()
	}
}

// onRequest answers a request of the dialer that belongs to this call.
func (c *call) onRequest(r *request) {
	now, d := c.p.now(), &c.dialog
	switch {
	case r.IsAck():
		if d.onAck(now, r) && c.delayed && c.answered != nil {
			c.answered.Ack(r.contentType(), r.Body())
		}
		return
	case r.key == d.invite.key:
		d.onInvite()
		return
	case c.p.repeat(r):
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
	d.seq = r.CSeq().SeqNo
	if r.Method == sip.BYE {
		c.onBye(now, r)
		return
	}
	code, phrase, headers := inDialog(c.p.contact, r)
	if at := r.Contact(); r.Method == sip.UPDATE && code == 200 && at != nil { // RFC 3311 §5.2: it moves the remote target
		d.contact = at
	}
	d.answer(now, r, code, phrase, headers...)
}

// inDialog is the answer to a request within a dialog that ends nothing. Sessions are not renegotiated: the media
// that were agreed on stay, and so does the call.
func inDialog(contact string, r *request) (code int, phrase string, headers []header) {
	switch empty := len(r.Body()) == 0; {
	case r.Method == sip.INVITE, r.Method == sip.UPDATE && !empty:
		return 488, "Not Acceptable Here", nil
	case r.Method == sip.UPDATE:
		return 200, "OK", []header{{"Contact", contact}}
	case r.Method == sip.INFO && empty, r.Method == sip.OPTIONS:
		return 200, "OK", []header{{"Allow", allow}}
	case r.Method == sip.INFO:
		return 415, "Unsupported Media Type", nil
	case r.Method == sip.REFER:
		return 403, "Forbidden", nil
	}
	return 405, "Method Not Allowed", []header{{"Allow", allow}}
}

// onBye ends the call for the dialer. Within an early dialog a BYE is as good as a CANCEL (§15).
func (c *call) onBye(now time.Time, r *request) {
	c.dialog.answer(now, r, 200, "OK")
	why := reason(r.Request)
	if c.dialog.state == proceeding {
		c.cancel(now, why)
		return
	}
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
		defer c.p.sessions.Put(c.session)
	}
	c.p.report(c, now)
}
