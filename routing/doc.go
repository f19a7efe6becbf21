// Package routing says which trunks may carry a call, in what order, and what it would cost, and whether the
// callee may be called now as far as that is a rule.
//
// A [Policy] is data: trunks, rate decks, rules, deny lists, calling windows. [Compile] checks all of it and makes a
// [Table], which is immutable and answers without locks and without allocating. A [Router] holds the table in force
// and lets it be replaced while calls are routed. [Lint] names what is valid but hardly meant.
//
// # Which rule
//
// Exactly one rule routes a call: the most specific one that matches it. Rules are compared in this order, and the
// first difference decides:
//
//  1. Whose call it is. A rule that names the call's campaign comes before one that does not; then likewise
//     program, tenant, tag, and mode. So a rule of a campaign is never taken over by a rule for everybody, however
//     long the prefix of the latter.
//  2. The destination: the longer prefix.
//  3. The conditions beside: a rule that wants several tags at once comes before one that does not; then likewise the
//     terminating network, the callee-local day-part, a caller-ID pool under suspicion, dates.
//  4. The order in which the rules are written: the earlier one.
//
// This is the order of operators' switches, where a customer or campaign has a routing plan and the longest match
// counts within it. A call for which the rules of its campaign have no prefix falls back to the less specific
// rules; a rule with Block set (a stopper) keeps it from that.
//
// # What a rule gives
//
// Tiers of trunks; the trunks of a tier are tried before those of the next one. The strategy of a tier is its order:
// as written ("priority"), by shares ("weighted", for failover to take turns by), by cost ("least-cost"), by what is known of
// each trunk's success ("quality"), or by both ("cost-per-contact": see [Success]). Least cost compares the cost of a typical
// call, billing increments and set-up fee included, at the rate that each trunk's own deck has for the longest prefix of the
// number ("per-carrier-lpm"); with "global-lpm" only trunks count whose deck has the longest prefix that any trunk of the
// tier has. A trunk whose deck has no rate for the number in force is left out of a least-cost tier, as nobody knows
// what the call would cost.
//
// Whatever the strategy, a trunk without room (CompileConfig.Headroom) or out (Health) stands last in a tier with a fixed
// order, one over its share of a market ([Cap]) behind all others; a volume that is paid for ([Commit]) costs nothing; the price of a
// burst and the fees for short calls count as cost; a pool of caller IDs under suspicion is presented on fewer calls (Risk).
// An [Override] avoids, penalises, prefers, pins or forces a trunk or a carrier for some calls until it expires.
//
// # What is learned
//
// A [Router] is told of events and folds them: what exploring took, shares, minutes, overrides. A cost-per-contact tier uses a
// bounded share of the calls and of money to learn ([Exploration]), marks their first candidate with Explore, and says with
// what probability it came first (Propensity). The draws depend on the call's id, number and time alone, and all that was
// read is in the call's Record: [Table.Replay] decides it again, from the JSON of an explanation too
// (outdial.Explanation.Recall). Without an engine, give calls an ID of their own.
//
// What was learned survives a restart: Save in Engine.Checkpoint, Restore before Engine.RecoverFrom.
//
// # What is refused
//
// Before routing, Admit refuses numbers on the deny list, premium, toll-free and unassigned numbers unless they are
// allowed, callees whose clocks do not all show a time within the calling window of the program or show a day of a blackout,
// and numbers that a suppression list names. A suppression list that does not answer refuses.
//
// Both work without an Engine: the caller fills Call.Dest from an outdial.NumberingPlan and asks Admit and Route.
package routing
