package outdial

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxAttempts is the most attempts that one call may make.
const MaxAttempts = 8

// AttemptID names an attempt: its call, and its place among the call's attempts, from 1.
type AttemptID struct {
	Call CallID
	Leg  uint8
}

// String returns the call's id in hexadecimal, a dash and the leg: "6417f2c9a0001000-2". A call as such has leg 0.
func (id AttemptID) String() string {
	return id.Call.String() + "-" + strconv.Itoa(int(id.Leg))
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (id AttemptID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *AttemptID) UnmarshalText(text []byte) error {
	call, leg, ok := strings.Cut(string(text), "-")
	c, err1 := strconv.ParseUint(call, 16, 64)
	l, err2 := strconv.ParseUint(leg, 10, 8)
	if !ok || err1 != nil || err2 != nil {
		return fmt.Errorf("outdial: attempt id %q: want a call id in hexadecimal, a dash and a leg", text)
	}
	*id = AttemptID{Call: CallID(c), Leg: uint8(l)}
	return nil
}

// Attempt is one INVITE on one trunk with one caller ID: who and where (fixed when it is started), when (its
// Timeline), and how it ended. It carries its call by value, so an event about it needs no join.
//
// An Attempt that a Session hands out lives in the Session and is valid until the attempt is ended; copy what is
// kept longer. It must not be changed by anybody but its Session.
type Attempt struct {
	ID        AttemptID
	Call      Call
	Candidate Candidate
	Choice    Choice
	CLI       Number // the caller ID presented; 0 = none
	Pool      PoolID // the pool that the caller ID came from; 0 = none
	Start     time.Time
	Timeline  Timeline
	State     AttemptState
	Last      bool   // nobody is left to hunt to after it, as far as is known: a silent leg is worth waiting for. Not kept in the journal
	Late      bool   // it was answered after hunting had moved on or the call was over: the host ends it
	Result    Result // how it ended
	Abandoned Result // why hunting moved on before it ended; MarkAbandon says whether it did

	Channel Lease // the channel held on the trunk; 0 in replay
	Use     Lease // the use held of the caller ID; 0 in replay
}

// AttemptState is where an attempt stands.
type AttemptState uint8

// States of an attempt. Answered and abandoned legs still hold their channel.
const (
	AttemptNone      AttemptState = iota
	AttemptOpen                   // dialled, no final outcome yet
	AttemptAbandoned              // hunting moved on, but the leg still lives
	AttemptAnswered
	AttemptEnded
)

// String returns "none", "open", "abandoned", "answered" or "ended".
func (s AttemptState) String() string {
	return nameOf(s, "none", "open", "abandoned", "answered", "ended")
}

// Answered reports whether the attempt was answered at any time, late answers included.
func (a *Attempt) Answered() bool { return a.Timeline[MarkAnswer] != 0 }

// Progressed reports whether anything beyond 100 Trying came before a final outcome: the callee may have heard
// the telephone ring.
func (a *Attempt) Progressed() bool {
	return a.Timeline[MarkProvisional] != 0 || a.Timeline[MarkMedia] != 0
}

// Outcome is the result to judge an unanswered attempt by: how it ended, or, while it is abandoned, why hunting moved on.
func (a *Attempt) Outcome() *Result {
	if a.State == AttemptAbandoned {
		return &a.Abandoned
	}
	return &a.Result
}

// WasAbandoned reports whether hunting moved on while the leg still lived, also where it came back to it.
func (a *Attempt) WasAbandoned() bool { return a.Timeline[MarkAbandon] != 0 }
