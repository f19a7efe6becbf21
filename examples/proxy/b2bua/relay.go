package b2bua

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// What one side asks of the other within an answered call passes: INVITE (again), UPDATE with a session description, INFO with a
// body. Each side has a dialog of its own, so each request is written anew, and so is its answer.

// maxPassing bounds the requests that wait for the answer of one side of a call: beyond it they are refused.
const maxPassing = 32

// passed is what the carrier said to a request of the dialer's.
type passed struct {
	request *request
	res     *sip.Response
	err     error
}

// passes reports whether a request of the dialer's is for the carrier to answer.
func (p *Proxy) passes(r *request) bool {
	switch r.Method {
	case sip.REFER, sip.NOTIFY:
		return p.transfers()
	case sip.INVITE:
		return true
	case sip.UPDATE, sip.INFO:
		return len(r.Body()) > 0
	}
	return false
}

// pass hands a request of the dialer's to the carrier, or says why not.
func (c *call) pass(now time.Time, r *request) {
	d := &c.dialog
	negotiates := negotiates(r.Method)
	refusal := brief(r)
	switch {
	case refusal != nil:
	case encoded(r.Request):
		refusal = &compressed
	case c.answered == nil, d.state != confirmed && d.state != accepted:
		refusal = &response{code: 488, phrase: "Not Acceptable Here"} // in an early dialog
	case negotiates && d.serving():
		refusal = &response{code: 500, phrase: "Another INVITE Is Not Answered", headers: []header{soon()}}
	case negotiates && (d.asking() || d.state != confirmed):
		refusal = &response{code: 491, phrase: "Request Pending"}
	case c.passing >= maxPassing:
		refusal = &response{code: 500, phrase: "Too Many Requests At Once", headers: []header{soon()}}
	}
	if refusal != nil {
		d.answer(now, r, refusal.code, refusal.phrase, refusal.headers...)
		return
	}
	if r.Method == sip.INVITE {
		d.serve(r)
	} else {
		c.p.finished.put(now, r.key, nil, r.replyTo()) // copies of it wait too
	}
	c.passing++
	leg, body, contentType := c.answered, r.Body(), r.contentType()
	c.p.tasks.Go(func() { // it lasts as long as the transaction, whatever becomes of the call
		res, err := leg.Do(context.Background(), r.Method, contentType, body, transfer(r.Request)...)
		c.in.post(passed{r, res, err}, false)
	})
}

// onPassed answers a request of the dialer's with what the carrier said.
func (c *call) onPassed(x passed) {
	now, d := c.p.now(), &c.dialog
	c.passing--
	if errors.Is(x.err, siptrunk.ErrNoResponse) && x.request.Method != sip.INVITE {
		return // a 408 would come too late (RFC 4320 §4.2)
	}
	res := passedOn(x.res, x.err)
	switch m := x.request.Method; {
	case res.code >= 300 || m == sip.INFO:
	case !negotiates(m):
		res.contact = d.contactOf()
	default:
		res.contact = d.contactOf()
		res.headers = append(append(res.headers, header{"Allow", c.p.allow()}, header{"Supported", supported}),
			d.session.agree(now, x.request, d.invite.source.session)...)
		if at := x.request.Contact(); at != nil {
			d.contact = at
		}
		d.describe(res.contentType, res.body)
	}
	if x.request.Method == sip.INVITE {
		d.conclude(now, res)
		return
	}
	res.tag = d.tag
	c.p.answer(now, x.request, res)
}

// passedOn is what one side is told of the other side's answer.
func passedOn(res *sip.Response, err error) response {
	switch {
	case errors.Is(err, siptrunk.ErrPending):
		return response{code: 491, phrase: "Request Pending"}
	case errors.Is(err, siptrunk.ErrNoResponse):
		return response{code: 408, phrase: "Request Timeout"}
	case err != nil || res == nil:
		return response{code: 481, phrase: "Call/Transaction Does Not Exist"}
	}
	code := uint16(min(max(res.StatusCode, 200), 699))
	p := response{code: int(code), phrase: res.Reason}
	if v, known := byCode[code]; known && code != 481 { // that one ends the dialog, as it has to
		p.code, p.phrase = v.code, v.phrase
	}
	if code >= 300 && code < 400 {
		p.code, p.phrase = 502, "Bad Gateway"
	}
	if h := res.GetHeader("retry-after"); h != nil && p.code >= 300 {
		if after := siptrunk.ParseRetryAfter(h.Value()); after > 0 {
			p.headers = append(p.headers, header{"Retry-After", seconds(after)})
		}
	}
	if p.body = res.Body(); len(p.body) > 0 && p.code < 300 {
		if ct := res.ContentType(); ct != nil {
			p.contentType = clean(ct.Value())
		}
	} else {
		p.body = nil
	}
	return p
}

// A wish is a request of the carrier's within the dialog. Who wants it answered waits for reply, and then, after a 2xx to an
// INVITE, for acked.
type wish struct {
	leg   *siptrunk.Leg
	req   *sip.Request
	reply chan response // has room for one; code 0 = none is sent
	acked chan struct{} // closed when the carrier has acknowledged
}

// onCarrier takes a request of the carrier's within the dialog. It runs on a goroutine of its own, until the request is answered and,
// where it is an INVITE, acknowledged.
func (c *call) onCarrier(leg *siptrunk.Leg, req *sip.Request, tx sip.ServerTransaction) {
	w := &wish{leg, req, make(chan response, 1), make(chan struct{})}
	taken := c.in.offer(w)
	if req.IsAck() {
		return
	}
	if !taken {
		w.reply <- response{code: 500, phrase: "Server Internal Error", headers: []header{soon()}}
	}
	var r response
	select {
	case r = <-w.reply:
	case <-c.gone:
		r = response{code: 481, phrase: "Call/Transaction Does Not Exist"}
	}
	if r.code == 0 {
		return
	}
	res := sip.NewResponseFromRequest(req, r.code, clean(r.phrase), r.body)
	if len(r.body) > 0 {
		res.AppendHeader(sip.NewHeader("Content-Type", cmp.Or(r.contentType, "application/sdp")))
	}
	for _, h := range r.headers {
		res.AppendHeader(sip.NewHeader(h.name, h.value))
	}
	if tx.Respond(res) != nil || req.Method != sip.INVITE || r.code >= 300 {
		return // the carrier repeats its request; the transaction layer repeats a failure
	}
	if !c.repeatAnswer(w, func() { _ = tx.Respond(res) }) {
		leg.HangupAs(outdial.OriginHost, siptrunk.Reason{})
	}
}

// repeatAnswer repeats a 2xx until its ACK comes (§13.3.1.4); false = it never came.
func (c *call) repeatAnswer(w *wish, again func()) bool {
	interval, left := t1, timeout
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-w.acked:
			return true
		case <-c.gone:
			return true
		case <-timer.C:
		}
		if left -= interval; left <= 0 {
			return false
		}
		again()
		interval = min(2*interval, t2, left)
		timer.Reset(interval)
	}
}

// onWish answers a request of the carrier's, or hands it to the dialer.
func (c *call) onWish(w *wish) {
	now, d, req := c.p.now(), &c.dialog, w.req
	body := len(req.Body()) > 0
	if req.IsAck() {
		c.onCarrierAck(w)
		return
	}
	refuse := func(code int, phrase string, headers ...header) {
		w.reply <- response{code: code, phrase: phrase, headers: headers}
	}
	up := w.leg == c.answered && d.state == confirmed
	switch {
	case req.Method == sip.REFER && !c.p.transfers():
		refuse(403, "Forbidden")
	case req.Method == sip.OPTIONS, (req.Method == sip.UPDATE || req.Method == sip.INFO) && !body:
		refuse(200, "OK", header{"Allow", c.p.allow()})
	case !negotiates(req.Method) && req.Method != sip.INFO && (!isTransfer(req.Method) || !c.p.transfers()):
		refuse(405, "Method Not Allowed", header{"Allow", c.p.allow()})
	case w.leg == c.answered && d.state == accepted && negotiates(req.Method):
		refuse(491, "Request Pending") // the dialer's ACK is on its way
	case encoded(req):
		refuse(compressed.code, compressed.phrase, compressed.headers...)
	case !up:
		refuse(488, "Not Acceptable Here") // in an early dialog
	case negotiates(req.Method) && (d.serving() || d.asking()), req.Method == sip.INVITE && c.wish != nil: // or their ACK is on its way
		refuse(491, "Request Pending")
	case len(d.asked) >= maxPassing:
		refuse(500, "Too Many Requests At Once", soon())
	default:
		c.forward(now, w)
	}
}

// forward sends a request of the carrier's to the dialer.
func (c *call) forward(now time.Time, w *wish) {
	d, req := &c.dialog, w.req
	contentType, said := "", []header(nil)
	if ct := req.ContentType(); ct != nil {
		contentType = clean(ct.Value())
	}
	if negotiates(req.Method) {
		said = d.session.offer()
	}
	for _, h := range transfer(req) {
		said = append(said, header{h.Name, clean(h.Value)})
	}
	if req.Method == sip.INVITE {
		c.wish = w
	}
	d.ask(now, req.Method, contentType, req.Body(), said, func(now time.Time, res *sip.Response) {
		var p response
		switch {
		case res != nil:
			p = passedOn(res, nil)
		case d.state == closed: // RFC 3261 §15.1.2
			p = byOrigin[outdial.OriginCaller].response()
		case req.Method == sip.INVITE: // to anything else it would come too late (RFC 4320 §4.2)
			p = response{code: 408, phrase: "Request Timeout"}
		}
		if res != nil && p.code < 300 && negotiates(req.Method) {
			d.session.accepted(now, res)
			d.describe(contentType, req.Body())
		}
		if p.code >= 300 && c.wish == w {
			c.wish = nil
		}
		w.reply <- p
	})
}

// onCarrierAck takes the carrier's ACK of an INVITE of its own; the answer to the dialer's offer is in it.
func (c *call) onCarrierAck(w *wish) {
	if c.wish == nil || w.req.CSeq().SeqNo != c.wish.req.CSeq().SeqNo {
		return
	}
	close(c.wish.acked)
	c.wish = nil
	if tx := c.dialog.unacked; tx != nil {
		contentType := ""
		if ct := w.req.ContentType(); ct != nil {
			contentType = clean(ct.Value())
		}
		c.dialog.unacked = nil
		c.dialog.ackAnswer(tx, contentType, w.req.Body())
		c.dialog.describe(contentType, w.req.Body())
	}
}
