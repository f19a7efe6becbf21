package outdial

import (
	"fmt"
	"math/bits"
	"time"
)

// settle decides whether hunting may go on after a has failed: never after the caller gave up; once the
// callee may have heard it ring only if the verdict or the configuration says so; otherwise as failover judges.
func (s *Session) settle(a *Attempt) {
	if s.stop != StopNone {
		return
	}
	if res := a.Outcome(); res.Origin == OriginCaller || res.Origin == OriginHost {
		s.stop = StopCancelled
		return
	}
	verdict := VerdictStop
	if s.e.cfg.Failover != nil {
		verdict = s.e.cfg.Failover.Verdict(a)
	}
	switch {
	case verdict == VerdictReroute:
	case a.Progressed() && !s.e.cfg.AdvanceAfterProgress:
		s.stop = StopProgress
	case !verdict.advances():
		s.stop = StopVerdict
	}
}

// requestTerminated is the status with which a carrier answers an INVITE that the host cancelled (RFC 3261 §15.1.2).
const requestTerminated = 487

// reconsider stops hunting when an abandoned leg turns out to have reached the callee: it rings, or the carrier ends it
// with an outcome that forbids another attempt. How the host itself ended it says nothing, and neither does the
// carrier's answer to the host's CANCEL. It never sets hunting going again, and leaves a successor that is already
// under way alone.
func (s *Session) reconsider(now time.Time, a *Attempt) {
	if !a.WasAbandoned() || a.State == AttemptOpen || s.stop != StopNone {
		return // not abandoned, or taken up again
	}
	tells := a.Progressed()
	if a.State == AttemptEnded {
		tells = a.Result.Origin == OriginCarrier && a.Result.Code != requestTerminated
	}
	if !tells {
		return
	}
	if s.settle(a); s.stop != StopNone {
		s.dropWaiting(now)
	}
}

// halt ends hunting.
func (s *Session) halt(now time.Time, why StopReason) {
	s.stop = why
	s.dropWaiting(now)
}

// dropWaiting notes the bids that the host was told to wait for as refused: nobody will ask for them again.
func (s *Session) dropWaiting(now time.Time) {
	for b := s.waiting; b != 0; b &= b - 1 {
		s.refuseBid(now, bits.TrailingZeros64(b))
	}
	s.waiting = 0
	s.leavePlaces(now, 0)
}

// leavePlaces gives up the places that trunks keep for the call, but for the candidates of keep.
func (s *Session) leavePlaces(now time.Time, keep uint64) {
	if s.e.queuer != nil && !s.dry {
		for b := s.places &^ keep; b != 0; b &= b - 1 {
			s.e.queuer.Leave(now, &s.call, &s.plan[bits.TrailingZeros64(b)])
		}
	}
	s.places &= keep
}

// giveBack returns what an attempt holds; all that was counted for it too, if it never left. What rang has left.
func (s *Session) giveBack(now time.Time, a *Attempt) {
	trunks, clis := s.e.cfg.Trunks, s.e.cfg.CLIs
	if a.Result.Origin == OriginNeverSent && !a.Answered() && !a.Progressed() {
		f := &s.fates[s.fateOf(a)]
		s.undo(now, &held{channel: a.Channel, cli: Presentation{Lease: a.Use}})
		if s.e.cfg.Failover != nil {
			s.e.cfg.Failover.Return(now, &s.call, s.plan, f.eligible, s.fateOf(a), f.choice)
		}
		return
	}
	if trunks != nil {
		trunks.Release(now, a.Channel)
	}
	if clis != nil {
		clis.Release(now, a.Use)
	}
}

// fateOf is the place in the plan of the candidate that a was dialled on.
func (s *Session) fateOf(a *Attempt) int {
	for i := range s.fates {
		if s.fates[i].leg == a.ID.Leg {
			return i
		}
	}
	return 0
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
	s.bid.Call.record = nil
	s.noRoute = &NoRouteError{Call: s.call.ID, To: s.call.To, Again: again, Skipped: []Skip{{Err: err}}}
	s.ev = Event{Kind: EventRefused, Time: now, Attempt: &s.bid, Refusal: codeOf(err), RefusalStage: stageOf(err)}
	if jerr := s.emit(); jerr != nil {
		return fmt.Errorf("%w (%w)", s.noRoute, jerr)
	}
	return s.noRoute
}

// refuseBid notes that the bid on candidate i was refused, for the reason in its fate. OnJournalError is told when
// that cannot be written; a refusal holds nothing that could be lost.
func (s *Session) refuseBid(now time.Time, i int) {
	f := &s.fates[i]
	s.bid = s.attemptOf(i, f.choice, now)
	s.ev = Event{Kind: EventRefused, Time: now, Attempt: &s.bid, Refusal: codeOf(f.err), RefusalStage: f.stage}
	_ = s.emit()
}
