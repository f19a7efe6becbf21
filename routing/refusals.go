package routing

import "github.com/outdial/outdial"

// Refusals of Admit, compared by identity.
var (
	// ErrDenied: the deny list names the number.
	ErrDenied = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "denied",
		"the number is on the deny list")
	// ErrUnassigned: no such country or area code is in service.
	ErrUnassigned = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "unassigned",
		"the country or area code is not in service")
	// ErrPremium: calling the number costs more than a call.
	ErrPremium = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "premium",
		"the number is a premium-rate number")
	// ErrTollFree: the callee would pay for the call.
	ErrTollFree = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "toll_free",
		"the number is toll-free: its owner would pay")
	// ErrWindow: it is outside the calling window in a time zone that the callee may be in, or the zones are unknown.
	// Asking again helps at the time that comes with it.
	ErrWindow = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "window",
		"outside the calling window in a time zone of the callee")
	// ErrBlackout: it is a day on which the callee is not called. Asking again helps at the time that comes with it.
	ErrBlackout = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "blackout",
		"it is a day on which nobody is called")
	// ErrSuppressed: the suppression list names the number.
	ErrSuppressed = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "suppressed",
		"the number is on the suppression list")
	// ErrSuppressionUnavailable: the suppression list did not answer, so nobody knows whether the call is lawful.
	ErrSuppressionUnavailable = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByFault, "suppression_unavailable",
		"the suppression list does not answer")
)

// Refusals of Route, compared by identity.
var (
	// ErrNoRule: no rule matches the call.
	ErrNoRule = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedNoRoute, "no_rule", "no rule matches the call")
	// ErrBlocked: the rule that matches the call refuses it.
	ErrBlocked = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "blocked",
		"the rule for the call blocks it")
	// ErrNoRate: every trunk of the rule stands in a least-cost tier and has no rate for the number.
	ErrNoRate = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedNoRoute, "no_rate",
		"no trunk has a rate for the number")
	// ErrAvoided: an override keeps the calls from every trunk that is left.
	ErrAvoided = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "avoided",
		"an override keeps the call from the trunk")
	// ErrPinned: an override pins the calls to a trunk that the rule does not give them.
	ErrPinned = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByPolicy, "pinned",
		"an override pins the call to another trunk")
	// ErrExposure: the caller-ID pool is under suspicion, and this call is among those that are held back for it.
	ErrExposure = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedCapacity, "exposure",
		"the caller-ID pool is under suspicion: fewer calls present it")
	// ErrNoTable: the Router holds no table.
	ErrNoTable = outdial.NewRefusal(outdial.StageRouting, outdial.RefusedByFault, "no_table", "no policy is in force")
)
