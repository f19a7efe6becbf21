// Package cli governs caller-ID pools: which number may be presented to this callee, for this program, on this
// trunk. CLI is Calling Line Identification (ITU-T I.251.3), the caller ID.
//
// A [Governor] holds the inventory, the pools that programs present from, and the counts. It implements
// [outdial.CLIs]; it is as useful alone, in front of a dialer or switch of one's own:
//
//	p, again, err := governor.Reserve(now, &call, &candidate, 0) // counts at once
//	// present p.Number …
//	governor.Release(now, p.Lease) // when the call is over; Undo if nothing left the host
//
// # What holds
//
//   - A number is presented only while it is in the inventory, in a state that allows it, with a recorded right to use
//     that has not expired. Everything else fails closed.
//   - A number is in one pool, a pool serves one program, and a program's calls present from its own pools only,
//     also when these are used up: then the call is refused.
//   - Caps are exact in every sliding window, never per calendar day, and never exceeded, however many goroutines ask.
//     A use counts from Reserve, before the INVITE leaves. A crash can only over-count.
//   - A number with room under its caps is granted: no refusal while a number of the pool is eligible, and none is
//     passed over for ever, because the number that has waited longest goes first.
//   - A callee gets the number that the program presented to it before; within a day of a call, and after a conversation,
//     that or none (see [Sticky]).
//   - A number that decays, is labelled or blocked is found among its peers and rested at once, with the figures (see
//     [Lifecycle]); where many look bad at once it is the list or the carrier, and they are not swapped out.
//   - A callee who said "unwanted" (607), or whose call an analytics engine blocked (603+, 608), in the status or in a
//     Reason header behind another one, is not called again by that program, from whatever number, until an operator
//     lifts it.
//   - A clock that steps backwards holds time still.
//
// # Choice of a number
//
// First the number of the call's earlier attempt; then the one that the callee knows (see [Sticky]); then tiers of
// nearness: the callee's exchange (North American numbers), its rate centre, its area code, areas that overlay it or border
// on it, its region, its country, any number of the pool. A region can have a budget. Within a tier the number goes first
// that has been eligible and unused the longest, times its weight: numbers under suspicion, and those that the carrier
// is not expected to sign with full attestation, come later. Eligible numbers stand in linked queues, one for
// those that agree in area, rate centre, region, country and set of carriers, and the queues in a heap for each tier, by how long
// the number at the head has rested; a number that reaches a cap leaves its queue and is found again by the
// instant at which the window lets go of it. So Reserve takes the same time for ten numbers and for a million: no number is
// scanned that cannot be presented, and a choice touches two numbers beside the one that is chosen. Queues were preferred to sampling because their choice is
// deterministic, so that a decision can be replayed, and because nothing in them can starve.
//
// # Facts
//
// What the governor knows is a fold over events, given to Observe: a replayed Started counts the use at its time,
// an Ended takes it back if the attempt was never sent, and may suppress a callee; Ended and Labelled move numbers through
// their [Lifecycle], alike live and in a replay; Disposed tells of conversations; and these Control actions are known
// (CheckControl refuses those that would do nothing):
//
//	cli.quarantine   Target: number   rest it at once, until Expires (zero = until released)
//	cli.release      Target: number   end the quarantine that a Control or the Lifecycle began
//	cli.state        Target: number, Value: state   move it; there is no way out of released
//	cli.complaint    Target: number   somebody complained about a call from it
//	cli.attested     Target: number, Value: "A carrier"   a test call showed how the carrier signed it (A, B, C, none)
//	cli.suppress     Target: callee's number, Value: program   do not call it again, until Expires
//	cli.unsuppress   Target: callee's number, Value: program   lift a suppression
//
// # Memory
//
// A number takes 4 bytes for each use that its greatest cap counts, and about 180 more with its queue, indexes and
// conduct: 576 at 100 a day (BenchmarkMemory). A callee takes less than 40 bytes at three calls a day, under a keyed hash (AES-CMAC) of its
// number, not the number; [Config].MaxCallees bounds how many a program remembers. A number that leaves the configuration
// keeps its counts until the process ends, so that leaving and returning resets nothing.
package cli
