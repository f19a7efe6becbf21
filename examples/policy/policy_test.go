package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi/cdr"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	return file
}

// TestLintStrict: a destination with one trunk is a finding, and exit code 2 (ledger rows 28, 57).
func TestLintStrict(t *testing.T) {
	var out, errs bytes.Buffer
	require.Zero(t, run([]string{"lint", "-strict", "policy.yaml"}, &out, &errs), "%s%s", &out, &errs)
	one := write(t, "one.yaml", "trunks: [{name: a}]\nrules: [{tiers: [{trunks: [{trunk: a}]}]}]\n")
	require.Zero(t, run([]string{"lint", one}, &out, &errs))
	require.Equal(t, 2, run([]string{"lint", one, "-strict"}, &out, &errs))
	require.Contains(t, out.String(), "one_trunk")
	require.Equal(t, 1, run([]string{"lint", write(t, "bad.yaml", "trunks: []\nrulez: []\n")}, &out, &errs))
	require.Contains(t, errs.String(), "rulez")
	require.Equal(t, 1, run([]string{"nonsense"}, &out, &errs))
}

func TestExplain(t *testing.T) {
	var out, errs bytes.Buffer
	require.Zero(t, run([]string{"explain", "policy.yaml", "+16025550123", "-at", "2026-03-02T17:00:00Z"}, &out, &errs), &errs)
	for _, want := range []string{
		`goes by the rule "united-states" (+1) of policy 2026-03`, "In force: avoid carrier beta for prefix=+1602 (ops: ticket 4711",
		"1.  gamma-1  0.008 (+1)", "gamma eastline", "–   beta-1", "transit beta northline", "avoided: avoid carrier beta for prefix=+1602",
	} {
		require.Contains(t, out.String(), want)
	}
	out.Reset()
	require.Zero(t, run([]string{"explain", "policy.yaml", "+16025550123", "-at", "2026-03-02T17:00:00Z", "-tags", "vip, callback"}, &out, &errs), &errs)
	require.Contains(t, out.String(), `tagged vip and callback, at 2026-03-02 17:00 UTC goes by the rule "callbacks" of policy 2026-03`)
	out.Reset()
	require.Zero(t, run([]string{"explain", "policy.yaml", "+12125550123", "-at", "2026-03-01T17:00:00Z"}, &out, &errs), &errs)
	require.Contains(t, out.String(), "It is refused: routing: it is a day on which nobody is called")
	require.Contains(t, out.String(), "Asking again helps at 2026-03-02T13:00:00Z")
	out.Reset()
	require.Zero(t, run([]string{"explain", "policy.yaml", "+12125550123", "-at", "2026-03-02T17:00:00Z", "-json"}, &out, &errs), &errs)
	require.Contains(t, out.String(), `"posterior_mean"`)

	decision := write(t, "decision.json", out.String())
	out.Reset()
	require.Zero(t, run([]string{"replay", "policy.yaml", decision}, &out, &errs), &errs)
	require.Equal(t, "the same decision\n", out.String())
	other := write(t, "other.yaml", "trunks: [{name: gamma-1}, {name: beta-1}]\nrules: [{tiers: [{trunks: [{trunk: beta-1}, {trunk: gamma-1}]}]}]\n")
	require.Equal(t, 2, run([]string{"replay", other, decision}, &out, &errs))
	require.Contains(t, out.String(), "is nobody")
	more := write(t, "more.yaml", "trunks: [{name: gamma-1}, {name: alpha-1}, {name: beta-1}, {name: delta-1}]\n"+
		"rules: [{tiers: [{trunks: [{trunk: gamma-1}, {trunk: alpha-1}, {trunk: beta-1}, {trunk: delta-1}]}]}]\n")
	require.Equal(t, 2, run([]string{"replay", more, decision}, &out, &errs))
	require.Contains(t, out.String(), "4. was nobody, is delta-1")
	require.Equal(t, 1, run([]string{"replay", "policy.yaml", write(t, "bad.json", "{}")}, &out, &errs))
}

func TestDiff(t *testing.T) {
	old := write(t, "old.csv", "prefix,rate\n1,0.01\n33,0.01\n44,0.02\n")
	next := write(t, "new.csv", "prefix,rate\n1,0.02\n44,0.02\n49,0.01\n")
	var out, errs bytes.Buffer
	require.Zero(t, run([]string{"diff", old, next, "-all"}, &out, &errs), &errs)
	require.Contains(t, out.String(), "added    1\n         +49 0 -> 0.01\nremoved  1\n         +33 0.01 -> 0\nraised   1\n         +1 0.01 -> 0.02")
}

func TestWhatIf(t *testing.T) {
	ids := new(outdial.Registry)
	dir := t.TempDir()
	j, _, err := cdr.Open(cdr.Config{Dir: dir, IDs: ids})
	require.NoError(t, err)
	plan, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids})
	require.NoError(t, err)
	at := time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	for i := range 10 {
		a := &outdial.Attempt{
			ID: outdial.AttemptID{Call: outdial.CallID(i + 1), Leg: 1}, Start: at, State: outdial.AttemptOpen,
			Call:      outdial.Call{ID: outdial.CallID(i + 1), To: 442079460123, Begun: at, Dest: plan.Locate(at, 442079460123)},
			Candidate: outdial.Candidate{Trunk: ids.Trunks.ID("alpha-1"), Carrier: ids.Carriers.ID("alpha")},
		}
		require.NoError(t, j.Append(&outdial.Event{Kind: outdial.EventStarted, Time: at, Attempt: a}))
		a.State, a.Result.Origin = outdial.AttemptEnded, outdial.OriginCarrier
		a.Timeline.Set(outdial.MarkAnswer, time.Second)
		a.Timeline.Set(outdial.MarkEnd, 61*time.Second)
		require.NoError(t, j.Append(&outdial.Event{Kind: outdial.EventEnded, Time: at.Add(61 * time.Second), Attempt: a}))
	}
	require.NoError(t, j.Close())
	var out, errs bytes.Buffer
	require.Zero(t, run([]string{"whatif", "-journal", dir, "policy.yaml"}, &out, &errs), &errs)
	require.Contains(t, out.String(), "10 calls, 10 would move, 0 would be refused; answered time would cost 0.12")
	require.Contains(t, out.String(), "10 from alpha-1 to gamma-1", "its minutes are paid for")
}
