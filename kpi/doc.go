// Package kpi says what happened to outbound calls, by definition, in a sliding window, and how sure one can be.
//
// [Classify] turns the facts of one leg into one outcome [Class]: a pure function of the attempt, with the Q.850
// cause before the SIP status before the timers, so that a telephone that rang unanswered does not turn into a
// network failure on its way through two gateways.
//
// [Meter] observes events and keeps [Cell]s, one per [Key] of each configured [View] (all traffic, a trunk, a trunk
// and a destination group, …): counts, and [Sketch]es of post-dial delay, ring time and duration. A cell answers
// ASR, ABR, NER, SEER, ACD and the short-call ratios; each ratio is a [Ratio] of two counts with a Wilson interval,
// undefined rather than zero when there is nothing to divide by. Every leg of a hunt is counted on its own trunk and
// carrier, and a leg that never left blames nobody.
//
// [Meter.Snapshot] walks over the cells, [Meter.Report] gives them names for people and JSON, [Meter.Measure] is
// what routing and failover read, at the price of a few loads. Cells merge exactly, so windows and machines can be added
// up; a view whose dimensions are all in another view is read as the sum of the other one's cells and costs nothing to keep.
// A meter looks back over its Window and over further [Span]s; [Meter.Over] reads them. Of chosen roll-ups it keeps every hour
// for weeks (Config.Archive, [Meter.Hours]).
//
// What is made of cells is a value, and nothing happens by itself: [Meter.Standing] says how much of a [Budget] is used up (short calls
// of a contract, abandoned calls by law), [TrendOf] where a delay goes, [StormOf] whether dials go up and contacts do not,
// [Meter.Weekly] and [CompareArms] what differs by more than chance.
//
// Beside it stand observers of what is not a cell: [Callees] (what callees get to hear), [Numbers] (how caller IDs are
// labelled), [Agents] (what agents wait for).
//
// What is learned later counts where the attempt was: dispositions (who answered, contacts, agent time) by the attempt's id,
// once, and how a caller ID was labelled when a call was started.
//
// # Without an engine
//
// The package needs no engine, no SIP and no clock: fill an outdial.Attempt with what is known, from a call detail
// record for instance, and pass Started, Answered and Ended events with their times to [Meter.Observe].
//
// # Time
//
// Ratios are taken over attempts that were started within the window; durations over calls that ended within it. A
// leg counts in the bucket of its start even when its outcome comes later, and until then as open. Cells keep durations to
// half a millisecond up to 8 s, 10 ms up to 2.7 min, 0.1 s up to 27 min and a second above; thresholds are exact. Reads pass in
// their now; what has left the window is left out then. An event whose bucket has gone is dropped and counted. Times
// are read as wall-clock times, so that replayed events fall where the live ones fell; a clock that is set back
// makes events late at worst, and a bucket that a clock far ahead has claimed is given up again once a reader with
// the right time has come by.
package kpi
