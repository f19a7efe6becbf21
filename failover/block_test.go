package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// behind is a final response whose status was rewritten on the way, with the original in a Reason header.
func behind(code, sip uint16, text string, more ...any) outdial.Result {
	r := final(code, more...)
	r.SIPCause, r.Text = sip, text
	return r
}

// TestBlocks: a block stops, blames nobody, and no rule can make it go on, whatever the status was rewritten to.
func TestBlocks(t *testing.T) {
	const analytics = "v=analytics1;url=https://redress.example"
	for _, rules := range [][]failover.Rule{nil, {
		{Name: "everything", Verdict: outdial.VerdictAdvance, Evidence: failover.EvidenceHard},
	}, {
		{Name: "around", Origin: outdial.OriginCarrier, Verdict: outdial.VerdictReroute, Evidence: failover.EvidenceSoft},
	}} {
		b := newBench(t, failover.Config{Rules: rules}, on(1, 0, 0))
		for _, r := range []outdial.Result{
			final(607), final(608), final(603, "Network Blocked"), final(603, "NETWORK BLOCKED", time.Minute),
			behind(603, 603, analytics, "Decline"),
			behind(503, 603, analytics), behind(503, 603, analytics, time.Minute), behind(480, 603, "V=Analytics1"),
			behind(403, 603, "v=analytics"), behind(500, 608, ""), behind(403, 607, ""), behind(503, 608, "", 34),
			behind(503, 603, "", "Network Blocked"),
		} {
			require.True(t, r.Blocked())
			j := b.s.Judge(&outdial.Attempt{Result: r})
			require.Equal(t, failover.Judgement{Rule: "blocked", Evidence: failover.EvidenceCLIBlocked}, j, "%+v", r)
			for range 20 {
				b.end(start, 1, 0, r)
			}
		}
		st := b.target(start, 1, 0)
		require.Equal(t, failover.Target{Trunk: 1, Share: 1, Baseline: 0.1, BaselineCalls: 500}, st, "nothing is held against the carrier")
	}
}

// TestGlobalFailureBehindAnotherStatus: a 6xx counts as what it is, wherever it stands.
func TestGlobalFailureBehindAnotherStatus(t *testing.T) {
	s := newSelector(t, failover.Config{Rules: []failover.Rule{
		{Name: "500", From: 500, To: 599, Phrase: "mine", Verdict: outdial.VerdictAdvance},
		{Name: "decline", From: 603, Phrase: "mine", Verdict: outdial.VerdictReroute},
	}})
	judge := func(r outdial.Result) failover.Judgement { return s.Judge(&outdial.Attempt{Result: r}) }
	for code := uint16(600); code <= 699; code++ {
		for _, status := range []uint16{403, 480, 500, 503} {
			require.Equal(t, judge(final(code)), judge(behind(status, code, "")), "%d behind %d", code, status)
		}
	}
	require.Equal(t, outdial.VerdictStop, judge(behind(503, 603, "", "mine", time.Minute)).Verdict)
	require.Zero(t, judge(behind(503, 600, "", time.Minute)).Suspend)
	require.Equal(t, outdial.VerdictStop, judge(behind(503, 603, "", 34)).Verdict, "no cause goes before it")
	require.Equal(t, "server_fault", judge(behind(503, 503, "")).Rule)
	require.Equal(t, "server_fault", judge(behind(503, 700, "")).Rule)
	require.Equal(t, "declined", judge(behind(603, 604, "")).Rule, "of two, the status")
}
