package b2bua

import (
	"errors"
	"fmt"
	"time"

	"github.com/outdial/outdial"
)

// told is the Outcome of a redirected call as a dialer writes it in JSON. Times are those of RFC 3339.
type told struct {
	Token    string    // of X-Outdial-Token
	Rang     time.Time // the first 18x; left out = none
	Answered time.Time // left out = it was not
	Ended    time.Time // left out = now
	Code     uint16    // final response of the carrier to a call that was not answered
	Phrase   string    // its reason phrase
	Cause    uint8     // Q.850
	EndedBy  string    `json:"ended_by"` // caller, callee; left out = see Outcome.Origin
}

// outcome checks what was told. The error names the field.
func (t *told) outcome() (Outcome, error) {
	o := Outcome{Rang: t.Rang, Answered: t.Answered, Ended: t.Ended, Code: t.Code, Phrase: t.Phrase, Cause: outdial.Cause{Value: t.Cause}}
	answered := !t.Answered.IsZero()
	after := func(a, b time.Time) bool { return !a.IsZero() && !b.IsZero() && a.After(b) }
	switch {
	case t.Token == "":
		return o, errors.New("token: required")
	case t.Code != 0 && (t.Code < 300 || t.Code > 699):
		return o, fmt.Errorf("code: %d is no final response that ends a call without an answer", t.Code)
	case t.Code != 0 && answered:
		return o, errors.New("code: an answered call has none")
	case len(t.Phrase) > outdial.MaxText:
		return o, fmt.Errorf("phrase: want at most %d bytes", outdial.MaxText)
	case t.Cause > 127:
		return o, fmt.Errorf("cause: %d is none of Q.850", t.Cause)
	case after(t.Rang, t.Answered), after(t.Rang, t.Ended), after(t.Answered, t.Ended):
		return o, errors.New("rang, answered, ended: want them in this order")
	}
	switch {
	case t.EndedBy == "":
	case t.EndedBy == "caller" && answered:
		o.Origin = outdial.OriginCallerHangup
	case t.EndedBy == "caller" && t.Code == 0:
		o.Origin = outdial.OriginCaller
	case t.EndedBy == "callee" && answered:
		o.Origin = outdial.OriginCalleeHangup
	default:
		return o, fmt.Errorf("ended_by: %q: want caller, or callee of an answered call, and none beside code", t.EndedBy)
	}
	return o, nil
}
