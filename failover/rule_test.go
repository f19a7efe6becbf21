package failover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

func newSelector(t require.TestingT, cfg failover.Config) *failover.Selector {
	s, err := failover.New(cfg)
	require.NoError(t, err)
	return s
}

// final is a final response of a carrier.
func final(code uint16, more ...any) outdial.Result {
	r := outdial.Result{Origin: outdial.OriginCarrier, Code: code}
	for _, m := range more {
		switch m := m.(type) {
		case int:
			r.Cause.Value = uint8(m)
		case outdial.Location:
			r.Cause.Location = m
		case string:
			r.Phrase = m
		case time.Duration:
			r.RetryAfter = m
		case outdial.Headers:
			r.Headers = m
		}
	}
	return r
}

func analytics(phrase string) outdial.Result {
	r := final(603, phrase)
	r.SIPCause, r.Text = 603, "v=analytics1;url=https://redress.example"
	return r
}

func ended(o outdial.Origin) outdial.Result { return outdial.Result{Origin: o} }

func TestDefaultRules(t *testing.T) {
	const (
		advance = outdial.VerdictAdvance
		stop    = outdial.VerdictStop
		none    = failover.EvidenceNone
		callee  = failover.EvidenceCallee
		soft    = failover.EvidenceSoft
		hard    = failover.EvidenceHard
		full    = failover.EvidenceFull
		fault   = failover.EvidenceConfigFault
		number  = failover.EvidenceNumberFault
		blocked = failover.EvidenceCLIBlocked
		follow  = outdial.VerdictRedirect
		auth    = outdial.VerdictAuthenticate
	)
	s := newSelector(t, failover.Config{})
	rows := []struct {
		result   outdial.Result
		verdict  outdial.Verdict
		evidence failover.Evidence
	}{
		// Without a response.
		{ended(outdial.OriginUnknown), stop, none},
		{ended(outdial.OriginNeverSent), advance, none},
		{ended(outdial.OriginTransport), advance, hard},
		{ended(outdial.OriginNoTrying), advance, hard},
		{ended(outdial.OriginNoProgress), advance, soft},
		{ended(outdial.OriginNoAnswer), stop, callee},
		{ended(outdial.OriginCaller), stop, none},
		{ended(outdial.OriginCallerHangup), stop, none},
		{ended(outdial.OriginCalleeHangup), stop, none},
		{ended(outdial.OriginMediaLoss), stop, none},
		{ended(outdial.OriginHost), stop, none},
		{outdial.Result{Origin: outdial.OriginCaller, Code: 487}, stop, none},
		{outdial.Result{Origin: outdial.OriginNoTrying, Code: 487}, advance, hard},

		// Redirection and request failures.
		{final(300), follow, none},
		{final(301), follow, none},
		{final(302), follow, none},
		{final(305), follow, none},
		{final(380), follow, none},
		{final(399), follow, none},
		{final(400), advance, none},
		{final(401), auth, fault},
		{final(402), advance, fault},
		{final(403), advance, fault},
		{final(404), stop, number},
		{final(405), advance, none},
		{final(406), advance, none},
		{final(407), auth, fault},
		{final(408), advance, soft},
		{final(410), stop, number},
		{final(409), advance, none},
		{final(412), advance, none},
		{final(413), advance, none},
		{final(414), advance, none},
		{final(415), advance, none},
		{final(416), advance, none},
		{final(417), advance, none},
		{final(420), advance, none},
		{final(421), advance, none},
		{final(422), advance, none},
		{final(423), advance, none},
		{final(424), advance, none},
		{final(425), advance, none},
		{final(428), advance, fault},
		{final(429), advance, none},
		{final(430), advance, soft},
		{final(433), advance, none},
		{final(436), advance, fault},
		{final(437), advance, fault},
		{final(438), advance, fault},
		{final(439), advance, none},
		{final(440), advance, none},
		{final(469), advance, none},
		{final(470), advance, none},
		{final(480), stop, callee},
		{final(481), advance, none},
		{final(482), advance, none},
		{final(483), advance, none},
		{final(484), stop, number},
		{final(485), stop, number},
		{final(486), stop, callee},
		{final(487), stop, none},
		{final(488), advance, none},
		{final(489), advance, none},
		{final(491), advance, none},
		{final(493), advance, none},
		{final(494), advance, none},
		{final(499), advance, none},

		// Server failures.
		{final(500), advance, soft},
		{final(501), advance, none},
		{final(502), advance, soft},
		{final(503), advance, soft},
		{final(504), advance, soft},
		{final(505), advance, none},
		{final(513), advance, none},
		{final(555), advance, soft},
		{final(580), advance, none},
		{final(599), advance, soft},

		// Global failures, with whatever else stands in them.
		{final(600), stop, callee},
		{final(603), stop, callee},
		{final(603, "Decline", 34), stop, callee},
		{final(603, "CPS limit exceeded"), stop, callee},
		{final(603, "Network Blocked"), stop, blocked},
		{analytics("Network Blocked"), stop, blocked},
		{analytics("Decline"), stop, blocked},
		{final(604), stop, number},
		{final(606), advance, none},
		{behind(503, 603, "v=analytics1"), stop, blocked},
		{behind(503, 603, "v=analytics1", time.Minute), stop, blocked},
		{behind(480, 608, ""), stop, blocked},
		{behind(403, 607, "unwanted"), stop, blocked},
		{behind(500, 603, "declined"), stop, callee},
		{behind(603, 603, "declined", "Decline"), stop, callee},
		{behind(503, 600, ""), stop, callee},
		{behind(503, 604, "", 34), stop, number},
		{final(607), stop, blocked},
		{final(608), stop, blocked},
		{final(699), stop, none},

		// Every Q.850 value that RFC 3398 maps, with the code that it maps to, and over another code.
		{final(404, 1), stop, number},
		{final(503, 1), stop, number},
		{final(404, 2), advance, none},
		{final(404, 3), advance, none},
		{final(486, 17), stop, callee},
		{final(503, 17), stop, callee},
		{final(408, 18), stop, callee},
		{final(480, 18), stop, callee},
		{final(480, 19), stop, callee},
		{final(503, 19), stop, callee},
		{final(480, 20), stop, callee},
		{final(403, 21), advance, fault},
		{final(403, 21, outdial.LocationTransit), advance, fault},
		{final(403, 21, outdial.LocationUser), stop, callee},
		{final(503, 21, outdial.LocationRemotePrivate), stop, callee},
		{final(480, 21), stop, callee},
		{final(603, 21), stop, callee},
		{final(410, 22), stop, number},
		{final(410, 23), stop, number},
		{final(404, 26), stop, number},
		{final(502, 27), advance, none},
		{final(484, 28), stop, number},
		{final(501, 29), advance, none},
		{final(480, 31), stop, callee},
		{final(503, 31), advance, soft},
		{final(503, 34), advance, full},
		{final(480, 34), advance, full},
		{final(404, 34), advance, full},
		{final(503, 38), advance, soft},
		{final(404, 38), advance, soft},
		{final(503, 41), advance, soft},
		{final(503, 42), advance, full},
		{final(480, 42), advance, full},
		{final(503, 44), advance, full},
		{final(503, 47), advance, full},
		{final(403, 55), stop, none},
		{final(403, 57), advance, fault},
		{final(503, 58), advance, none},
		{final(488, 65), advance, none},
		{final(488, 70), advance, none},
		{final(501, 79), advance, none},
		{final(403, 87), stop, none},
		{final(503, 88), advance, none},
		{final(504, 102), advance, soft},
		{final(500, 111), advance, soft},
		{final(500, 127), advance, soft},
		{final(480, 127), stop, callee},
		{final(503, 16), advance, soft},
		{final(500, 17, outdial.LocationUser), stop, callee},
		{final(500, 17, outdial.LocationTransit), stop, callee},
		{final(503, 20), stop, callee},
		{final(500, 22), stop, number},
		{final(503, 28), stop, number},
		{final(500, 29), advance, none},
		{final(486, 34), advance, full},
		{final(486, 41), advance, soft},
		{final(403, 58), advance, none},
		{final(503, 65), advance, none},
		{final(503, 102), advance, soft},

		// What carriers say in words.
		{final(403, "User channel limit exceeded D1"), advance, full},
		{final(403, "USER CHANNEL LIMIT EXCEEDED D22"), advance, full},
		{final(403, "User channel limit exceeded D2"), advance, full},
		{final(403, "User channel limit exceeded D3"), advance, full},
		{final(403, "Account disabled D17"), advance, fault},
		{final(403, "Forbidden"), advance, fault},
		{final(503, "Call rate exceeded"), advance, full},
		{final(486, "CPS limit exceeded"), advance, full},
		{final(503, "CPS limit exceeded"), advance, full},
		{final(503, "CPS Limit reached P05"), advance, full},
		{final(503, "Trunk CPS limit exceeded"), advance, full},
		{final(480, "Concurrent call limit exceeded"), advance, full},
		{final(503, "Too many concurrent calls"), advance, full},
		{final(503, "Calls per second exceeded"), advance, full},
		{final(480, "No circuit available"), advance, full},
		{final(500, "Trunk capacity exceeded"), advance, full},
		{final(480, "Call Admission Control"), advance, full},
		{final(503, "Switching equipment congestion"), advance, full},
		{final(503, outdial.Headers(`Warning: 370 sbc.example "Insufficient Bandwidth"`)), advance, full},
		{final(488, outdial.Headers(`warning: 370 - "insufficient bandwidth"`)), advance, full},
		{final(503, outdial.Headers(`Warning: 399 sbc.example "no reason"`)), advance, soft},
		{final(503, outdial.Headers(`X-Error: insufficient bandwidth`)), advance, soft},
		{final(606, outdial.Headers(`Warning: 370 - "Insufficient bandwidth"`)), advance, none},
		{final(503, "Service Unavailable"), advance, soft},
		{final(480, "Temporarily Unavailable"), stop, callee},
		{final(503, time.Minute), advance, none},
		{final(503, "CPS limit exceeded", time.Second), advance, full},
		{final(486, time.Minute), stop, callee},
		{final(600, time.Minute), stop, callee},
	}
	require.GreaterOrEqual(t, len(rows), 150)
	for i, c := range rows {
		a := &outdial.Attempt{Result: c.result}
		j := s.Judge(a)
		require.Equal(t, c.verdict, j.Verdict, "%d %+v: %s", i, c.result, j.Rule)
		require.Equal(t, c.evidence, j.Evidence, "%d %+v: %s", i, c.result, j.Rule)
		require.Equal(t, c.verdict, s.Verdict(a))
		require.Equal(t, c.result.Origin == outdial.OriginUnknown, j.Rule == "")
	}
}

// TestSIPCodeOfCause: a Q.850 cause that reaches us as nothing but the SIP code that RFC 3398 makes of it is judged
// as with the cause, but where the code says less than the cause.
func TestSIPCodeOfCause(t *testing.T) {
	s := newSelector(t, failover.Config{})
	for v := 1; v < 128; v++ {
		for _, l := range []outdial.Location{outdial.LocationUnknown, outdial.LocationUser} {
			code, ok := outdial.Cause{Value: uint8(v), Location: l}.SIPCode()
			if !ok {
				continue
			}
			both := s.Judge(&outdial.Attempt{Result: final(uint16(code), v, l)})
			alone := s.Judge(&outdial.Attempt{Result: final(uint16(code))})
			switch v {
			case 2, 3: // 404 alone cannot tell "no route" from "no such number", and stops
				require.Equal(t, outdial.VerdictStop, alone.Verdict)
				require.Equal(t, outdial.VerdictAdvance, both.Verdict)
			case 18, 55, 87: // 408 and 403 alone blame the carrier
				require.Equal(t, outdial.VerdictAdvance, alone.Verdict)
				require.Equal(t, outdial.VerdictStop, both.Verdict)
			default:
				require.Equal(t, alone.Verdict, both.Verdict, "cause %d, code %d", v, code)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	suspend := func(cfg failover.Config, r outdial.Result) time.Duration {
		return newSelector(t, cfg).Judge(&outdial.Attempt{Result: r}).Suspend
	}
	require.Equal(t, 30*time.Second, suspend(failover.Config{}, final(503, 30*time.Second)))
	require.Equal(t, 300*time.Second, suspend(failover.Config{}, final(503, time.Hour)))
	require.Equal(t, time.Minute, suspend(failover.Config{RetryAfterMax: time.Minute}, final(503, time.Hour)))
	require.Zero(t, suspend(failover.Config{RetryAfterMax: -1}, final(503, time.Hour)))
	require.Zero(t, suspend(failover.Config{}, final(503)))
	require.Zero(t, suspend(failover.Config{}, final(480, time.Hour)), "the callee's, not the trunk's")
	require.Zero(t, suspend(failover.Config{}, final(503, 17, time.Hour)), "busy, whatever the code")
}

func TestUserRules(t *testing.T) {
	s := newSelector(t, failover.Config{Rules: []failover.Rule{
		{Name: "404 is no circuits here", From: 404, Verdict: outdial.VerdictAdvance, Evidence: failover.EvidenceFull},
		{From: 480, Phrase: "Far End", Locations: []outdial.Location{outdial.LocationTransit}, Verdict: outdial.VerdictAdvance},
		{Name: "everything", From: 600, To: 699, Verdict: outdial.VerdictAdvance},
	}})
	judge := func(r outdial.Result) failover.Judgement { return s.Judge(&outdial.Attempt{Result: r}) }
	require.Equal(t, failover.Judgement{
		Verdict: outdial.VerdictAdvance, Evidence: failover.EvidenceFull,
		Shortage: outdial.ShortageUnknown, Rule: "404 is no circuits here",
	}, judge(final(404, 1)))
	require.Equal(t, "rule 1", judge(final(480, "the far END said no", outdial.LocationTransit)).Rule)
	require.Equal(t, "unavailable", judge(final(480, "the far END said no")).Rule)
	require.Equal(t, outdial.VerdictAdvance, judge(final(600)).Verdict)
	for _, code := range []uint16{603, 607, 608} {
		require.Equal(t, outdial.VerdictStop, judge(final(code)).Verdict, "no row goes on after a refusal by the callee")
	}

	_, err := failover.New(failover.Config{
		Baseline: 1, FalseAlarm: -1, Jitter: 2, Backoff: -1, ProbeGood: -1, ProbeTimeout: -1, BackoffMax: -2,
		Rules: []failover.Rule{
			{Name: "x", From: 200},
			{From: 500, To: 400},
			{Causes: []uint8{0, 128}},
			{Origin: 99, Verdict: 7, Evidence: 19, Shortage: 9, Locations: []outdial.Location{77}},
		},
	})
	for _, want := range []string{
		"Baseline: 1", "FalseAlarm: -1", "Jitter: 2", "Backoff: -1ns", "ProbeGood: -1", "ProbeTimeout", "BackoffMax",
		`Rules[0] "x": From, To: 200`, `Rules[1] "": To: 400 is less`, `Rules[2] "": Causes: 0`, `Causes: 128`,
		"Origin: 99", "Verdict: 7", "Evidence: 19", "Shortage: 9", "Locations: 77",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestEvidenceText(t *testing.T) {
	for e := failover.EvidenceNone; e <= failover.EvidenceCLIBlocked; e++ {
		text, err := e.MarshalText()
		require.NoError(t, err)
		var back failover.Evidence
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, e, back)
	}
	for st := failover.Up; st <= failover.Held; st++ {
		text, err := st.MarshalText()
		require.NoError(t, err)
		var back failover.State
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, st, back)
	}
	require.Error(t, new(failover.Evidence).UnmarshalText([]byte("x")))
	require.Error(t, new(failover.State).UnmarshalText([]byte("x")))
	require.Equal(t, "invalid invalid", fmt.Sprintf("%v %v", failover.Evidence(77), failover.State(77)))
}
