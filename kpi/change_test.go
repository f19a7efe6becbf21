package kpi_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/kpi"
)

// The interval of a difference is the published one (Newcombe 1998, table II, method 10).
func TestMinus(t *testing.T) {
	for _, x := range []struct {
		r, o         kpi.Ratio
		d, low, high float64
	}{
		{kpi.Ratio{K: 56, N: 70}, kpi.Ratio{K: 48, N: 80}, 0.2, 0.0524, 0.3339},
		{kpi.Ratio{K: 9, N: 10}, kpi.Ratio{K: 3, N: 10}, 0.6, 0.1705, 0.8090},
		{kpi.Ratio{K: 0, N: 10}, kpi.Ratio{K: 0, N: 20}, 0, -0.1611, 0.2775},
		{kpi.Ratio{K: 10, N: 10}, kpi.Ratio{K: 0, N: 20}, 1, 0.6791, 1},
	} {
		d, low, high, ok := x.r.Minus(x.o, 0.95)
		require.True(t, ok)
		require.InDelta(t, x.d, d, 1e-9)
		require.InDelta(t, x.low, low, 6e-5)
		require.InDelta(t, x.high, high, 6e-5)
	}
	_, _, _, ok := kpi.Ratio{K: 1, N: 2}.Minus(kpi.Ratio{}, 0.95)
	require.False(t, ok)
}

// Two arms of one campaign, with answers, people and contacts, and what a contact cost, beside each other.
func TestArms(t *testing.T) {
	arm := func(answers, human, contacts uint64) *kpi.Cell {
		var c kpi.Cell
		c.Started, c.Answers, c.Contacts = 1000, answers, contacts
		c.Classes[kpi.ClassAnswer], c.Classes[kpi.ClassNoAnswer] = answers, 1000-answers
		c.Disposed[outdial.AnsweredByHuman] = human
		c.Disposed[outdial.AnsweredByVoicemail] = answers - human
		c.Cost, c.AgentTime = outdial.Micros(answers)*20_000, time.Duration(human)*time.Minute
		return &c
	}
	fees := kpi.Fees{PerAttempt: 1000, AgentHour: 24_000_000}
	arms := kpi.CompareArms(30, kpi.Arm{Name: "usual", Cell: arm(300, 200, 60), Fees: fees},
		kpi.Arm{Name: "other", Cell: arm(360, 200, 61), Fees: fees}, kpi.Arm{Name: "none", Cell: new(kpi.Cell)})
	require.Equal(t, "higher", arms[1].ASR.Verdict, "it reaches more machines")
	require.Equal(t, "not told from chance", arms[1].Contact.Verdict)
	require.Equal(t, "insufficient data", arms[2].ASR.Verdict)
	var out bytes.Buffer
	require.NoError(t, kpi.WriteArmsCSV(&out, arms))
	golden(t, "arms.csv", out.String())
	text, err := json.Marshal(arms)
	require.NoError(t, err)
	require.NotContains(t, string(text), "NaN")
	require.Empty(t, kpi.CompareArms(30))
}

// golden compares with a file, or writes it with UPDATE_GOLDEN set.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// A week beside the week before, of two trunks: one answers less than it did, one as always. A replay from a snapshot tells the same.
func TestWeekly(t *testing.T) {
	build := func() *kpi.Meter {
		ids := new(outdial.Registry)
		ids.Trunks.Add("gold", "silver")
		return newMeter(t, kpi.Config{IDs: ids, Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}}})
	}
	m := build()
	monday := t0.Truncate(24 * time.Hour)
	call := 0
	for day := range 14 {
		for hour := range 8 {
			at := monday.AddDate(0, 0, day).Add(time.Duration(9+hour) * time.Hour)
			for i := range 20 {
				for _, trunk := range []outdial.TrunkID{1, 2} {
					call++
					answers := 8
					if trunk == 1 && day >= 7 {
						answers = 6
					}
					if i < answers {
						observe(m, answeredLeg(call, at, trunk, 2*time.Second, time.Minute)...)
						a := outdial.Attempt{ID: outdial.AttemptID{Call: outdial.CallID(call), Leg: 1}}
						observe(m, disposed(&a, at, outdial.Disposition{AnsweredBy: outdial.AnsweredByHuman, Contact: i < 2}))
					} else {
						observe(m, failedLeg(call, 1, at, trunk, 486)...)
					}
				}
			}
		}
	}
	now := monday.AddDate(0, 0, 14).Add(20 * time.Minute)
	observe(m, failedLeg(call+1, 1, now, 1, 486)...) // of the third week
	w, err := m.Weekly(now, kpi.ByTrunk)
	require.NoError(t, err)
	require.Equal(t, monday, w.From)
	require.Equal(t, "lower", w.Rows[0].ASR.Verdict)
	require.Equal(t, "not told from chance", w.Rows[1].ASR.Verdict)
	require.Equal(t, [2]uint64{1120, 1120}, w.Rows[0].Seizures)
	var out bytes.Buffer
	require.NoError(t, w.WriteCSV(&out))
	golden(t, "weekly.csv", out.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	text, err := json.MarshalIndent(w, "", "  ")
	require.NoError(t, err)
	golden(t, "weekly.json", string(text)+"\n")

	b, err := m.Save(1)
	require.NoError(t, err)
	restored := build()
	require.NoError(t, restored.Restore(b))
	again, err := restored.Weekly(now, kpi.ByTrunk)
	require.NoError(t, err)
	require.Equal(t, w, again)

	_, err = m.Weekly(now, kpi.ByPool)
	require.ErrorContains(t, err, "pool is not archived")
	_, err = newMeter(t, kpi.Config{Archive: kpi.ArchiveConfig{Views: []kpi.View{kpi.ByTrunk}, Keep: time.Hour}}).Weekly(now, kpi.ByTrunk)
	require.ErrorContains(t, err, "two weeks")
}

// What the cost of a contact would be at another answer rate: at the rate that there is it is the cost, and the derivative is what
// differences come to.
func TestCostSensitivity(t *testing.T) {
	var c kpi.Cell
	c.Started, c.Answers, c.Contacts = 5000, 1500, 300
	c.Classes[kpi.ClassAnswer], c.Classes[kpi.ClassNoAnswer] = 1500, 3500
	c.Cost, c.AgentTime = 45_000_000, 30*time.Hour
	f := kpi.Fees{PerAttempt: 2000, AgentHour: 25_000_000, Idle: 12 * time.Hour, Fixed: 80_000_000}
	cost, ok := c.CostPerContact(f)
	require.True(t, ok)
	same, ok := c.CostPerContactAt(f, 0.3)
	require.True(t, ok)
	require.InDelta(t, float64(cost), float64(same), 1)
	slope, ok := c.CostSensitivity(f)
	require.True(t, ok)
	require.Negative(t, slope)
	const step = 0.001
	up, _ := c.CostPerContactAt(f, 0.3+step)
	down, _ := c.CostPerContactAt(f, 0.3-step)
	require.InEpsilon(t, float64(up-down)/(2*step), float64(slope), 1e-4, "numeric beside analytic")
	half, _ := c.CostPerContactAt(f, 0.15)
	require.Greater(t, half, cost)
	for _, asr := range []float64{0, -1, 1.1} {
		_, ok = c.CostPerContactAt(f, asr)
		require.False(t, ok)
	}
	_, ok = new(kpi.Cell).CostSensitivity(f)
	require.False(t, ok)
}

// An incident of 1,000 legs that answered 10 % instead of 30 cost about 200 answers and 20 contacts.
func TestLostOpportunity(t *testing.T) {
	cell := func(legs, answers, contacts uint64) *kpi.Cell {
		var c kpi.Cell
		c.Started, c.Answers, c.Contacts = legs, answers, contacts
		c.Classes[kpi.ClassAnswer], c.Classes[kpi.ClassCongestion] = answers, legs-answers
		return &c
	}
	lost, ok := kpi.LostOf(cell(20_000, 6000, 600), cell(1000, 100, 10), 0.95)
	require.True(t, ok)
	require.InDelta(t, 200, lost.Answers.N, 1e-9)
	require.InDelta(t, 20, lost.Contacts.N, 1e-9)
	require.Greater(t, lost.Contacts.Low, 10.0)
	require.Less(t, lost.Contacts.High, 30.0)
	none, ok := kpi.LostOf(cell(20_000, 6000, 600), cell(1000, 300, 30), 0.95)
	require.True(t, ok)
	require.Negative(t, none.Answers.Low)
	require.Positive(t, none.Answers.High)
	_, ok = kpi.LostOf(new(kpi.Cell), cell(1000, 300, 30), 0.95)
	require.False(t, ok)
}
