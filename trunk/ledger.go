package trunk

import (
	"context"
	"time"
)

// Ledger hands out shares of limits that several nodes have in common, so that their sum never exceeds the limit. It is kept
// somewhere that all nodes reach: in memory (MemoryLedger, for one process), in Redis, in a quorum.
//
// What every implementation keeps, and package ledgertest checks:
//
//   - The shares of a trunk that are in force, and what is held for nodes that were lost, never exceed its limit together,
//     unless the limit itself was lowered: then nothing is granted until they are within it again.
//   - A share is a lease: it ends at TTL after the renewal that granted it. A lease that has ended is not a call that has
//     ended: the calls of a node that stalled, or was cut off, may go on without it. So what it had stays reserved for
//     Hold after that (an orphan), and only then is lent again. A node that renews takes its own orphan back.
//   - A node shrinks before it says so: Claim.Channels is what it will keep to from before the claim was made. The ledger
//     never grants less than that while the lease lasts, whatever it thinks is in use: more may have been taken while the
//     claim was on its way. It asks for a part back with Grant.Target, and gets it with a later claim.
//   - A node grows after it was told: what is granted counts from when the ledger decides, not from when the reply arrives.
//   - Calls per second that are given back, or whose lease ended, are lent no earlier than a second later, for the second in
//     which they were used is not over.
//   - Time is what the ledger itself reads, or the latest Claim.Time where it has no clock; a clock that steps back ends
//     nothing early. A node counts its lease from before it sent the claim, and stops at nine tenths of it.
//
// When the ledger is away, a node keeps its share until the lease ends, and goes on as Share.Policy says. What a ledger
// loses (a fail-over to a replica that lags) it must not lend: after a change of Epoch it grants what nodes claim to have,
// and no more, for one TTL.
//
// A Ledger is safe for concurrent use.
type Ledger interface {
	// Renew takes a claim and returns the share. An error changes nothing for the node: its lease runs on.
	Renew(ctx context.Context, c Claim) (Grant, error)
}

// Watcher is a Ledger that can tell when it is worth while to renew before time: a share was given back, or asked for.
type Watcher interface {
	// Watch calls changed with the name of a trunk until ctx is done, and returns why it ended. It may miss changes.
	Watch(ctx context.Context, changed func(trunk string)) error
}

// Claim is what a node says of one trunk when it renews its share. It is a plain value.
type Claim struct {
	Trunk string
	Node  string    // another one in every incarnation of a process
	Time  time.Time // when the claim was made

	TTL  time.Duration // for which the share is asked
	Hold time.Duration // for which an ended lease stays reserved: as long as calls may go on without their node

	Limit     int // channels of the whole trunk; -1 = no limit
	CPS       int // calls per second of the whole trunk; -1 = no limit
	Nodes     int // nodes that are expected
	Floor     int // channels that each of them may use without a lease, and that are never lent (see FailFloor)
	RateFloor int // the same for calls per second
	Channels  int // channels that the node keeps to by itself from now on; at least those in use
	Want      int // channels that it could use
	Rate      int // calls per second that it keeps to
	WantRate  int
}

// Grant is the answer to a Claim.
type Grant struct {
	Channels int    // at least Claim.Channels
	Rate     int    // calls per second
	Target   int    // what the node is asked to come down to, when others want their part; = Channels when nobody does
	RateTo   int    // the same for calls per second
	Epoch    uint64 // another one when the ledger may have forgotten something
}
