// Package failover says which of a call's candidates is next, which must rest, and whether hunting goes on after a
// failure.
//
// A [Selector] chooses among the candidates of a plan ([Selector.Pick]), judges how an attempt ended
// ([Selector.Judge], [Selector.Verdict]) and learns from what happens ([Selector.Observe]).
//
// # Who is next
//
// Tiers are used in their order: the lowest tier that has an eligible candidate that is up. Within a tier that has
// weights, turns are taken by Tijdeman's chairman assignment: while weights and the eligible set stand, the share of
// each of n ≥ 2 targets is never more than 1 − 1/(2n−2) calls from its weight, half a call for two. A target that is
// not eligible (tried already, full, out) saves nothing up, so it is not flooded when it returns. A pick that is not
// used ([Selector.Return]) is undone exactly. Credits belong to
// the tier's set of (trunk, weight), whatever the order of the candidates. Candidates of weight 0 in such a tier are
// taken in their order when none with a weight is left; a tier without any weight is kept in the router's order.
//
// # Who must rest
//
// Health is kept per trunk and, within it, per destination group (Call.Dest.Group), so that a partial outage moves
// only what is sick. A target needs no peers to be judged: it is ejected after k failures in a row, where k is such
// that a target failing at its baseline rate p0 is ejected falsely about once in 1/FalseAlarm runs:
// k = ⌈ln(1/FalseAlarm) / ln(1/p0)⌉, 6 for 10 % and 9 for 20 %. Hard evidence (silence, refused) takes a shorter
// count. Success is the first response beyond 100, an answer, or the callee's own outcome (busy, no answer,
// rejected): it is known when it happens, not at hang-up. Full trunks, bad numbers and cancelled calls say nothing
// about health.
//
//	up ──k failures──▶ out ──backoff over──▶ probing ──3 good──▶ up
//	                    ▲                       │
//	                    └───────one bad─────────┘
//	up ──503 with Retry-After──▶ suspended ──time over──▶ up
//
// An attempt counts once: at its first sign of success, where hunting moved on from it, or at its end. What an abandoned
// leg does later is no further evidence; but when its trunk asks to be left alone in the end, it is.
//
// While a target is probing, one live call at a time is sent to it, and only if the call has another target that is
// up to go on to. When no eligible target is up, one is tried all the same (outdial.WhyLastResort): resting the last
// one would lose the call for certain. An operator's hold (see [Selector.Observe]) is no matter of health and is kept
// even then.
//
// # When to stop
//
// An ordered table of [Rule] rows maps the facts of an [outdial.Result] to a verdict and to evidence about the target's
// health. Config.Rules are asked before [DefaultRules]. Q.850 goes before the SIP code where both are there, but for
// a 6xx, which counts as one also where it stands in a Reason header behind another status. A block
// ([outdial.Result.Blocked]) comes before any row: it stops, and says nothing about the carrier. What the callee decided
// is never retried.
//
// # What is on record
//
// For a call with a record ([outdial.Call.Record]): the "state" of every eligible candidate, and for each of the tier that
// was chosen from its "weight" and, where turns were taken, its "credit": what it is owed after the choice, in calls. The
// one that was chosen has given up one.
//
// A rehearsal (Engine.Explain) is answered like a call, and leaves no trace.
//
// # Restarts
//
// Health and holds are a fold over events: replaying the journal through Observe rebuilds them, with the times of
// the events. Credits start anew, which moves a share by at most one call.
//
// The package works with or without an outdial.Engine.
package failover
