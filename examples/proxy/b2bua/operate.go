package b2bua

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// ErrNoCall says that no live call has this id.
var ErrNoCall = errors.New("proxy: no live call has this id")

// LiveCall is a call of which something is left.
type LiveCall struct {
	ID       outdial.CallID
	Ref      string // the dialer's Call-ID
	Dialer   string
	Began    time.Time
	Answered time.Time // zero = it is not, or not yet
	To       string    // masked, unless the configuration has numbers clear
	CLI      string    // the caller ID of the latest attempt, or of the answered one
	Trunk    string    // … and its trunk
	Carrier  string
	Campaign string
	Program  string
	Tenant   string
	Attempts int
	State    string // "hunting", "ringing", "up", "ending"; of a call that is over "ended"
	Ended    time.Time
	Code     int // that the dialer was told in the end; 0 = nothing yet

	Decision *outdial.Explanation // where it was asked for
}

// inquiry asks a call what it is. The channel has room for the answer.
type inquiry struct {
	decision bool
	answer   chan<- LiveCall
}

// hangup tells a call to end because an operator wants it to.
type hangup struct{}

// LiveCalls returns up to limit live calls, the latest first, from those with an id below before (0 = from the latest on), and the
// number of all that the engine was asked about. Each call tells by itself how it stands; one that ends meanwhile is left out.
func (p *Proxy) LiveCalls(ctx context.Context, before outdial.CallID, limit int) (list []LiveCall, all int) {
	type known struct {
		id outdial.CallID
		c  *call
	}
	var some []known
	p.mu.RLock()
	for _, c := range p.calls {
		if id := outdial.CallID(c.id.Load()); id != 0 {
			all++
			if before == 0 || id < before {
				some = append(some, known{id, c})
			}
		}
	}
	p.mu.RUnlock()
	slices.SortFunc(some, func(a, b known) int { return cmp.Compare(b.id, a.id) })
	for _, k := range some[:min(len(some), limit)] {
		if l, ok := k.c.tell(ctx, false); ok {
			list = append(list, l)
		}
	}
	return list, all
}

// LiveCall returns one call with its decision explained: a live one, or one of the latest that are over (EndedCalls). The error is ErrNoCall.
func (p *Proxy) LiveCall(ctx context.Context, id outdial.CallID) (LiveCall, error) {
	if c := p.live(id); c != nil {
		if l, ok := c.tell(ctx, true); ok {
			return l, nil
		}
	}
	if l, ok := p.endedCall(id); ok {
		return l, nil
	}
	return LiveCall{}, ErrNoCall
}

// HangUp ends a live call, in an orderly way on both sides: one that is up with BYE, one that is being set up with CANCEL and 480. The
// journal has it as a Control. The error is ErrNoCall, or that of the Control.
func (p *Proxy) HangUp(id outdial.CallID, by Change) error {
	c := p.live(id)
	if c == nil {
		return ErrNoCall
	}
	if err := p.engine.Control(p.now(), outdial.Control{Actor: by.Actor, Action: ActionHangUp, Target: id.String(), Reason: by.Reason}); err != nil {
		return err
	}
	if !c.in.post(hangup{}, false) {
		return ErrNoCall
	}
	return nil
}

func (p *Proxy) live(id outdial.CallID) *call {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, c := range p.calls {
		if outdial.CallID(c.id.Load()) == id && id != 0 {
			return c
		}
	}
	return nil
}

// tell asks the call's goroutine.
func (c *call) tell(ctx context.Context, decision bool) (LiveCall, bool) {
	answer := make(chan LiveCall, 1)
	if !c.in.post(inquiry{decision, answer}, false) {
		return LiveCall{}, false
	}
	select {
	case l := <-answer:
		return l, true
	case <-c.gone:
	case <-ctx.Done():
	}
	return LiveCall{}, false
}

// describe says how the call stands. A call without a Session was none that the engine could be asked about.
func (c *call) describe(decision bool) LiveCall {
	if c.session == nil {
		return LiveCall{Began: c.began, Dialer: c.dialog.invite.source.name, State: "ending"}
	}
	k, ids := c.session.Call(), c.p.ids
	l := LiveCall{
		ID: k.ID, Ref: k.Ref, Dialer: c.dialog.invite.source.name, Began: c.began, To: c.p.masked(k.To), State: "hunting",
		Campaign: ids.Campaigns.Name(k.Campaign), Program: ids.Programs.Name(k.Program), Tenant: ids.Tenants.Name(k.Tenant),
	}
	attempts := c.session.Attempts()
	l.Attempts = len(attempts)
	for i := range attempts {
		a := &attempts[i]
		if !l.Answered.IsZero() {
			break
		}
		l.CLI, l.Trunk, l.Carrier = a.CLI.String(), ids.Trunks.Name(a.Candidate.Trunk), ids.Carriers.Name(a.Candidate.Carrier)
		if _, rang := a.Timeline.At(outdial.MarkRinging); rang {
			l.State = "ringing"
		}
		if at, ok := a.Timeline.At(outdial.MarkAnswer); ok && !a.Late {
			l.Answered = a.Start.Add(at)
		}
	}
	switch s := c.dialog.state; {
	case s == rejected || s >= closing || c.over && c.answered == nil && c.held.until.IsZero():
		l.State = "ending"
	case !l.Answered.IsZero():
		l.State = "up"
	}
	if decision {
		x := c.session.Explain()
		l.Decision = &x
	}
	return l
}

// operatorReason is what both sides are told of a call that an operator ends (RFC 3326).
func operatorReason() siptrunk.Reason { return siptrunk.Reason{Cause: outdial.Cause{Value: 16}} }

// endByOperator ends the call in an orderly way.
func (c *call) endByOperator() {
	now, why := c.p.now(), operatorReason()
	if c.dialog.state == proceeding {
		c.stop(now, outdial.OriginHost, why)
		c.reject(now, response{code: 480, phrase: "Temporarily Unavailable"})
		return
	}
	c.hangUpAll(outdial.OriginHost, why)
	c.release(now, outdial.Result{Origin: outdial.OriginUnknown})
	c.dialog.hangUp(now, why.String())
}

// ExplainOpen is Engine.Explain as if the call's campaign were open.
func (p *Proxy) ExplainOpen(call outdial.Call) outdial.Explanation {
	return p.ungated.Explain(p.now(), call)
}

// ParseCallID reads the form of outdial.CallID.String.
func ParseCallID(s string) (outdial.CallID, bool) {
	id, err := strconv.ParseUint(s, 16, 64)
	return outdial.CallID(id), err == nil && id != 0 && strconv.FormatUint(id, 16) == s
}
