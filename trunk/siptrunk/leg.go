package siptrunk

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/outdial/outdial"
)

// Leg is an attempt that has been placed: an INVITE, and the dialog that comes of it. All methods are safe for
// concurrent use, return at once unless they say otherwise, and may be called at any time, also after the end and
// from the sink.
//
// A leg needs no goroutine while nothing happens to it: what comes for it is queued, and worked off in order by a
// goroutine that lives as long as the queue has something.
type Leg struct {
	d         *Dialer
	id        outdial.AttemptID
	route     *route
	callID    string
	fromTag   string
	uri       string // of the callee
	from, to  string // values of our From, and of To before there is a tag
	base      hop    // where the INVITE goes
	sentTo    hop    // where it went last: over TCP if it is too large for base
	targets   []hop  // where else it may go
	secure    bool   // a sips: call
	allow     string
	manualAck bool
	last      bool      // of the attempts that its call may make
	callBy    time.Time // the call's deadline; zero = none
	onRequest func(*Leg, *sip.Request, sip.ServerTransaction)
	timer     *time.Timer
	streams   atomic.Bool   // something of it went over a connection
	gone      chan struct{} // closed when the leg is forgotten: what still waits for it gets no answer

	mu    sync.Mutex // guards the queue
	queue []input
	busy  bool

	// What follows belongs to whoever drains the queue.
	sink    func(Event)
	initial *message // the INVITE, to be sent again with credentials; nil from the answer on
	creds   credentials
	phase   phase
	cseq    uint32 // the last one used
	invite  *clientTx
	branch  string // of the last INVITE of the attempt, and its number
	seq     uint32
	others  []*clientTx
	acks    []ack
	remote  string // value of the far side's To, with its tag
	tag     string // that tag
	target  target

	heard       bool   // a request of the carrier has come
	theirTag    string // of which dialog, where it forks: each has numbers of its own
	theirSeq    uint32
	theirInvite *sip.Request // an INVITE of the carrier that the host has not answered yet

	met  []*peer
	peer *peer  // that the INVITE was last sent to, ...
	nth  uint64 // ... and which of its INVITEs that was
	half bool   // half of T100 is over at t100, not all of it

	early     []early // early dialogs with reliable provisional responses
	reliable  bool    // the INVITE offers 100rel
	session   session
	offered   described     // what we last described the session by
	reoffer   *sip.Response // a 2xx to an INVITE of ours without an offer, whose ACK waits for Leg.Ack
	reoffered message       // that INVITE

	redirects int            // 3xx that were followed
	abandoned bool           // ReportAbandon was reported
	gaveUp    outdial.Origin // why the leg is to end before the answer; 0 = it is not
	hungUp    bool           // the host wants it to end
	cancelled bool           // CANCEL was sent
	bye       bool           // BYE was sent, at byeAt
	byeAt     time.Time
	why       Reason         // what CANCEL or BYE say
	result    outdial.Result // how the leg ends once the BYE is through

	t100, pdd, ring, bound, unacked, linger time.Time // deadlines; zero = none
}

var _ outdial.Reviver = (*Leg)(nil)

// phase is how far a leg has come. It never goes back, but for an INVITE that is sent again with credentials.
type phase uint8

const (
	calling phase = iota // the INVITE was sent, no response has come
	trying               // 100
	ringing              // 101 to 199
	answered
	ended
)

// ack is an ACK that was sent, to be sent again whenever its response is.
type ack struct {
	branch, tag string // of the response
	parcel
}

// ID returns the attempt that the leg belongs to.
func (l *Leg) ID() outdial.AttemptID { return l.id }

// CallID returns the Call-ID of the leg, by which the carrier knows it.
func (l *Leg) CallID() string { return l.callID }

// Hangup implements outdial.Leg. The end is reported with OriginCaller before the answer, unless a timer had given
// the attempt up already; with OriginCallerHangup after it, or OriginHost when the answer came too late.
func (l *Leg) Hangup() { l.HangupAs(outdial.OriginUnknown, Reason{}) }

// HangupReason is Hangup with a Reason header of Q.850 in the CANCEL or BYE; the zero Cause = none. The result of an
// answered leg then carries the cause.
func (l *Leg) HangupReason(cause outdial.Cause) {
	l.HangupAs(outdial.OriginUnknown, Reason{Cause: cause})
}

// HangupAs is Hangup by somebody else than the caller: origin, unless unknown, is what the end is reported with if
// no final response says otherwise. why goes into CANCEL or BYE.
func (l *Leg) HangupAs(origin outdial.Origin, why Reason) {
	l.post(input{run: func() { l.hangUp(origin, why) }})
}

// Revive implements outdial.Reviver: a leg that was given up at T100 is waited for again, for as long as the last attempt of a
// call is, and its INVITE is repeated at once. When its PDD timer has expired meanwhile, it is abandoned once more.
func (l *Leg) Revive() { l.post(input{run: func() { l.revive(time.Now()) }}) }

func (l *Leg) revive(now time.Time) {
	if !l.abandoned || l.cancelled || l.hungUp || l.phase == ended {
		return
	}
	if l.phase == calling && l.route.PDDTimer > 0 && l.pdd.IsZero() {
		l.reportAbandon(now, outdial.OriginNoTrying)
		return
	}
	l.abandoned, l.gaveUp, l.last = false, outdial.OriginUnknown, true
	if l.phase == calling {
		l.awaitSilence(now)
		if !l.invite.dst.stream() {
			l.invite.resend = now
		}
	}
}

// Ack sends the ACK of the answer for a leg that was placed with InviteOptions.ManualAck, or that of an INVITE without an
// offer that Do sent; body may be empty, and contentType "" = "application/sdp". Without an answer that waits for it, it
// does nothing. body is copied.
func (l *Leg) Ack(contentType string, body []byte) {
	if contentType == "" || !validValue(contentType) {
		contentType = "application/sdp"
	}
	body = slices.Clone(body)
	l.post(input{run: func() {
		switch {
		case l.phase != answered || l.unacked.IsZero():
			return
		case l.reoffer != nil:
			l.ackOffer(contentType, body)
		default:
			l.sendAck(l.remote, l.tag, l.target, contentType, body)
		}
		l.unacked = time.Time{}
		l.describe(contentType, body)
	}})
}

// report hands an event to the sink.
func (l *Leg) report(ev Event) {
	ev.Attempt = l.id
	if l.sink != nil {
		l.sink(ev)
	}
}

func (l *Leg) progress(at time.Time, marks outdial.Marks, ev Event) {
	ev.Kind, ev.Time, ev.Marks = outdial.ReportProgress, at, marks
	l.report(ev)
}

// abandon tells the host to hunt on, once, and before any CANCEL: an answer that crosses it is a late one then. The
// leg lives until the network says that it is over.
func (l *Leg) abandon(now time.Time, why outdial.Origin) {
	if l.abandoned || l.gaveUp != 0 {
		return
	}
	l.abandoned = true
	l.giveUp(why)
	if l.phase == calling && len(l.targets) > 0 {
		l.d.targets.avoid(l.base, now)
	}
	if l.phase == calling {
		l.invite.deadline = now.Add(timeout)
	}
	l.reportAbandon(now, why)
}

func (l *Leg) reportAbandon(now time.Time, why outdial.Origin) {
	l.report(Event{Report: outdial.Report{Kind: outdial.ReportAbandon, Time: now, Result: outdial.Result{Origin: why}}})
}

// giveUp notes why the leg is to end before its answer; the first reason counts. An INVITE that nobody wants any more
// is not repeated: a carrier that comes back would ring the callee for nothing, and only be told so then.
func (l *Leg) giveUp(why outdial.Origin) {
	if l.gaveUp == 0 {
		l.gaveUp = why
	}
	if l.invite != nil {
		l.invite.resend = time.Time{}
	}
}

// end reports that the leg is over, and keeps of it what repeats its ACKs.
func (l *Leg) end(at time.Time, r outdial.Result, ev Event) {
	if l.phase == ended {
		return
	}
	l.phase = ended
	if l.bye {
		r.Bye = max(at.Sub(l.byeAt), 1)
	}
	l.t100, l.pdd, l.ring, l.bound, l.unacked = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	l.session.stop()
	l.offered, l.reoffer = described{}, nil
	l.linger = at.Add(timeout)
	l.invite = nil
	left := l.others[:0:0]
	for _, tx := range l.others {
		switch {
		case tx.fork:
			left = append(left, tx)
		case tx.method == sip.INVITE: // its final response is to be acknowledged
			tx.deadline = earliest(tx.deadline, l.linger)
			left = append(left, tx)
		case tx.final != nil && tx.method != sip.BYE:
			tx.final(nil, at)
		}
	}
	l.others = left
	ev.Kind, ev.Time, ev.Result = outdial.ReportEnd, at, r
	l.report(ev)
	l.sink, l.onRequest, l.initial, l.creds, l.result = nil, nil, nil, credentials{}, outdial.Result{}
	l.d.over()
}

// forget removes the leg from the tables, once.
func (l *Leg) forget() {
	select {
	case <-l.gone:
		return
	default:
		close(l.gone)
	}
	l.timer.Stop()
	l.d.leave(l.callID)
	for _, p := range l.met {
		l.d.part(p)
	}
	l.met, l.peer = nil, nil
}

// meet lets an address talk to us for as long as the leg is known.
func (l *Leg) meet(to hop) *peer {
	if to.stream() {
		l.streams.Store(true)
	}
	addr := to.key()
	for _, p := range l.met {
		if p.addr == addr {
			return p
		}
	}
	p := l.d.meet(to)
	l.met = append(l.met, p)
	return p
}

// shutDown hangs the leg up because the host ends.
func (l *Leg) shutDown() { l.HangupAs(outdial.OriginHost, Reason{}) }

// kill ends the leg at once, without a word to the carrier.
func (l *Leg) kill() {
	l.post(input{run: func() {
		r := l.result
		switch {
		case l.bye:
		case l.phase == answered:
			r.Origin = outdial.OriginHost
		default:
			l.giveUp(outdial.OriginCaller)
			r.Origin = l.gaveUp
		}
		l.end(time.Now(), r, Event{})
	}})
}
