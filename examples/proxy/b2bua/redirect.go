package b2bua

import (
	"errors"
	"time"

	"github.com/outdial/outdial"
)

// A dialer in redirect mode gets 302 with where to call and whom to present (X-Outdial-CLI, and P-Asserted-Identity unless the trunk goes by
// From alone), and calls the carrier itself: nothing of that call is seen here. The channel and
// the caller ID stay held for as long as the lease, or until the outcome is reported by its token.

// defaultLease is how long a redirected call is held without a word of how it went.
const defaultLease = 2 * time.Minute

// ErrUnknownToken says that no redirected call with this token is held: there never was one, its lease has expired, or its outcome was
// reported before.
var ErrUnknownToken = errors.New("proxy: no redirected call has this token")

// Outcome is how a redirected call went, by the dialer's own CDR.
type Outcome struct {
	Rang     time.Time      // the first 18x; zero = none
	Answered time.Time      // zero = it was not
	Ended    time.Time      // zero = now
	Code     uint16         // final response of the carrier to a call that was not answered
	Phrase   string         // its reason phrase
	Cause    outdial.Cause  // Q.850, where the CDR has it
	Origin   outdial.Origin // who ended it; OriginUnknown = the carrier where Code is set, else unknown, or the callee after an answer
}

// held is a redirected call whose outcome is not known.
type held struct {
	id    outdial.AttemptID
	until time.Time
	token string
}

// Report tells the outcome of a redirected call. The error is ErrUnknownToken.
func (p *Proxy) Report(token string, o Outcome) error {
	p.mu.Lock()
	c := p.redirected[token]
	delete(p.redirected, token)
	p.mu.Unlock()
	if c == nil || !c.in.post(o, false) {
		return ErrUnknownToken
	}
	return nil
}

// redirect tells the dialer where to call; false = there is nowhere.
func (c *call) redirect(now time.Time, id outdial.AttemptID) bool {
	a := &c.session.Attempts()[id.Leg-1]
	uri, identity, err := c.p.dialer.Route(a)
	if err != nil {
		_ = c.session.End(now, id, outdial.Result{Origin: outdial.OriginNeverSent, Text: err.Error()})
		return false
	}
	token := randomHex(16)
	c.held = held{id, now.Add(c.dialog.invite.source.lease), token}
	c.p.mu.Lock()
	c.p.redirected[token] = c
	c.p.mu.Unlock()
	c.over = true
	c.open++
	c.p.stats.redirected.Add(1)
	r := response{code: 302, phrase: "Moved Temporarily", contact: "<" + uri + ">", headers: []header{{"X-Outdial-Token", token}}}
	if a.CLI != 0 { // however the trunk wants it asserted
		r.headers = append(r.headers, header{"X-Outdial-CLI", a.CLI.String()})
	}
	if identity != "" {
		r.headers = append(r.headers, header{"P-Asserted-Identity", identity})
	}
	_ = c.session.Progress(now, id, outdial.MarkInvite.Of())
	c.reject(now, r)
	return true
}

// expire ends a redirected call that nobody has reported.
func (c *call) expire(now time.Time) {
	if h := c.held; !h.until.IsZero() && !h.until.After(now) {
		c.release(now, outdial.Result{Origin: outdial.OriginUnknown})
	}
}

// release gives back what a redirected call holds.
func (c *call) release(at time.Time, r outdial.Result) {
	if c.held.until.IsZero() {
		return
	}
	c.p.mu.Lock()
	delete(c.p.redirected, c.held.token)
	c.p.mu.Unlock()
	_ = c.session.End(at, c.held.id, r)
	c.held = held{}
	c.open--
}

// onOutcome books what the dialer's CDR says.
func (c *call) onOutcome(o Outcome) {
	if c.held.until.IsZero() {
		return
	}
	now := c.p.now()
	end := o.Ended
	if end.IsZero() || end.After(now) {
		end = now
	}
	within := func(t time.Time) time.Time {
		if t.Before(c.began) {
			return c.began
		}
		if t.After(end) {
			return end
		}
		return t
	}
	if !o.Rang.IsZero() {
		_ = c.session.Progress(within(o.Rang), c.held.id, outdial.ProgressOf(180, false))
	}
	r := outdial.Result{Origin: o.Origin, Code: o.Code, Phrase: o.Phrase, Cause: o.Cause}
	if !o.Answered.IsZero() {
		_, _ = c.session.Answer(within(o.Answered), c.held.id)
		if r.Origin == outdial.OriginUnknown {
			r.Origin = outdial.OriginCalleeHangup
		}
	} else if r.Origin == outdial.OriginUnknown && o.Code >= 300 {
		r.Origin = outdial.OriginCarrier
	}
	c.release(end, r)
}
