package siptrunk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// Errors of Leg.Do.
var (
	// ErrNoDialog: the leg is not answered yet, or over.
	ErrNoDialog = errors.New("siptrunk: the leg is not in a dialog")
	// ErrPending: an INVITE within the dialog, ours or the carrier's, has no final response yet (RFC 3261 §14.1).
	ErrPending = errors.New("siptrunk: another INVITE is in progress")
	// ErrMethod: the method cannot be sent with Do.
	ErrMethod = errors.New("siptrunk: the method cannot be sent within a dialog")
)

// Do sends a request within the dialog of an answered leg and waits for its final response: INVITE (again), UPDATE,
// INFO, OPTIONS, MESSAGE, REFER or NOTIFY. A 2xx to INVITE is acknowledged at once, without a body; but that to an INVITE without
// a body is an offer, whose answer Ack brings, within 28 s: later the session is ended. contentType "" =
// "application/sdp"; headers are subject to what InviteOptions.Headers says; body is copied.
//
// The response must not be changed. An error means that none came: that of ctx (the request itself goes on),
// ErrNoDialog, ErrPending, ErrMethod or ErrNoResponse. It must not be called from the leg's sink, which it waits for.
func (l *Leg) Do(ctx context.Context, method sip.RequestMethod, contentType string, body []byte, headers ...Header) (*sip.Response, error) {
	switch method {
	case sip.INVITE, sip.UPDATE, sip.INFO, sip.OPTIONS, sip.MESSAGE, sip.REFER, sip.NOTIFY:
	default:
		return nil, fmt.Errorf("%w: %q", ErrMethod, string(method))
	}
	if contentType == "" {
		contentType = "application/sdp"
	}
	if err := CheckHeaders(headers); err != nil || !validValue(contentType) {
		return nil, fmt.Errorf("siptrunk: %s: %w", method, errors.Join(err, errors.New("a header cannot be sent")))
	}
	headers, body = slices.Clone(headers), slices.Clone(body)
	type outcome struct {
		res *sip.Response
		err error
	}
	done := make(chan outcome, 1)
	posted := l.post(input{run: func() {
		if l.phase != answered || l.bye {
			done <- outcome{err: ErrNoDialog}
			return
		}
		if method == sip.INVITE && (l.inviting() || l.theirInvite != nil || !l.unacked.IsZero()) {
			done <- outcome{err: ErrPending}
			return
		}
		add := func(m *message) {
			m.extra, m.contentType, m.body = headers, contentType, body
			m.contact = method == sip.INVITE || method == sip.UPDATE || method == sip.REFER || method == sip.NOTIFY
		}
		var lines []string
		if method == sip.INVITE || method == sip.UPDATE {
			if lines = l.session.lines(nil, true); lines != nil {
				lines = append(lines, "Supported: timer\r\n")
			}
		}
		l.transact(time.Now(), method, lines, add, &credentials{}, func(res *sip.Response, _ time.Time) {
			if res != nil && res.IsSuccess() && (method == sip.INVITE || method == sip.UPDATE) {
				l.describe(contentType, body)
			}
			if res == nil {
				done <- outcome{err: ErrNoResponse}
				return
			}
			done <- outcome{res: res}
		})
	}})
	if !posted {
		return nil, ErrNoDialog
	}
	select {
	case o := <-done:
		return o.res, o.err
	case <-l.gone:
		return nil, ErrNoDialog
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sendBye ends the dialog; the leg is over with r when the BYE has its answer, or will get none.
func (l *Leg) sendBye(now time.Time, r outdial.Result) {
	if l.bye || l.phase != answered {
		return
	}
	if !l.unacked.IsZero() {
		l.unacked = time.Time{}
		l.ackBare()
	}
	l.session.stop()
	l.bye, l.byeAt, l.result = true, now, r
	var creds credentials
	l.transact(now, sip.BYE, l.why.lines(), nil, &creds, func(res *sip.Response, at time.Time) {
		if res != nil {
			l.result.ByeCode = uint16(res.StatusCode)
		}
		l.end(at, l.result, Event{})
	})
}

// transact sends a request within the dialog, and once more when it is challenged.
func (l *Leg) transact(now time.Time, method sip.RequestMethod, lines []string, add func(*message), creds *credentials,
	final func(*sip.Response, time.Time),
) {
	l.transactAt(now, method, l.remote, l.target, lines, add, creds, final)
}

// transactAt is transact in a dialog with the given To and target.
func (l *Leg) transactAt(now time.Time, method sip.RequestMethod, to string, t target, lines []string, add func(*message),
	creds *credentials, final func(*sip.Response, time.Time),
) {
	l.cseq++
	m := l.inDialog(method, to, t)
	m.lines = creds.lines(lines)
	if add != nil {
		add(&m)
	}
	tx := newClientTx(method, m.branch, l.parcel(&m, t.dst), now)
	tx.final = func(res *sip.Response, at time.Time) {
		switch {
		case res == nil:
		case method == sip.INVITE:
			l.ackAgain(&m, tx.dst, res, at)
		case method == sip.UPDATE && res.IsSuccess():
			l.retarget(res.Contact()) // RFC 3311 §5.1
		}
		if res != nil && res.IsSuccess() && l.phase == answered && (method == sip.INVITE || method == sip.UPDATE) {
			l.session.settle(res, at)
		}
		live := l.phase == answered || l.phase < answered && method == sip.PRACK
		if res != nil && live && l.authorize(creds, method, m.uri, res) {
			l.transactAt(at, method, to, t, lines, add, creds, final)
			return
		}
		final(res, at)
	}
	l.others = append(l.others, tx)
	_ = l.d.send(tx.packet, tx.dst)
}

// ackAgain acknowledges the final response to an INVITE within the dialog that went to a hop; a 2xx may move the remote target
// (RFC 3261 §12.2.1.2). The 2xx to an INVITE without an offer is one, and waits for the answer.
func (l *Leg) ackAgain(invite *message, to hop, res *sip.Response, at time.Time) {
	if !res.IsSuccess() {
		l.ackRejection(*invite, res, to)
		return
	}
	l.retarget(res.Contact())
	l.reoffer, l.reoffered = res, *invite
	if len(invite.body) == 0 && l.phase == answered && !l.bye {
		l.unacked = at.Add(ackWait)
		return
	}
	l.ackOffer("", nil)
}

// ackOffer acknowledges the 2xx to an INVITE within the dialog.
func (l *Leg) ackOffer(contentType string, body []byte) {
	m := l.inDialog(sip.ACK, l.remote, l.target)
	m.cseq, m.lines = l.reoffered.cseq, authorization(l.reoffered.lines)
	m.contentType, m.body = contentType, body
	branch, tag := l.reoffered.branch, toTagOf(l.reoffer)
	l.reoffer, l.reoffered = nil, message{}
	l.keepAck(ack{branch, tag, l.parcel(&m, l.target.dst)})
}

// ackBare acknowledges an answer that still waits for Ack, without a body.
func (l *Leg) ackBare() {
	if l.reoffer != nil {
		l.ackOffer("", nil)
		return
	}
	l.sendAck(l.remote, l.tag, l.target, "", nil)
}

// described is a session description that we sent.
type described struct {
	contentType string
	body        []byte
}

// describe notes what the session is described by on our side, for a refresh by INVITE. contentType and body are kept.
func (l *Leg) describe(contentType string, body []byte) {
	if len(body) > 0 {
		l.offered = described{contentType, body}
	}
}

// retarget moves the remote target of the dialog. The route set stays as it was.
func (l *Leg) retarget(c *sip.ContactHeader) {
	if c == nil {
		return
	}
	uri := c.Address.String()
	switch dst, ok := hopOf(uri, l.base); {
	case !validURI(uri):
	case l.target.strict: // it stands behind the last router
		l.target.routes = append(slices.Clone(l.target.routes[:len(l.target.routes)-1]), "<"+uri+">")
	case len(l.target.routes) == 0 && ok:
		l.target.uri, l.target.dst = uri, dst
		l.meet(dst)
	default:
		l.target.uri = uri
	}
}
