package b2bua

import (
	"context"
	"errors"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// lookupTimeout bounds the look-up of a trunk's name before an attempt leaves.
const lookupTimeout = 2 * time.Second

// begin asks the engine for the call, and sends the first attempt off.
func (c *call) begin() {
	c.p.stats.calls.Add(1)
	wish, problem := c.p.order(c.dialog.invite)
	if problem != nil {
		c.over = true
		c.p.stats.refused.Add(1)
		c.reject(c.began, *problem)
		return
	}
	if budget := c.p.set().Hunting.SetupBudget; budget > 0 {
		wish.Deadline = c.began.Add(budget)
	}
	c.session = c.kit.borrow(c.p.engine)
	err := c.session.Begin(c.began, wish)
	c.id.Store(uint64(c.session.Call().ID))
	if err != nil {
		c.refuse(c.began, err)
		return
	}
	c.hunt(c.began)
}

// hunt asks the Session what to do until something is under way.
func (c *call) hunt(now time.Time) {
	for !c.over {
		step, err := c.session.Next(now)
		switch {
		case step.Kind == outdial.StepStop && err == nil:
			c.conclude(now)
		case err != nil:
			c.refuse(now, err)
		case step.Kind == outdial.StepWait:
			c.gap = gap{until: step.Until}
			return
		case step.Kind == outdial.StepRevive:
			c.current = step.Attempt.ID
			c.legs[c.current.Leg-1].Revive()
			return
		case step.NotBefore.After(now):
			c.gap = gap{until: step.NotBefore, dial: step.Attempt.ID}
			return
		default:
			if c.dial(now, step.Attempt.ID) {
				return
			}
		}
	}
}

// dial sends an attempt off; false when nothing left the host, and hunting goes on.
func (c *call) dial(now time.Time, id outdial.AttemptID) bool {
	invite := c.dialog.invite
	if invite.source.lease > 0 {
		return c.redirect(now, id)
	}
	a := &c.session.Attempts()[id.Leg-1]
	rules := c.p.set().rules[a.Candidate.Trunk]
	opts := siptrunk.InviteOptions{
		Offer: invite.Body(), ContentType: invite.contentType(), MaxForwards: forwards(invite), ManualAck: c.delayed,
		OnRequest: c.onCarrier, Headers: rules.out(invite), Private: anonymous(invite), Secure: invite.secure(), Allow: c.p.allowed(),
		CallID: c.p.capture.leg(invite.CallID().Value()),
	}
	if opts.CallID != "" {
		c.copied = append(c.copied, opts.CallID)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	ids, err := c.p.identity(ctx, now, invite, a)
	var leg *siptrunk.Leg
	if err == nil {
		opts.Headers = append(opts.Headers, ids...)
		leg, err = c.p.dialer.Invite(ctx, a, opts, c.sink)
	}
	if err != nil {
		c.p.log.Debug("attempt not sent", "attempt", id.String(), "error", err)
		_ = c.session.End(now, id, outdial.Result{Origin: outdial.OriginNeverSent, Text: err.Error()})
		return false
	}
	c.legs[id.Leg-1], c.current = leg, id
	c.open++
	return true
}

// sink takes what siptrunk reports of a leg. It must not block.
func (c *call) sink(ev siptrunk.Event) {
	ev.SDP = nil // bodyOf reads the response, which is the event's own
	c.in.post(&ev, ev.Kind == outdial.ReportProgress && ev.Code != 0)
}

// onEvent tells the Session what a leg reports, and does what follows. What the Session returns beside that is a
// failure to journal a fact, which the engine's OnJournalError counts.
func (c *call) onEvent(ev *siptrunk.Event) {
	i := ev.Attempt.Leg - 1
	switch ev.Kind {
	case outdial.ReportProgress:
		_ = c.session.Progress(ev.Time, ev.Attempt, ev.Marks)
		if ev.Code > 100 && ev.Attempt == c.current {
			c.dialog.provisional(response{
				code: ev.Code, phrase: ev.Phrase, tag: c.dialog.tagFor(ev.Attempt.Leg, ev.ToTag),
				contentType: ev.ContentType, body: bodyOf(ev), headers: c.back(ev),
			})
		}
	case outdial.ReportAbandon:
		_ = c.session.Abandon(ev.Time, ev.Attempt, ev.Result)
		c.advance(ev.Attempt)
	case outdial.ReportAnswer:
		if action, _ := c.session.Answer(ev.Time, ev.Attempt); action != outdial.AnswerConnect {
			c.legs[i].Hangup()
		} else {
			c.connect(ev)
			c.p.lintAnswer(c.p.ids.Trunks.Name(c.session.Attempts()[i].Candidate.Trunk), ev.Response)
		}
		c.awaken()
	case outdial.ReportEnd:
		_ = c.session.End(ev.Time, ev.Attempt, ev.Result)
		c.open--
		leg := c.legs[i]
		c.legs[i] = nil
		if leg == c.answered {
			c.dialog.hangUp(c.p.now(), byeReason(ev))
			return
		}
		c.advance(ev.Attempt)
	}
}

// bodyOf is the body of the carrier's response, which passes as it is: a session description, or one among other parts.
func bodyOf(ev *siptrunk.Event) []byte {
	if ev.Response == nil {
		return nil
	}
	return ev.Response.Body()
}

// advance hunts on if it was this attempt that hunting waited for.
func (c *call) advance(id outdial.AttemptID) {
	if id == c.current {
		c.current = outdial.AttemptID{}
		c.hunt(c.p.now())
	}
}

// awaken ends the pause that hunting makes, after the answer of a leg that it had moved on from: the callee was there, and shall not
// be rung again.
func (c *call) awaken() {
	g := c.gap
	if g.until.IsZero() {
		return
	}
	c.gap = gap{}
	now := c.p.now()
	if g.dial != (outdial.AttemptID{}) {
		_ = c.session.End(now, g.dial, outdial.Result{Origin: outdial.OriginNeverSent})
	}
	c.hunt(now)
}

// connect passes the answer on to the dialer, and ends whatever else may still live.
func (c *call) connect(ev *siptrunk.Event) {
	i := ev.Attempt.Leg - 1
	c.over, c.current, c.answered = true, outdial.AttemptID{}, c.legs[i]
	for k, l := range c.legs {
		if l != nil && k != int(i) {
			l.Hangup()
		}
	}
	c.p.stats.answered.Add(1)
	if most := c.dialog.invite.source.maxCall; most > 0 {
		c.until = c.p.now().Add(most)
	}
	c.outcome.code = ev.Code
	c.dialog.accept(c.p.now(), response{
		code: ev.Code, phrase: ev.Phrase, tag: c.dialog.tagFor(ev.Attempt.Leg, ev.ToTag),
		contentType: ev.ContentType, body: bodyOf(ev), headers: c.back(ev),
	})
}

// back are the header fields of a carrier's response that the trunk's rules let pass.
func (c *call) back(ev *siptrunk.Event) []header {
	return c.p.set().rules[c.session.Attempts()[ev.Attempt.Leg-1].Candidate.Trunk].in(ev.Response)
}

// conclude tells the dialer how hunting has ended without an answer.
func (c *call) conclude(now time.Time) {
	c.over = true
	c.p.stats.failed.Add(1)
	c.hangUpAll(outdial.OriginUnknown, siptrunk.Reason{}) // those that were abandoned: nobody waits for them any more
	c.reject(now, bestOf(c.session.Attempts()))
}

// refuse tells the dialer that no attempt was placed.
func (c *call) refuse(now time.Time, err error) {
	c.over = true
	c.hangUpAll(outdial.OriginUnknown, siptrunk.Reason{})
	if len(c.session.Attempts()) > 0 && !errors.Is(err, outdial.ErrJournal) {
		c.p.stats.failed.Add(1)
	} else {
		c.p.stats.refused.Add(1)
	}
	c.outcome.refusal = "error"
	if none := (*outdial.NoRouteError)(nil); errors.As(err, &none) {
		c.outcome.refusal = refusals(none)
	}
	c.reject(now, refusalOf(now, err))
}

func (c *call) reject(now time.Time, r response) {
	c.outcome.code = r.code
	c.dialog.reject(now, r)
}

// forwards is the Max-Forwards of the attempts of a call, as siptrunk wants it: what came in, less one.
func forwards(r *request) int {
	mf := r.MaxForwards()
	if mf == nil {
		return 0 // siptrunk's default, 70
	}
	if n := int(min(mf.Val(), 255)) - 1; n > 0 {
		return n
	}
	return -1 // zero
}

// byeReason is what the carrier said when it hung up.
func byeReason(ev *siptrunk.Event) string {
	if ev.Request == nil {
		return ""
	}
	why := reason(ev.Request)
	return why.String()
}
