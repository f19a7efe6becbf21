package outdial

import "time"

// Reviver is a Leg that can be waited for again after ReportAbandon, because it turned out that nobody is left to hunt on to.
type Reviver interface {
	Leg
	// Revive takes ReportAbandon back: the INVITE is repeated again, and an answer is welcome. The leg is the last of its
	// call from then on. It does nothing when a CANCEL has left already, or the leg is over: then its end is reported as
	// that of any leg. It returns at once.
	Revive()
}

// revive takes the latest leg up again that was given up for silence alone, if nobody else can be taken now: it may still
// answer, where giving it up would lose the call for certain. Each leg is taken up once, none that anything came from, since
// such a one is being cancelled.
func (s *Session) revive() (Step, bool) {
	for i := s.made - 1; i >= 0; i-- {
		if a := &s.attempts[i]; a.silent() {
			a.takeUp()
			return Step{Kind: StepRevive, Attempt: a}, true
		}
	}
	return Step{}, false
}

// silent reports whether a was abandoned for its silence, once, and nothing has come from it since.
func (a *Attempt) silent() bool {
	return a.State == AttemptAbandoned && !a.Last && a.Abandoned.Origin == OriginNoTrying &&
		a.Timeline[MarkTrying] == 0 && !a.Progressed()
}

// takeUp waits for an abandoned attempt again.
func (a *Attempt) takeUp() { a.State, a.Abandoned, a.Last = AttemptOpen, Result{}, true }

// awaits reports whether the answer of a silent leg is welcome: hunting goes on, and no other leg has left since.
func (s *Session) awaits(now time.Time, a *Attempt) bool {
	if s.stop != StopNone || !a.silent() {
		return false
	}
	latest := &s.attempts[s.made-1]
	return latest.State != AttemptOpen || now.Before(s.leaves)
}
