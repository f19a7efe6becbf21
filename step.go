package outdial

import "time"

// StepKind tells steps apart.
type StepKind uint8

// Kinds of step.
const (
	StepNone   StepKind = iota // no step: Next returned an error that is about the host or the journal
	StepStop                   // hunting is over: Stop says why
	StepDial                   // dial Attempt, not before NotBefore
	StepWait                   // nothing may leave now: call Next again at Until
	StepRevive                 // nobody else can be taken: wait again for Attempt, which was abandoned for its silence (Reviver)
)

// String returns "none", "stop", "dial", "wait" or "revive".
func (k StepKind) String() string { return nameOf(k, "none", "stop", "dial", "wait", "revive") }

// Step is what a host is to do next with a call.
type Step struct {
	Kind      StepKind
	Attempt   *Attempt   // StepDial, StepRevive; lives in the Session, valid until it is ended
	NotBefore time.Time  // StepDial: the INVITE is spaced to here; zero or past = at once
	Until     time.Time  // StepWait
	Stop      StopReason // StepStop
}

// StopReason is why hunting is over.
type StopReason uint8

// Reasons to stop.
const (
	StopNone      StopReason = iota
	StopAnswered             // an attempt was answered
	StopVerdict              // the outcome forbids another attempt: busy, declined, blocked, no such number …
	StopProgress             // the callee may have heard it ring, on whichever leg, whatever came then
	StopExhausted            // every candidate was tried or refused
	StopAttempts             // as many attempts were made as the configuration allows
	StopNoRoute              // no attempt could be placed: the error is a *NoRouteError
	StopCancelled            // the caller gave up, the host ended the leg, or the Session was cancelled
	StopDeadline             // Call.Deadline has passed
)

// String returns the reason in lower case with underscores.
func (r StopReason) String() string {
	return nameOf(r, "none", "answered", "verdict", "progress", "exhausted", "attempts", "no_route", "cancelled",
		"deadline")
}

// AnswerAction is what a host is to do with a leg that was answered.
type AnswerAction uint8

// Actions on an answer.
const (
	AnswerEnd     AnswerAction = iota // acknowledge it and end it with BYE: it came too late
	AnswerConnect                     // connect the caller
)

// String returns "end" or "connect".
func (a AnswerAction) String() string { return nameOf(a, "end", "connect") }
