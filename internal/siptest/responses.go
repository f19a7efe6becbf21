package siptest

import (
	"slices"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

func (d *dial) onResponse(res *sip.Response) {
	d.checkResponse(res)
	branch := res.Via().Params.GetOr("branch", "")
	switch method := res.CSeq().MethodName; {
	case method == sip.INVITE && res.StatusCode < 200:
		if branch == d.branch {
			d.onProvisional(res)
		}
	case method == sip.INVITE && res.StatusCode < 300:
		d.onAnswer(res)
	case method == sip.INVITE:
		d.onFailure(res, branch)
	case method == sip.CANCEL && res.StatusCode >= 200:
		d.cancelResend.stop()
		d.res.CancelCode = res.StatusCode
	case method == sip.BYE && res.StatusCode >= 200 && d.state == dialClosing:
		d.bye.stop()
		d.res.ByeCode = res.StatusCode
		d.over(CallerSide)
	}
}

func (d *dial) onProvisional(res *sip.Response) {
	r := newResponse(res, d.since())
	d.res.Provisionals = append(d.res.Provisionals, *r)
	if d.state > dialProceeding {
		d.res.LateProvisionals++
		return
	}
	d.state = dialProceeding
	d.resend.stop() // Timers A and B
	ringing := res.StatusCode >= 180 && res.StatusCode <= 189
	if ringing && d.res.PDD == 0 {
		d.res.PDD = r.At
	}
	if rseq := r.Header("RSeq"); rseq != "" && !d.call.NoPrack {
		d.prack(res, rseq)
	}
	if d.wantCancel || ringing && d.call.CancelOnRing {
		d.cancel()
	}
}

func (d *dial) prack(res *sip.Response, rseq string) {
	d.res.Pracks++
	invite := d.cseq
	o := d.request("PRACK")
	o.branch, o.to = newBranch(), headerValue(res, "To")
	o.uri, _ = remoteTarget(res.Contact(), nil, d.to)
	o.headers = []Header{{"RAck", rseq + " " + strconv.Itoa(invite) + " INVITE"}}
	o.cseq = invite + d.res.Pracks
	d.c.ep.send(d.to, o.render(d.c.ep)) // the far end repeats its response until one PRACK arrives
}

func (d *dial) onFailure(res *sip.Response, branch string) {
	if branch != d.branch {
		return // a challenge again, whose ACK was lost: the new INVITE says enough
	}
	ack := d.request("ACK")
	ack.to = headerValue(res, "To")
	d.c.ep.send(d.to, ack.render(d.c.ep))
	if d.state > dialProceeding {
		d.res.FinalRetransmits++
		return
	}
	d.resend.stop()
	r := newResponse(res, d.since())
	if (r.Code == 401 || r.Code == 407) && d.call.Auth != nil && d.credential == nil && !d.wantCancel {
		name := "WWW-Authenticate"
		if r.Code == 407 {
			name = "Proxy-Authenticate"
		}
		if h, ok := d.call.Auth.authorize(Header{Name: name, Value: r.Header(name)}, "INVITE", d.uri); ok {
			d.credential = []Header{h}
			d.res.Challenges = append(d.res.Challenges, *r)
			// A write that fails shows as a time-out.
			_ = d.invite()
			return
		}
	}
	d.res.Final = r
	d.over(NoSide)
}

func (d *dial) onAnswer(res *sip.Response) {
	tag := toTag(res)
	if d.tag != "" && tag != d.tag {
		d.refuseFork(res)
		return
	}
	if !d.call.NoAck {
		d.ack(res)
	}
	if d.tag != "" {
		d.res.FinalRetransmits++
		return
	}
	if d.state > dialProceeding { // after a failure or a time-out: nobody waits for it any more
		d.refuseFork(res)
		return
	}
	d.state = dialAnswered
	d.resend.stop()
	d.cancelAt.stop()
	d.tag = tag
	d.res.Final = newResponse(res, d.since())
	d.res.AnsweredAt = d.res.Final.At
	d.remember(res)
	d.startMedia(res.Body())
	switch {
	case d.wantCancel: // it crossed our CANCEL, or the far end ignored that
		d.hangUp()
	case d.call.HangupAfter > 0:
		d.hangup = d.c.ep.after(d.call.HangupAfter, d.hangUp)
	}
}

// remember keeps the dialog's target and route set (RFC 3261 §12.1.2), without the hops that the caller only plays.
func (d *dial) remember(res *sip.Response) {
	d.routes = slices.DeleteFunc(values(res, "Record-Route"), func(v string) bool { return slices.Contains(d.call.RecordRoute, v) })
	slices.Reverse(d.routes)
	d.remoteURI, d.remoteHop = remoteTarget(res.Contact(), d.routes, d.to)
}

func (d *dial) ack(res *sip.Response) {
	d.remember(res)
	o := d.request("ACK")
	o.uri, o.branch, o.to, o.routes = d.remoteURI, newBranch(), headerValue(res, "To"), d.routes
	d.c.ep.send(d.remoteHop, o.render(d.c.ep))
}

// refuseFork acknowledges and ends a dialog that came beside or after the call.
func (d *dial) refuseFork(res *sip.Response) {
	d.res.OtherAnswers++
	uri, next, routes := d.remoteURI, d.remoteHop, d.routes
	d.ack(res)
	o := d.request("BYE")
	o.uri, o.branch, o.cseq, o.to, o.routes = d.remoteURI, newBranch(), d.cseq+1, headerValue(res, "To"), d.routes
	d.c.ep.send(d.remoteHop, o.render(d.c.ep))
	d.remoteURI, d.remoteHop, d.routes = uri, next, routes
}
