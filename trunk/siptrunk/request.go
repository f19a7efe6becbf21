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
// INFO, OPTIONS, MESSAGE, REFER or NOTIFY. A 2xx to INVITE is acknowledged at once, without a body. contentType ""
// = "application/sdp"; headers are subject to what InviteOptions.Headers says; body is copied.
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
	if err := validHeaders(headers); err != nil || !validValue(contentType) {
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
		if method == sip.INVITE && (l.inviting() || l.theirInvite != nil) {
			done <- outcome{err: ErrPending}
			return
		}
		add := func(m *message) {
			m.extra, m.contentType, m.body = headers, contentType, body
			m.contact = method == sip.INVITE || method == sip.UPDATE
		}
		l.transact(time.Now(), method, nil, add, &credentials{}, func(res *sip.Response, _ time.Time) {
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
		l.sendAck(l.remote, l.tag, l.target, "", nil)
	}
	l.bye, l.result = true, r
	var creds credentials
	l.transact(now, sip.BYE, l.why.lines(), nil, &creds, func(_ *sip.Response, at time.Time) { l.end(at, l.result, Event{}) })
}

// transact sends a request within the dialog, and once more when it is challenged.
func (l *Leg) transact(now time.Time, method sip.RequestMethod, lines []string, add func(*message), creds *credentials,
	final func(*sip.Response, time.Time),
) {
	l.cseq++
	m := l.inDialog(method, l.remote, l.target)
	m.lines = creds.lines(lines)
	if add != nil {
		add(&m)
	}
	tx := newClientTx(method, m.branch, m.render(l.d.sentBy, l.d.cfg.UserAgent), l.target.dst, now)
	tx.final = func(res *sip.Response, at time.Time) {
		switch {
		case res == nil:
		case method == sip.INVITE:
			l.ackAgain(&m, res)
		case method == sip.UPDATE && res.IsSuccess():
			l.retarget(res.Contact()) // RFC 3311 §5.1
		}
		if res != nil && l.phase == answered && l.authorize(creds, method, m.uri, res) {
			l.transact(at, method, lines, add, creds, final)
			return
		}
		final(res, at)
	}
	l.others = append(l.others, tx)
	_ = l.d.conn.send(tx.packet, tx.dst)
}

// ackAgain acknowledges the final response to an INVITE within the dialog; a 2xx may move the remote target
// (RFC 3261 §12.2.1.2).
func (l *Leg) ackAgain(invite *message, res *sip.Response) {
	if !res.IsSuccess() {
		l.ackRejection(*invite, res, l.target.dst)
		return
	}
	l.retarget(res.Contact())
	m := l.inDialog(sip.ACK, l.remote, l.target)
	m.cseq, m.lines = invite.cseq, invite.lines
	l.keepAck(ack{branch: invite.branch, tag: toTagOf(res), packet: m.render(l.d.sentBy, l.d.cfg.UserAgent), dst: l.target.dst})
}

// retarget moves the remote target of the dialog. The route set stays as it was.
func (l *Leg) retarget(c *sip.ContactHeader) {
	if c == nil {
		return
	}
	uri := c.Address.String()
	switch dst, ok := hopOf(uri); {
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
