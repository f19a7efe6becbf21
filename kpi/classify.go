package kpi

import "github.com/outdial/outdial"

// Classify gives the outcome class of one leg and the fact that decided it. It is a pure function of the attempt's
// facts (Timeline, Result, Abandoned), the same live and in replay, and reads nothing else.
//
// Precedence, strongest first:
//
//  1. A 2xx (Timeline's MarkAnswer): ClassAnswer, also for a late answer.
//  2. OriginNeverSent: nothing left the host, so nobody is to blame. ClassLocalLimit when the host said so by
//     Code 503 or by a Q.850 cause of congestion, else ClassNeverSent.
//  3. An analytics block or a callee's "unwanted", which the network names in so many words (outdial.Result.Blocked):
//     607 is ClassReject, everything else ClassPolicyBlock.
//  4. What the host did, where the final response is a 487 to its own CANCEL and repeats that, with whatever cause:
//     the origin, who ended it or which timer; of a leg that was abandoned, the origin of Abandoned, why hunting moved
//     on, and that also where no final response came at all.
//  5. The Q.850 cause with its location (RFC 3326, RFC 6432, RFC 8606), unless it says nothing (16 normal clearing,
//     26, 30, 31 unspecified).
//  6. The SIP status.
//  7. The origin.
//
// Alerting means a 180. A 183 is not ringing (RFC 3398 §7.2.5, RFC 3960 §3.2), even with early media.
//
// The reason for 5 before 6: a leg that nobody answered is 19 in the ISDN, 480 after one interworking (RFC 3398
// §7.2.4.1), 18 after the next, then 408, 102 and 504; by status alone a person who did not pick up turns into a
// network failure.
func Classify(a *outdial.Attempt) (Class, ClassifiedBy) {
	r := &a.Result
	if a.Answered() {
		return ClassAnswer, ByAnswer
	}
	if r.Origin == outdial.OriginNeverSent {
		if r.Code == 503 || causeClass(r.Cause.Value) == ClassCongestion {
			return ClassLocalLimit, ByOrigin
		}
		return ClassNeverSent, ByOrigin
	}
	alerted := a.Timeline[outdial.MarkRinging] != 0
	if c, ok := namedBlock(r); ok {
		return c, ByStatus
	}
	if a.WasAbandoned() && a.Abandoned.Origin != outdial.OriginUnknown {
		if r.Code == 0 || r.Code == 487 {
			return byOrigin(a.Abandoned.Origin, alerted)
		}
	} else if r.Code == 487 && cancelled(r.Origin) {
		return byOrigin(r.Origin, alerted)
	}
	if c, ok := byCause(r, alerted); ok {
		return c, ByCause
	}
	if c, ok := byStatus(r.Code, alerted); ok {
		return c, ByStatus
	}
	return byOrigin(r.Origin, alerted)
}

// namedBlock finds the outcomes of RFC 8197, RFC 8688 and ATIS-1000099, whether they are the status or were kept in
// a Reason header behind another one. 607 is the callee's own word.
func namedBlock(r *outdial.Result) (Class, bool) {
	switch {
	case !r.Blocked():
		return ClassUnknown, false
	case (r.Code == 607 || r.SIPCause == 607) && r.Code != 608 && r.SIPCause != 608:
		return ClassReject, true
	}
	return ClassPolicyBlock, true
}

// cancelled reports whether the host itself ended the leg before an answer, so that a 487 is an echo.
func cancelled(o outdial.Origin) bool {
	switch o {
	case outdial.OriginCaller, outdial.OriginNoTrying, outdial.OriginNoProgress, outdial.OriginNoAnswer,
		outdial.OriginCallerHangup, outdial.OriginMediaLoss, outdial.OriginHost:
		return true
	}
	return false
}

// byCause reads the Q.850 cause. 18 and 21 need more than their value.
func byCause(r *outdial.Result, alerted bool) (Class, bool) {
	switch r.Cause.Value {
	case 18: // no user responding: the telephone rang unanswered, or never responded to paging
		if alerted {
			return ClassNoAnswer, true
		}
		return ClassAbsent, true
	case 21: // call rejected: by whom is in the location; without one 603 says that it was the user
		if r.Cause.Location == outdial.LocationUser ||
			r.Cause.Location == outdial.LocationUnknown && r.Code == 603 {
			return ClassReject, true
		}
		return ClassPolicyBlock, true
	}
	c := causeClass(r.Cause.Value)
	return c, c != ClassUnknown
}

// byStatus reads the SIP status. A redirection that nobody followed says nothing about the callee, but it is an
// outcome: it gives ClassUnknown and true.
func byStatus(code uint16, alerted bool) (Class, bool) {
	switch {
	case code == 480: // RFC 3261 §21.4.18: the callee is not available; after alerting, did not answer
		if alerted {
			return ClassNoAnswer, true
		}
		return ClassAbsent, true
	case code == 408: // RFC 3398 maps 18 to it; without alerting it is a timeout inside the network
		if alerted {
			return ClassNoAnswer, true
		}
		return ClassNetworkFailure, true
	case code == 487: // not to our CANCEL: somebody in between gave up
		return ClassUnknown, true
	case code >= 300 && code <= 699:
		return statusClass(code), true
	}
	return ClassUnknown, false
}

func byOrigin(o outdial.Origin, alerted bool) (Class, ClassifiedBy) {
	switch o {
	case outdial.OriginUnknown:
		return ClassUnknown, ByNothing
	case outdial.OriginNoAnswer:
		return ClassNoAnswer, ByOrigin
	case outdial.OriginNoTrying, outdial.OriginNoProgress, outdial.OriginTransport:
		return ClassNetworkFailure, ByOrigin
	case outdial.OriginCaller, outdial.OriginCallerHangup, outdial.OriginHost:
		if alerted {
			return ClassAbandonRinging, ByOrigin
		}
		return ClassAbandonEarly, ByOrigin
	}
	return ClassUnknown, ByOrigin
}
