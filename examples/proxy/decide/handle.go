package decide

import (
	"errors"
	"net/http"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/examples/proxy/door"
)

// decide begins a call.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	buf := s.buffer()
	defer s.done(buf)
	d, key := &buf.asked.demand, &buf.asked.key
	if !buf.read(w, r, []field{
		{name: "key", text: key},
		{name: "to", text: &d.To},
		{name: "from", text: &d.From},
		{name: "dialer", text: &d.Dialer},
		{name: "tenant", text: &d.Tenant},
		{name: "program", text: &d.Program},
		{name: "campaign", text: &d.Campaign},
		{name: "mode", text: &d.Mode},
		{name: "priority", text: &d.Priority},
	}) {
		return
	}
	if *key != "" {
		s.mu.Lock()
		known := s.keys[*key]
		s.mu.Unlock()
		if known != nil {
			s.again(w, known, string(buf.in))
			return
		}
	}
	if s.draining.Load() || s.p.Draining() {
		door.Refuse(http.StatusServiceUnavailable, "draining", "no new calls are taken").Write(w)
		return
	}
	d.Ref = *key
	wish, err := s.p.Call(*d)
	if err != nil {
		var f *b2bua.DemandError
		if errors.As(err, &f) {
			invalid(w, f.Field, "%v", f.Err)
		} else {
			invalid(w, "to", "%v", err)
		}
		return
	}
	c := &call{token: newToken(), key: *key, asked: string(buf.in), session: s.sessions.Get().(*outdial.Session)}
	c.mu.Lock() // one that asks with the same key meanwhile waits for the answer
	defer c.mu.Unlock()
	if known, entered := s.enter(c); !entered {
		s.sessions.Put(c.session)
		if known != nil {
			s.again(w, known, c.asked)
			return
		}
		w.Header().Set("Retry-After", "1")
		door.Refuse(http.StatusServiceUnavailable, "too_many", "%d calls are under way", s.cfg.MaxCalls).Write(w)
		return
	}
	s.stats.decisions.Add(1)
	now := s.p.Now()
	c.heard = now
	over := false
	if err := c.session.Begin(now, wish); err != nil {
		buf.out = s.refused(buf.out[:0], c, now, err)
		over = s.settled(c, now)
	} else {
		buf.out, over = s.advance(buf.out[:0], c, now)
	}
	c.first = append([]byte(nil), buf.out...)
	if c.hunting == (outdial.AttemptID{}) && !c.gap {
		s.stats.refused.Add(1)
	} else if !c.gap {
		s.stats.dialled.Add(1)
	}
	if over {
		s.retire(c, now)
	}
	send(w, buf.out)
}

// again answers a decide that was answered before.
func (s *Server) again(w http.ResponseWriter, c *call, asked string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked != asked {
		door.Refuse(http.StatusConflict, "key", "another call has this key").With("key", "it is that of a call which asked for something else").Write(w)
		return
	}
	send(w, c.first)
}

// find is the call of a request, which is locked; nil where there is none, which was told.
func (s *Server) find(w http.ResponseWriter, r *http.Request) *call {
	c := s.byToken(r.PathValue("token"))
	if c == nil {
		unknownToken(w)
		return nil
	}
	c.mu.Lock()
	return c
}

// attempt is a leg of a call; nil where there is none, which was told. The leg is needed where several could be meant.
func (c *call) attempt(w http.ResponseWriter, leg int64) *outdial.Attempt {
	if c.session == nil {
		door.Refuse(http.StatusConflict, "over", "the call is over").Write(w)
		return nil
	}
	if n := len(c.session.Attempts()); leg < 1 || leg > int64(n) {
		invalid(w, "leg", "the call has %d", n)
		return nil
	}
	return &c.session.Attempts()[leg-1]
}

// when is the moment that a report is about.
func when(w http.ResponseWriter, now time.Time, ago int64) (time.Time, bool) {
	if ago < 0 || ago > int64(24*time.Hour/time.Millisecond) {
		invalid(w, "ago_ms", "want 0 to a day")
		return now, false
	}
	return now.Add(-time.Duration(ago) * time.Millisecond), true
}

// progress takes a provisional response, or the answer.
func (s *Server) progress(w http.ResponseWriter, r *http.Request) {
	buf := s.buffer()
	defer s.done(buf)
	b := &buf.told
	if !buf.read(w, r, []field{
		{name: "leg", number: &b.leg}, {name: "code", number: &b.code}, {name: "sdp", truth: &b.sdp}, {name: "ago_ms", number: &b.ago},
	}) {
		return
	}
	c := s.find(w, r)
	if c == nil {
		return
	}
	defer c.mu.Unlock()
	a := c.attempt(w, b.leg)
	if a == nil {
		return
	}
	if b.code < 100 || b.code > 299 {
		invalid(w, "code", "want a SIP status from 100 to 299: an outcome tells of others")
		return
	}
	now := s.p.Now()
	at, ok := when(w, now, b.ago)
	if !ok {
		return
	}
	at = later(at, a.Start)
	c.heard = now
	if b.code < 200 {
		_ = c.session.Progress(at, a.ID, outdial.ProgressOf(int(b.code), b.sdp))
		send(w, plain(buf.out[:0], c, "none"))
		return
	}
	action, _ := c.session.Answer(at, a.ID)
	if action == outdial.AnswerConnect {
		c.answered, c.hunting, c.gap = true, outdial.AttemptID{}, false
	}
	send(w, plain(buf.out[:0], c, action.String()))
}

func later(t, least time.Time) time.Time {
	if t.Before(least) {
		return least
	}
	return t
}

// outcome takes how a leg ended, or why the switch moves on from it while it still lives.
func (s *Server) outcome(w http.ResponseWriter, r *http.Request) {
	buf := s.buffer()
	defer s.done(buf)
	b := &buf.told
	if !buf.read(w, r, []field{
		{name: "leg", number: &b.leg},
		{name: "code", number: &b.code},
		{name: "phrase", text: &b.phrase},
		{name: "cause", number: &b.cause},
		{name: "reason", text: &b.reason},
		{name: "origin", text: &b.origin},
		{name: "retry_after", number: &b.retry},
		{name: "abandoned", truth: &b.abandoned},
		{name: "ago_ms", number: &b.ago},
	}) {
		return
	}
	c := s.find(w, r)
	if c == nil {
		return
	}
	defer c.mu.Unlock()
	if b.leg >= 1 && b.leg <= outdial.MaxAttempts && c.outcomes[b.leg-1] != nil && (c.ended[b.leg-1] || b.abandoned) {
		send(w, c.outcomes[b.leg-1]) // it was told before
		return
	}
	a := c.attempt(w, b.leg)
	if a == nil {
		return
	}
	res, field, err := b.result(a.State == outdial.AttemptAnswered)
	if err != nil {
		invalid(w, field, "%v", err)
		return
	}
	now := s.p.Now()
	at, ok := when(w, now, b.ago)
	if !ok {
		return
	}
	at, c.heard = later(at, a.Start), now
	id := a.ID
	if b.abandoned {
		_ = c.session.Abandon(at, id, res)
	} else {
		_ = c.session.End(at, id, res)
		c.ended[b.leg-1] = true
	}
	over := false
	if id == c.hunting {
		c.hunting = outdial.AttemptID{}
		buf.out, over = s.advance(buf.out[:0], c, now)
	} else {
		buf.out = plain(buf.out[:0], c, "none")
		over = s.settled(c, now)
	}
	c.outcomes[b.leg-1] = append([]byte(nil), buf.out...)
	if over {
		s.stats.ended.Add(1)
		s.retire(c, now)
	}
	send(w, buf.out)
}

// next goes on after a wait.
func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	buf := s.buffer()
	defer s.done(buf)
	if !buf.read(w, r, nil) {
		return
	}
	c := s.find(w, r)
	if c == nil {
		return
	}
	defer c.mu.Unlock()
	switch {
	case !c.gap && c.last != nil:
		send(w, c.last) // it was asked before
		return
	case c.session == nil || !c.gap:
		door.Refuse(http.StatusConflict, "not_waiting", "the call was not told to wait").Write(w)
		return
	}
	now := s.p.Now()
	c.heard, c.gap = now, false
	over := false
	buf.out, over = s.advance(buf.out[:0], c, now)
	c.last = append([]byte(nil), buf.out...)
	if over {
		s.retire(c, now)
	}
	send(w, buf.out)
}

// cancel ends the call: its caller gave up, or hung up.
func (s *Server) cancel(w http.ResponseWriter, r *http.Request) {
	buf := s.buffer()
	defer s.done(buf)
	if !buf.read(w, r, nil) {
		return
	}
	c := s.find(w, r)
	if c == nil {
		return
	}
	defer c.mu.Unlock()
	if c.session != nil {
		now, origin := s.p.Now(), outdial.OriginCaller
		if c.answered {
			origin = outdial.OriginCallerHangup
		}
		s.end(c, now, origin)
		s.stats.ended.Add(1)
		s.retire(c, now)
	}
	send(w, plain(buf.out[:0], c, "stop"))
}

var errRange = errors.New("it is out of range")

// result is an outcome as the engine has it.
func (b *told) result(answered bool) (res outdial.Result, field string, err error) {
	switch {
	case b.code != 0 && (b.code < 300 || b.code > 699):
		return res, "code", errors.New("want a final SIP status from 300 to 699, or 0 where none came")
	case b.cause < 0 || b.cause > 127:
		return res, "cause", errors.New("want a Q.850 cause, 0 to 127")
	case b.retry < 0 || b.retry > 86_400:
		return res, "retry_after", errRange
	}
	res = outdial.Result{
		Code: uint16(b.code), Cause: outdial.Cause{Value: uint8(b.cause)}, Phrase: b.phrase, Text: b.reason, RetryAfter: time.Duration(b.retry) * time.Second,
	}
	switch {
	case b.origin != "":
		found := false
		for o := outdial.OriginUnknown; o.String() != "invalid"; o++ {
			if o.String() == b.origin {
				res.Origin, found = o, true
			}
		}
		if !found {
			return res, "origin", errors.New("want carrier, no_trying, no_progress, no_answer, transport, caller, never_sent, caller_hangup, " +
				"callee_hangup, media_loss, host or unknown")
		}
	case b.code != 0:
		res.Origin = outdial.OriginCarrier
	case answered:
		res.Origin = outdial.OriginCalleeHangup
	default:
		return res, "origin", errors.New("without a code, say who or what ended the leg")
	}
	return res, "", nil
}
