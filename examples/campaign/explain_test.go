package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

func exampleDecision() outdial.Explanation {
	num := func(stage, name string, v float64) outdial.ExplainedReading {
		return outdial.ExplainedReading{Stage: stage, Name: name, Value: v}
	}
	txt := func(stage, name, text string) outdial.ExplainedReading {
		return outdial.ExplainedReading{Stage: stage, Name: name, Text: text}
	}
	return outdial.Explanation{
		Outcome:  "dial",
		Call:     outdial.ExplainedCall{To: answeredTo, Country: "US", Program: "sales", Campaign: "spring"},
		Readings: []outdial.ExplainedReading{txt("routing", "rule", "everything")},
		Candidates: []outdial.ExplainedCandidate{
			{Trunk: "alpha", Fate: "dialled", Leg: 3, Chosen: "last_resort", Readings: []outdial.ExplainedReading{txt("failover", "state", "out")}},
			{Trunk: "budget", Fate: "refused", Refused: &outdial.ExplainedRefusal{Text: "trunk: no free channel"}, Readings: []outdial.ExplainedReading{
				txt("failover", "state", "up"), num("trunk", "in_use", 45), num("trunk", "channels", 45),
			}},
			{Trunk: "coast", Fate: "dialled", Leg: 1, Chosen: "weight", Weight: 20, CostMicros: 9000, CLI: 12015550170, Readings: []outdial.ExplainedReading{
				num("routing", "estimate_mean", .42), num("routing", "estimate_n", 120),
				txt("failover", "state", "up"), num("trunk", "in_use", 41), num("trunk", "channels", 250), num("trunk", "last_second", 24),
				num("trunk", "cps", 90), txt("cli", "tier", "area"), num("cli", "window_s", 3600), num("cli", "uses", 1), num("cli", "cap", 5),
				num("cli", "window_s", 86400), num("cli", "uses", 2), num("cli", "cap", 20),
			}},
			{Trunk: "delta", Fate: "dialled", Leg: 2, Chosen: "probe"},
			{Trunk: "echo", Fate: "not_reached"},
			{Trunk: "foxtrot", Fate: "left_out", CostMicros: 5000, Refused: &outdial.ExplainedRefusal{Text: "no rate for the number"}},
		},
	}
}

func TestExplanationInWords(t *testing.T) {
	golden(t, "explained.txt", strings.Join(words(exampleDecision()), "\n")+"\n")
	require.Equal(t, []string{`a call to +12015550100, program sales, campaign spring`, "is refused: cli: the callee is suppressed"},
		words(outdial.Explanation{
			Call:    outdial.ExplainedCall{To: answeredTo, Program: "sales", Campaign: "spring"},
			Refused: &outdial.ExplainedRefusal{Text: "cli: the callee is suppressed"},
		}))
}

func TestSummaryGolden(t *testing.T) {
	e := soundEvidence(t)
	e.Broken, e.Noticed, e.Healed = at(1.5), at(2.5), at(4)
	e.Detections = []*detection{{Trunk: good, Allowed: 6, Row: 6, Noticed: at(2.5)}}
	e.Decision, e.Decided = exampleDecision(), at(3).Sub(testBegin)
	var text bytes.Buffer
	require.NoError(t, newSummary(e, "").writeText(&text, true, tableWidth))
	golden(t, "summary.txt", text.String())
	text.Reset()
	require.NoError(t, newSummary(e, "").writeText(&text, true, leastWidth))
	golden(t, "summary80.txt", text.String())
	for l := range strings.SplitSeq(text.String(), "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(l), leastWidth, l)
	}
	text.Reset()
	require.NoError(t, newSummary(e, "").writeJSON(&text))
	golden(t, "summary.json", text.String())
}
