package outdial

import (
	"fmt"
	"time"
)

// Session carries one call through the engine: a state machine that waits for nobody and reads no clock. The host
// calls Begin, then Next until it stops, dials what Next tells it to, and reports what the network says by
// Progress, Abandon, Answer and End. Each names its attempt, because several may be open at once: a silent leg and
// its successor. At most one is answered in time.
//
// A Session belongs to one goroutine at a time: the host serialises its calls. Between calls it can be reused,
// and then allocates nothing. It comes from Engine.NewSession; the zero value answers ErrNotBegun.
type Session struct {
	e     *Engine
	call  Call
	begun time.Time
	plan  []Candidate
	fates []fate // what became of plan[i]

	attempts [MaxAttempts]Attempt
	made     int
	tried    uint64 // candidates that were dialled, or refused for good
	stop     StopReason
	noRoute  *NoRouteError
	active   bool // a call has begun

	dry       bool  // a rehearsal for Explain: nothing is journalled, observed or kept
	rehearsed uint8 // candidates that would have been dialled

	record Record
	ev     Event   // scratch: what is passed to observers must not escape per event
	bid    Attempt // scratch: the attempt of a refused bid
}

// fate is what became of a candidate.
type fate struct {
	leg    uint8 // the attempt it was dialled as; 0 = it was not
	choice Choice
	cli    Number
	stage  Stage // who refused it, where err is not nil
	err    error
	again  time.Time
}

// Begin starts a call: it looks the callee's number up, asks for admission, and takes the plan from the router. It
// returns a *NoRouteError when the call may not be placed at all, and ErrInUse while an attempt of the former call
// is open. The call is copied.
func (s *Session) Begin(now time.Time, call Call) error {
	if s.e == nil {
		return ErrNotBegun
	}
	if s.open() > 0 {
		return ErrInUse
	}
	s.reset(now, call)
	c := &s.call
	if !c.To.Valid() {
		return s.refuseCall(now, ErrNoCallee, time.Time{})
	}
	if c.ID == 0 {
		c.ID = s.e.ids.next(now)
	}
	c.Dest = s.e.cfg.Numbering.Locate(now, c.To)
	if again, err := s.e.cfg.Router.Admit(now, c); err != nil {
		return s.refuseCall(now, err, again)
	}
	if s.e.cfg.CLIs != nil {
		if again, err := s.e.cfg.CLIs.Admit(now, c); err != nil {
			return s.refuseCall(now, err, again)
		}
	}
	plan, err := s.e.cfg.Router.Route(now, c, s.plan[:0])
	if err != nil {
		return s.refuseCall(now, err, time.Time{})
	}
	s.plan = plan[:min(len(plan), MaxCandidates)]
	if len(s.plan) == 0 {
		return s.refuseCall(now, ErrNoCandidates, time.Time{})
	}
	for range s.plan {
		s.fates = append(s.fates, fate{})
	}
	return nil
}

func (s *Session) reset(now time.Time, call Call) {
	s.call, s.begun = call, now
	s.plan, s.fates = s.plan[:0], s.fates[:0]
	s.made, s.tried, s.stop, s.noRoute, s.active = 0, 0, StopNone, nil, true
	s.record.Reset()
	if s.e.cfg.Explain || s.dry {
		s.call.record = &s.record
	}
}

// Call returns the call as the stages see it. It lives in the Session.
func (s *Session) Call() *Call { return &s.call }

// Attempts returns the attempts made so far, in order. They live in the Session.
func (s *Session) Attempts() []Attempt { return s.attempts[:s.made] }

// Progress reports moments of an attempt that came now. What comes after the answer or the end of the attempt is
// ignored: a provisional response may be overtaken by the final one.
func (s *Session) Progress(now time.Time, id AttemptID, marks Marks) error {
	a := s.find(id)
	if a == nil {
		return ErrUnknownAttempt
	}
	if a.State != AttemptOpen && a.State != AttemptAbandoned {
		return nil
	}
	var fresh Marks
	for m := MarkInvite; m < MarkAnswer; m++ {
		if marks.Has(m) && a.Timeline[m] == 0 {
			a.Timeline.Set(m, now.Sub(a.Start))
			fresh |= m.Of()
		}
	}
	if fresh == 0 {
		return nil
	}
	s.ev = Event{Kind: EventProgressed, Time: now, Attempt: a, Marks: fresh}
	return s.emit()
}

// Abandon reports that hunting moves on while the leg still lives: no response within T100, or a CANCEL that is
// under way. Its channel and caller ID stay held until End. res says why. Abandoning an attempt that is not open
// does nothing.
func (s *Session) Abandon(now time.Time, id AttemptID, res Result) error {
	a := s.find(id)
	if a == nil {
		return ErrUnknownAttempt
	}
	if a.State != AttemptOpen {
		return nil
	}
	a.State, a.Result = AttemptAbandoned, res
	s.settle(a)
	s.ev = Event{Kind: EventAbandoned, Time: now, Attempt: a}
	return s.emit()
}

// Answer reports a 2xx, and says what to do with it: connect the caller, or, when hunting has moved on or the call
// is over, end the leg. A second answer of the same attempt (a retransmission, a fork) is told the same again.
func (s *Session) Answer(now time.Time, id AttemptID) (AnswerAction, error) {
	a := s.find(id)
	if a == nil {
		return AnswerEnd, ErrUnknownAttempt
	}
	switch a.State {
	case AttemptEnded:
		return AnswerEnd, nil
	case AttemptAnswered:
		return actionOf(a), nil
	}
	a.Late = a.State == AttemptAbandoned || s.stop != StopNone
	a.State = AttemptAnswered
	a.Timeline.Set(MarkAnswer, now.Sub(a.Start))
	if !a.Late {
		s.stop = StopAnswered
	}
	s.ev = Event{Kind: EventAnswered, Time: now, Attempt: a}
	return actionOf(a), s.emit()
}

func actionOf(a *Attempt) AnswerAction {
	if a.Late {
		return AnswerEnd
	}
	return AnswerConnect
}

// End reports that a leg is over: its channel and its caller ID are given back. Ending twice does nothing. Where
// the attempt was abandoned and never answered, the result given to Abandon stands.
func (s *Session) End(now time.Time, id AttemptID, res Result) error {
	a := s.find(id)
	if a == nil {
		return ErrUnknownAttempt
	}
	if a.State == AttemptEnded {
		return nil
	}
	if a.State != AttemptAbandoned {
		a.Result = res
	}
	wasOpen := a.State == AttemptOpen
	a.State = AttemptEnded
	a.Timeline.Set(MarkEnd, now.Sub(a.Start))
	s.release(now, a)
	if wasOpen {
		s.settle(a)
	}
	s.ev = Event{Kind: EventEnded, Time: now, Attempt: a}
	return s.emit()
}

// Cancel gives everything back that the call still holds and stops it: every leg that has not ended is ended with
// OriginHost if it was answered and OriginCaller if not. It is for a host that drops a call without an orderly
// end; one that still waits for its legs abandons and ends each. Cancel twice, or on a finished call, does nothing.
func (s *Session) Cancel(now time.Time) error {
	if s.active && s.stop == StopNone {
		s.stop = StopCancelled
	}
	var first error
	for i := range s.attempts[:s.made] {
		a := &s.attempts[i]
		res := Result{Origin: OriginCaller}
		if a.State == AttemptAnswered {
			res.Origin = OriginHost
		}
		if err := s.End(now, a.ID, res); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Done reports whether the call is over: hunting has stopped and every leg has ended.
func (s *Session) Done() bool { return !s.active || (s.stop != StopNone && s.open() == 0) }

// Stopped returns why hunting is over, or StopNone while it is not.
func (s *Session) Stopped() StopReason { return s.stop }

// find returns the attempt that id names. An id of a former call of this Session names none.
func (s *Session) find(id AttemptID) *Attempt {
	if !s.active || id.Call != s.call.ID || id.Leg == 0 || int(id.Leg) > s.made {
		return nil
	}
	return &s.attempts[id.Leg-1]
}

// open counts the legs that have not ended.
func (s *Session) open() (n int) {
	for i := range s.attempts[:s.made] {
		if s.attempts[i].State != AttemptEnded {
			n++
		}
	}
	return n
}

// settle decides whether hunting may go on after a has failed: never once the callee may have heard it ring,
// unless the configuration says so; never after the caller gave up; otherwise as failover judges the outcome.
func (s *Session) settle(a *Attempt) {
	switch {
	case s.stop != StopNone:
	case a.Result.Origin == OriginCaller || a.Result.Origin == OriginHost:
		s.stop = StopCancelled
	case a.Progressed() && !s.e.cfg.AdvanceAfterProgress:
		s.stop = StopProgress
	case s.e.cfg.Failover == nil || s.e.cfg.Failover.Verdict(a) != VerdictAdvance:
		s.stop = StopVerdict
	}
}

func (s *Session) release(now time.Time, a *Attempt) {
	if s.e.cfg.Trunks != nil {
		s.e.cfg.Trunks.Release(now, a.Channel)
	}
	if s.e.cfg.CLIs != nil {
		s.e.cfg.CLIs.Release(now, a.Use)
	}
}

// emit passes the event in s.ev on, unless this is a dry run.
func (s *Session) emit() error {
	if s.dry {
		return nil
	}
	return s.e.emit(&s.ev)
}

// refuseCall ends a call that no attempt can be placed for.
func (s *Session) refuseCall(now time.Time, err error, again time.Time) error {
	s.stop = StopNoRoute
	s.bid = Attempt{ID: AttemptID{Call: s.call.ID}, Call: s.call, Start: now}
	s.noRoute = &NoRouteError{Call: s.call.ID, To: s.call.To, Again: again, Skipped: []Skip{{Err: err}}}
	if jerr := s.emitRefused(now, stageOf(err), err); jerr != nil {
		return fmt.Errorf("%w (%w)", s.noRoute, jerr)
	}
	return s.noRoute
}

func (s *Session) emitRefused(now time.Time, stage Stage, err error) error {
	s.ev = Event{Kind: EventRefused, Time: now, Attempt: &s.bid, Refusal: codeOf(err), RefusalStage: stage}
	return s.emit()
}
