package kpi_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

const (
	quiet   = false // no 180 came
	ringing = true
)

type verdict struct {
	rang   bool
	origin outdial.Origin
	code   uint16
	cause  string // "17", "21/U", "" = none
	class  kpi.Class
	by     kpi.ClassifiedBy
}

func (v verdict) attempt(t testing.TB) *outdial.Attempt {
	a := &outdial.Attempt{State: outdial.AttemptEnded}
	a.Result.Origin, a.Result.Code = v.origin, v.code
	a.Result.Cause = parseCause(t, v.cause)
	a.Timeline.Set(outdial.MarkTrying, 20*time.Millisecond)
	if v.rang {
		a.Timeline.Set(outdial.MarkProvisional, time.Second)
		a.Timeline.Set(outdial.MarkRinging, time.Second)
	}
	a.Timeline.Set(outdial.MarkEnd, 9*time.Second)
	return a
}

func parseCause(t testing.TB, s string) (c outdial.Cause) {
	if s == "" {
		return c
	}
	var loc string
	if n, _ := fmt.Sscanf(s, "%d/%s", &c.Value, &loc); n == 0 {
		require.Fail(t, "bad cause", s)
	}
	c.Location = outdial.ParseLocation(loc)
	return c
}

func TestClassify(t *testing.T) {
	const carrier = outdial.OriginCarrier
	for _, v := range []verdict{
		// The user's own outcomes, by cause.
		{quiet, carrier, 486, "17", kpi.ClassUserBusy, kpi.ByCause},
		{quiet, carrier, 480, "17", kpi.ClassUserBusy, kpi.ByCause},
		{quiet, carrier, 503, "17/U", kpi.ClassUserBusy, kpi.ByCause},
		{ringing, carrier, 480, "19", kpi.ClassNoAnswer, kpi.ByCause},
		{quiet, carrier, 480, "19", kpi.ClassNoAnswer, kpi.ByCause},
		{quiet, carrier, 504, "19", kpi.ClassNoAnswer, kpi.ByCause},
		{ringing, carrier, 408, "18", kpi.ClassNoAnswer, kpi.ByCause},
		{quiet, carrier, 408, "18", kpi.ClassAbsent, kpi.ByCause},
		{quiet, carrier, 480, "20", kpi.ClassAbsent, kpi.ByCause},
		{quiet, carrier, 403, "21/U", kpi.ClassReject, kpi.ByCause},
		{ringing, carrier, 603, "21/U", kpi.ClassReject, kpi.ByCause},
		{ringing, carrier, 603, "21", kpi.ClassReject, kpi.ByCause},
		{quiet, carrier, 603, "21/RLN", kpi.ClassPolicyBlock, kpi.ByCause},
		{quiet, carrier, 403, "21", kpi.ClassPolicyBlock, kpi.ByCause},
		{quiet, carrier, 403, "21/LN", kpi.ClassPolicyBlock, kpi.ByCause},
		// Numbers.
		{quiet, carrier, 404, "1", kpi.ClassBadNumber, kpi.ByCause},
		{quiet, carrier, 503, "1", kpi.ClassBadNumber, kpi.ByCause},
		{quiet, carrier, 404, "4", kpi.ClassBadNumber, kpi.ByCause},
		{quiet, carrier, 410, "22", kpi.ClassBadNumber, kpi.ByCause},
		{quiet, carrier, 410, "23", kpi.ClassBadNumber, kpi.ByCause},
		{quiet, carrier, 484, "28", kpi.ClassBadNumber, kpi.ByCause},
		// The network.
		{quiet, carrier, 404, "2", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 404, "3", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 502, "25", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 502, "27", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 501, "29", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 503, "38", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 503, "41", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 503, "58", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 488, "65", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 488, "70", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 501, "79", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 503, "88", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 504, "102", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 500, "111", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 500, "127", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 503, "34", kpi.ClassCongestion, kpi.ByCause},
		{quiet, carrier, 480, "34", kpi.ClassCongestion, kpi.ByCause},
		{quiet, carrier, 503, "42", kpi.ClassCongestion, kpi.ByCause},
		{quiet, carrier, 503, "44", kpi.ClassCongestion, kpi.ByCause},
		{quiet, carrier, 503, "47", kpi.ClassCongestion, kpi.ByCause},
		{quiet, carrier, 503, "36", kpi.ClassCongestion, kpi.ByCause}, // unnamed: as 47
		{quiet, carrier, 503, "61", kpi.ClassNetworkFailure, kpi.ByCause},
		{quiet, carrier, 403, "55", kpi.ClassPolicyBlock, kpi.ByCause},
		{quiet, carrier, 403, "57", kpi.ClassPolicyBlock, kpi.ByCause},
		{quiet, carrier, 403, "87", kpi.ClassPolicyBlock, kpi.ByCause},
		// A cause that says nothing leaves it to the status.
		{quiet, carrier, 486, "16", kpi.ClassUserBusy, kpi.ByStatus},
		{quiet, carrier, 404, "26", kpi.ClassBadNumber, kpi.ByStatus},
		{quiet, carrier, 480, "31", kpi.ClassAbsent, kpi.ByStatus},
		{ringing, carrier, 480, "31", kpi.ClassNoAnswer, kpi.ByStatus},
		{quiet, carrier, 503, "31", kpi.ClassCongestion, kpi.ByStatus},
		// By status.
		{quiet, carrier, 300, "", kpi.ClassUnknown, kpi.ByStatus},
		{quiet, carrier, 302, "", kpi.ClassUnknown, kpi.ByStatus},
		{quiet, carrier, 301, "", kpi.ClassBadNumber, kpi.ByStatus},
		{quiet, carrier, 400, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 401, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 403, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 404, "", kpi.ClassBadNumber, kpi.ByStatus},
		{quiet, carrier, 405, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 407, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 408, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{ringing, carrier, 408, "", kpi.ClassNoAnswer, kpi.ByStatus},
		{quiet, carrier, 410, "", kpi.ClassBadNumber, kpi.ByStatus},
		{quiet, carrier, 428, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 436, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 437, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 438, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 480, "", kpi.ClassAbsent, kpi.ByStatus},
		{ringing, carrier, 480, "", kpi.ClassNoAnswer, kpi.ByStatus},
		{quiet, carrier, 483, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 484, "", kpi.ClassBadNumber, kpi.ByStatus},
		{quiet, carrier, 485, "", kpi.ClassBadNumber, kpi.ByStatus},
		{quiet, carrier, 486, "", kpi.ClassUserBusy, kpi.ByStatus},
		{quiet, carrier, 488, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 499, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 500, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 502, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 503, "", kpi.ClassCongestion, kpi.ByStatus},
		{quiet, carrier, 504, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 580, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{quiet, carrier, 600, "", kpi.ClassUserBusy, kpi.ByStatus},
		{ringing, carrier, 603, "", kpi.ClassReject, kpi.ByStatus},
		{quiet, carrier, 604, "", kpi.ClassBadNumber, kpi.ByStatus},
		{quiet, carrier, 606, "", kpi.ClassNetworkFailure, kpi.ByStatus},
		{ringing, carrier, 607, "", kpi.ClassReject, kpi.ByStatus},
		{ringing, carrier, 607, "21/LN", kpi.ClassReject, kpi.ByStatus},
		{quiet, carrier, 608, "", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 608, "21/U", kpi.ClassPolicyBlock, kpi.ByStatus},
		{quiet, carrier, 687, "", kpi.ClassReject, kpi.ByStatus},
		// 487: to our CANCEL it repeats what we did; else somebody in between gave up.
		{ringing, outdial.OriginCaller, 487, "", kpi.ClassAbandonRinging, kpi.ByOrigin},
		{quiet, outdial.OriginCaller, 487, "", kpi.ClassAbandonEarly, kpi.ByOrigin},
		{ringing, outdial.OriginCaller, 487, "127", kpi.ClassAbandonRinging, kpi.ByOrigin},
		{ringing, outdial.OriginNoAnswer, 487, "16", kpi.ClassNoAnswer, kpi.ByOrigin},
		{quiet, outdial.OriginNoProgress, 487, "31", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{quiet, carrier, 487, "", kpi.ClassUnknown, kpi.ByStatus},
		{quiet, carrier, 487, "19", kpi.ClassNoAnswer, kpi.ByCause},
		{ringing, outdial.OriginCaller, 486, "", kpi.ClassUserBusy, kpi.ByStatus}, // crossed our CANCEL
		// Nothing came from the network: timers and transport.
		{quiet, outdial.OriginNoTrying, 0, "", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{quiet, outdial.OriginNoProgress, 0, "", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{ringing, outdial.OriginNoAnswer, 0, "", kpi.ClassNoAnswer, kpi.ByOrigin},
		{quiet, outdial.OriginTransport, 0, "", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{ringing, outdial.OriginCaller, 0, "", kpi.ClassAbandonRinging, kpi.ByOrigin},
		{quiet, outdial.OriginHost, 0, "", kpi.ClassAbandonEarly, kpi.ByOrigin},
		{quiet, outdial.OriginUnknown, 0, "", kpi.ClassUnknown, kpi.ByNothing},
		{ringing, outdial.OriginUnknown, 0, "", kpi.ClassUnknown, kpi.ByNothing},
		{quiet, carrier, 0, "", kpi.ClassUnknown, kpi.ByOrigin},
		// Never left: nobody is to blame, whatever else stands there.
		{quiet, outdial.OriginNeverSent, 0, "", kpi.ClassNeverSent, kpi.ByOrigin},
		{quiet, outdial.OriginNeverSent, 404, "1", kpi.ClassNeverSent, kpi.ByOrigin},
		{quiet, outdial.OriginNeverSent, 503, "", kpi.ClassLocalLimit, kpi.ByOrigin},
		{quiet, outdial.OriginNeverSent, 0, "34", kpi.ClassLocalLimit, kpi.ByOrigin},
	} {
		t.Run(fmt.Sprintf("%v,%d,%s,rang=%v", v.origin, v.code, v.cause, v.rang), func(t *testing.T) {
			class, by := kpi.Classify(v.attempt(t))
			require.Equal(t, v.class.String(), class.String())
			require.Equal(t, v.by.String(), by.String())
		})
	}
}

// A leg that nobody answered passes two gateways, each mapping by RFC 3398: by status and re-made causes alone it
// turns into a network failure; with the first Reason preserved it stays what it was.
func TestClassifyPreservedReasonThroughInterworking(t *testing.T) {
	code, ok := outdial.Cause{Value: 19}.SIPCode()
	require.True(t, ok)
	var chain []int
	for {
		chain = append(chain, code)
		a := verdict{quiet, outdial.OriginCarrier, uint16(code), "19/U", 0, 0}.attempt(t)
		class, by := kpi.Classify(a)
		require.Equal(t, kpi.ClassNoAnswer, class, code)
		require.Equal(t, kpi.ByCause, by)
		if code == 504 {
			a.Result.Cause = outdial.Cause{}
			class, _ = kpi.Classify(a)
			require.Equal(t, kpi.ClassNetworkFailure, class, "what remains without the Reason")
			break
		}
		remade, ok := outdial.CauseOf(code)
		require.True(t, ok)
		code, ok = remade.SIPCode()
		require.True(t, ok)
	}
	require.Equal(t, []int{480, 408, 504}, chain)
}

// TestClassifyBlocks: what the root calls a block is one here, wherever it stands; 607 is the callee's word.
func TestClassifyBlocks(t *testing.T) {
	const text = "v=analytics1;url=https://example.com"
	for _, v := range []struct {
		result outdial.Result
		class  kpi.Class
	}{
		{outdial.Result{Code: 603, Phrase: "Network blocked"}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 603, Phrase: "Decline", SIPCause: 603, Text: text}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 603, Phrase: "Decline", SIPCause: 603, Text: "V=Analytics1"}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 603, Phrase: "Network Blocked", Cause: outdial.Cause{Value: 21, Location: outdial.LocationUser}}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 480, SIPCause: 603, Text: text}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 503, SIPCause: 603, Text: text}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 403, SIPCause: 603, Phrase: "Network Blocked"}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 608}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 403, SIPCause: 608}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 500, SIPCause: 608}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 487, SIPCause: 608}, kpi.ClassPolicyBlock},
		{outdial.Result{Code: 607}, kpi.ClassReject},
		{outdial.Result{Code: 480, SIPCause: 607}, kpi.ClassReject},
		{outdial.Result{Code: 607, SIPCause: 608}, kpi.ClassPolicyBlock},
	} {
		r := v.result
		r.Origin = outdial.OriginCarrier
		require.True(t, r.Blocked(), "%+v", r)
		for _, abandoned := range []bool{false, true} {
			a := &outdial.Attempt{Result: r}
			if abandoned {
				a.Abandoned.Origin = outdial.OriginNoTrying
				a.Timeline.Set(outdial.MarkAbandon, time.Second)
			}
			class, by := kpi.Classify(a)
			require.Equal(t, v.class.String(), class.String(), "%+v", r)
			require.Equal(t, kpi.ByStatus, by)
		}
	}
	for _, r := range []outdial.Result{
		{Code: 603, Phrase: "Decline"}, {Code: 503, SIPCause: 603}, {Code: 503, Text: text}, {Code: 480, Phrase: "Network Blocked"},
	} {
		r.Origin = outdial.OriginCarrier
		require.False(t, r.Blocked(), "%+v", r)
		class, _ := kpi.Classify(&outdial.Attempt{Result: r})
		require.NotEqual(t, kpi.ClassPolicyBlock, class, "%+v", r)
	}
}

// TestClassifyAbandoned: a leg that hunting moved on from is what it was abandoned for, unless the carrier says
// something of its own in the end.
func TestClassifyAbandoned(t *testing.T) {
	for _, v := range []struct {
		rang   bool
		why    outdial.Origin
		origin outdial.Origin
		code   uint16
		cause  string
		class  kpi.Class
		by     kpi.ClassifiedBy
	}{
		// Our own CANCEL, however the host reports it.
		{quiet, outdial.OriginNoTrying, outdial.OriginHost, 487, "", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{quiet, outdial.OriginNoTrying, outdial.OriginCarrier, 487, "", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{quiet, outdial.OriginNoProgress, outdial.OriginCarrier, 487, "31", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{quiet, outdial.OriginNoProgress, outdial.OriginCarrier, 487, "19", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{ringing, outdial.OriginNoAnswer, outdial.OriginCarrier, 487, "16", kpi.ClassNoAnswer, kpi.ByOrigin},
		{ringing, outdial.OriginCaller, outdial.OriginCarrier, 487, "", kpi.ClassAbandonRinging, kpi.ByOrigin},
		{quiet, outdial.OriginCaller, outdial.OriginCarrier, 487, "", kpi.ClassAbandonEarly, kpi.ByOrigin},
		{ringing, outdial.OriginNoTrying, outdial.OriginCarrier, 487, "", kpi.ClassNetworkFailure, kpi.ByOrigin}, // rang too late
		// No final response.
		{quiet, outdial.OriginNoTrying, outdial.OriginHost, 0, "", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{quiet, outdial.OriginNoTrying, outdial.OriginTransport, 0, "", kpi.ClassNetworkFailure, kpi.ByOrigin},
		{quiet, outdial.OriginCaller, outdial.OriginHost, 0, "", kpi.ClassAbandonEarly, kpi.ByOrigin},
		{ringing, outdial.OriginNoAnswer, outdial.OriginHost, 0, "", kpi.ClassNoAnswer, kpi.ByOrigin},
		{quiet, outdial.OriginNoTrying, outdial.OriginUnknown, 0, "", kpi.ClassNetworkFailure, kpi.ByOrigin}, // a process died
		{quiet, outdial.OriginUnknown, outdial.OriginUnknown, 0, "", kpi.ClassUnknown, kpi.ByNothing},
		{quiet, outdial.OriginUnknown, outdial.OriginHost, 487, "", kpi.ClassAbandonEarly, kpi.ByOrigin},
		// The carrier's own word, which crossed the CANCEL.
		{quiet, outdial.OriginNoTrying, outdial.OriginCarrier, 486, "", kpi.ClassUserBusy, kpi.ByStatus},
		{quiet, outdial.OriginNoTrying, outdial.OriginCarrier, 503, "", kpi.ClassCongestion, kpi.ByStatus},
		{quiet, outdial.OriginNoTrying, outdial.OriginCarrier, 503, "17", kpi.ClassUserBusy, kpi.ByCause},
		{quiet, outdial.OriginNoProgress, outdial.OriginCarrier, 404, "1", kpi.ClassBadNumber, kpi.ByCause},
		{ringing, outdial.OriginNoTrying, outdial.OriginCarrier, 480, "", kpi.ClassNoAnswer, kpi.ByStatus},
		{quiet, outdial.OriginCaller, outdial.OriginCarrier, 486, "", kpi.ClassUserBusy, kpi.ByStatus},
		// Nothing left: nobody is to blame, whatever the host took it for.
		{quiet, outdial.OriginNoTrying, outdial.OriginNeverSent, 0, "", kpi.ClassNeverSent, kpi.ByOrigin},
	} {
		a := verdict{v.rang, v.origin, v.code, v.cause, 0, 0}.attempt(t)
		a.Abandoned.Origin = v.why
		a.Timeline.Set(outdial.MarkAbandon, time.Second)
		class, by := kpi.Classify(a)
		require.Equal(t, v.class.String(), class.String(), "%+v", v)
		require.Equal(t, v.by.String(), by.String(), "%+v", v)
	}
	a := verdict{quiet, outdial.OriginHost, 0, "", 0, 0}.attempt(t)
	a.Abandoned.Origin = outdial.OriginNoTrying
	a.Timeline.Set(outdial.MarkAbandon, time.Second)
	a.Timeline.Set(outdial.MarkAnswer, 2*time.Second)
	class, _ := kpi.Classify(a)
	require.Equal(t, kpi.ClassAnswer, class, "a late answer is one")
}

func TestClassifyAnswerComesFirst(t *testing.T) {
	for _, late := range []bool{false, true} {
		a := &outdial.Attempt{Late: late, Result: outdial.Result{Origin: outdial.OriginNoTrying, Code: 503}}
		a.Timeline.Set(outdial.MarkAnswer, time.Second)
		class, by := kpi.Classify(a)
		require.Equal(t, kpi.ClassAnswer, class)
		require.Equal(t, kpi.ByAnswer, by)
	}
}

// Every cause and every status must give some class of a seizure; no combination may give an answer.
func TestClassifyIsTotal(t *testing.T) {
	for code := range 700 {
		for cause := range 256 {
			a := outdial.Attempt{Result: outdial.Result{
				Origin: outdial.OriginCarrier, Code: uint16(code), Cause: outdial.Cause{Value: uint8(cause)},
			}}
			class, by := kpi.Classify(&a)
			require.True(t, class.Seizure() && class != kpi.ClassAnswer && class < kpi.ClassCount)
			require.NotEqual(t, kpi.ByNothing, by)
		}
	}
}

func TestDeliveredClasses(t *testing.T) {
	var got []string
	for c := range kpi.ClassCount {
		if c.Delivered() {
			got = append(got, c.String())
		}
	}
	require.Equal(t, []string{"answer", "user_busy", "no_answer", "reject", "absent", "abandon_ringing"}, got)
}

func TestClassText(t *testing.T) {
	for c := range kpi.ClassCount {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		var back kpi.Class
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, c, back)
	}
	var c kpi.Class
	require.ErrorContains(t, c.UnmarshalText([]byte("busy")), `"busy"`)
	require.Equal(t, "invalid", kpi.ClassCount.String())
}
