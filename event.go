package outdial

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// EventKind tells events apart.
type EventKind uint8

// Kinds of events. Started to Ended tell the life of one attempt, in this order, each at most once but for
// Progressed; Abandoned may be followed by Answered (a late answer) and Ended.
const (
	EventNone       EventKind = iota
	EventRefused              // a bid that was not placed: a stage refused the call or a candidate
	EventStarted              // an attempt is about to leave; written before the INVITE
	EventProgressed           // moments in Event.Marks came
	EventAbandoned            // hunting moved on, the leg still lives; Attempt.Abandoned says why
	EventAnswered             // the leg was answered; Attempt.Late says that it was too late
	EventEnded                // the leg is over; Attempt.Result says how
	EventDisposed             // what the conversation was worth, learned later
	EventLabelled             // somebody observed how a caller ID is labelled
	EventControl              // an operator or a policy changed something
)

// String returns "none", "refused", "started", "progressed", "abandoned", "answered", "ended", "disposed",
// "labelled" or "control".
func (k EventKind) String() string {
	return nameOf(k, "none", "refused", "started", "progressed", "abandoned", "answered", "ended", "disposed",
		"labelled", "control")
}

// ofAttempt reports whether an event of the kind is about an attempt.
func (k EventKind) ofAttempt() bool { return k >= EventRefused && k <= EventDisposed }

// Event is a fact. Facts are journalled first and then given to the observers; everything that a package knows
// about the past is a fold over them.
//
// An Event and what it points to are valid until the call that passes it returns; an observer copies what it
// keeps and changes nothing.
type Event struct {
	Kind EventKind
	Seq  uint64    // place in the journal, from 1; set by Journal.Append; 0 = not journalled
	Time time.Time // when it happened, as the host told

	// Replay says that the event comes from a journal: it counts, but it must not set off alerts, tickets or any
	// other effect on the world. A replayed attempt holds no leases.
	Replay bool

	Attempt *Attempt // EventRefused to EventEnded, as it stands after the event; EventDisposed, at least its ID
	Marks   Marks    // EventProgressed

	// Refusal and RefusalStage are who refused and why: a Refusal's code, or "error" for any other error.
	Refusal      string
	RefusalStage Stage

	Disposition *Disposition // EventDisposed
	Label       *Label       // EventLabelled
	Control     *Control     // EventControl
}

// Observer learns from facts. Observe is called synchronously, for one attempt in the order of its events; it must not
// block and must not keep ev. Events of different attempts come from many goroutines, and those that happen at the same
// time may be observed in another order than they are journalled in; a replay has the order of the journal. A fold
// whose result depends on the order goes by Event.Time.
type Observer interface {
	Observe(ev *Event)
}

// Disposition is what became of an answered attempt, as far as the people or machines on it know. It may arrive
// days later.
type Disposition struct {
	AnsweredBy AnsweredBy
	Contact    bool          // the right person was reached
	AgentTime  time.Duration // agent time spent on it, after-call work included
	Code       string        // the host's own disposition code; at most MaxText bytes
}

// AnsweredBy is who or what took an answered call.
type AnsweredBy uint8

// Kinds of answer.
const (
	AnsweredByUnknown AnsweredBy = iota
	AnsweredByHuman
	AnsweredByVoicemail
	AnsweredByIVR
	AnsweredByAnnouncement
	AnsweredByFax
	AnsweredByScreening // the handset's own call screening
)

// String returns "unknown", "human", "voicemail", "ivr", "announcement", "fax" or "screening".
func (a AnsweredBy) String() string {
	return nameOf(a, "unknown", "human", "voicemail", "ivr", "announcement", "fax", "screening")
}

// Label is one observation of how a caller ID is shown to callees.
type Label struct {
	Number   Number
	Engine   string // whose label: an analytics company's or carrier's name
	Status   LabelStatus
	Category string        // the engine's own words: "Spam Likely", "Telemarketer" …
	TTL      time.Duration // how long the observation may be relied on; 0 = the reader's default
}

// LabelStatus is how a caller ID stands with an analytics engine.
type LabelStatus uint8

// Standings, from unknown to worst.
const (
	LabelUnknown LabelStatus = iota
	LabelClean
	LabelMixed
	LabelLabelled
	LabelBlocked
)

// String returns "unknown", "clean", "mixed", "labelled" or "blocked".
func (s LabelStatus) String() string {
	return nameOf(s, "unknown", "clean", "mixed", "labelled", "blocked")
}

// MaxText is the length in bytes of the longest text that the journal keeps. Longer ones are cut, but for those of a
// Control: a change that came back from the journal as another one would be worse than none.
const MaxText = 255

// cutText shortens s to MaxText bytes without splitting a character.
func cutText(s string) string {
	if len(s) <= MaxText {
		return s
	}
	n := MaxText
	for n > MaxText-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Control is a change that an operator or a policy made: who, what, why, and until when. Packages fold the
// actions that they know ("trunk.drain", "cli.quarantine", "policy.load" …) and ignore the rest. Each of its texts has at
// most MaxText bytes.
type Control struct {
	Actor   string
	Action  string // package and verb: "trunk.drain"
	Target  string // the name of the trunk, pool, number … that it is about
	Value   string // the new value, in the form that the action documents
	Reason  string
	Expires time.Time // zero = stands until it is changed
}

func (c *Control) validate() error {
	var errs []error
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"Actor", c.Actor, true},
		{"Action", c.Action, true},
		{"Target", c.Target, false},
		{"Value", c.Value, false},
		{"Reason", c.Reason, true},
	} {
		if f.required && f.value == "" {
			errs = append(errs, fmt.Errorf("%s: required", f.name))
		}
		if len(f.value) > MaxText {
			errs = append(errs, fmt.Errorf("%s: %d bytes are more than %d", f.name, len(f.value), MaxText))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("outdial: control: %w", errors.Join(errs...))
	}
	return nil
}
