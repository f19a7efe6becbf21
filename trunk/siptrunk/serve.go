package siptrunk

import (
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
	case code == 405, code == 200 && req.Method == sip.OPTIONS:
		res.AppendHeader(sip.NewHeader("Allow", allow))
	case code == 200 && req.Method == sip.UPDATE:
		res.AppendHeader(sip.NewHeader("Contact", "<sip:"+d.sentBy+">"))
	}
	if err := tx.Respond(res); err != nil {
		d.cfg.Logger.Warn("siptrunk: answering a request", "method", string(req.Method), "error", err)
	}
}

// verdict is what a request within the dialog gets; code 0 = it goes to whoever handles it.
type verdict struct {
	code   int
	phrase string
	handle func(*Leg, *sip.Request, sip.ServerTransaction)
}

// admit checks a request against the dialog: RFC 3261 §12.2.2.
func (l *Leg) admit(req *sip.Request) verdict {
	early := l.phase == trying || l.phase == ringing
	if l.phase == ended || l.phase == calling || l.phase == answered && fromTagOf(req) != l.tag || early && req.Method == sip.BYE {
		return verdict{code: 481, phrase: "Call/Transaction Does Not Exist"}
	}
	if !req.IsAck() {
		if req.CSeq().SeqNo <= l.theirSeq {
			return verdict{code: 500, phrase: "CSeq Out Of Order"}
		}
		l.theirSeq = req.CSeq().SeqNo
	}
	return verdict{handle: l.onRequest}
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
	if v := <-result; v.code != 0 {
		l.d.respond(req, tx, v.code, v.phrase)
		return
	}
	l.d.respond(req, tx, 200, "OK")
}

// serveRequest answers what else comes within the dialog, or lets the host do it.
func (l *Leg) serveRequest(req *sip.Request, tx sip.ServerTransaction) {
	result := make(chan verdict, 1)
	if !l.post(input{run: func() { result <- l.admit(req) }}) {
		return
	}
	v := <-result
	switch {
	case v.code != 0:
		if !req.IsAck() {
			l.d.respond(req, tx, v.code, v.phrase)
		}
	case v.handle != nil:
		v.handle(l, req, tx)
	case req.IsAck():
	case req.Method == sip.INVITE, req.Method == sip.UPDATE && len(req.Body()) > 0:
		l.d.respond(req, tx, 488, "Not Acceptable Here")
	case req.Method == sip.UPDATE, req.Method == sip.INFO, req.Method == sip.OPTIONS:
		l.d.respond(req, tx, 200, "OK")
	default:
		l.d.respond(req, tx, 405, "Method Not Allowed")
	}
}
