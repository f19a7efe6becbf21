package outdial

import "errors"

// Stage is a place in the chain of decisions that can read a value, refuse, or choose.
type Stage uint8

// Stages in the order in which they act.
const (
	StageEngine Stage = iota
	StageNumbering
	StageRouting
	StageFailover
	StageTrunk
	StageCLI
	StageJournal
	StageCount // number of stages, not a stage
)

// String returns "engine", "numbering", "routing", "failover", "trunk", "cli" or "journal".
func (s Stage) String() string {
	return nameOf(s, "engine", "numbering", "routing", "failover", "trunk", "cli", "journal")
}

// RefusalClass groups refusals by what a host can do about them.
type RefusalClass uint8

// Classes of refusal.
const (
	RefusedByPolicy RefusalClass = iota // this call may not be placed; asking again does not help
	RefusedCapacity                     // there is no room now; asking later may help
	RefusedNoRoute                      // nothing leads there
	RefusedByFault                      // something that the decision needs is not working
)

// String returns "policy", "capacity", "no_route" or "fault".
func (c RefusalClass) String() string { return nameOf(c, "policy", "capacity", "no_route", "fault") }

// Refusal is why a stage did not take a call or a candidate. Packages declare their refusals as variables,
// compared by identity (errors.Is), and return them as errors without allocating. Code is stable and is what
// stands in the journal, in metrics and in an explanation.
//
// A Refusal is immutable and safe for concurrent use.
type Refusal struct {
	stage Stage
	class RefusalClass
	code  string
	text  string
}

// NewRefusal declares a refusal: code in lower case with underscores, text for people. It is meant for
// package-level variables.
func NewRefusal(stage Stage, class RefusalClass, code, text string) *Refusal {
	return &Refusal{stage: stage, class: class, code: code, text: text}
}

// Error returns the stage, a colon and the text.
func (r *Refusal) Error() string { return r.stage.String() + ": " + r.text }

// Stage returns who refused.
func (r *Refusal) Stage() Stage { return r.stage }

// Class returns what a host can do about it.
func (r *Refusal) Class() RefusalClass { return r.class }

// Code returns the stable short form.
func (r *Refusal) Code() string { return r.code }

// Refusals of the engine itself.
var (
	// ErrNoCallee: the call has no valid callee number.
	ErrNoCallee = NewRefusal(StageEngine, RefusedByPolicy, "no_callee", "the call has no valid callee number")
	// ErrDeadline: the trunk would let the attempt leave at the call's deadline or later.
	ErrDeadline = NewRefusal(StageEngine, RefusedByPolicy, "deadline", "the attempt could not start before the call's deadline")
	// ErrNoCandidates: the router knows no trunk for the call.
	ErrNoCandidates = NewRefusal(StageRouting, RefusedNoRoute, "no_candidates", "no trunk may carry this call")
	// ErrNotOffered: failover let the candidate rest.
	ErrNotOffered = NewRefusal(StageFailover, RefusedCapacity, "not_offered", "the candidate rests")
)

// refusalOf finds the Refusal in err, or nil. The plain case is asked for first, because errors.As allocates.
func refusalOf(err error) *Refusal {
	if r, ok := err.(*Refusal); ok { //nolint:errorlint // the wrapped case follows
		return r
	}
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// classOf is the class of a refusal; any other error is a fault.
func classOf(err error) RefusalClass {
	if r := refusalOf(err); r != nil {
		return r.class
	}
	return RefusedByFault
}

// stageOf is who issued a refusal; the engine, for any other error.
func stageOf(err error) Stage {
	if r := refusalOf(err); r != nil {
		return r.stage
	}
	return StageEngine
}

// codeOf is the code of a refusal; "error" for any other error.
func codeOf(err error) string {
	if r := refusalOf(err); r != nil {
		return r.code
	}
	return "error"
}
