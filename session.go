package outdial

import "time"

// Session carries one call through the engine: a state machine that waits for nobody and reads no clock. The host
// calls Begin, then Next until it stops, dials what Next tells it to, and reports what the network says by
// Progress, Abandon, Answer and End. Each names its attempt, because several may be open at once: a silent leg and
// its successor. At most one is answered in time.
//
// A Session belongs to one goroutine at a time: the host serialises its calls. Between calls it can be reused,
// and then allocates nothing. It comes from Engine.NewSession; the zero value cannot begin a call (ErrNoEngine).
type Session struct {
	e     *Engine
	call  Call
	plan  []Candidate
	fates []fate // what became of plan[i]

	attempts [MaxAttempts]Attempt
	made     int
	tried    uint64     // candidates that were dialled, or refused for good
	waiting  uint64     // candidates whose room the host was told to wait for
	places   uint64     // candidates whose trunk may keep a place for the call
	stop     StopReason // no further attempt, and why
	noRoute  *NoRouteError
	active   bool // a call has begun

	dry          bool      // a rehearsal for Explain: nothing is journalled, observed or kept
	rehearsed    uint8     // candidates that would have been dialled
	rehearsedCLI Number    // what the last of them would have presented
	again        time.Time // when failover may offer a candidate again, after it offered none
	leaves       time.Time // when the latest attempt may leave

	record Record
	ev     Event   // scratch: what is passed to observers must not escape per event
	bid    Attempt // scratch: the attempt of a refused bid
}

// fate is what became of a candidate.
type fate struct {
	leg      uint8 // the attempt it was dialled as; 0 = it was not
	choice   Choice
	eligible uint64 // what failover chose among
	cli      Number
	stage    Stage // who refused it, where err is not nil
	err      error
	again    time.Time
}

// Begin starts a call: it issues the call's id, looks the callee's number up, asks for admission, and takes the plan
// from the router. It returns a *NoRouteError when the call may not be placed at all (it wraps ErrJournal too when
// that could not be written), and ErrInUse while a leg of the former call has not ended. The call is copied.
func (s *Session) Begin(now time.Time, call Call) error {
	if s.e == nil {
		return ErrNoEngine
	}
	if s.open() > 0 {
		return ErrInUse
	}
	s.dropWaiting(now)
	s.reset(now, call)
	c := &s.call
	if !c.To.Valid() {
		return s.refuseCall(now, ErrNoCallee, time.Time{})
	}
	c.Dest = s.e.cfg.Numbering.Locate(now, c.To)
	if n := s.e.cfg.Networks; n != nil {
		c.Dest.Network = n.Network(now, c.To)
	}
	s.recordDestination()
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
	s.call = call
	s.call.ID, s.call.Begun, s.call.rehearsal, s.call.record = s.e.ids.next(now), now, s.dry, nil
	if !s.dry && !s.e.begun.Load() {
		s.e.begun.Store(true)
	}
	s.plan, s.fates = s.plan[:0], s.fates[:0]
	s.made, s.tried, s.waiting, s.places, s.stop, s.noRoute, s.active = 0, 0, 0, 0, StopNone, nil, true
	s.record.Reset()
	if s.e.cfg.Explain || s.dry {
		s.call.record = &s.record
	}
}

// recordDestination notes what the numbering plan and the look-up of the network said.
func (s *Session) recordDestination() {
	if r := s.call.record; r.On() {
		d := &s.call.Dest
		r.Num(StageNumbering, 0, "area", float64(d.Area))
		r.Text(StageNumbering, 0, "group", s.e.cfg.IDs.Groups.Name(d.Group))
		r.Text(StageNumbering, 0, "day_part", s.e.cfg.IDs.DayParts.Name(d.DayPart))
		if s.e.cfg.Networks != nil || d.Network != 0 {
			r.Text(StageNumbering, 0, "network", s.e.cfg.IDs.Networks.Name(d.Network))
		}
	}
}

// Call returns the call as the stages see it. It lives in the Session.
func (s *Session) Call() *Call { return &s.call }

// Attempts returns the attempts made so far, in order. They live in the Session.
func (s *Session) Attempts() []Attempt { return s.attempts[:s.made] }

// Progress reports moments of an attempt that came now. What comes after the answer or the end of the attempt is
// ignored: a provisional response may be overtaken by the final one. When a leg that was abandoned rings after all,
// no further attempt follows.
func (s *Session) Progress(now time.Time, id AttemptID, marks Marks) error {
	a := s.find(id)
	if a == nil {
		return ErrUnknownAttempt
	}
	if a.State != AttemptOpen && a.State != AttemptAbandoned {
		return nil
	}
	var fresh Marks
	for m := range markCount {
		if marks.Has(m) && m.beforeAnswer() && a.Timeline[m] == 0 {
			a.Timeline.Set(m, now.Sub(a.Start))
			fresh |= m.Of()
		}
	}
	if fresh == 0 {
		return nil
	}
	s.reconsider(now, a)
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
	a.State, a.Abandoned = AttemptAbandoned, res
	a.Timeline.Set(MarkAbandon, now.Sub(a.Start))
	s.settle(a)
	s.ev = Event{Kind: EventAbandoned, Time: now, Attempt: a}
	return s.emit()
}

// Answer reports a 2xx, and says what to do with it: connect the caller, or, when hunting has moved on from this leg
// or the call is over, end the leg. A leg that was abandoned for its silence alone is still welcome while no other is under way:
// while Next has the host wait, or the next attempt has not left. Either way no further attempt follows. A second answer of the same attempt (a
// retransmission, a fork) is told the same again. An answer that crosses the end of its leg stops hunting too, but is not on
// record: the leg's last event has been.
func (s *Session) Answer(now time.Time, id AttemptID) (AnswerAction, error) {
	return s.answer(now, id, false)
}

// answer is Answer; hungUp says that the host has given the leg up for good.
func (s *Session) answer(now time.Time, id AttemptID, hungUp bool) (AnswerAction, error) {
	a := s.find(id)
	if a == nil {
		return AnswerEnd, ErrUnknownAttempt
	}
	switch a.State {
	case AttemptEnded:
		if s.stop == StopNone {
			s.halt(now, StopProgress)
		}
		return AnswerEnd, nil
	case AttemptAnswered:
		return actionOf(a), nil
	}
	a.Late = s.stop == StopAnswered || s.stop == StopCancelled
	if a.State == AttemptAbandoned {
		if a.Late = hungUp || !s.awaits(now, a); !a.Late {
			a.takeUp()
		}
	}
	a.State = AttemptAnswered
	a.Timeline.Set(MarkAnswer, now.Sub(a.Start))
	switch {
	case !a.Late:
		s.halt(now, StopAnswered)
	case s.stop == StopNone:
		s.halt(now, StopProgress)
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

// End reports that a leg is over: its channel and its caller ID are given back, and with OriginNeverSent everything
// else that was counted for it too, unless it rang; as one of the call's attempts it counts all the same. Ending twice
// does nothing. Before an answer, OriginHost and OriginCaller end hunting.
func (s *Session) End(now time.Time, id AttemptID, res Result) error {
	a := s.find(id)
	if a == nil {
		return ErrUnknownAttempt
	}
	if a.State == AttemptEnded {
		return nil
	}
	was := a.State
	a.State, a.Result = AttemptEnded, res
	a.Timeline.Set(MarkEnd, now.Sub(a.Start))
	if res.Bye > 0 && was == AttemptAnswered {
		a.Timeline.Set(MarkBye, max(a.Timeline[MarkEnd]-res.Bye, a.Timeline[MarkAnswer]))
	}
	s.giveBack(now, a)
	switch was {
	case AttemptOpen:
		s.settle(a)
	case AttemptAbandoned:
		s.reconsider(now, a)
	}
	s.ev = Event{Kind: EventEnded, Time: now, Attempt: a}
	return s.emit()
}

// Cancel gives everything back that the call still holds and stops it: every leg that has not ended is ended with
// OriginHost if it was answered and OriginCaller if not. It is for a host that drops a call without an orderly
// end; one that still waits for its legs abandons and ends each. Cancel twice, or on a finished call, does nothing.
func (s *Session) Cancel(now time.Time) error {
	if s.active && s.stop == StopNone {
		s.halt(now, StopCancelled)
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
