package outdial

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Placed is a call that Place has placed. It is safe for concurrent use.
type Placed struct {
	e    *Engine
	wake chan struct{} // has room for one: something changed
	done chan struct{} // closed when every leg has ended

	mu     sync.Mutex // guards what follows; never held while a Dialer or a Leg is called
	s      *Session
	legs   [MaxAttempts]Leg
	hangup [MaxAttempts]bool // the leg is to be ended as soon as Dial has returned it
	closed bool
	sdp    []byte // of the answer
	err    error  // the first failure to journal a fact
}

// Place carries one call from Begin to its answer: the loop over a Session for those who want one call. It dials
// through d until an attempt is answered or hunting is over, and returns the call; whether it was answered, Answered
// tells. The answered leg goes on until either side hangs up; Wait waits for that.
//
// An error means that the call could not be placed: a *NoRouteError, ErrJournal, or ctx's error when it was
// done before an answer; then the open legs are hung up, and Wait on the returned call, if it is not nil, still
// waits for them.
func (e *Engine) Place(ctx context.Context, call Call, d Dialer) (*Placed, error) {
	p := &Placed{e: e, s: e.NewSession(), wake: make(chan struct{}, 1), done: make(chan struct{})}
	if err := p.s.Begin(e.cfg.Now(), call); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			p.giveUp()
			return p, err
		}
		step, err := p.next()
		switch {
		case err != nil:
			p.Hangup()
			p.finish()
			return p, err
		case step.Kind == StepStop:
			p.finish()
			return p, nil
		case step.Kind == StepWait:
			err = p.sleep(ctx, step.Until)
		case step.Kind == StepRevive:
			err = p.revive(ctx, step.Attempt.ID)
		default:
			err = p.dial(ctx, d, step)
		}
		if err != nil {
			p.giveUp()
			return p, err
		}
	}
}

func (p *Placed) next() (Step, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.s.Next(p.e.cfg.Now())
}

// dial places one attempt and waits until it is decided: answered, abandoned or ended. The error is ctx's.
func (p *Placed) dial(ctx context.Context, d Dialer, step Step) error {
	id := step.Attempt.ID
	err := p.sleep(ctx, step.NotBefore)
	if err != nil || p.Stopped() != StopNone { // an abandoned leg has reached the callee meanwhile
		p.neverSent(id, "")
		return err
	}
	leg, err := d.Dial(ctx, step.Attempt, p.report)
	if err != nil {
		p.neverSent(id, err.Error())
		return ctx.Err()
	}
	p.mu.Lock()
	p.legs[id.Leg-1] = leg
	hangup := p.hangup[id.Leg-1]
	p.mu.Unlock()
	if hangup {
		leg.Hangup()
	}
	return p.await(ctx, id)
}

// revive waits again for an attempt that was abandoned; one that its Dialer cannot take up is abandoned for good.
func (p *Placed) revive(ctx context.Context, id AttemptID) error {
	p.mu.Lock()
	leg, ok := p.legs[id.Leg-1].(Reviver)
	ok = ok && !p.hangup[id.Leg-1]
	p.mu.Unlock()
	if !ok {
		p.report(Report{Attempt: id, Kind: ReportAbandon, Time: p.e.cfg.Now(), Result: Result{Origin: OriginNoTrying}})
		return ctx.Err()
	}
	leg.Revive()
	return p.await(ctx, id)
}

// await waits until an attempt is decided. The error is ctx's.
func (p *Placed) await(ctx context.Context, id AttemptID) error {
	for p.undecided(id) {
		select {
		case <-p.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// sleep waits until t, until hunting has stopped or until ctx is done.
func (p *Placed) sleep(ctx context.Context, t time.Time) error {
	for p.Stopped() == StopNone {
		now := p.e.cfg.Now()
		if !t.After(now) {
			break
		}
		if err := sleepUntil(ctx, now, t, p.wake); err != nil {
			return err
		}
	}
	return nil
}

// neverSent ends an attempt that did not leave.
func (p *Placed) neverSent(id AttemptID, why string) {
	res := Result{Origin: OriginNeverSent, Text: why}
	p.report(Report{Attempt: id, Kind: ReportEnd, Time: p.e.cfg.Now(), Result: res})
}

func (p *Placed) undecided(id AttemptID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.s.find(id).State == AttemptOpen
}

// report is the sink of every attempt of the call.
func (p *Placed) report(r Report) {
	if leg := p.apply(r); leg != nil {
		leg.Hangup()
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// apply tells the Session, and returns the leg that is to be ended because hunting has moved on from it.
func (p *Placed) apply(r Report) (over Leg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	switch r.Kind {
	case ReportProgress:
		err = p.s.Progress(r.Time, r.Attempt, r.Marks)
	case ReportAbandon:
		err = p.s.Abandon(r.Time, r.Attempt, r.Result)
		if !p.revivable(r.Attempt) {
			over = p.giveLegUp(r.Attempt)
		}
	case ReportAnswer:
		var action AnswerAction
		hungUp := p.s.find(r.Attempt) != nil && p.hangup[r.Attempt.Leg-1]
		if action, err = p.s.answer(r.Time, r.Attempt, hungUp); action == AnswerEnd {
			over = p.giveLegUp(r.Attempt)
		} else {
			p.sdp = slices.Clone(r.SDP)
		}
	case ReportEnd:
		err = p.s.End(r.Time, r.Attempt, r.Result)
		p.closeIfDone()
	}
	p.note(err)
	return over
}

// revivable reports whether hunting may come back to an abandoned leg: it is hung up when hunting is over, not before.
func (p *Placed) revivable(id AttemptID) bool {
	a := p.s.find(id)
	if a == nil || a.Last || a.Abandoned.Origin != OriginNoTrying {
		return false
	}
	_, ok := p.legs[id.Leg-1].(Reviver)
	return ok
}

// note keeps the first error.
func (p *Placed) note(err error) {
	if p.err == nil {
		p.err = err
	}
}

// giveLegUp marks a leg as one to be hung up, and returns it if Dial has returned it already.
func (p *Placed) giveLegUp(id AttemptID) Leg {
	if p.s.find(id) == nil {
		return nil
	}
	p.hangup[id.Leg-1] = true
	return p.legs[id.Leg-1]
}

func (p *Placed) closeIfDone() {
	if p.s.Done() && !p.closed {
		p.closed = true
		close(p.done)
	}
}

// giveUp hangs up what is open because the caller gave up.
func (p *Placed) giveUp() {
	p.mu.Lock()
	now := p.e.cfg.Now()
	for i := range p.s.attempts[:p.s.made] {
		if a := &p.s.attempts[i]; a.State == AttemptOpen {
			p.note(p.s.Abandon(now, a.ID, Result{Origin: OriginCaller}))
		}
	}
	p.mu.Unlock()
	p.Hangup()
	p.finish()
}

// finish marks hunting as over, and hangs up the legs that it moved on from; the call is done when those that are still open
// have ended.
func (p *Placed) finish() {
	p.mu.Lock()
	if p.s.stop == StopNone {
		p.s.halt(p.e.cfg.Now(), StopCancelled)
	}
	p.closeIfDone()
	var over []Leg
	for i := range p.s.attempts[:p.s.made] {
		if p.s.attempts[i].State == AttemptAbandoned && !p.hangup[i] {
			over = append(over, p.giveLegUp(p.s.attempts[i].ID))
		}
	}
	p.mu.Unlock()
	for _, leg := range over {
		if leg != nil {
			leg.Hangup()
		}
	}
}

// Answered reports whether an attempt was answered in time, and returns a copy of it.
func (p *Placed) Answered() (Attempt, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.s.Attempts() {
		if a.Answered() && !a.Late {
			return a, true
		}
	}
	return Attempt{}, false
}

// SDP returns the session description of the answer, or nil. It is not to be changed.
func (p *Placed) SDP() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sdp
}

// Attempts returns copies of the attempts made so far, in order.
func (p *Placed) Attempts() []Attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Attempt(nil), p.s.Attempts()...)
}

// Stopped returns why hunting is over.
func (p *Placed) Stopped() StopReason {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.s.Stopped()
}

// Hangup ends every leg that has not ended. It returns at once and may be called any number of times.
func (p *Placed) Hangup() {
	p.mu.Lock()
	var legs [MaxAttempts]Leg
	for i := range p.s.attempts[:p.s.made] {
		if p.s.attempts[i].State != AttemptEnded {
			p.hangup[i] = true
			legs[i] = p.legs[i]
		}
	}
	p.mu.Unlock()
	for _, leg := range legs {
		if leg != nil {
			leg.Hangup()
		}
	}
}

// Wait returns when every leg of the call has ended, or when ctx is done, with ctx's error. Otherwise the error is
// the first failure to journal a fact of the call, if there was one.
func (p *Placed) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.done:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Done is closed when every leg of the call has ended.
func (p *Placed) Done() <-chan struct{} { return p.done }
