// Package examples_test runs the small examples as a newcomer would.
package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSmallExamplesRun(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"routing":   {nil, []string{"+442079460123 1. beta at 7000 micros", "refused: routing: the number is on the deny list"}},
		"trunk":     {nil, []string{"peak 20 of 20 channels", "by cps", "by floor"}},
		"sizing":    {nil, []string{"channels   107", "calls/s    7"}},
		"failover":  {nil, []string{"both well     alpha  700  beta  300", "alpha out", "alpha back"}},
		"cliff":     {nil, []string{"1140 calls lost", "package failover"}},
		"cli":       {nil, []string{"+16175550002 is called from +16175550100", "every number has reached a cap"}},
		"kpi":       {[]string{"kpi/calls.csv"}, []string{"ASR", "PDD p95", "ACD"}},
		"scorecard": {[]string{"kpi/calls.csv"}, []string{"ASR", "PDD p95", "ACD"}},
		"dialer":    {nil, []string{"answered on west", "answered on east", "legs, ASR"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.Command("go", append([]string{"run", "./" + name}, tc.args...)...).CombinedOutput()
			require.NoError(t, err, "%s", out)
			for _, want := range tc.want {
				require.Contains(t, string(out), want)
			}
		})
	}
}

// TestSmallExamplesAreSmall: each shows one package in a page.
func TestSmallExamplesAreSmall(t *testing.T) {
	for _, name := range []string{"routing", "trunk", "failover", "cli", "kpi"} {
		source, err := os.ReadFile(name + "/main.go")
		require.NoError(t, err)
		require.LessOrEqual(t, bytes.Count(source, []byte("\n")), 60, name)
	}
}
