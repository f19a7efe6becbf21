package cli

import "github.com/outdial/outdial"

// Refusals of this package, compared by identity. Those of class capacity pass by themselves; the time that comes with
// them is the earliest instant at which the same question can get another answer, where it is known.
var (
	// ErrNoPool: no pool is configured for the call's program, or the candidate names one that does not exist.
	ErrNoPool = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "no_pool",
		"no pool of caller IDs for this program")
	// ErrForeignPool: the candidate's or campaign's pool belongs to another program.
	ErrForeignPool = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "foreign_pool",
		"the pool belongs to another program")
	// ErrNoNumber: the pool has no number in a state that allows presenting it, or none at all.
	ErrNoNumber = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "no_number",
		"no number of the pool may be presented")
	// ErrCarrier: no number of the pool is accepted by the candidate's carrier.
	ErrCarrier = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "carrier",
		"no number of the pool is accepted by this carrier")
	// ErrRight: the numbers that could be presented have no recorded right to use, or it has expired.
	ErrRight = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "right",
		"no unexpired right to use is on record")
	// ErrCallback: of the numbers that could be presented no test says that calls back arrive (CountryRule.CallbackOnly).
	ErrCallback = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "callback",
		"no number was tested for calls back in time")
	// ErrCaps: every number that could be presented has reached a cap.
	ErrCaps = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedCapacity, "caps",
		"every number has reached a cap")
	// ErrSticky: the callee knows a number that may not be presented now, and must not see another one.
	ErrSticky = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedCapacity, "sticky",
		"the number that the callee knows may not be presented now")
	// ErrCallee: the program has called this callee as often as it may.
	ErrCallee = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "callee",
		"the callee was called as often as it may be")
	// ErrSuppressed: the callee did not want the call, or it was blocked on the way.
	ErrSuppressed = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "suppressed",
		"the callee is suppressed for this program")
	// ErrSilence: the callee is left alone for a time, after a conversation or an abandoned call.
	ErrSilence = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "silence",
		"the callee is left alone for a time")
	// ErrSuppressionUnknown: the suppression list cannot be read.
	ErrSuppressionUnknown = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByFault, "suppression_unknown",
		"the suppression list cannot be read")
	// ErrForeignTenant: the pool is another tenant's.
	ErrForeignTenant = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByPolicy, "foreign_tenant",
		"the pool belongs to another tenant")
	// ErrQuota: the tenant has used up its quota.
	ErrQuota = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedCapacity, "quota",
		"the tenant's quota is used up")
	// ErrLedger: the Ledger cannot tell whether a use is allowed.
	ErrLedger = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByFault, "ledger",
		"the ledger of uses cannot be asked")
	// ErrCalleeMemory: MaxCallees callees were called within the longest callee window; counting another one would
	// forget one of these.
	ErrCalleeMemory = outdial.NewRefusal(outdial.StageCLI, outdial.RefusedByFault, "callee_memory",
		"no room to count another callee")
)
