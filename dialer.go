package outdial

import (
	"context"
	"time"
)

// Dialer places attempts on a network. *siptrunk.Dialer (package trunk/siptrunk) is one over SIP; a host with its
// own switch writes another. Implementations are safe for concurrent use.
type Dialer interface {
	// Dial starts to place a and returns without waiting for the far side. What happens to the attempt is
	// reported to sink: one report at a time, in order, from any goroutine, possibly before Dial returns, and
	// exactly one ReportEnd as the last. ctx bounds Dial itself (looking a name up, connecting), not the life of
	// the leg. Dial copies what it needs of a. The sink may hang up a leg of the call before it returns: hold no lock that
	// Hangup takes while calling it.
	//
	// An error means that nothing left the host; then there is no leg and no report follows.
	Dial(ctx context.Context, a *Attempt, sink func(Report)) (Leg, error)
}

// Leg is an attempt that has been placed.
type Leg interface {
	// Hangup ends the leg by what its state calls for: CANCEL before the answer (as soon as one may be sent), BYE
	// after it. It returns at once and may be called at any time, any number of times; that the leg is over is
	// reported to the sink.
	Hangup()
}

// ReportKind tells reports apart.
type ReportKind uint8

// Kinds of report; each stands for the Session verb of its name.
const (
	ReportProgress ReportKind = iota + 1 // Marks came
	ReportAbandon                        // hunting should move on: a timer expired; Result says which. The leg is being given up: see Reviver
	ReportAnswer                         // answered
	ReportEnd                            // the leg is over; Result says how
)

// String returns "progress", "abandon", "answer" or "end".
func (k ReportKind) String() string { return nameOf(k, "none", "progress", "abandon", "answer", "end") }

// Report is what a Dialer says about an attempt.
type Report struct {
	Attempt AttemptID
	Kind    ReportKind
	Time    time.Time // when it happened
	Marks   Marks     // ReportProgress
	Result  Result    // ReportAbandon, ReportEnd
	SDP     []byte    // session description of a provisional or the answer; valid until the sink returns
}
