package b2bua

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
)

func carrier(code uint16, phrase string) outdial.Result {
	return outdial.Result{Origin: outdial.OriginCarrier, Code: code, Phrase: phrase}
}

func show(r response) string {
	s := fmt.Sprintf("%d %s", r.code, r.phrase)
	for _, h := range r.headers {
		s += fmt.Sprintf(" [%s: %s]", h.name, h.value)
	}
	return s
}

func TestResultOf(t *testing.T) {
	for _, tt := range []struct {
		in   outdial.Result
		want string
	}{
		{carrier(302, "Moved"), "502 Bad Gateway"},
		{carrier(401, "Unauthorized"), "502 Bad Gateway"},
		{carrier(403, "User channel limit exceeded D1"), "403 User channel limit exceeded D1"},
		{carrier(404, "Not Found"), "404 Not Found"},
		{carrier(407, "x"), "502 Bad Gateway"},
		{carrier(408, "x"), "408 x"},
		{carrier(481, "x"), "500 Server Internal Error"},
		{carrier(482, "x"), "500 Server Internal Error"},
		{carrier(483, "x"), "500 Server Internal Error"},
		{carrier(486, "Besetzt"), "486 Besetzt"},
		{carrier(487, "x"), "480 Temporarily Unavailable"},
		{carrier(488, "x"), "488 x"},
		{carrier(500, "x"), "500 x"},
		{carrier(503, "x"), "500 Server Internal Error"},
		{carrier(603, "Decline"), "603 Decline"},
		{carrier(0, ""), "500 Server Internal Error"},
		{carrier(200, ""), "500 Server Internal Error"},
		{outdial.Result{}, "500 Server Internal Error"},
		{outdial.Result{Origin: outdial.OriginNoTrying}, "408 Request Timeout"},
		{outdial.Result{Origin: outdial.OriginNoProgress}, "504 Server Time-out"},
		{outdial.Result{Origin: outdial.OriginNoAnswer}, "480 Temporarily Unavailable"},
		{outdial.Result{Origin: outdial.OriginTransport}, "500 Server Internal Error"},
		{outdial.Result{Origin: outdial.OriginCaller}, "487 Request Terminated"},
		{outdial.Result{Origin: outdial.OriginNeverSent, Text: "no such host"}, "500 Server Internal Error"},
		{outdial.Result{Origin: outdial.OriginHost}, "500 Server Internal Error"},
		{
			outdial.Result{Origin: outdial.OriginCarrier, Code: 503, Phrase: "x", Cause: outdial.Cause{Value: 34}, RetryAfter: time.Minute},
			"500 Server Internal Error [Reason: Q.850;cause=34]",
		},
		{
			outdial.Result{Origin: outdial.OriginCarrier, Code: 486, Phrase: "x", Cause: outdial.Cause{Value: 17, Location: outdial.LocationUser}, RetryAfter: 1500 * time.Millisecond},
			"486 x [Reason: Q.850;cause=17;location=U] [Retry-After: 2]",
		},
		{
			outdial.Result{Origin: outdial.OriginCarrier, Code: 603, Phrase: "Network Blocked", SIPCause: 603, Text: "v=analytics1;url=https://x"},
			`603 Network Blocked [Reason: SIP;cause=603;text="v=analytics1;url=https://x"]`,
		},
	} {
		require.Equal(t, tt.want, show(resultOf(&tt.in)), "%+v", tt.in)
	}
}

func TestBestOf(t *testing.T) {
	silent, stuck := outdial.Result{Origin: outdial.OriginNoTrying}, outdial.Result{Origin: outdial.OriginNoProgress}
	for _, tt := range []struct {
		name string
		in   []outdial.Result
		want int
	}{
		{"none", nil, 500},
		{"a 6xx is the last word", []outdial.Result{carrier(404, ""), carrier(603, ""), carrier(486, "")}, 603},
		{"the lowest class", []outdial.Result{carrier(404, ""), carrier(500, "")}, 404},
		{"the latest of a class", []outdial.Result{carrier(404, ""), carrier(486, "")}, 486},
		{"what was said before what was not", []outdial.Result{carrier(404, ""), silent}, 404},
		{"408 before 5xx", []outdial.Result{carrier(503, ""), silent, stuck}, 408},
		{"5xx", []outdial.Result{stuck, carrier(503, "")}, 500},
	} {
		var attempts []outdial.Attempt
		for _, r := range tt.in {
			attempts = append(attempts, outdial.Attempt{Result: r})
		}
		require.Equal(t, tt.want, bestOf(attempts).code, tt.name)
	}
}

func TestRefusalOf(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	none := func(again time.Time, errs ...error) error {
		e := &outdial.NoRouteError{Again: again}
		for _, err := range errs {
			e.Skipped = append(e.Skipped, outdial.Skip{Trunk: 1, Err: err})
		}
		return e
	}
	for _, tt := range []struct {
		in   error
		want string
	}{
		{none(now.Add(2500*time.Millisecond), trunk.ErrCPS, trunk.ErrChannels), "503 Service Unavailable [Retry-After: 3] [X-Outdial-Refusal: cps, channels]"},
		{none(time.Time{}, trunk.ErrChannels), "503 Service Unavailable [Retry-After: 5] [X-Outdial-Refusal: channels]"},
		{none(now.Add(-time.Second), trunk.ErrCPS), "503 Service Unavailable [Retry-After: 1] [X-Outdial-Refusal: cps]"},
		{none(now.Add(24*time.Hour), trunk.ErrCPS), "503 Service Unavailable [Retry-After: 3600] [X-Outdial-Refusal: cps]"},
		{none(time.Time{}, trunk.ErrOut, trunk.ErrCPS), "503 Service Unavailable [Retry-After: 5] [X-Outdial-Refusal: out, cps]"},
		{none(time.Time{}, routing.ErrSuppressionUnavailable), "503 Service Unavailable [Retry-After: 5] [X-Outdial-Refusal: suppression_unavailable]"},
		{none(time.Time{}, routing.ErrDenied), "403 Forbidden [X-Outdial-Refusal: denied]"},
		{none(now.Add(time.Hour), routing.ErrWindow), "403 Forbidden [X-Outdial-Refusal: window]"},
		{none(time.Time{}, routing.ErrNoRule), "404 Not Found [X-Outdial-Refusal: no_rule]"},
		{fmt.Errorf("%w: disk full", outdial.ErrJournal), "503 Service Unavailable [Retry-After: 5]"},
		{fmt.Errorf("%w (%w)", none(time.Time{}, routing.ErrDenied), outdial.ErrJournal), "503 Service Unavailable [Retry-After: 5]"},
		{errors.New("a bug"), "500 Server Internal Error"},
	} {
		require.Equal(t, tt.want, show(refusalOf(now, tt.in)), "%v", tt.in)
	}
}

// Whatever the origin and the code: a final response that no carrier's 503 has become.
func TestEveryResultHasAnAnswer(t *testing.T) {
	for o := outdial.OriginUnknown; o <= outdial.OriginHost; o++ {
		for code := range uint16(1000) {
			r := resultOf(&outdial.Result{Origin: o, Code: code, Phrase: "x"})
			require.True(t, r.code >= 400 && r.code < 700 && r.code != 503, "%v %d: %d", o, code, r.code)
		}
	}
}
