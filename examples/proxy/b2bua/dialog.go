package b2bua

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/outdial/outdial"
)

// dialog is the dialer's side of a call: the INVITE server transaction (RFC 3261 §17.2.1, RFC 6026) and the dialog
// that comes of it. It belongs to the call's goroutine, has no timer of its own (next says when to call tick) and sends
// what it has to say through the proxy's socket.
//
// sipgo's server transactions are not used: they answer a CANCEL by themselves, and a 200 that crosses it then
// replaces the 487 that is being repeated; requests reach their handlers concurrently, so that an ACK may overtake
// what it follows; and each keeps its messages for 32 s.
type dialog struct {
	p      *Proxy
	invite *request
	to     place // where responses go
	at     place // where the dialer is, by its last request
	state  dialogState
	over   func()            // told before the dialer is that the call is over
	own    string            // To tag of responses that no carrier's attempt caused
	tags   map[string]string // our To tag for an early dialog of an attempt
	tag    string            // that of the answer
	early  []answered        // session descriptions of provisional responses
	seq    uint32            // of the dialer's last request

	contact *sip.ContactHeader // the dialer's last one; nil = none

	last     []byte // the last response to the INVITE
	resend   time.Time
	interval time.Duration
	deadline time.Time // Timer H, or the end of the wait for the ACK

	wantsBye bool
	reason   string // of the BYE that waits for the ACK

	cseq      uint32   // of our last request
	asked     []*asked // our requests that have no final response
	acked     acked
	unacked   *asked // an INVITE of ours without an offer, that was accepted and waits for the carrier's ACK
	served    *served
	session   refresh
	described description // what we last described the session by
}

// description is a session description that was sent to the dialer.
type description struct {
	contentType string
	body        []byte
}

// answered is the session description of an early dialog.
type answered struct {
	tag string // our To tag
	description
}

// foretold notes the session description of a provisional response that goes to the dialer. Where the INVITE had an offer, it is the answer.
func (d *dialog) foretold(r *response) {
	media := lower(mediaType(r.contentType))
	describes := media == "" || media == "application/sdp" || strings.HasPrefix(media, "multipart/")
	if len(r.body) == 0 || !describes || len(d.invite.Body()) == 0 || r.tag == d.own {
		return
	}
	said := answered{r.tag, description{r.contentType, r.body}}
	if i := slices.IndexFunc(d.early, func(a answered) bool { return a.tag == r.tag }); i >= 0 {
		d.early[i] = said
	} else {
		d.early = append(d.early, said)
	}
}

// complete gives a 2xx without an answer the one that came before it. Who gave it reliably has no need to repeat it (RFC 3262 §5), but to the dialer no
// provisional response was reliable, and its 2xx has to have it (RFC 3261 §13.2.1).
func (d *dialog) complete(r *response) {
	if i := slices.IndexFunc(d.early, func(a answered) bool { return a.tag == r.tag }); i >= 0 && len(r.body) == 0 {
		r.contentType, r.body = d.early[i].contentType, d.early[i].body
	}
	d.early = nil
}

func (d *dialog) describe(contentType string, body []byte) {
	if len(body) > 0 {
		d.described = description{contentType, body}
	}
}

// dialogState is how far the dialer's side has come. It never goes back.
type dialogState uint8

const (
	proceeding dialogState = iota // no final response yet
	rejected                      // a final response other than 2xx was sent; its ACK is awaited
	accepted                      // a 2xx was sent; its ACK is awaited
	confirmed                     // the ACK has come
	closing                       // our BYE was sent
	closed
)

func newDialog(p *Proxy, invite *request) dialog {
	return dialog{
		p: p, invite: invite, to: invite.replyTo(), at: invite.at, own: randomHex(8), seq: invite.CSeq().SeqNo, contact: invite.Contact(),
	}
}

// tagFor is our To tag for an early dialog of an attempt; with a carrier that forks there are several.
func (d *dialog) tagFor(leg uint8, carrierTag string) string {
	key := strconv.Itoa(int(leg)) + carrierTag
	if t, ok := d.tags[key]; ok {
		return t
	}
	if d.tags == nil {
		d.tags = map[string]string{}
	}
	if len(d.tags) >= 32 { // a carrier that makes a new tag for every response shall not fill the memory
		return d.own
	}
	t := randomHex(8)
	d.tags[key] = t
	return t
}

// knows reports whether a To tag is one that this dialog gave out.
func (d *dialog) knows(tag string) bool {
	if d.state >= accepted {
		return tag == d.tag
	}
	if tag == d.own {
		return true
	}
	for _, t := range d.tags {
		if t == tag {
			return true
		}
	}
	return false
}

// provisional sends a 1xx.
func (d *dialog) provisional(r response) {
	if d.state != proceeding {
		return
	}
	if r.code > 100 {
		d.foretold(&r)
		r.contact = d.contactOf()
		r.headers = append(r.headers, header{"Allow", d.p.allow()})
	}
	d.last = r.render(d.invite)
	d.p.send(d.last, d.to)
}

// reject sends a final response of 300 and above, and repeats it until the ACK comes (Timers G and H).
func (d *dialog) reject(now time.Time, r response) {
	if d.state != proceeding {
		return
	}
	r.tag = d.own
	d.final(now, rejected, r)
}

// accept sends a 2xx, and repeats it until the ACK comes (§13.3.1.4).
func (d *dialog) accept(now time.Time, r response) {
	if d.state != proceeding {
		return
	}
	d.tag = r.tag
	d.complete(&r)
	r.contact = d.contactOf()
	r.headers = append(append(r.headers, header{"Allow", d.p.allow()}, header{"Supported", supported}),
		d.session.agree(now, d.invite, d.invite.source.session)...)
	d.describe(r.contentType, r.body)
	d.final(now, accepted, r)
}

func (d *dialog) final(now time.Time, s dialogState, r response) {
	if d.state = s; s == rejected {
		d.over()
	}
	d.last = r.render(d.invite)
	d.repeat(now)
	d.p.send(d.last, d.to)
}

func (d *dialog) repeat(now time.Time) {
	d.interval = t1
	if d.deadline = now.Add(timeout); d.state == accepted || !d.to.stream() { // a 2xx is, over connections too
		d.resend = now.Add(t1)
	}
}

func (d *dialog) quiet() { d.resend, d.deadline = time.Time{}, time.Time{} }

// onInvite answers a copy of the INVITE.
func (d *dialog) onInvite() {
	if d.last != nil && d.state <= rejected { // a 2xx is repeated by its own timer
		d.p.send(d.last, d.to)
	}
}

// onAck takes an ACK, and reports whether it is the first one of the answer.
func (d *dialog) onAck(now time.Time, r *request) bool {
	if r.CSeq().SeqNo != d.invite.CSeq().SeqNo {
		return false // of another INVITE
	}
	switch {
	case d.state == rejected:
		d.quiet()
		d.state = closed
	case d.state == accepted && r.toTag() == d.tag:
		d.quiet()
		d.state = confirmed
		if d.wantsBye {
			d.sendBye(now)
		}
		return true
	}
	return false
}

// answer responds to a request within the dialog, and remembers that for its copies.
func (d *dialog) answer(now time.Time, r *request, code int, phrase string, headers ...header) {
	d.p.answer(now, r, response{code: code, phrase: phrase, headers: headers, tag: cmp.Or(d.tag, d.own)})
}

func (d *dialog) close() {
	d.quiet()
	d.session.stop()
	d.state = closed
	d.over()
	if d.serving() { // RFC 3261 §15.1.2
		d.conclude(time.Time{}, byOrigin[outdial.OriginCaller].response())
	}
	pending := d.asked
	d.asked, d.unacked, d.served = nil, nil, nil
	for _, tx := range pending {
		if tx.method != sip.BYE {
			tx.final(time.Time{}, nil)
		}
	}
}

// next is when tick has something to do; the zero time = never.
func (d *dialog) next() time.Time {
	next := earliest(earliest(d.resend, d.deadline), earliest(d.nextAsked(), d.nextServed()))
	return earliest(next, earliest(d.session.at, d.session.expiry))
}

// A lapse is why the dialog is at its end by its own timers.
type lapse uint8

const (
	lapseNone    lapse = iota
	lapseAck           // an answer whose ACK never came
	lapseSession       // nobody refreshed the session
)

// tick repeats what was not answered. It reports why the call is to end, if it is.
func (d *dialog) tick(now time.Time) lapse {
	switch {
	case !d.deadline.IsZero() && !d.deadline.After(now):
		if d.state == accepted {
			d.sendBye(now)
			return lapseAck
		}
		d.close()
	case !d.resend.IsZero() && !d.resend.After(now):
		d.interval = min(2*d.interval, t2)
		d.resend = now.Add(d.interval)
		d.p.send(d.last, d.to)
		d.p.stats.repeated.Add(1)
	}
	d.tickAsked(now)
	if d.tickServed(now) {
		d.hangUp(now, "")
		return lapseAck
	}
	if d.tickSession(now) {
		return lapseSession
	}
	return lapseNone
}

// earliest returns the earlier of two moments, of which the zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
