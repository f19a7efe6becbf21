package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"--calls", "10", "--scale", "20", "--seed", "7", "--json"}, &bytes.Buffer{})
	require.NoError(t, err)
	require.Equal(t, options{Calls: 10, CPS: 55, Seats: 50, Seed: 7, Scale: 20, Fault: fault503, JSON: true}, o)
	require.Equal(t, 3*time.Second, o.wall(time.Minute))
	require.Equal(t, time.Minute, o.model(3*time.Second))
}

func TestOptionsNameEveryBadFlag(t *testing.T) {
	_, err := parseOptions([]string{"--calls", "0", "--cps", "-1", "--seats", "0", "--scale", "0.5", "--fault", "fire", "more"}, &bytes.Buffer{})
	for _, want := range []string{"--calls", "--cps", "--seats", "--scale", "--fault", `"more"`} {
		require.ErrorContains(t, err, want)
	}
}

func TestExitCodes(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, 2, command(context.Background(), []string{"--calls", "none"}, &out, &errs, nil))
	require.Equal(t, 2, command(context.Background(), []string{"--seats", "0"}, &out, &errs, nil))
	require.Contains(t, errs.String(), "--seats 0: want 1 to 5000")
	require.Equal(t, 0, command(context.Background(), []string{"--help"}, &out, &errs, nil))
	require.Contains(t, errs.String(), "Nothing leaves the machine")
	require.Empty(t, out.String())
}
