package main

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// quick is a campaign of a few seconds. Without the dead carrier there are no legs that only time can end.
func quick() (options, []profile) {
	o := options{Calls: 120, CPS: 80, Seats: 20, Seed: 3, Scale: 60, Fault: fault503, Headless: true}
	return o, profiles(o)[:3]
}

func TestCampaign(t *testing.T) {
	o, list := quick()
	var out bytes.Buffer
	sum, err := conduct(context.Background(), o, list, newScreen(&out, o, nil))
	require.NoError(t, err)
	for _, c := range sum.Checked {
		require.True(t, c.OK, "%s: %s", c.Name, c.Fault)
	}
	require.Equal(t, o.Calls, sum.Calls.Placed)
	require.Zero(t, sum.Calls.Lost)
	require.Positive(t, sum.Calls.Answered)
	require.NotNil(t, sum.Incident)
	require.LessOrEqual(t, sum.Incident.Saved, sum.Incident.Met)
	require.Contains(t, out.String(), "nothing leaves the machine")
	require.Contains(t, out.String(), "alpha breaks")

	var text bytes.Buffer
	require.NoError(t, sum.writeText(&text, true, tableWidth))
	for _, l := range strings.Split(text.String(), "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(l), tableWidth, l)
	}
	require.Contains(t, text.String(), "23 of 23 invariants hold")
	require.Contains(t, text.String(), "calls lost 0")

	text.Reset()
	require.NoError(t, sum.writeJSON(&text))
	var back map[string]any
	require.NoError(t, json.Unmarshal(text.Bytes(), &back))
	require.Contains(t, back, "invariants")
}

// What the invariants are for: a configuration that makes outdial lose calls must not pass.
func TestBrokenConfigurationIsFound(t *testing.T) {
	replace := func(pattern, by string) func(string) string {
		return func(config string) string { return regexp.MustCompile(pattern).ReplaceAllString(config, by) }
	}
	const lost = "no call was lost: none failed while a trunk was left that could have carried it"
	for name, edit := range map[string]func(string) string{
		"one channel":         replace(`channels: \d+`, "channels: 1"),
		"one call a second":   replace(`cps: \d+`, "cps: 1"),
		"one attempt":         func(config string) string { return config + "hunting: {max_attempts: 1}\n" },
		"one trunk":           replace(`\n +- \{trunk: (budget|coast), weight: \d+\}`, ""),
		"one use of a number": replace(`caps: \[5/`, "caps: [1/"),
	} {
		t.Run(name, func(t *testing.T) {
			o, list := quick()
			o.Calls, o.CPS, o.Scale, o.edit = 60, 100, 200, edit
			sum, err := conduct(context.Background(), o, list, newScreen(&bytes.Buffer{}, o, nil))
			require.NoError(t, err)
			require.Positive(t, sum.Calls.Lost)
			require.Positive(t, sum.failed())
			i := slices.IndexFunc(sum.Checked, func(c checked) bool { return c.Name == lost })
			require.False(t, sum.Checked[i].OK)
		})
	}
}

func TestCampaignIsStoppedInOrder(t *testing.T) {
	o, list := quick()
	o.Calls, o.CPS = 1000, 40
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(1500*time.Millisecond, cancel)
	sum, err := conduct(ctx, o, list, newScreen(&bytes.Buffer{}, o, nil))
	require.NoError(t, err)
	require.True(t, sum.Interrupted)
	require.Less(t, sum.Calls.Placed, o.Calls)
	for _, c := range sum.Checked {
		require.True(t, c.OK, "%s: %s", c.Name, c.Fault)
	}
	var text bytes.Buffer
	require.NoError(t, sum.writeText(&text, false, tableWidth))
	require.Contains(t, text.String(), "before the interruption")
}
