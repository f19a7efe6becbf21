package outdial_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCapabilities holds docs/capabilities.md to what is there: a row once, in the order of the ledger, and only tests that exist.
func TestCapabilities(t *testing.T) {
	page, err := os.ReadFile("docs/capabilities.md")
	require.NoError(t, err)
	functions := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Example|Benchmark|Fuzz)\w*)\(`)
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(source, -1) {
			functions[string(m[1])] = true
		}
		return err
	}))
	row := regexp.MustCompile(`^\| (\d+)([a-e]?) \| .+ \| (.+) \|$`)
	name := regexp.MustCompile(`\b(?:Test|Example|Benchmark|Fuzz)[A-Z0-9]\w*`)
	rows, last := 0, ""
	for line := range strings.Lines(string(page)) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		rows++
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		place := strconv.Itoa(1000+n) + m[2]
		require.Greater(t, place, last, "row %s%s", m[1], m[2])
		last = place
		for _, f := range name.FindAllString(m[3], -1) {
			require.True(t, functions[f], "row %s%s: there is no %s", m[1], m[2], f)
		}
	}
	require.Greater(t, rows, 80)
}
