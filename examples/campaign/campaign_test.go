package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	sum, err := conduct(context.Background(), o, list, newScreen(&out, o, false))
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
	require.NoError(t, sum.writeText(&text, true))
	for _, l := range strings.Split(text.String(), "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(l), tableWidth, l)
	}
	require.Contains(t, text.String(), "17 of 17 invariants hold")
	require.Contains(t, text.String(), "calls lost 0")

	text.Reset()
	require.NoError(t, sum.writeJSON(&text))
	var back map[string]any
	require.NoError(t, json.Unmarshal(text.Bytes(), &back))
	require.Contains(t, back, "invariants")
}

func TestCampaignIsStoppedInOrder(t *testing.T) {
	o, list := quick()
	o.Calls, o.CPS = 1000, 40
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(1500*time.Millisecond, cancel)
	sum, err := conduct(ctx, o, list, newScreen(&bytes.Buffer{}, o, false))
	require.NoError(t, err)
	require.True(t, sum.Interrupted)
	require.Less(t, sum.Calls.Placed, o.Calls)
	for _, c := range sum.Checked {
		require.True(t, c.OK, "%s: %s", c.Name, c.Fault)
	}
	var text bytes.Buffer
	require.NoError(t, sum.writeText(&text, false))
	require.Contains(t, text.String(), "before the interruption")
}
