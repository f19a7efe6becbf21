package main

import (
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const printed = `goos: linux
cpu: Some Processor @ 3.00GHz
BenchmarkChannels/serial/outdial-2     652704        54.75 ns/op       0 B/op       0 allocs/op
BenchmarkChannels/serial/semaphore-2   839121        30.00 ns/op       0 B/op       0 allocs/op
BenchmarkCrowd/burst_100/outdial-16         1  1.301e+09 ns/op         0.5 over-%   10000 worst-second
BenchmarkCrowd/a/b/outdial                  7  3 ns/op
PASS
`

func TestAdd(t *testing.T) {
	s := samples{rounds: 2}
	require.NoError(t, s.add(0, printed))
	require.Equal(t, "Some Processor @ 3.00GHz", s.cpu)
	require.Equal(t, 54.75, s.series[name{"Channels", "serial", "outdial", "ns/op"}][0])
	require.True(t, math.IsNaN(s.series[name{"Channels", "serial", "outdial", "ns/op"}][1]), "no second round yet")
	require.Equal(t, 0.5, s.series[name{"Crowd", "burst_100", "outdial", "over-%"}][0])
	require.Equal(t, 1.301e9, s.series[name{"Crowd", "burst_100", "outdial", "ns/op"}][0])
	require.Equal(t, 3., s.series[name{"Crowd", "a/b", "outdial", "ns/op"}][0], "a machine with one core has no suffix")
	require.NoError(t, s.add(1, strings.ReplaceAll(printed, "54.75", "60")))
	require.Equal(t, series{54.75, 60}, s.series[name{"Channels", "serial", "outdial", "ns/op"}])
	require.Len(t, s.series, 10)

	require.ErrorContains(t, s.add(0, "BenchmarkFlat-2  1  5 ns/op"), "<side>")
	require.ErrorContains(t, s.add(0, "BenchmarkA/b/c-2  1  5 ns/op 7"), "unit")
	require.ErrorContains(t, s.add(0, "BenchmarkA/b/c-2  1  x ns/op"), "invalid syntax")
}

func TestSpread(t *testing.T) {
	nan := math.NaN()
	for _, x := range []struct {
		in                      series
		least, median, greatest float64
	}{
		{series{3}, 3, 3, 3},
		{series{5, 1}, 1, 3, 5},
		{series{9, 1, 2}, 1, 2, 9},
		{series{4, nan, 1, 3, 2}, 1, 2.5, 4},
	} {
		least, median, greatest := x.in.spread()
		require.Equal(t, []float64{x.least, x.median, x.greatest}, []float64{least, median, greatest}, x.in)
	}
	require.True(t, math.IsNaN(series{nan}.median()))
	require.Equal(t, series{2, .5}, series{4, 1}.beside(series{2, 2}))
}

// The median of ratios is not the ratio of medians: what counts is how two neighbours in a round compare.
func TestReport(t *testing.T) {
	s := samples{rounds: 3}
	for i, x := range [][3]float64{{10, 5, 100}, {40, 10, 10}, {30, 20, 40}} {
		s.put(i, name{"Hold", "serial", ours, "ns/op"}, x[0])
		s.put(i, name{"Hold", "serial", ours, "allocs/op"}, 0)
		s.put(i, name{"Hold", "serial", "fast", "ns/op"}, x[1])
		s.put(i, name{"Hold", "serial", "fast", "allocs/op"}, 1)
		s.put(i, name{"Hold", "serial", "slow", "ns/op"}, x[2])
	}
	hold := subject{
		bench: "Hold", title: "Holding", text: "What it is.", peers: []peer{{"fast", "the fast one"}, {"slow", "slow"}},
		goals: []goal{{"", "fast", "ns/op", 1.5}, {"serial", "", "ns/op", 20}, {"", "", "allocs/op", 0}},
	}
	asked := settings{rounds: 3, benchtime: time.Second, bench: ".", seed: 7}
	text, err := report([]subject{hold}, &s, asked, "a machine")
	require.NoError(t, err)
	require.Contains(t, text, "`go run ./cmd/ratios -rounds 3 -benchtime 1s -seed 7` in `internal/peerbench`, on a machine.")
	require.Contains(t, text, "| serial | 30 (10–40), 0 allocs | the fast one | 10 (5–20), 1 allocs | 2.00 (1.50–4.00) | ≤ 1.5 | **missed** |")
	require.Contains(t, text, "| serial | 30 (10–40), 0 allocs | slow | 40 (10–100) | 0.75 (0.10–4.00) |  | less |")
	require.Contains(t, text, "- Holding, serial: 30 ns/op beside 10 (the fast one), 2 times as much, goal ≤ 1.5\n")
	require.Contains(t, text, "- Holding, serial: 30 ns/op, goal ≤ 20 on a quiet 3 GHz core\n")
	require.NotContains(t, text, "Slower than")
	require.Contains(t, text, "Goals of outdial alone: ns/op ≤ 20 (serial): **missed**; allocs/op ≤ 0 (all cases): met.\n")

	s.put(2, name{"Hold", "serial", ours, "allocs/op"}, 1)
	text, err = report([]subject{hold}, &s, asked, "a machine")
	require.NoError(t, err)
	require.Contains(t, text, "- Holding, serial: 1 allocs/op, goal ≤ 0\n", "once is too often")

	hold.goals = []goal{{"", "fast", "ns/op", 2}}
	text, err = report([]subject{hold}, &s, asked, "a machine")
	require.NoError(t, err)
	require.Contains(t, text, "| ≤ 2 | met |")
	require.NotContains(t, text, "Goals missed")

	hold.goals = nil
	text, err = report([]subject{hold}, &s, asked, "a machine")
	require.NoError(t, err)
	require.Contains(t, text, "- Holding, serial: 30 ns/op beside 10 (the fast one), 2 times as much\n")

	hold.goals = []goal{{"parallel", "fast", "ns/op", 2}}
	_, err = report([]subject{hold}, &s, asked, "a machine")
	require.ErrorContains(t, err, "nothing was measured")
	hold.goals, hold.peers = nil, hold.peers[1:]
	_, err = report([]subject{hold}, &s, asked, "a machine")
	require.ErrorContains(t, err, "fast")
	_, err = report(nil, &s, asked, "a machine")
	require.ErrorContains(t, err, "does not know BenchmarkHold")
}

func TestCases(t *testing.T) {
	s := samples{rounds: 1}
	for _, test := range []string{"10_one_out", "2_all", "serial", "10_all", "parallel", "burst_10000", "burst_100"} {
		s.put(0, name{"Turns", test, ours, "ns/op"}, 1)
	}
	s.put(0, name{"Other", "1", ours, "ns/op"}, 1)
	s.put(0, name{"Turns", "3", ours, "B/op"}, 1)
	want := []string{"2_all", "10_all", "10_one_out", "burst_100", "burst_10000", "parallel", "serial"}
	require.Equal(t, want, s.cases("Turns", "ns/op"))
}

func TestShort(t *testing.T) {
	for want, x := range map[string]struct {
		v    float64
		unit string
	}{
		"1.50": {1.5, ""}, "0.25": {.25, ""}, "0.0013": {.00134, ""}, "12.3": {12.345, ""}, "0": {0, "over-%"},
		"9.31": {9.311, "ns/op"}, "12346": {12345.6, "ns/op"},
	} {
		require.Equal(t, want, short(x.v, x.unit))
	}
}

func TestSplice(t *testing.T) {
	got, err := splice("intro\n"+begin+"\nold\n"+end+"\nafter\n", "new\n")
	require.NoError(t, err)
	require.Equal(t, "intro\n"+begin+"\n\nnew\n\n"+end+"\nafter\n", got)
	again, err := splice(got, "new")
	require.NoError(t, err)
	require.Equal(t, got, again)
	for _, bad := range []string{"", begin, end + begin, begin + begin + end} {
		_, err := splice(bad, "new")
		require.Error(t, err, bad)
	}
}

// Every subject has a benchmark and every benchmark a subject.
func TestSubjects(t *testing.T) {
	text, err := exec.Command("go", "test", "-list", "^Benchmark", module).CombinedOutput()
	require.NoError(t, err, string(text))
	var benchmarks, titles []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Benchmark"); ok {
			benchmarks = append(benchmarks, name)
		}
	}
	for _, s := range subjects {
		titles = append(titles, s.bench)
	}
	require.ElementsMatch(t, titles, benchmarks)
}
