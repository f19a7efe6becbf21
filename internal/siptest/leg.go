package siptest

import (
	"net/netip"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
)

type legState uint8

const (
	legChallenged legState = iota // 401 or 407 sent, credentials awaited
	legPending                    // no final response yet
	legAnswered                   // 2xx sent, the call is up
	legEnded                      // over; kept for retransmissions
)

// A leg is one call at a carrier. It belongs to the carrier's loop; rec is shared through the ledger.
type leg struct {
	key      string
	state    legState
	rec      *Record
	invite   *sip.Request
	src      netip.AddrPort
	script   Script
	early    bool // some provisional response was sent
	counted  bool // holds a channel
	tag      string
	finalTag string // To tag of the final response
	seq      uint32 // CSeq of the caller's last request but ACK and PRACK, and its branch
	branch   string

	steps  []Step
	step   *task // the next step
	resend *task // of the final response, until the ACK
	talk   *task
	expiry *task // forgets the leg
	last   []byte
	cancel bool // a CANCEL was handled

	rseq    int
	rseqTag string // To tag of the reliable provisional response
	prack   *task  // retransmission of a reliable provisional
	bye     *task  // retransmission of our BYE
	byeCSeq int
	byeWant bool // hang up as soon as the ACK is there
	stream  *stream
	chAcked bool // the challenge was acknowledged
}

func legKey(req *sip.Request) string { return req.CallID().Value() + "\x00" + fromTag(req) }

func branchOf(req *sip.Request) string { return req.Via().Params.GetOr("branch", "") }

func (c *Carrier) onInvite(req *sip.Request, src netip.AddrPort) {
	key := legKey(req)
	l := c.legs[key]
	if toTag(req) != "" {
		c.onReinvite(l, req, src)
		return
	}
	switch {
	case l == nil:
	case branchOf(l.invite) == branchOf(req):
		c.onInviteRetransmit(l)
		return
	case l.state == legChallenged:
		c.proceed(l, req, src)
		return
	case l.state != legEnded:
		c.answer(req, src, reply{code: 482, phrase: "Loop Detected", toTag: randomToken()}) // merged request, RFC 3261 §8.2.2.2
		return
	}
	c.begin(key, req, src)
}

// begin opens the record of a new call.
func (c *Carrier) begin(key string, req *sip.Request, src netip.AddrPort) {
	now := time.Now()
	if old := c.legs[key]; old != nil {
		c.forget(old)
	}
	l := &leg{key: key, tag: randomToken(), rec: &Record{
		CallID: req.CallID().Value(), From: req.From().Address.User, PAI: userOf(headerValue(req, "P-Asserted-Identity")),
		To: req.Recipient.User, ToUser: req.To().Address.User, Source: src, InvitedAt: now,
	}}
	c.legs[key] = l
	c.book.open(l.rec, c.offered.add(now))
	c.proceed(l, req, src)
}

// proceed takes an INVITE, the first or the one with credentials, through authentication and the caps to its script.
func (c *Carrier) proceed(l *leg, req *sip.Request, src netip.AddrPort) {
	now := time.Now()
	l.invite, l.src, l.state = req, src, legPending
	l.seq, l.branch = req.CSeq().SeqNo, branchOf(req)
	l.resend.stop()
	l.expiry.stop()
	l.resend = nil
	b := &c.behaviour
	headers, body := allHeaders(req), req.Body()

	c.book.mu.Lock()
	l.rec.Headers, l.rec.Body = headers, body
	c.book.mu.Unlock()

	if b.Auth != nil && !c.authorized(req) {
		c.challenge(l)
		return
	}
	fast := b.MaxCPS > 0 && c.admitted.count(now) >= b.MaxCPS
	full := !fast && b.MaxChannels > 0 && c.channels >= b.MaxChannels
	if fast || full {
		st := b.tooFast()
		if full {
			st = b.channelsFull()
		}
		c.book.mu.Lock()
		if full {
			c.book.stats.ChannelsFull++
		} else {
			c.book.stats.TooFast++
		}
		l.rec.Script = "cap"
		c.book.mu.Unlock()
		l.steps = []Step{st}
		c.next(l)
		return
	}
	c.admitted.add(now)
	c.channels++
	l.counted = true
	l.script = b.script(Invite{
		Seq: l.rec.Seq, Channels: c.channels, CallID: l.rec.CallID, From: l.rec.From, PAI: l.rec.PAI, To: l.rec.To,
		Source: src, At: now, Headers: headers, Body: body,
	}, c.rng)
	c.book.mu.Lock()
	c.book.stats.Channels = c.channels
	c.book.stats.PeakChannels = max(c.book.stats.PeakChannels, c.channels)
	l.rec.Script = l.script.Name
	c.book.mu.Unlock()
	l.steps = l.script.Steps
	if len(l.steps) == 0 {
		c.watchSilence(l)
	}
	c.next(l)
}

func (c *Carrier) authorized(req *sip.Request) bool {
	name := "Authorization"
	if c.behaviour.Auth.Proxy {
		name = "Proxy-Authorization"
	}
	return c.behaviour.Auth.verify(headerValue(req, name), string(req.Method), c.nonce)
}

func (c *Carrier) challenge(l *leg) {
	code, h := c.behaviour.Auth.challenge(c.nonce)
	l.state, l.chAcked = legChallenged, false
	c.book.mu.Lock()
	if !l.rec.Challenged {
		c.book.stats.Challenged++
	}
	l.rec.Challenged = true
	c.book.mu.Unlock()
	c.respond(l, reply{code: code, toTag: l.tag, headers: []Header{h}})
	c.repeatFinal(l, func() {})
	l.expiry = c.ep.after(TimeoutB, func() { // the caller has no credentials, or gave up
		if l.state == legChallenged {
			c.abandon(l, code)
		}
	})
}

// watchSilence frees the channel of a call that was never answered at all, when the caller's Timer B has run out.
func (c *Carrier) watchSilence(l *leg) {
	l.expiry = c.ep.after(TimeoutB+T1, func() {
		if l.state == legPending && !l.early {
			c.end(l, NoSide)
		}
	})
}

// onInviteRetransmit repeats the last response (RFC 3261 §17.2.1); after a 2xx it is absorbed (RFC 6026).
func (c *Carrier) onInviteRetransmit(l *leg) {
	c.book.mu.Lock()
	c.book.stats.InviteRetransmits++
	l.rec.InviteRetransmits++
	c.book.mu.Unlock()
	if l.last != nil && (l.rec.Code < 200 || l.rec.Code > 299) {
		c.ep.send(replyTo(l.invite, l.src), l.last)
	}
}

// onReinvite accepts whatever is offered within the dialog: keep-alives and session refreshes.
func (c *Carrier) onReinvite(l *leg, req *sip.Request, src netip.AddrPort) {
	if l == nil || l.state != legAnswered {
		c.stray()
		c.answer(req, src, reply{code: 481})
		return
	}
	if code := c.misfit(l, req); code != 0 {
		c.stray()
		c.answer(req, src, reply{code: code})
		return
	}
	c.answer(req, src, reply{code: 200, contact: c.contact(), body: c.media.sdp(c.ep.local)})
}

// respond sends a response to the INVITE and keeps it for retransmissions.
func (c *Carrier) respond(l *leg, r reply) {
	if r.toTag == "" {
		r.toTag = l.tag
	}
	if r.code > 100 && r.code < 300 {
		r.contact = c.contact()
		r.headers = slices.Clone(r.headers)
		for _, v := range l.script.RecordRoute {
			r.headers = append(r.headers, Header{"Record-Route", v})
		}
	}
	if r.code >= 200 {
		l.finalTag = r.toTag
	}
	l.last = r.render(l.invite, l.src)
	c.ep.send(replyTo(l.invite, l.src), l.last)
}

// repeatFinal sends the final response again, T1 doubling to T2, until the ACK comes (RFC 3261 §17.2.1 for
// failures, §13.3.1.4 for 2xx) or 64*T1 have passed.
func (c *Carrier) repeatFinal(l *leg, expired func()) {
	msg := l.last
	c.ep.repeat(&l.resend, &backoff{cap: T2}, func() {
		c.countFinalRetransmit(l)
		c.ep.send(replyTo(l.invite, l.src), msg)
	}, func() {
		l.resend = nil
		if l.state != legChallenged {
			c.book.mu.Lock()
			c.book.stats.Unacked++
			c.book.mu.Unlock()
		}
		expired()
	})
}

func (c *Carrier) countFinalRetransmit(l *leg) {
	c.book.mu.Lock()
	l.rec.FinalRetransmits++
	c.book.mu.Unlock()
}

// end frees what a call holds and keeps the leg for late messages.
func (c *Carrier) end(l *leg, by Side) {
	if l.state == legEnded {
		return
	}
	l.state = legEnded
	for _, t := range []*task{l.step, l.talk, l.prack, l.expiry} {
		t.stop()
	}
	if l.counted {
		c.channels--
	}
	sent, received := c.media.stop(l.stream)
	l.stream = nil
	c.book.mu.Lock()
	c.book.stats.Channels = c.channels
	l.rec.EndedAt, l.rec.EndedBy = time.Now(), by
	l.rec.RTPSent, l.rec.RTPReceived = sent, received
	c.book.mu.Unlock()
	l.counted = false
	l.expiry = c.ep.after(retention, func() { c.forget(l) })
}

func (c *Carrier) forget(l *leg) {
	for _, t := range []*task{l.step, l.talk, l.prack, l.expiry, l.resend, l.bye} {
		t.stop()
	}
	if c.legs[l.key] == l {
		delete(c.legs, l.key)
	}
	if c.byCallID[l.rec.CallID] == l {
		delete(c.byCallID, l.rec.CallID)
	}
}
