// Package outdial decides how an outbound call leaves the building: which carrier trunks may carry it and in what
// order, which caller ID it presents, whether there is capacity for it now, what to do when an attempt fails, and
// what all of that did to answer rates. It holds the nouns that its packages share, and the engine that puts them
// in order. It reads no clock of its own accord, starts no goroutine and does no network I/O.
//
// # One call
//
//	Begin     numbering plan, admission, route: a plan of candidates
//	Next      failover chooses among the plan; trunk gives a channel, cli a caller ID, trunk a place in its calls
//	          per second; the attempt is journalled
//	          Step = dial an attempt (not before a time) | wait (until a time) | stop (for a reason)
//	          the host dials
//	Progress  100, 18x, 183 with a session description, first media
//	Abandon   hunting moves on while this leg still lives
//	Answer    hunting is over; the channel is still held
//	End       the leg is over; the channel is free
//	Dispose   later: who answered, was it a contact, what did it cost an agent
//
// Everything before the dial is a choice, everything after it a fact. Facts have one exit: events, which are written
// to the journal and then given to the observers. What a package has learned from them influences the next call
// when that call's Begin and Next read it.
//
// # Duties of the host
//
// A host that uses [Engine.Place] with a [Dialer] has most of these done for it.
//
//  1. Build every package with the same [Registry], then the [Engine] with [New].
//  2. Call [Engine.Recover] once, before the first call: it rebuilds state from the journal and closes what a crash left
//     open.
//  3. Drive time: run [Engine.Run], or call [Engine.Advance] when it says so.
//  4. Give every verb the time at which the thing happened, from one clock. Durations come from its monotonic reading.
//  5. For each call take a [Session], one goroutine at a time: Begin, then Next until it stops.
//  6. Dial what Next returns, not before Step.NotBefore, and not if [Session.Stopped] says otherwise by then: an abandoned
//     leg may have reached the callee meanwhile. What is not sent, End with [OriginNeverSent].
//  7. Keep a timer per attempt: nothing within T100, nothing beyond 100 within the PDD timer, no answer within the ring
//     timer. When it expires, Abandon the attempt and call Next; End it when it is over. Send CANCEL only after a provisional
//     response (RFC 3261 §9.1). After [StepRevive] wait for that leg again; who cannot, abandons it once more.
//  8. Do what Answer returns. [AnswerEnd] means that the answer came too late: acknowledge it and hang up.
//  9. End every leg exactly when it is over; that frees its channel. A Session dropped early is given back with Cancel.
//  10. Never retry on your own: what Next does not offer has a reason, which Explain tells.
package outdial
