package kpi

import "fmt"

// Class is the outcome of one leg, as one of a few classes that say who or what decided it. Classify gives it. The
// zero value is ClassUnknown.
type Class uint8

// Outcome classes. The order is stable: it is the order of Counters.Classes.
const (
	ClassUnknown        Class = iota // nothing, or nothing that can be read, says how the leg ended
	ClassAnswer                      // a 2xx came, late answers included
	ClassUserBusy                    // the callee is on another call: Q.850 17, 486, 600
	ClassNoAnswer                    // the callee was alerted and did not answer: Q.850 19, 18 after alerting, the host's ring timer
	ClassReject                      // the callee declined: Q.850 21 from the user, 603, 607
	ClassAbsent                      // the callee's telephone cannot be reached: Q.850 20, 480 without alerting
	ClassAbandonRinging              // the caller gave up after alerting (180)
	ClassAbandonEarly                // the caller gave up before alerting
	ClassBadNumber                   // the number does not exist, has changed or is incomplete: Q.850 1, 22, 28, 404, 410, 484, 604
	ClassPolicyBlock                 // refused by a rule: 608, "603+", 403 not from the user, STIR 428/436/437/438
	ClassCongestion                  // no capacity in the network: Q.850 34, 42, 44, 47, 503 without a cause
	ClassNetworkFailure              // something is broken or silent: Q.850 3, 27, 38, 41, 102 …, other 5xx, no answer from the network at all
	ClassLocalLimit                  // never left the host: the host's own limit refused it
	ClassNeverSent                   // never left the host for any other reason
	ClassCount                       // number of classes, not a class
)

var classNames = [ClassCount]string{
	"unknown", "answer", "user_busy", "no_answer", "reject", "absent", "abandon_ringing", "abandon_early",
	"bad_number", "policy_block", "congestion", "network_failure", "local_limit", "never_sent",
}

// String returns the class in lower case with underscores, for example "user_busy".
func (c Class) String() string { return name(int(c), classNames[:]) }

// MarshalText implements encoding.TextMarshaler with the form of String.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an unknown name is an error.
func (c *Class) UnmarshalText(text []byte) error {
	for i, n := range classNames {
		if n == string(text) {
			*c = Class(i)
			return nil
		}
	}
	return fmt.Errorf("kpi: no outcome class %q", text)
}

// Seizure reports whether a leg of this class occupied a carrier: all but those that never left the host.
func (c Class) Seizure() bool { return c != ClassLocalLimit && c != ClassNeverSent }

// Delivered reports whether the network did its part, whatever the people did: the numerator of NER
// (ITU-T E.425). That is answer, user busy, no answer, reject, absent, and a caller who gave up while it rang.
func (c Class) Delivered() bool { return c >= ClassAnswer && c <= ClassAbandonRinging }

// ClassifiedBy says which fact decided a class, strongest first after the answer.
type ClassifiedBy uint8

// Facts that decide.
const (
	ByNothing ClassifiedBy = iota // no fact at all: the process died with the leg open
	ByAnswer                      // a 2xx
	ByCause                       // a Q.850 cause in a Reason header, with its location
	ByStatus                      // the SIP status, or a "Reason: SIP" that stands for one
	ByOrigin                      // a timer of the host, the transport, or who ended it

	byCount
)

// String returns "nothing", "answer", "cause", "status" or "origin".
func (b ClassifiedBy) String() string {
	return name(int(b), []string{"nothing", "answer", "cause", "status", "origin"})
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (b ClassifiedBy) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// name picks a name of a small enumeration; a value out of range is "invalid".
func name(i int, names []string) string {
	if i < len(names) {
		return names[i]
	}
	return "invalid"
}
