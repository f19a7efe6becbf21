package siptrunk

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// serve answers a request of a carrier. It runs on a goroutine of sipgo's.
func (d *Dialer) serve(req *sip.Request, tx sip.ServerTransaction) {
	if req.CallID() == nil || req.From() == nil || req.To() == nil || req.CSeq() == nil || req.CSeq().MethodName != req.Method {
		if !req.IsAck() {
			d.respond(req, tx, 400, "Bad Request")
		}
		return
	}
	if toTagOf(req) == "" {
		switch req.Method {
		case sip.OPTIONS:
			d.respond(req, tx, 200, "OK")
		case sip.INVITE: // calls only go out here
			d.respond(req, tx, 403, "Forbidden")
		case sip.CANCEL, sip.BYE:
			d.respond(req, tx, 481, "Call/Transaction Does Not Exist")
		case sip.ACK:
		default:
			d.respond(req, tx, 405, "Method Not Allowed")
		}
		return
	}
	l, _ := d.partyOf(string(*req.CallID())).(*Leg)
	if l == nil || toTagOf(req) != l.fromTag {
		if !req.IsAck() {
			d.respond(req, tx, 481, "Call/Transaction Does Not Exist")
		}
		return
	}
	if req.Method == sip.BYE {
		l.serveBye(req, tx)
		return
	}
	l.serveRequest(req, tx)
}

func (d *Dialer) respond(req *sip.Request, tx sip.ServerTransaction, code int, phrase string) {
	res := sip.NewResponseFromRequest(req, code, phrase, nil)
	switch {
	case code == 500 && req.Method == sip.INVITE:
		res.AppendHeader(sip.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11)))) // RFC 3261 §14.2
	case code == 405, code == 200 && req.Method == sip.OPTIONS:
		res.AppendHeader(sip.NewHeader("Allow", allow))
	case code == 200 && req.Method == sip.UPDATE:
		res.AppendHeader(sip.NewHeader("Contact", d.contactFor(req)))
		renew(req, res)
	case code == 422:
		res.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(int(MinSessionExpires/time.Second))))
	}
	if err := tx.Respond(res); err != nil {
		d.cfg.Logger.Warn("siptrunk: answering a request", "method", string(req.Method), "error", err)
	}
}

// contactFor is the Contact of a response to a request within a dialog: on the transport that it came over.
func (d *Dialer) contactFor(req *sip.Request) string {
	from, _ := netip.ParseAddrPort(req.Source())
	to := hop{addr: from, transport: TransportUDP}
	switch req.Transport() {
	case "TCP":
		to.transport = TransportTCP
	case "TLS":
		to.transport = TransportTLS
	}
	return d.self(to).contact(strings.EqualFold(req.Recipient.Scheme, "sips"))
}

// verdict is what a request within the dialog gets; code 0 = it goes to whoever handles it.
type verdict struct {
	code   int
	phrase string
	handle func(*Leg, *sip.Request, sip.ServerTransaction)
}

// admit checks a request against the dialog: RFC 3261 §12.2.2, and §14.2 for INVITEs that meet.
func (l *Leg) admit(req *sip.Request) verdict {
	early := l.phase == trying || l.phase == ringing
	if l.phase == ended || l.phase == calling || l.phase == answered && fromTagOf(req) != l.tag || early && req.Method == sip.BYE {
		return verdict{code: 481, phrase: "Call/Transaction Does Not Exist"}
	}
	brief := req.Method == sip.INVITE || req.Method == sip.UPDATE
	if s := theirs(req); brief && s.Interval > 0 && s.Interval < MinSessionExpires {
		return verdict{code: 422, phrase: "Session Interval Too Small"}
	}
	if !req.IsAck() {
		tag := fromTagOf(req)
		if l.heard && tag == l.theirTag && req.CSeq().SeqNo <= l.theirSeq {
			return verdict{code: 500, phrase: "CSeq Out Of Order"}
		}
		l.heard, l.theirTag, l.theirSeq = true, tag, req.CSeq().SeqNo
	}
	switch {
	case req.Method != sip.INVITE:
	case l.theirInvite != nil:
		return verdict{code: 500, phrase: "Another INVITE Is Not Answered"}
	case l.inviting():
		return verdict{code: 491, phrase: "Request Pending"}
	case l.onRequest != nil:
		l.theirInvite = req
	}
	return verdict{handle: l.onRequest}
}

// inviting reports whether an INVITE of ours within the dialog has no final response yet.
func (l *Leg) inviting() bool {
	return slices.ContainsFunc(l.others, func(tx *clientTx) bool { return tx.method == sip.INVITE && tx.former == nil })
}

// answering is the transaction of a request that the host answers. The leg learns of it what concerns the dialog.
type answering struct {
	sip.ServerTransaction
	l    *Leg
	req  *sip.Request
	done bool // a final response was sent; the host may repeat it
}

// Respond implements sip.ServerTransaction.
func (a *answering) Respond(res *sip.Response) error {
	if !res.IsProvisional() && !a.done {
		a.done = true
		renew(a.req, res)
		if res.IsSuccess() && res.Contact() == nil && (a.req.Method == sip.INVITE || a.req.Method == sip.UPDATE || a.req.Method == sip.REFER) {
			res.AppendHeader(sip.NewHeader("Contact", a.l.d.contactFor(a.req)))
		}
		contentType := ""
		if ct := res.ContentType(); ct != nil {
			contentType = ct.Value()
		}
		a.over(res.IsSuccess(), contentType, res.Body())
	}
	return a.ServerTransaction.Respond(res)
}

// over notes that the request is answered.
func (a *answering) over(accepted bool, contentType string, body []byte) {
	a.l.post(input{run: func() {
		if a.l.theirInvite == a.req {
			a.l.theirInvite = nil
		}
		if accepted {
			a.l.refreshed(a.req, time.Now())
			a.l.describe(contentType, body)
		}
	}})
}

// refreshed moves the remote target to where a request that was accepted says (RFC 3261 §12.2.2, RFC 3311 §5.2).
func (l *Leg) refreshed(req *sip.Request, at time.Time) {
	if l.phase != answered || l.bye || req.Method != sip.INVITE && req.Method != sip.UPDATE {
		return
	}
	l.retarget(req.Contact())
	if s := theirs(req); s.Interval > 0 {
		l.session.start(s, s.Refresher == RefresherUAS, at)
	}
}

// serveBye answers a BYE, and ends the leg.
func (l *Leg) serveBye(req *sip.Request, tx sip.ServerTransaction) {
	result := make(chan verdict, 1)
	at := time.Now()
	posted := l.post(input{run: func() {
		v := l.admit(req)
		result <- v
		if v.code != 0 {
			return
		}
		r := l.result
		if !l.bye { // else it crossed ours
			why := reasonOf(req)
			r = outdial.Result{Origin: outdial.OriginCalleeHangup, Cause: why.Cause, SIPCause: why.SIPCause, Text: why.Text}
		}
		l.end(at, r, Event{Request: req})
	}})
	if !posted {
		return
	}
	select {
	case v := <-result:
		if v.code == 0 {
			v = verdict{code: 200, phrase: "OK"}
		}
		l.d.respond(req, tx, v.code, v.phrase)
	case <-l.gone:
	}
}

// serveRequest answers what else comes within the dialog, or lets the host do it.
func (l *Leg) serveRequest(req *sip.Request, tx sip.ServerTransaction) {
	result := make(chan verdict, 1)
	if !l.post(input{run: func() { result <- l.admit(req) }}) {
		return
	}
	var v verdict
	select {
	case v = <-result:
	case <-l.gone:
		return
	}
	switch {
	case v.code != 0:
		if !req.IsAck() {
			l.d.respond(req, tx, v.code, v.phrase)
		}
	case v.handle != nil:
		a := &answering{ServerTransaction: tx, l: l, req: req}
		v.handle(l, req, a)
		if !a.done {
			a.over(false, "", nil)
		}
	case req.IsAck():
	case req.Method == sip.INVITE, req.Method == sip.UPDATE && len(req.Body()) > 0:
		l.d.respond(req, tx, 488, "Not Acceptable Here")
	case req.Method == sip.UPDATE, req.Method == sip.INFO, req.Method == sip.OPTIONS:
		l.post(input{run: func() { l.refreshed(req, time.Now()) }})
		l.d.respond(req, tx, 200, "OK")
	default:
		l.d.respond(req, tx, 405, "Method Not Allowed")
	}
}
