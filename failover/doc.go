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
// used ([Selector.Return]) is undone exactly. Credits belong to the tier's set of (trunk, weight), whatever the order of the
// candidates. Candidates of weight 0 in such a tier are taken in their order when none with a weight is left; a tier without
// any weight is kept in the router's order. While the same targets usually take part, their turns repeat, and a choice is one
// step of a counter without a lock. Calls that hunt on among others have turns of their own meanwhile, and cost those none.
//
// Four things come before a turn, in this order. An operator's flip ([Flip]) sends a share of the calls to trunks of his
// choice. A target that may be back is probed. A share of each destination group's calls (Config.KeepWarm) keeps the
// standbys warm, those candidates that would have no turn: one call in every 20, never a gap of more (or of one more, where an
// order or a probe has taken that call), whatever share health leaves them. And a candidate whose typical time to the first 18x does not fit into the call's deadline is skipped.
//
// # Who must rest
//
// Health is kept per trunk and, within it, per destination group (Call.Dest.Group), so that a partial outage moves
// only what is sick: failures of one group eject that group, silence or failures of several (two in a row that are of others, or
// one in four of a run) eject the trunk. A target
// needs no peers to be judged. It is ejected by a sequential test against its own baseline failure rate, which it learns
// from its last calls (Config.Baseline is where it begins): k failures in a row, where k is such that a target failing at its
// baseline p₀ is ejected falsely about once in 1/FalseAlarm calls, 6 for 10 % and 9 for 20 %, which finds total death; and a
// cumulative sum with the same rate of false alarms, which finds one that fails half of its calls. Hard evidence (silence,
// refused) takes a shorter row, and the first of it already makes calls go elsewhere, all but one at a time; a 100 Trying ends
// such a row. Success is the first response beyond 100, an answer, or the callee's own outcome (busy, no answer, rejected): it
// is known when it happens, not at hang-up. Full trunks, bad numbers, blocked caller IDs and cancelled calls say nothing about
// health.
//
//	up ◀──▶ suspect ──evidence──▶ out ──backoff over──▶ probing ──3 good, 10 s──▶ ramping ──30 s──▶ up
//	                               ▲                       │                         │
//	                               └───────one bad─────────┴────────evidence─────────┘
//	up ──503 with Retry-After──▶ suspended ──time over──▶ up
//
// An attempt counts once: at its first sign of success, where hunting moved on from it, or at its end. What an abandoned
// leg does later is no further evidence; but when its trunk asks to be left alone in the end, it is, and so is the sign of
// success of one that hunting came back to (outdial.StepRevive).
//
// While a target is probing, one live call at a time is sent to it, and only if the call has another target that is
// up to go on to. One that is back gets the keep-warm share first, and all of its share after Config.Ramp. Two things damp a
// carrier that flaps: each state lasts Config.Dwell, and two returns are Config.Flap apart, at least. When no
// eligible target is up, one is tried all the same (outdial.WhyLastResort): resting the last one would lose the call for
// certain. An operator's hold ([ActionHold]) is no matter of health and is kept even then.
//
// Where the host sends OPTIONS ([Selector.DuePings], [Selector.Pinged]), a trunk that was ejected is asked with them, not with
// calls: the first probe goes after two good answers. An idle trunk that gives three bad answers is out before a call meets
// it. Where nobody has pinged for a minute, calls tell again. Where the host gives it the figures of kpi ([Signals]), a target
// with poor ones gets the keep-warm share.
//
// # Operators
//
// Orders are outdial.Control events: hold and release, flip, drill and revert, launch, pass and fail ([ActionHold] and so on). A
// flip may grow over a time. A drill is a flip that ends by itself and leaves a report ([Selector.Drills]). A trunk that is
// launched is held to tighter thresholds for 72 hours; one that is gated ([Trunk]) takes no call until a test of it was
// passed. [Selector.Lint], [Selector.Alarms] and [Selector.Incidents] return what an operator should know; nothing
// is ever fired.
//
// # When to stop
//
// An ordered table of [Rule] rows maps the facts of an [outdial.Result] to a verdict and to evidence about the target's
// health, and to what it has run out of. Rows for a route go before those for a carrier ([Override]), these before
// Config.Rules, and these before [DefaultRules]. Rows that ask for a [Header] need whoever dials to keep it:
// [Selector.Headers]. Q.850 goes before the SIP code where both are there, but for a 6xx, which counts as one also where it
// stands in a Reason header behind another status. A block ([outdial.Result.Blocked]) comes before any row: it stops, and is
// booked to the caller ID, not to the carrier. What the callee decided is never retried.
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
// Health, baselines, incidents, holds, tests, flips, drills and their reports are a fold over events: replaying the journal
// through Observe rebuilds them, with the times of the events. A flip or drill that has expired meanwhile is over. A Selector
// that is saved in Engine.Checkpoint ([Selector.Save]) and restored ([Selector.Restore]) needs only the events behind that, so
// that a journal which forgets old events loses no standing order. Credits start anew, which moves a share by at most one call.
// What OPTIONS and signals said is asked anew.
//
// The package works with or without an outdial.Engine.
package failover
