package outdial

import "time"

// The stages that the engine consumes. Each of routing, failover, trunk and cli implements one of them; so can a
// host. A nil stage is off (see Config). Methods are called from many goroutines at once, must not block, must
// not allocate in the ordinary case, and get the time as an argument: the same now for one decision.
//
// Verbs that take something follow one convention: they return a hold on success, or an error (a *Refusal as a
// rule) and the time at which asking again may help; the zero time means "not known". Every take has an undo for
// the case that nothing left the host, which gives everything back as if it had not been asked.

// Router says which trunks may carry a call, and how much each is wanted. *routing.Router is one, Plan another.
type Router interface {
	// Admit says whether the callee may be called now, as far as that is a rule: deny lists, calling windows,
	// suppression. nil = yes.
	Admit(now time.Time, call *Call) (again time.Time, err error)

	// Route appends the candidates for call to dst, best tier first, and returns the result. None is not an
	// error. It does not keep dst.
	Route(now time.Time, call *Call, dst []Candidate) ([]Candidate, error)
}

// Failover chooses among the candidates of a plan, and says after a failure whether to go on.
// *failover.Selector is one.
type Failover interface {
	// Pick returns the index in plan of the candidate whose turn it is, among those whose bit is set in eligible
	// (bit i stands for plan[i]; at least one is set), and how it was chosen. It stays within the lowest tier
	// that has an eligible candidate, unless health says otherwise. -1 = none may be tried now; Choice.Again says when.
	Pick(now time.Time, call *Call, plan []Candidate, eligible uint64) (int, Choice)

	// Return undoes a Pick whose candidate was refused by a later stage, so that it costs the target no turn.
	Return(now time.Time, call *Call, plan []Candidate, eligible uint64, picked int, choice Choice)

	// Verdict says whether hunting goes on after an attempt that was abandoned or ended without an answer, by its
	// Outcome. That nothing is retried after an answer is the engine's
	// rule, and so is that nothing is after ringing, unless the verdict is VerdictReroute.
	Verdict(a *Attempt) Verdict

	Observer
}

// Verdict is whether hunting goes on.
type Verdict uint8

// Verdicts. The zero value stops: going on is what needs a reason, since it may ring the callee again. To redirect and to
// authenticate is the dialer's: it asks again within the attempt where it may (an allow-listed contact, credentials that
// fit). Where it has not, hunting goes on as with VerdictAdvance.
const (
	VerdictStop         Verdict = iota
	VerdictAdvance              // unless the callee may have heard it ring
	VerdictReroute              // even then: for carriers that fake ringing
	VerdictRedirect             // the carrier names another contact (3xx)
	VerdictAuthenticate         // the carrier asks for credentials (401, 407)
)

// String returns "stop", "advance", "reroute", "redirect" or "authenticate".
func (v Verdict) String() string {
	return nameOf(v, "stop", "advance", "reroute", "redirect", "authenticate")
}

// advances reports whether hunting goes on, unless the callee may have heard it ring.
func (v Verdict) advances() bool { return v != VerdictStop && v <= VerdictAuthenticate }

// Trunks says whether a trunk has room, and holds it. *trunk.Set is one.
type Trunks interface {
	// Acquire takes a channel on the candidate's trunk.
	Acquire(now time.Time, call *Call, c *Candidate) (l Lease, again time.Time, err error)

	// Seize counts the call against the trunk's calls per second. The INVITE may leave at notBefore (zero or
	// past = at once). On an error, the same value says when asking again may help; the channel stays held.
	Seize(now time.Time, call *Call, c *Candidate, l Lease) (notBefore time.Time, err error)

	// Release gives the channel back when the leg is over. Releasing twice, or a stale lease, does nothing.
	Release(now time.Time, l Lease)

	// Undo gives the channel back, and the seizure if there was one, when nothing left the host.
	Undo(now time.Time, l Lease)

	Observer
}

// Queuer is a Trunks that keeps a call's place while the call waits for the time at which it was told to ask again. The
// engine tells it when the call will not ask: it was dialled elsewhere, it was cancelled, or that time is too far off.
type Queuer interface {
	// Leave gives the place of call on the candidate's trunk up. Without a place it does nothing.
	Leave(now time.Time, call *Call, c *Candidate)
}

// CLIs chooses the caller ID to present and counts its use. *cli.Governor is one.
type CLIs interface {
	// Admit says whether the callee may be called now, as far as that is a count: attempts per callee and
	// program. nil = yes.
	Admit(now time.Time, call *Call) (again time.Time, err error)

	// Reserve chooses a number for the candidate and counts its use. prev is the number presented on the call's
	// earlier attempt, 0 if there was none: a callee should see one number, not several.
	Reserve(now time.Time, call *Call, c *Candidate, prev Number) (p Presentation, again time.Time, err error)

	// Release ends the concurrent use of the number when the leg is over; the use stays counted. Releasing twice,
	// or a stale lease, does nothing.
	Release(now time.Time, l Lease)

	// Undo takes the count back, when nothing left the host.
	Undo(now time.Time, l Lease)

	Observer
}

// Numbering looks a callee's number up. *NumberingPlan is one.
type Numbering interface {
	Locate(now time.Time, to Number) Destination
}

// Networks looks up the terminating network of a callee's number, number portability included: by its location routing
// number (LRN), an operating company number (OCN) or whatever the source knows. *NetworkTable is one.
//
// The look-up is a part of Begin: it must not wait for a network or a disk. A source that is slow answers from what it
// has, with 0 for what it does not know yet.
type Networks interface {
	Network(now time.Time, to Number) NetworkID
}

// Advancer is a stage or an observer that has something to do later: expire, reclaim, probe. Engine.Run calls
// Advance when the time that it returned last has come, and after a while when it returned the zero time.
type Advancer interface {
	Advance(now time.Time) (next time.Time)
}

// ControlChecker is a stage or an observer that knows some actions. Engine.Control asks every one before it
// journals: an error refuses the change, which then changes nothing. Actions that it does not know give nil.
type ControlChecker interface {
	CheckControl(now time.Time, c *Control) error
}

// Journal keeps events. *cdr.Journal (package kpi/cdr) is the implementation that ships.
type Journal interface {
	// Append writes ev and sets its Seq. When it returns nil, the event survives the death of the process (and of
	// the machine, where the implementation says so). After an error the event must not come up in a replay: an
	// implementation that cannot take back what it wrote fails for good. Safe for concurrent use.
	Append(ev *Event) error

	// Replay calls fn for every event with a Seq greater than after, in order, with Replay set, until fn returns
	// an error, which it passes on. The event is valid until fn returns.
	Replay(after uint64, fn func(*Event) error) error
}

// Plan is a Router that gives every call the same candidates. It is for hosts that route themselves.
type Plan []Candidate

var _ Router = Plan(nil)

// Admit implements Router: every call is admitted.
func (Plan) Admit(time.Time, *Call) (time.Time, error) { return time.Time{}, nil }

// Route implements Router with the candidates of p in their order.
func (p Plan) Route(_ time.Time, _ *Call, dst []Candidate) ([]Candidate, error) {
	return append(dst, p...), nil
}
