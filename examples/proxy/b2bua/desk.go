package b2bua

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// receive takes one message of a dialer: it finds the call that it belongs to, or answers it. It runs on the goroutine
// that reads the socket or the connection, so that the order of arrival is the order of everything.
func (p *Proxy) receive(b []byte, at place, src *source) {
	if len(b) <= 4 && strings.Trim(string(b), "\r\n\x00") == "" {
		return // keep-alive (RFC 5626 §4.4.1)
	}
	msg, err := p.parser.ParseSIP(b)
	switch m := msg.(type) {
	case *sip.Response:
		if err == nil && m.Via() != nil && m.CallID() != nil && m.To() != nil && m.CSeq() != nil {
			if c := p.find(m.CallID().Value() + "\x00" + m.To().Params.GetOr("tag", "")); c != nil {
				c.in.post(m, true)
			}
			return
		}
	case *sip.Request:
		if !usable(m) {
			break
		}
		r := newRequest(m, at, src)
		// The parser writes methods in capitals where they do not stand in CSeq.
		if err != nil || !strings.EqualFold(string(r.CSeq().MethodName), string(r.Method)) || ambiguous(m) {
			p.stats.malformed.Add(1)
			if !p.repeat(r) {
				p.refuse(r, response{code: 400, phrase: "Bad Request"})
			}
			return
		}
		p.dispatch(r)
		return
	}
	p.stats.malformed.Add(1)
}

// dispatch gives a request to its call, or answers it.
func (p *Proxy) dispatch(r *request) {
	c := p.find(r.dialog())
	if c != nil && c.concerns(r) && c.in.post(r, true) {
		return
	}
	switch {
	case r.IsAck(), p.repeat(r):
	case r.IsCancel(), r.toTag() != "":
		p.refuse(r, response{code: 481, phrase: "Call/Transaction Does Not Exist"})
	case r.IsInvite():
		p.invite(r, c)
	default:
		res := generally(r)
		if res == nil {
			v := p.outside(r)
			res = &v
		}
		p.refuse(r, *res)
	}
}

// generally says what forbids any request that begins something; nil = nothing.
func generally(r *request) *response {
	unsupported := options(r)
	switch {
	case r.SipVersion != "SIP/2.0":
		return &response{code: 505, phrase: "Version Not Supported"}
	case r.fromTag() == "":
		return &response{code: 400, phrase: "Missing From Tag"}
	case r.secure() && r.at.link.transport != "TLS": // the promise is broken already
		return &response{code: 416, phrase: "Unsupported URI Scheme"}
	case !strings.EqualFold(r.Recipient.Scheme, "sip") && !r.secure() && !strings.EqualFold(r.Recipient.Scheme, "tel"):
		return &response{code: 416, phrase: "Unsupported URI Scheme"}
	case unsupported != "":
		return &response{code: 420, phrase: "Bad Extension", headers: []header{{"Unsupported", unsupported}}}
	}
	return nil
}

// concerns reports whether a request of the call's dialog is the call's to answer: a copy of its INVITE, the CANCEL of that
// very transaction (RFC 3261 §9.2), or something within the dialog.
func (c *call) concerns(r *request) bool {
	invite := c.dialog.invite.key
	if r.IsCancel() && r.toTag() == "" {
		return r.transaction(sip.INVITE) == invite
	}
	return r.key == invite || r.toTag() != ""
}

// outside is the answer to a request outside of any dialog, other than an INVITE.
func (p *Proxy) outside(r *request) response {
	switch r.Method {
	case sip.OPTIONS:
		if p.draining.Load() {
			return unavailable(drainRetry)
		}
		return response{code: 200, phrase: "OK", headers: []header{{"Allow", p.allow()}, {"Accept", "application/sdp"}, {"Supported", supported}}}
	case sip.REFER:
		return response{code: 403, phrase: "Forbidden"}
	case sip.BYE, sip.UPDATE, sip.INFO, sip.PRACK:
		return response{code: 481, phrase: "Call/Transaction Does Not Exist"}
	}
	return response{code: 405, phrase: "Method Not Allowed", headers: []header{{"Allow", p.allow()}}}
}

// invite begins a call, or says why not. c is the call that has the same Call-ID and From tag, if there is one.
func (p *Proxy) invite(r *request, c *call) {
	if problem := p.challenge(p.now(), r); problem != nil {
		p.stats.challenged.Add(1)
		p.refuse(r, *problem)
		return
	}
	if problem := p.check(r, c); problem != nil {
		p.stats.rejected.Add(1)
		p.refuse(r, *problem)
		return
	}
	key := r.dialog()
	if c = newCall(p, r, key); !p.enter(c) {
		p.stats.rejected.Add(1)
		if p.find(key) != nil { // it has come through another socket meanwhile
			p.refuse(r, response{code: 482, phrase: "Merged Request"})
			return
		}
		p.refuse(r, unavailable(unknownRetry))
		return
	}
	p.crew.Go(c.run)
	p.lintInvite(r)
}

// check says what forbids an INVITE before anybody is asked about the call; nil = nothing.
func (p *Proxy) check(r *request, c *call) *response {
	if problem := generally(r); problem != nil {
		return problem
	}
	switch {
	case r.MaxForwards() != nil && r.MaxForwards().Val() == 0: // before it is decremented: below zero lies 4294967295
		return &response{code: 483, phrase: "Too Many Hops"}
	case p.looped(r):
		return &response{code: 482, phrase: "Loop Detected"}
	case c != nil && c.dialog.invite.CSeq().SeqNo == r.CSeq().SeqNo: // the same INVITE on another way (RFC 3261 §8.2.2.2)
		return &response{code: 482, phrase: "Merged Request"}
	case c != nil: // §14.2
		return &response{code: 500, phrase: "Call In Progress", headers: []header{{"Retry-After", "1"}}}
	case len(r.Body()) > 0 && !strings.EqualFold(mediaType(r.contentType()), "application/sdp"):
		return &response{code: 415, phrase: "Unsupported Media Type", headers: []header{{"Accept", "application/sdp"}}}
	case encoded(r.Request):
		return &compressed
	case p.draining.Load():
		v := unavailable(drainRetry)
		return &v
	}
	return brief(r)
}

// compressed refuses a body that is written in another way than as it is (RFC 3261 §8.2.3): it would have to pass with the header field that says how.
var compressed = response{code: 415, phrase: "Unsupported Media Type", headers: []header{{"Accept-Encoding", "identity"}}}

func encoded(r *sip.Request) bool {
	for _, name := range []string{"content-encoding", "e"} {
		if h := r.GetHeader(name); h != nil && !strings.EqualFold(strings.TrimSpace(h.Value()), "identity") {
			return len(r.Body()) > 0
		}
	}
	return false
}

// looped reports whether an INVITE has been through this proxy: one that a carrier's plain proxy sent back here
// still shows the Via that left. Loops through other back-to-back user agents end by Max-Forwards.
func (p *Proxy) looped(r *request) bool {
	for _, h := range r.GetHeaders("via") {
		if v, ok := h.(*sip.ViaHeader); ok {
			port := v.Port
			if port == 0 {
				port = defaultPort(v.Transport)
			}
			s := net.JoinHostPort(strings.Trim(v.Host, "[]"), strconv.Itoa(port))
			if slices.Contains(p.names, s) {
				return true
			}
		}
	}
	return false
}

// options lists the option tags that the dialer requires and that are not supported.
func options(r *request) string {
	var tags []string
	for _, h := range r.GetHeaders("require") {
		for v := range strings.SplitSeq(h.Value(), ",") {
			if v = strings.TrimSpace(clean(v)); v != "" && !strings.EqualFold(v, supported) {
				tags = append(tags, v)
			}
		}
	}
	return strings.Join(tags, ", ")
}

func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(t)
}

// refuse answers a request that belongs to no call. An ACK has no answer.
func (p *Proxy) refuse(r *request, res response) {
	if r.IsAck() {
		return
	}
	res.tag = randomHex(8)
	p.answer(p.now(), r, res)
}

// answer responds to a request once and for all: copies of it get the same.
func (p *Proxy) answer(now time.Time, r *request, res response) {
	packet, to := res.render(r), r.replyTo()
	p.finished.put(now, r.key, packet, to)
	p.send(packet, to)
}

// repeat answers a copy of a request that was answered before.
func (p *Proxy) repeat(r *request) bool {
	f, ok := p.finished.get(r.key)
	if ok && f.packet != nil {
		p.send(f.packet, f.to)
	}
	return ok
}

// find returns the call of a dialog.
func (p *Proxy) find(key string) *call {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.calls[key]
}

// enter makes a call known, whose goroutine Run then waits for; false when there are too many, or none any more. Only
// those that are being set up or are up count. The second bound is that of the memory: legs that nobody waits for any more
// last half a minute, and are not forgotten before the carrier's side is over.
func (p *Proxy) enter(c *call) bool {
	most, src := p.set().MaxCalls, c.dialog.invite.source
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing || p.calls[c.key] != nil || p.up >= most || len(p.calls) >= 3*most || src.maxCalls > 0 && p.upOf[src.name] >= src.maxCalls {
		return false
	}
	p.calls[c.key] = c
	p.up++
	p.upOf[src.name]++
	p.tasks.Add(1)
	return true
}

// retire makes room for another call: this one is over for its dialer. It stays known until its last transaction and its
// last leg are over; of more than MaxCalls such calls the oldest is told not to wait for the dialer.
func (p *Proxy) retire(c *call) {
	most := p.set().MaxCalls
	p.mu.Lock()
	p.up--
	if src := c.dialog.invite.source.name; p.upOf[src] > 1 {
		p.upOf[src]--
	} else {
		delete(p.upOf, src)
	}
	c.lingers = p.lingering.PushBack(c)
	var oldest *call
	if p.lingering.Len() > most {
		oldest = p.lingering.Remove(p.lingering.Front()).(*call)
		oldest.lingers = nil
	}
	p.mu.Unlock()
	if oldest != nil {
		oldest.in.post(dismissal{}, false)
	}
}

// leave forgets a call. What came for it in the last moment is answered as if it had come later.
func (p *Proxy) leave(c *call) {
	p.mu.Lock()
	delete(p.calls, c.key)
	if c.lingers != nil {
		p.lingering.Remove(c.lingers)
	}
	if len(p.calls) == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
	p.mu.Unlock()
	close(c.gone)
	for _, item := range c.in.close() {
		if r, ok := item.(*request); ok {
			p.dispatch(r)
		}
	}
	p.tasks.Done()
}
