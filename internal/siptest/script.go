package siptest

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A Step is one response of a [Script].
type Step struct {
	// After is the delay since the step before; since the INVITE for the first.
	After time.Duration
	// Code is the SIP status, 100 to 699. The first one from 200 on ends the script.
	Code int
	// Phrase is the reason phrase; empty means the usual one.
	Phrase string
	// Headers are added as they are: see [Reason] and [RetryAfter].
	Headers []Header
	// SDP adds a session description to a provisional response; a 2xx always has one.
	SDP bool
	// Body stands in place of the generated session description.
	Body []byte
	// Repeat sends the same response so many times more, Every apart (zero means T1), acknowledged or not,
	// beside the retransmissions that RFC 3261 asks for.
	Repeat int
	Every  time.Duration
	// Tag makes another To tag than the call's: a second early dialog, as behind a forking proxy.
	Tag string
	// Reliable sends a provisional response by RFC 3262 when the caller supports 100rel: with RSeq,
	// repeated until PRACK. The next step does not wait for it.
	Reliable bool
}

// CancelMode is what a carrier does with a CANCEL.
type CancelMode uint8

const (
	// CancelHonoured answers 200 to the CANCEL and 487 to the INVITE (RFC 3261 §9.2).
	CancelHonoured CancelMode = iota
	// CancelIgnored answers 200 to the CANCEL, and the call goes on: by Script.AfterCancel, or else by the
	// steps that are left.
	CancelIgnored
	// CancelUnanswered does not even answer the CANCEL.
	CancelUnanswered
)

// A Script is what a carrier does with one call. The zero Script is silence: not even a 100.
type Script struct {
	// Name stands in the call's Record.
	Name string
	// Steps are played in order. When they end without a final response, the call stays as it is.
	Steps []Step
	// OnCancel is what a CANCEL before the final response does.
	OnCancel CancelMode
	// AfterCancel replaces the remaining steps after a CANCEL, if OnCancel is not CancelHonoured.
	AfterCancel []Step
	// Talk is the time from the answer to the carrier's BYE; zero means that the carrier never hangs up.
	Talk time.Duration
	// ByeHeaders are added to that BYE.
	ByeHeaders []Header
	// RecordRoute are the values of Record-Route in the responses that make a dialog, as of proxies in front of the
	// carrier. They must lead to the carrier itself: what comes within the dialog is to name them in Route, reversed.
	RecordRoute []string
	// IgnoreBye leaves the caller's BYE without an answer.
	IgnoreBye bool
	// Media is the RTP stream towards the caller; nil means none.
	Media *Media
}

// Play returns a script of steps.
func Play(steps ...Step) Script { return Script{Steps: steps} }

// Respond returns the step of one plain response.
func Respond(after time.Duration, code int, headers ...Header) Step {
	return Step{After: after, Code: code, Headers: headers}
}

// Answer returns the script of an answered call: 100 at once, 180 after ring, 200 after a further answer,
// BYE after talk (zero: never).
func Answer(ring, answer, talk time.Duration) Script {
	s := Play(Respond(0, 100), Respond(ring, 180), Respond(answer, 200))
	s.Name, s.Talk = "answer", talk
	return s
}

// AnswerEarly is Answer with 183 and a session description after progress, before the 180.
func AnswerEarly(progress, ring, answer, talk time.Duration) Script {
	s := Play(Respond(0, 100), Step{After: progress, Code: 183, SDP: true}, Respond(ring, 180), Respond(answer, 200))
	s.Name, s.Talk = "early media", talk
	return s
}

// Busy returns 100 at once and 486 after d.
func Busy(d time.Duration) Script {
	s := Play(Respond(0, 100), Respond(d, 486))
	s.Name = "busy"
	return s
}

// Reject returns an immediate final response; an empty phrase means the usual one.
func Reject(code int, phrase string, headers ...Header) Script {
	s := Play(Step{Code: code, Phrase: phrase, Headers: headers})
	s.Name = "reject " + strconv.Itoa(code)
	return s
}

// Unavailable returns an immediate 503, with a Retry-After when retryAfter is positive (rounded up to seconds).
func Unavailable(retryAfter time.Duration) Script {
	if retryAfter > 0 {
		return Reject(503, "", RetryAfter(retryAfter))
	}
	return Reject(503, "")
}

// Silence answers nothing at all.
func Silence() Script { return Script{Name: "silence"} }

// TryingOnly sends 100 and nothing more.
func TryingOnly() Script {
	s := Play(Respond(0, 100))
	s.Name = "100 only"
	return s
}

// RingForever sends 100, and 180 after d, and waits for the CANCEL.
func RingForever(d time.Duration) Script {
	s := Play(Respond(0, 100), Respond(d, 180))
	s.Name = "ring for ever"
	return s
}

// LateAnswer rings after ring until the CANCEL, answers 200 to it, and late after that 200 to the INVITE
// all the same; BYE after talk (zero: never).
func LateAnswer(ring, late, talk time.Duration) Script {
	s := RingForever(ring)
	s.Name, s.OnCancel, s.AfterCancel, s.Talk = "late answer", CancelIgnored, []Step{Respond(late, 200)}, talk
	return s
}

// Reason returns a Reason header of Q.850 (RFC 3326) with the given cause; an empty text is left out.
func Reason(cause int, text string) Header {
	v := fmt.Sprintf("Q.850;cause=%d", cause)
	if text != "" {
		v += fmt.Sprintf(";text=%q", text)
	}
	return Header{Name: "Reason", Value: v}
}

// RetryAfter returns a Retry-After header, d rounded up to seconds.
func RetryAfter(d time.Duration) Header {
	return Header{Name: "Retry-After", Value: strconv.Itoa(int((d + time.Second - 1) / time.Second))}
}

func (s Script) validate() error {
	var errs []error
	for _, steps := range [][]Step{s.Steps, s.AfterCancel} {
		for i, st := range steps {
			if err := st.validate(); err != nil {
				errs = append(errs, fmt.Errorf("script %q step %d: %w", s.Name, i, err))
			}
		}
	}
	if s.Talk < 0 {
		errs = append(errs, fmt.Errorf("script %q: Talk %v is negative", s.Name, s.Talk))
	}
	if s.OnCancel > CancelUnanswered {
		errs = append(errs, fmt.Errorf("script %q: OnCancel %d is unknown", s.Name, s.OnCancel))
	}
	if s.Media != nil {
		errs = append(errs, s.Media.validate())
	}
	return errors.Join(errs...)
}

func (st Step) validate() error {
	if st.Code < 100 || st.Code > 699 {
		return fmt.Errorf("code %d is not in 100..699", st.Code)
	}
	if st.After < 0 || st.Every < 0 || st.Repeat < 0 {
		return errors.New("negative After, Every or Repeat")
	}
	return nil
}
