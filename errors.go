package outdial

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors for a host that holds a Session the wrong way round, or whose journal fails.
var (
	// ErrNotBegun: a verb was called on a Session without a call.
	ErrNotBegun = errors.New("outdial: no call has begun in this session")
	// ErrNoEngine: the Session is a zero value; take one from Engine.NewSession.
	ErrNoEngine = errors.New("outdial: the session does not come from an engine")
	// ErrInUse: Begin was called while an attempt of the former call is still open.
	ErrInUse = errors.New("outdial: the session still has an open attempt")
	// ErrAttemptOpen: Next was called while an attempt is open; abandon or end it first.
	ErrAttemptOpen = errors.New("outdial: an attempt is still open: abandon or end it first")
	// ErrUnknownAttempt: the id names no attempt of the session's call.
	ErrUnknownAttempt = errors.New("outdial: no such attempt in this session")
	// ErrJournal: the journal could not be written; the cause is wrapped beside it.
	ErrJournal = errors.New("outdial: the journal cannot be written")
)

// NoRouteError says that no attempt could be placed for a call, and why, candidate by candidate. errors.Is finds
// the refusals in it.
type NoRouteError struct {
	Call    CallID
	To      Number
	Skipped []Skip
	// Again is when asking again may help; zero = not known, or never.
	Again time.Time
}

// Skip is a candidate that was not taken, or the call as a whole where Trunk is 0.
type Skip struct {
	Trunk TrunkID
	Name  string // of the trunk
	Err   error  // as a rule a *Refusal
}

// Error lists the candidates and their reasons in one line.
func (e *NoRouteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "outdial: no route to %s", e.To)
	for i, s := range e.Skipped {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		if s.Trunk != 0 {
			b.WriteString(s.Name)
			b.WriteString(" (")
			b.WriteString(s.Err.Error())
			b.WriteByte(')')
			continue
		}
		b.WriteString(s.Err.Error())
	}
	return b.String()
}

// Unwrap returns the reasons, so that errors.Is and errors.As see each of them.
func (e *NoRouteError) Unwrap() []error {
	errs := make([]error, len(e.Skipped))
	for i, s := range e.Skipped {
		errs[i] = s.Err
	}
	return errs
}

// Class is the class that a host should act on: capacity if any candidate was refused for want of room, since
// asking later may help; else a fault, else no route, else policy.
func (e *NoRouteError) Class() RefusalClass {
	best := RefusedByPolicy
	for _, c := range []RefusalClass{RefusedCapacity, RefusedByFault, RefusedNoRoute} {
		for _, s := range e.Skipped {
			if classOf(s.Err) == c {
				return c
			}
		}
	}
	return best
}
