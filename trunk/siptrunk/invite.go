package siptrunk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// InviteOptions are what a back-to-back user agent decides about one INVITE.
type InviteOptions struct {
	Offer       []byte   // body of the INVITE; empty = none, the carrier then makes the offer in its answer
	ContentType string   // of Offer; "" = "application/sdp"
	Headers     []Header // added as they are; names that siptrunk writes itself are refused
	// Private hides the caller ID from the callee (RFC 3323, RFC 3325): From is anonymous, Privacy is id, and the number is
	// asserted to the carrier alone.
	Private bool
	// MaxForwards is the Max-Forwards header: for a call that came in by SIP, the received value less one. 0 = 70;
	// negative = 0, which no next server will forward.
	MaxForwards int
	// CallID is the Call-ID of the leg, unique in space and time, for a host that has to know it before the INVITE leaves. "" = a
	// random one.
	CallID string
	// Secure makes it a call to a sips: URI, which promises TLS on every hop: the error is ErrNotSecure where the trunk is not reached over TLS.
	Secure bool
	// ManualAck leaves the ACK of the answer to Leg.Ack, for a caller whose own ACK brings the answer to a delayed
	// offer. Without it the answer is acknowledged at once, without a body. An answer that is not acknowledged
	// within 28 s is acknowledged and ended with BYE.
	ManualAck bool
	// Allow are methods, beside those that are understood anyway, which the INVITE says OnRequest takes: REFER and NOTIFY, say.
	Allow []string
	// OnRequest takes requests of the carrier within the dialog, other than BYE: re-INVITE, UPDATE, INFO, their
	// ACK. It runs on a goroutine of its own and must have answered through tx when it returns (an ACK has no
	// answer). An INVITE that meets another one is refused before (RFC 3261 §14.2); a 2xx to INVITE or UPDATE moves the
	// remote target, and gets our Contact if it has none. nil = re-INVITE and UPDATE with a body are refused with 488, UPDATE without one and INFO get 200.
	OnRequest func(leg *Leg, req *sip.Request, tx sip.ServerTransaction)
}

// Event is a report with what a back-to-back user agent relays of the message that caused it.
type Event struct {
	outdial.Report

	Code        int    // status of the response; 0 = no response caused it
	Phrase      string // its reason phrase
	ToTag       string // its To tag: which early dialog it belongs to
	ContentType string // of its body; Report.SDP is the body when this is application/sdp
	// Response is the whole response, Request the BYE of a carrier that hung up; nil where none caused the
	// event. They must not be changed. Of an answer, Response.Source is the address that it came from.
	Response *sip.Response
	Request  *sip.Request
}

// Dial implements outdial.Dialer: it offers Config.Offer(a) and otherwise is Invite with no options. The sink is
// never called on the goroutine of Dial or of Leg.Hangup, so a host may hold its locks over them.
func (d *Dialer) Dial(ctx context.Context, a *outdial.Attempt, sink func(outdial.Report)) (outdial.Leg, error) {
	if d.cfg.Offer == nil {
		return nil, ErrNoOffer
	}
	offer := d.cfg.Offer(a)
	if len(offer) == 0 {
		return nil, ErrNoOffer
	}
	l, err := d.Invite(ctx, a, InviteOptions{Offer: offer}, func(ev Event) { sink(ev.Report) })
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Invite places one attempt: an INVITE with a Call-ID and a From tag of its own. It returns when the INVITE has left
// (ctx bounds the look-up of the trunk's name until then); what happens is reported to sink as outdial.Dialer says:
// one event at a time, in order, the last one a ReportEnd, never on the goroutine of Invite or of a Leg's methods.
// a and opts are copied as far as they are needed later.
//
// An error means that nothing left the host, and no event follows.
func (d *Dialer) Invite(ctx context.Context, a *outdial.Attempt, opts InviteOptions, sink func(Event)) (*Leg, error) {
	r, err := d.route(a.Candidate.Trunk)
	if err != nil {
		return nil, err
	}
	switch {
	case opts.MaxForwards == 0:
		opts.MaxForwards = maxForwards
	case opts.MaxForwards < 0:
		opts.MaxForwards = 0
	}
	if opts.ContentType == "" {
		opts.ContentType = "application/sdp"
	}
	err = CheckHeaders(opts.Headers)
	if opts.CallID == "" {
		opts.CallID = token(16)
	} else if strings.ContainsAny(opts.CallID, " \t") || !validValue(opts.CallID) {
		err = errors.Join(err, fmt.Errorf("the Call-ID %q is not valid", opts.CallID))
	}
	if !a.Call.To.Valid() {
		err = errors.Join(err, fmt.Errorf("the callee's number %d is not valid", a.Call.To))
	}
	for _, m := range opts.Allow {
		if !validToken(m) {
			err = errors.Join(err, fmt.Errorf("Allow: %q is no method", m))
		}
	}
	if !validValue(opts.ContentType) || opts.MaxForwards > 255 {
		err = errors.Join(err, errors.New("ContentType or MaxForwards is not valid"))
	}
	if err != nil {
		return nil, fmt.Errorf("siptrunk: attempt %s: %w", a.ID, err)
	}
	dsts, err := r.resolve(ctx, d)
	if err == nil && opts.Secure {
		dsts, err = secured(dsts)
	}
	if err != nil {
		return nil, err
	}
	l := &Leg{
		d: d, id: a.ID, route: r, allow: strings.Join(append([]string{allow}, opts.Allow...), ", "), callID: opts.CallID, fromTag: token(8), sink: sink,
		manualAck: opts.ManualAck, onRequest: opts.OnRequest, cseq: 1, base: dsts[0], targets: dsts[1:], secure: opts.Secure,
		reliable: r.Reliable, session: session{ask: r.SessionExpires}, last: a.Last, callBy: a.Call.Deadline, gone: make(chan struct{}),
	}
	l.uri = r.requestURI(a.Call.To)
	l.to = "<" + l.uri + ">"
	if opts.Secure {
		l.uri = "sips" + strings.TrimPrefix(l.uri, "sip")
		l.to = "<" + l.uri + ">"
	} else {
		l.uri += r.Transport.uriParam()
	}
	l.initial = &message{
		method: string(sip.INVITE), uri: l.uri, maxForwards: opts.MaxForwards, to: l.to,
		callID: l.callID, contact: true, secure: opts.Secure, allow: l.allow, extra: slices.Clone(opts.Headers), contentType: opts.ContentType,
		body: slices.Clone(opts.Offer),
	}
	l.setIdentity(a.CLI, opts.Private)
	if err := l.begin(); err != nil {
		return nil, err
	}
	return l, nil
}

// requestURI is the URI of the callee on the trunk.
func (r *route) requestURI(to outdial.Number) string {
	b := append(make([]byte, 0, 64), "sip:"...)
	b = r.appendNumber(b, r.prefix, r.Strip, to)
	return string(append(append(b, '@'), r.uriHost...))
}

// identityOf is the caller ID as a name-addr, "" when there is none.
func (r *route) identityOf(cli outdial.Number) string {
	if cli == 0 {
		return ""
	}
	b := append(make([]byte, 0, 64), "<sip:"...)
	return string(append(r.appendNumber(b, r.caller, r.CallerStrip, cli), r.identity...))
}

// setIdentity writes From, and the header field that asserts the caller ID where there is one. Without one, and in a private
// call, the From is anonymous as RFC 3323 §4.1.1.3 has it.
func (l *Leg) setIdentity(cli outdial.Number, private bool) {
	anonymous := `"Anonymous" <sip:anonymous@anonymous.invalid>`
	l.from = anonymous
	if id := l.route.identityOf(cli); id != "" {
		if !private {
			l.from = id
		}
		l.initial.lines = append(l.initial.lines, l.route.assert(id, private)...)
	}
	if private {
		l.initial.lines = append(l.initial.lines, "Privacy: id\r\n")
	}
	l.from += ";tag=" + l.fromTag
	l.initial.from = l.from
}

// assert returns the header lines that tell a trunk of the caller ID.
func (r *route) assert(id string, private bool) []string {
	switch r.Asserted {
	case AssertedPPI:
		return []string{"P-Preferred-Identity: " + id + "\r\n"}
	case AssertedRPID:
		privacy := "off"
		if private {
			privacy = "full"
		}
		return []string{"Remote-Party-ID: " + id + ";party=calling;screen=yes;privacy=" + privacy + "\r\n"}
	case AssertedNone:
		return nil
	}
	return []string{"P-Asserted-Identity: " + id + "\r\n"}
}

// begin makes the leg a party and sends the INVITE.
func (l *Leg) begin() error {
	d := l.d
	l.busy = true // until the INVITE has left: nothing may overtake its report
	if err := d.enter(l.callID, l); err != nil {
		return err
	}
	now := time.Now()
	l.timer = time.AfterFunc(time.Hour, l.tick)
	if err := l.sendInvite(now); err != nil && !l.elsewhere(now) {
		l.forget()
		d.over()
		return fmt.Errorf("siptrunk: %s: %w", l.base, err)
	}
	l.mu.Lock()
	l.queue = append([]input{{run: func() { l.progress(now, outdial.MarkInvite.Of(), Event{}) }}}, l.queue...)
	l.mu.Unlock()
	d.start(l.drain) // it cannot fail: Close waits for the leg, which lives
	return nil
}
