package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrintsAndPlots(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plot.svg")
	var out bytes.Buffer
	require.NoError(t, run([]string{"-base", "90", "-price", "0.01", "-plot", file}, &out))
	for _, want := range []string{"90.2 Erlang", "channels   107", "calls/s    7", "above the base of 90: 1.92 an hour", "plotted to"} {
		require.Contains(t, out.String(), want)
	}
	svg, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(svg), "107 for 1 %")
	require.Contains(t, string(svg), "base 90")
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err, "it is well formed")
		}
	}
	require.ErrorContains(t, run([]string{"-asr", "2"}, io.Discard), "ASR")
	require.Error(t, run([]string{"-seats", "many"}, io.Discard))
}
