package siptest

import (
	"strconv"
	"strings"
	"time"
)

// next arms the next step of a leg, or plays it now if it has no delay.
func (c *Carrier) next(l *leg) {
	for l.state == legPending && len(l.steps) > 0 {
		st := l.steps[0]
		if st.After > 0 {
			l.step = c.ep.after(st.After, func() {
				l.steps = l.steps[1:]
				c.play(l, st)
				c.next(l)
			})
			return
		}
		l.steps = l.steps[1:]
		c.play(l, st)
	}
}

func (c *Carrier) play(l *leg, st Step) {
	switch {
	case st.Code < 200:
		c.provisional(l, st)
	case st.Code < 300:
		c.accept(l, st)
	default:
		c.reject(l, st)
	}
	if st.Repeat > 0 {
		c.again(l, st, l.last, 1)
	}
}

// again is Step.Repeat.
func (c *Carrier) again(l *leg, st Step, msg []byte, n int) {
	every := st.Every
	if every == 0 {
		every = T1
	}
	c.ep.after(every, func() {
		if st.Code >= 200 {
			c.countFinalRetransmit(l)
		}
		c.ep.send(replyTo(l.invite, l.src), msg)
		if n < st.Repeat {
			c.again(l, st, msg, n+1)
		}
	})
}

func (c *Carrier) provisional(l *leg, st Step) {
	r := reply{code: st.Code, phrase: st.Phrase, toTag: st.Tag, headers: st.Headers, body: st.Body}
	if st.SDP && r.body == nil {
		r.body = c.media.sdp(c.ep.local)
	}
	l.early = true
	if st.Code > 100 && l.rec.ProgressedAt.IsZero() {
		c.book.mu.Lock()
		l.rec.ProgressedAt = time.Now()
		c.book.mu.Unlock()
	}
	reliable := st.Reliable && st.Code > 100 && (strings.Contains(headerValue(l.invite, "Supported"), "100rel") ||
		strings.Contains(headerValue(l.invite, "Require"), "100rel"))
	if reliable {
		l.rseq++
		l.rseqTag = l.tag
		if st.Tag != "" {
			l.rseqTag = st.Tag
		}
		r.headers = append(r.headers[:len(r.headers):len(r.headers)], Header{"Require", "100rel"}, Header{"RSeq", strconv.Itoa(l.rseq)})
	}
	c.respond(l, r)
	if reliable {
		msg := l.last
		l.prack.stop()
		c.ep.repeat(&l.prack, &backoff{}, func() { c.ep.send(replyTo(l.invite, l.src), msg) }, func() {})
	}
	if m := l.script.Media; m != nil && m.Early && len(r.body) > 0 {
		c.startMedia(l)
	}
}

// accept answers the call: 2xx until the ACK, BYE if it never comes (RFC 3261 §13.3.1.4).
func (c *Carrier) accept(l *leg, st Step) {
	body := st.Body
	if body == nil {
		body = c.media.sdp(c.ep.local)
	}
	l.state = legAnswered
	if st.Tag != "" {
		l.tag = st.Tag // the dialog is the one that answered
	}
	l.prack.stop()
	l.expiry.stop()
	c.settleFinal(l, st)
	c.respond(l, reply{code: st.Code, phrase: st.Phrase, toTag: st.Tag, headers: st.Headers, body: body})
	c.repeatFinal(l, func() {
		if l.state == legAnswered {
			c.hangUp(l)
		}
	})
	if l.script.Talk > 0 {
		l.talk = c.ep.after(l.script.Talk, func() { c.hangUpAcked(l) })
	}
	if l.script.Media != nil {
		c.startMedia(l)
	} else {
		c.expect(l)
	}
}

// reject ends the call with a failure, sent again until the ACK.
func (c *Carrier) reject(l *leg, st Step) {
	c.settleFinal(l, st)
	c.end(l, NoSide)
	c.respond(l, reply{code: st.Code, phrase: st.Phrase, toTag: st.Tag, headers: st.Headers, body: st.Body})
	c.repeatFinal(l, func() {})
}

// abandon ends a call whose challenge nobody answered: the challenge was the final response.
func (c *Carrier) abandon(l *leg, code int) {
	c.settleFinal(l, Step{Code: code})
	c.book.mu.Lock()
	if l.rec.Acked = l.chAcked; l.chAcked {
		c.book.stats.Acks++
	} else {
		c.book.stats.Unacked++
	}
	c.book.mu.Unlock()
	c.end(l, NoSide)
}

// settleFinal books a final response before it leaves, so that who sees it sees the count too.
func (c *Carrier) settleFinal(l *leg, st Step) {
	phrase := st.Phrase
	if phrase == "" {
		phrase = phraseOf(st.Code)
	}
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	l.rec.Code, l.rec.Phrase, l.rec.FinalAt, l.rec.Acked = st.Code, phrase, time.Now(), false
	switch {
	case st.Code < 300:
		c.book.stats.Answered++
	case st.Code == 486 || st.Code == 600:
		c.book.stats.Busy++
	default:
		c.book.stats.Failed++
	}
}
