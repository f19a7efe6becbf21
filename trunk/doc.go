// Package trunk says whether a carrier trunk has room for one more call, and holds it: channels (concurrent legs)
// and calls per second.
//
// A [Set] is made from a [Config], one [Limits] a trunk, and replaced in place by [Set.Update] while calls are up.
// A call takes a channel ([Set.Acquire]), is counted against the calls per second just before its INVITE leaves
// ([Set.Seize]), and gives the channel back when the leg is over ([Set.Release]). When nothing left the host,
// [Set.Undo] takes back both. The hold is an [outdial.Lease]: giving it back twice, or long after it was reclaimed,
// does nothing.
//
// # One decision
//
// Acquire decides at once, with one value of the clock, about all that a trunk has to say: its [State]; the base ceiling
// and the [Burst] above it; a ceiling [Learned] from rejections; the [Floor] of each campaign, which is kept free for it;
// the reservation for higher priorities; the [Quota] of a tenant; and, with a [Queue], who was here before. A refusal
// says which of them it was, and [Blocked] counts it. While few channels are in use there is room for everyone, and the
// decision is one compare-and-swap; see BenchmarkChannels in internal/peerbench.
//
// Floors are kept free below whatever ceiling is in force. When a burst ends, or a ceiling is lowered, while more is in use,
// the calls of a floor wait for others to end like everyone: a call is never dropped for another one.
//
// # What is guaranteed
//
//   - A channel is granted only while fewer are in use than the limit in force, whatever the number of goroutines.
//     After a limit was lowered nobody is admitted until use is below it; no call is dropped.
//   - No more than CPS seizures fall into any half-open second [t, t+1s), whatever the number of goroutines and
//     although each reads its own clock: a trunk's time is the latest that it has been told, so a reading that was
//     overtaken, or a clock that steps back, admits too little for a while and never too much. Pass times that
//     carry a monotonic reading, as time.Now returns them, and no step is seen at all.
//   - What counts is when an INVITE may leave. A call that is held back to smooth a burst (see Limits.Smooth) is
//     counted at the time that it leaves. A host that waits longer between Seize and its INVITE than between two
//     seizures moves calls from one second to another, which no limiter can see: seize last.
//
// # What it learns
//
// [Set.Observe] folds events, live ones and those of a journal to the same state: operator orders ([ActionDrain] and others),
// with who, when and why ([Change]); the trial of a canary; the traffic of the last hour; the time above the base; and
// ceilings. When a carrier rejects a call because it is full, the use seen then is the ceiling: so many were let in, and
// one more was not. It moves by more than a twentieth only when a second rejection follows within two seconds, and is
// tried with one call more a minute. Channels and calls per second are learned apart. What an operator wants to know is
// returned by [Set.Alerts], and never for what is replayed.
//
// # Restarts
//
// Channels are not rebuilt from the journal: a call that was up when the process ended holds no channel after it,
// and its attempt ends as unknown. Where calls survive the process (a proxy without media), admit with lower limits
// for as long as such calls may last. What Observe folds is rebuilt; the time above the base with the base that is configured
// now, and orders.
//
// The package works with or without an outdial.Engine.
package trunk
