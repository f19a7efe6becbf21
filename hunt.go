package outdial

import (
	"errors"
	"math/bits"
	"time"
)

// Next tells the host what to do next: dial an attempt, wait, or stop. It is called after Begin, after an attempt
// was abandoned or ended without an answer, and at the time that a StepWait named.
//
// Within one Next, failover picks a candidate; its trunk gives a channel, the CLI stage a number, the trunk a place
// in its calls per second; then the Started event is journalled. Whoever refuses, everything taken for that
// candidate is undone and the next candidate is tried. Where none is left, but a leg that was abandoned for its silence still
// lives, the step is to wait for that one again: it is open from then on, and the last of its call.
//
// The error is a *NoRouteError, with StopNoRoute, when no attempt could be placed for this call; it wraps
// ErrJournal when the attempt could not be journalled and the engine refuses such calls (nothing is held then, and
// Next may be called again). ErrNotBegun and ErrAttemptOpen say that the host is out of step.
func (s *Session) Next(now time.Time) (Step, error) {
	switch {
	case !s.active:
		return Step{}, ErrNotBegun
	case s.stop != StopNone:
		return s.stopped()
	}
	for i := range s.attempts[:s.made] {
		if s.attempts[i].State == AttemptOpen {
			return Step{}, ErrAttemptOpen
		}
	}
	switch {
	case s.tooLate(now):
		s.halt(now, StopDeadline)
		return s.stopped()
	case s.made >= s.e.cfg.MaxAttempts:
		if step, ok := s.revive(); ok {
			return step, nil
		}
		s.halt(now, StopAttempts)
		return s.stopped()
	}
	s.waiting = 0
	s.record.turn++
	var asked uint64 // candidates that had no room in this Next, but may have it soon
	var rest uint64  // candidates that failover does not offer
	for s.made+int(s.rehearsed) < s.e.cfg.MaxAttempts {
		eligible := s.all() &^ s.tried &^ asked
		i, choice := s.pick(now, eligible)
		if i < 0 {
			s.again, rest = choice.Again, eligible
			break
		}
		h, err := s.hold(now, i)
		if err == nil && !s.dry {
			var a *Attempt
			if a, err = s.start(now, i, choice, eligible, &h); err == nil {
				s.leavePlaces(now, 0)
				return Step{Kind: StepDial, Attempt: a, NotBefore: h.notBefore}, nil
			}
		}
		s.undo(now, &h)
		if s.e.cfg.Failover != nil {
			s.e.cfg.Failover.Return(now, &s.call, s.plan, eligible, i, choice)
		}
		switch {
		case err == nil: // a rehearsal: it would have been dialled
			s.rehearsed++
			s.tried |= 1 << i
			s.fates[i] = fate{leg: s.rehearsed, choice: choice, cli: h.cli.Number}
			s.rehearsedCLI = h.cli.Number
		case errors.Is(err, ErrJournal):
			return Step{}, err
		default:
			s.fates[i] = fate{choice: choice, stage: h.stage, err: err, again: h.again}
			if h.stage == StageTrunk && !h.again.IsZero() {
				s.places |= 1 << i
			}
			if s.worthWaiting(now, err, h.again) {
				asked |= 1 << i
				continue
			}
			s.tried |= 1 << i
			s.refuseBid(now, i)
		}
	}
	return s.noneLeft(now, asked, rest)
}

// all is the set of all candidates of the plan.
func (s *Session) all() uint64 { return ^uint64(0) >> (MaxCandidates - len(s.plan)) }

// pick asks failover for a candidate of the set; without failover it is the first. -1 = none.
func (s *Session) pick(now time.Time, eligible uint64) (int, Choice) {
	if eligible == 0 {
		return -1, Choice{}
	}
	if s.e.cfg.Failover == nil {
		return bits.TrailingZeros64(eligible), Choice{Why: WhyOrder, Probability: 1}
	}
	return s.e.cfg.Failover.Pick(now, &s.call, s.plan, eligible)
}

// held is what has been taken for an attempt; when a stage has refused, who it was and when to ask again.
type held struct {
	channel   Lease
	cli       Presentation
	notBefore time.Time
	stage     Stage
	again     time.Time
}

// hold takes a channel, a caller ID and a place in the calls per second for candidate i. What it has taken when a
// stage refuses is in h all the same, for undo.
func (s *Session) hold(now time.Time, i int) (h held, err error) {
	trunks, clis, c := s.e.cfg.Trunks, s.e.cfg.CLIs, &s.plan[i]
	if trunks != nil {
		h.stage = StageTrunk
		if h.channel, h.again, err = trunks.Acquire(now, &s.call, c); err != nil {
			return h, err
		}
	}
	h.cli.Number = s.call.From
	if clis != nil {
		h.stage = StageCLI
		if h.cli, h.again, err = clis.Reserve(now, &s.call, c, s.presented()); err != nil {
			return h, err
		}
	}
	if trunks != nil {
		h.stage = StageTrunk
		if h.notBefore, err = trunks.Seize(now, &s.call, c, h.channel); err != nil {
			h.again = h.notBefore
			return h, err
		}
	}
	if s.tooLate(h.notBefore) {
		h.stage = StageEngine
		return h, ErrDeadline
	}
	return h, nil
}

// tooLate reports whether an attempt at t would start at or after the call's deadline.
func (s *Session) tooLate(t time.Time) bool {
	return !s.call.Deadline.IsZero() && !t.Before(s.call.Deadline)
}

// undo gives back what was taken for an attempt that will not leave.
func (s *Session) undo(now time.Time, h *held) {
	if s.e.cfg.Trunks != nil && h.channel != 0 {
		s.e.cfg.Trunks.Undo(now, h.channel)
	}
	if s.e.cfg.CLIs != nil && h.cli.Lease != 0 {
		s.e.cfg.CLIs.Undo(now, h.cli.Lease)
	}
}

// start opens the attempt: it is journalled before it leaves, then the observers are told. When the journal fails
// and such calls are refused, nobody is told, because nothing leaves.
func (s *Session) start(now time.Time, i int, choice Choice, eligible uint64, h *held) (*Attempt, error) {
	a := &s.attempts[s.made]
	*a = s.attemptOf(i, choice, now)
	a.ID.Leg, a.State = uint8(s.made+1), AttemptOpen
	a.Last = s.made+1 >= s.e.cfg.MaxAttempts || s.all()&^s.tried&^(1<<i) == 0 || s.e.cfg.Failover == nil
	a.CLI, a.Pool, a.Use, a.Channel = h.cli.Number, h.cli.Pool, h.cli.Lease, h.channel
	s.ev = Event{Kind: EventStarted, Time: now, Attempt: a}
	s.e.gate.RLock()
	defer s.e.gate.RUnlock()
	if err := s.e.journal(&s.ev); err != nil && s.e.cfg.JournalFailure == RefuseCalls {
		return nil, err
	}
	s.e.tell(&s.ev)
	s.made++
	s.tried |= 1 << i
	s.fates[i] = fate{leg: a.ID.Leg, choice: choice, eligible: eligible, cli: a.CLI}
	s.leaves = h.notBefore
	return a, nil
}

// attemptOf is what is known of an attempt before anything is held for it.
func (s *Session) attemptOf(i int, choice Choice, now time.Time) Attempt {
	a := Attempt{
		ID: AttemptID{Call: s.call.ID}, Call: s.call, Candidate: s.plan[i], Choice: choice, Start: now,
	}
	a.Call.record = nil // it belongs to the Session; an attempt may be copied
	return a
}

// presented is the number that the call's latest attempt presented.
func (s *Session) presented() Number {
	if s.made == 0 {
		return s.rehearsedCLI
	}
	return s.attempts[s.made-1].CLI
}

// worthWaiting reports whether a refusal for want of room may be over soon enough for this call.
func (s *Session) worthWaiting(now time.Time, err error, again time.Time) bool {
	return classOf(err) == RefusedCapacity && again.After(now) && again.Sub(s.call.Begun) <= s.e.cfg.MaxWait && !s.tooLate(again)
}

// noneLeft waits for the candidates of asked, or for a silent leg, or stops. rest are those that failover lets rest.
func (s *Session) noneLeft(now time.Time, asked, rest uint64) (Step, error) {
	s.leavePlaces(now, asked)
	if asked != 0 {
		var until time.Time
		for b := asked; b != 0; b &= b - 1 {
			if t := s.fates[bits.TrailingZeros64(b)].again; until.IsZero() || t.Before(until) {
				until = t
			}
		}
		s.waiting = asked
		return Step{Kind: StepWait, Until: until}, nil
	}
	if step, ok := s.revive(); ok {
		return step, nil
	}
	for ; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		s.fates[i] = fate{stage: StageFailover, err: ErrNotOffered, again: s.again}
		s.refuseBid(now, i)
	}
	if s.made > 0 || s.rehearsed > 0 {
		s.stop = StopExhausted
		return s.stopped()
	}
	s.stop = StopNoRoute
	s.noRoute = &NoRouteError{Call: s.call.ID, To: s.call.To}
	for i := range s.fates {
		f := &s.fates[i]
		if !f.again.IsZero() && (s.noRoute.Again.IsZero() || f.again.Before(s.noRoute.Again)) {
			s.noRoute.Again = f.again
		}
		t := s.plan[i].Trunk
		s.noRoute.Skipped = append(s.noRoute.Skipped, Skip{Trunk: t, Name: s.e.cfg.IDs.Trunks.Name(t), Err: f.err})
	}
	return s.stopped()
}

func (s *Session) stopped() (Step, error) {
	if s.stop == StopNoRoute {
		return Step{Kind: StepStop, Stop: s.stop}, s.noRoute
	}
	return Step{Kind: StepStop, Stop: s.stop}, nil
}
