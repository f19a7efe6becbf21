package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/kpi"
)

var update = flag.Bool("update", false, "rewrite testdata")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func exampleView() view {
	return view{
		Elapsed: 9340 * time.Millisecond, Recent: 120, Placed: 512, Total: 1000, Over: 431, CPS: 48, Waiting: 77,
		Idle: 9, Busy: 35, Wrap: 6,
		Trunks: []row{
			{
				Name: "alpha", Health: "out", Share: 0.04, Attempts: 231, ASR: kpi.Ratio{K: 52, N: 220}, P50: 352 * time.Millisecond,
				P95: 571 * time.Millisecond, InUse: 14, Channels: 110, CPS: 0, MaxCPS: 45,
			},
			{
				Name: "coast", Health: "up", Share: 0.96, Attempts: 12345, ASR: kpi.Ratio{K: 2940, N: 12300}, P50: 1157 * time.Millisecond,
				P95: 12 * time.Second, InUse: 250, Channels: 250, CPS: 90, MaxCPS: 90,
			},
			{Name: "delta", Health: "probing", Channels: 20, MaxCPS: 10},
		},
		Failovers: []failoverLine{
			{At: 9120 * time.Millisecond, advance: advance{To: 12125550123, From: "alpha", Why: "503", Next: "coast", Duration: 300 * time.Microsecond}},
			{At: 9300 * time.Millisecond, advance: advance{To: 12125550124, From: "delta", Why: "silent", Next: "coast", Duration: time.Second}},
		},
		Notices: []notice{{At: 7 * time.Second, Text: "alpha breaks: " + strings.Repeat("a long story ", 10)}},
	}
}

func TestTableGolden(t *testing.T) {
	golden(t, "table.txt", strings.Join(exampleView().lines(plain, tableWidth), "\n")+"\n")
	golden(t, "table80.txt", strings.Join(exampleView().lines(plain, leastWidth), "\n")+"\n")
	golden(t, "line.txt", exampleView().plainLine()+"\n")
}

func TestTableKeepsItsSize(t *testing.T) {
	for width := leastWidth; width <= tableWidth; width++ {
		full, empty := exampleView().lines(plain, width), view{Trunks: make([]row, 3)}.lines(plain, width)
		require.Len(t, empty, len(full))
		for _, l := range append(full, empty...) {
			require.LessOrEqual(t, utf8.RuneCountInString(l), width, l)
		}
	}
}

func TestColourChangesNoText(t *testing.T) {
	sgr := regexp.MustCompile("\x1b\\[[0-9;]*m")
	painted := strings.Join(exampleView().lines(colour, leastWidth), "\n")
	require.Contains(t, painted, "\x1b[31;1mout")
	require.Equal(t, strings.Join(exampleView().lines(plain, leastWidth), "\n"), sgr.ReplaceAllString(painted, ""))
}

func TestScreenDrawsOverItself(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	var out bytes.Buffer
	s := newScreen(&out, options{}, columns80)
	s.banner("hello")
	s.show(exampleView(), nil)
	lines := len(exampleView().lines(plain, leastWidth))
	first := out.Len()
	s.show(exampleView(), nil)
	s.end()
	require.NotContains(t, out.String()[:first], "A\r")
	require.Contains(t, out.String()[first:], "\x1b["+strconv.Itoa(lines)+"A\r")
	require.True(t, strings.HasSuffix(out.String(), "\x1b[?25h\x1b[?7h\n"), "the cursor is back")
}

func TestScreenWithoutTerminalWritesPlainLines(t *testing.T) {
	for _, s := range []*screen{newScreen(&bytes.Buffer{}, options{}, nil), newScreen(&bytes.Buffer{}, options{Headless: true}, columns80)} {
		v := exampleView()
		s.banner("hello")
		s.show(v, v.Notices)
		s.show(v, v.Notices)
		s.end()
		got := s.out.(*bytes.Buffer).String()
		require.NotContains(t, got, "\x1b")
		require.Equal(t, 3, strings.Count(got, "\n"), got)
	}
}

func TestScreenIsSilentForJSON(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, options{JSON: true}, columns80)
	s.banner("hello")
	s.show(exampleView(), exampleView().Notices)
	s.end()
	require.Empty(t, out.String())
}

func columns80() int { return 80 }

func TestWidthIsThatOfTheTerminalWithinBounds(t *testing.T) {
	for columns, want := range map[int]int{0: 100, 40: 80, 80: 80, 93: 93, 100: 100, 200: 100} {
		require.Equal(t, want, newScreen(&bytes.Buffer{}, options{}, func() int { return columns }).width(), columns)
	}
	require.Equal(t, 100, newScreen(&bytes.Buffer{}, options{}, nil).width())
}

func TestWrap(t *testing.T) {
	require.Equal(t, []string{"short"}, wrap("short", 10))
	require.Equal(t, []string{"label  one two", "       six"}, wrap("label  one two six", 16))
	require.Equal(t, []string{" one two", "   three"}, wrap(" one two three", 9))
	require.Equal(t, []string{"0123456789", "  abc"}, wrap("0123456789abc", 10))
	require.Equal(t, []string{"äöü äöü", "  äöü"}, wrap("äöü äöü äöü", 7))
}

func TestLineTellsNoSharesOfAHandful(t *testing.T) {
	v := exampleView()
	v.Recent = fewAttempts - 1
	require.NotContains(t, v.plainLine(), "%")
	v.Recent = fewAttempts
	require.Contains(t, v.plainLine(), "alpha out 4 %")
}

func TestASROfASilentTrunkIsNotKnown(t *testing.T) {
	e := soundEvidence(t)
	cell := e.Live[dead].Cell
	require.Positive(t, cell.Known())
	require.Zero(t, asrOf(&cell))
	cell = e.Live[good].Cell
	require.Equal(t, kpi.Ratio{K: 1, N: 1}, asrOf(&cell))
}

func TestBar(t *testing.T) {
	require.Equal(t, "····", bar(0, 4))
	require.Equal(t, "█▌··", bar(0.375, 4))
	require.Equal(t, "████", bar(1.5, 4))
	require.Equal(t, "····", bar(-1, 4))
}
