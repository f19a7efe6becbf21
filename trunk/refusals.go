package trunk

import "github.com/outdial/outdial"

// Refusals of this package, compared by identity. Those of class capacity pass by themselves.
var (
	// ErrChannels: as many channels are in use as the ceiling allows, or more after it was lowered.
	ErrChannels = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "channels", "no free channel")
	// ErrCPS: one more call now would exceed the calls per second.
	ErrCPS = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "cps", "calls per second are used up")
	// ErrFloor: the channels that are free are kept free for the floors of others.
	ErrFloor = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "floor",
		"the free channels are guaranteed to others")
	// ErrReservation: the channels that are free are reserved for calls of a higher priority.
	ErrReservation = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "reservation",
		"the free channels are reserved for higher priorities")
	// ErrQuota: the call's tenant uses as much of the trunk as its quota allows.
	ErrQuota = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "quota", "the tenant's quota is used up")
	// ErrBurstBudget: the base is used up, and the burst window is over or the day's burst budget is spent.
	ErrBurstBudget = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "burst_budget",
		"no free channel, and no burst left")
	// ErrLearned: the ceiling that the carrier's rejections have taught is reached, below the contracted one.
	ErrLearned = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "learned_ceiling",
		"the carrier has refused more calls than are up")
	// ErrCanary: the trunk is on trial, and carries as many calls as that allows.
	ErrCanary = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "canary",
		"the trunk is on trial with few calls")
	// ErrShare: the share of the trunk that this node was granted is used up, or its lease has ended.
	ErrShare = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "share", "this node's share is used up")

	// ErrStaged: the trunk is not yet in service.
	ErrStaged = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedNoRoute, "staged", "the trunk is not yet in service")
	// ErrDraining: the trunk keeps its calls and takes no new ones.
	ErrDraining = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedNoRoute, "draining", "the trunk is draining")
	// ErrOut: the trunk is out of service.
	ErrOut = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedNoRoute, "out", "the trunk is out of service")
	// ErrUnknownTrunk: the configuration in force has no such trunk.
	ErrUnknownTrunk = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedByFault, "unknown_trunk",
		"the trunk is not configured")
	// ErrStaleLease: Seize was called with a lease that was given back or reclaimed.
	ErrStaleLease = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedByFault, "stale_lease",
		"the channel was given back or reclaimed before the call was counted")
)
