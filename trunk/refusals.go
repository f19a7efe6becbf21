package trunk

import "github.com/outdial/outdial"

// Refusals of this package, compared by identity. ErrChannels and ErrCPS pass by themselves.
var (
	// ErrChannels: as many channels are in use as the limit allows, or more after it was lowered.
	ErrChannels = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "channels", "no free channel")
	// ErrCPS: one more call now would exceed the calls per second.
	ErrCPS = outdial.NewRefusal(outdial.StageTrunk, outdial.RefusedCapacity, "cps", "calls per second are used up")
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
