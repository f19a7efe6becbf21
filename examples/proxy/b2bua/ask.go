package b2bua

import (
	"slices"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
)

// asked is a client transaction of ours within the dialer's dialog (RFC 3261 §17.1). The dialog's timer moves it.
type asked struct {
	method   sip.RequestMethod
	branch   string
	seq      uint32
	uri      string // Request-URI and routes, which its ACK has too
	routes   []string
	to       place
	packet   []byte
	offer    bool // it has a session description
	resend   time.Time
	again    bool // it was sent once more, after its connection was over
	interval time.Duration
	deadline time.Time

	final func(now time.Time, res *sip.Response) // takes the final response; nil = none came
}

// timerC bounds an INVITE that has a provisional response (§16.6).
const timerC = 185 * time.Second

// ask sends a request within the dialog.
func (d *dialog) ask(now time.Time, method sip.RequestMethod, contentType string, body []byte, headers []header,
	final func(time.Time, *sip.Response),
) {
	d.cseq++
	tx := &asked{
		method: method, branch: sip.RFC3261BranchMagicCookie + randomHex(12), seq: d.cseq, offer: len(body) > 0,
		interval: t1, deadline: now.Add(timeout), final: final,
	}
	if method == sip.INVITE || method == sip.UPDATE {
		headers = append(headers, header{"Contact", d.contactOf()}, header{"Allow", d.p.allow()}, header{"Supported", supported})
	} else if isTransfer(method) {
		headers = append(headers, header{"Contact", d.contactOf()})
	}
	tx.uri, tx.routes, tx.to = d.target()
	tx.packet = d.request(method, tx, contentType, body, headers)
	switch {
	case !tx.to.stream(): // Timers A and E
		tx.resend = now.Add(t1)
	case tx.to.conn != nil:
		tx.resend = now.Add(t2)
	}
	d.asked = append(d.asked, tx)
	d.p.send(tx.packet, tx.to)
}

// request writes a request within the dialog, of a transaction.
func (d *dialog) request(method sip.RequestMethod, tx *asked, contentType string, body []byte, headers []header) []byte {
	b := append(append(append(make([]byte, 0, 512+len(body)), method...), ' '), clean(tx.uri)...)
	b = via(append(b, " SIP/2.0\r\n"...), tx.to, tx.branch)
	for _, r := range tx.routes {
		b = line(b, "Route", r)
	}
	b = line(b, "Max-Forwards", "70")
	from := d.invite.To().Value()
	if d.invite.toTag() == "" {
		from += ";tag=" + d.tag
	}
	b = line(b, "From", from)
	b = line(b, "To", d.invite.From().Value())
	b = line(b, "Call-ID", d.invite.CallID().Value())
	b = line(b, "CSeq", strconv.FormatUint(uint64(tx.seq), 10)+" "+string(method))
	for _, h := range headers {
		b = line(b, h.name, h.value)
	}
	return appendBody(b, contentType, body)
}

// via writes the Via of a request that goes to a place.
func via(b []byte, to place, branch string) []byte {
	b = append(append(b, "Via: SIP/2.0/"...), to.link.transport...)
	b = append(append(append(b, ' '), to.link.sentBy...), ";branch="...)
	return append(append(b, branch...), ";rport\r\n"...)
}

// contactOf is our Contact in the dialog.
func (d *dialog) contactOf() string { return d.invite.at.link.contactFor(d.invite) }

// target is where a request of ours goes: the Request-URI, the routes, and the next hop. The route set is that of the INVITE
// (§12.1.1), the remote target its Contact, or the last one that was told. Names are not looked up towards dialers: they
// stand for the address that the INVITE came from.
func (d *dialog) target() (uri string, routes []string, to place) {
	uri, to = "sip:"+d.invite.from.String(), d.at
	next := (*sip.Uri)(nil)
	if c := d.contact; c != nil {
		uri, next = c.Address.String(), &c.Address
	}
	strict := false
	for i, h := range d.invite.GetHeaders("record-route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok && i == 0 {
			next, strict = &rr.Address, !rr.Address.UriParams.Has("lr")
		}
		routes = append(routes, h.Value())
	}
	if strict { // §12.2.1.1: the request names the router, and the remote target comes last
		uri, routes = next.String(), append(routes[1:], "<"+uri+">")
	}
	if next != nil && !d.invite.source.nat {
		to = d.p.reachable(next, to)
	}
	return uri, routes, to
}

// onResponse takes a response to a request of ours.
func (d *dialog) onResponse(now time.Time, r *sip.Response) {
	method, branch := r.CSeq().MethodName, r.Via().Params.GetOr("branch", "")
	i := slices.IndexFunc(d.asked, func(tx *asked) bool { return tx.method == method && tx.branch == branch })
	if i < 0 {
		if d.acked.packet != nil && method == sip.INVITE && r.StatusCode >= 200 && branch == d.acked.branch {
			d.p.send(d.acked.packet, d.acked.to) // the ACK was lost
		}
		return
	}
	tx := d.asked[i]
	if r.StatusCode < 200 {
		tx.interval = t2
		if method == sip.INVITE {
			tx.resend, tx.deadline = time.Time{}, now.Add(timerC)
		}
		return
	}
	d.asked = slices.Delete(d.asked, i, i+1)
	if r.StatusCode < 300 && (method == sip.INVITE || method == sip.UPDATE) && r.Contact() != nil {
		d.contact = r.Contact()
	}
	switch {
	case method != sip.INVITE:
	case r.StatusCode >= 300:
		d.ackRejection(tx)
	case tx.offer:
		d.ackAnswer(tx, "", nil)
	default:
		d.unacked = tx // until the carrier's ACK brings the answer
	}
	tx.final(now, r)
}

// acked is the ACK of the last INVITE of ours, for copies of its final response.
type acked struct {
	branch string
	packet []byte
	to     place
}

// ackRejection acknowledges a failure: the ACK belongs to the transaction of the INVITE, and goes where that went
// (§17.1.1.3).
func (d *dialog) ackRejection(tx *asked) {
	d.keepAck(tx, d.request(sip.ACK, tx, "", nil, nil), tx.to)
}

// ackAnswer acknowledges a 2xx (§13.2.2.4).
func (d *dialog) ackAnswer(tx *asked, contentType string, body []byte) {
	ack := &asked{branch: sip.RFC3261BranchMagicCookie + randomHex(12), seq: tx.seq}
	ack.uri, ack.routes, ack.to = d.target()
	d.keepAck(tx, d.request(sip.ACK, ack, contentType, body, nil), ack.to)
}

func (d *dialog) keepAck(tx *asked, packet []byte, to place) {
	d.acked = acked{tx.branch, packet, to}
	d.p.send(packet, to)
}

// asking reports whether a request of ours that negotiates the session has no final response yet, or no ACK.
func (d *dialog) asking() bool {
	return d.unacked != nil || slices.ContainsFunc(d.asked, func(tx *asked) bool {
		return tx.method == sip.INVITE || tx.method == sip.UPDATE && tx.offer
	})
}

// hangUp ends an answered dialog from our side: with BYE, but not before the ACK (RFC 3261 §15).
func (d *dialog) hangUp(now time.Time, reason string) {
	switch d.state {
	case accepted:
		d.wantsBye, d.reason = true, reason
	case confirmed:
		d.reason = reason
		d.sendBye(now)
	}
}

func (d *dialog) sendBye(now time.Time) {
	d.state = closing
	d.over()
	d.quiet()
	d.session.stop()
	if tx := d.unacked; tx != nil {
		d.unacked = nil
		d.ackAnswer(tx, "", nil)
	}
	var why []header
	if d.reason != "" {
		why = append(why, header{"Reason", d.reason})
	}
	d.ask(now, sip.BYE, "", nil, why, func(time.Time, *sip.Response) { d.close() })
}

// nextAsked is when tickAsked has something to do; the zero time = never.
func (d *dialog) nextAsked() (next time.Time) {
	for _, tx := range d.asked {
		next = earliest(next, earliest(tx.resend, tx.deadline))
	}
	return next
}

// tickAsked repeats what was not answered, and gives up what never was.
func (d *dialog) tickAsked(now time.Time) {
	var late []*asked
	d.asked = slices.DeleteFunc(d.asked, func(tx *asked) bool {
		switch {
		case !tx.deadline.After(now):
			late = append(late, tx)
			return true
		case !tx.resend.IsZero() && !tx.resend.After(now):
			if tx.to.stream() && !tx.reconnects(now) {
				return false
			}
			tx.interval *= 2
			if tx.method != sip.INVITE {
				tx.interval = min(tx.interval, t2)
			}
			if tx.resend = now.Add(tx.interval); tx.again {
				tx.resend = time.Time{}
			}
			d.p.send(tx.packet, tx.to)
			d.p.stats.repeated.Add(1)
		}
		return false
	})
	for _, tx := range late {
		tx.final(now, nil)
	}
}

// reconnects reports whether a request without a response is to be sent again, once: over a connection nothing is repeated, but the dialer
// may have closed that while the request was on its way.
func (tx *asked) reconnects(now time.Time) bool {
	if tx.to.conn.Open() {
		tx.resend = now.Add(t2)
		return false
	}
	tx.again = true
	return true
}
