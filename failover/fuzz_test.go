package failover_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/failover"
)

// FuzzJudge: whatever a carrier writes, a phrase is found exactly where strings.Contains finds it without regard to
// the case of ASCII letters, and what the callee declined stops.
func FuzzJudge(f *testing.F) {
	f.Add(uint16(503), uint8(34), "CPS Limit reached P05", "v=analytics1", "limit")
	f.Add(uint16(603), uint8(0), "Network Blocked", "", "BLOCK")
	f.Add(uint16(480), uint8(255), "\xff\x00É", "\x80", "é")
	f.Fuzz(func(t *testing.T, code uint16, cause uint8, phrase, text, part string) {
		s, err := failover.New(failover.Config{Rules: []failover.Rule{{Name: "mine", Phrase: part, Verdict: outdial.VerdictAdvance}}})
		require.NoError(t, err)
		r := outdial.Result{
			Origin: outdial.OriginCarrier, Code: code, Cause: outdial.Cause{Value: cause}, Phrase: phrase, Text: text,
		}
		j := s.Judge(&outdial.Attempt{Result: r})
		if utf8.ValidString(phrase) && utf8.ValidString(part) { // strings.Map rewrites what is not UTF-8
			require.Equal(t, strings.Contains(asciiLower(phrase), asciiLower(part)) && !r.Blocked(), j.Rule == "mine")
		}
		if code == 603 || code == 607 || code == 608 {
			require.Equal(t, outdial.VerdictStop, j.Verdict)
		}
	})
}

// FuzzHeaderRow: whatever stands in the header fields that were kept, a row finds exactly those values that a plain reading
// of the lines finds.
func FuzzHeaderRow(f *testing.F) {
	f.Add("X-Error: E17\nWarning: 370 - \"x\"", "x-error", "e1")
	f.Add("X-Error\n: \nX-Error: ", "X-Error", "")
	f.Add("\n\nÉ: É", "É", "É")
	f.Fuzz(func(t *testing.T, headers, name, part string) {
		s, err := failover.New(failover.Config{Rules: []failover.Rule{{Name: "mine", Header: failover.Header{Name: name, Contains: part}}}})
		if err != nil || name == "" || !utf8.ValidString(headers+name+part) {
			return
		}
		want := false
		for _, line := range strings.Split(headers, "\n") {
			n, value, _ := strings.Cut(line, ": ")
			want = want || strings.EqualFold(n, name) && strings.Contains(asciiLower(value), asciiLower(part))
		}
		got := s.Judge(&outdial.Attempt{Result: final(480, outdial.Headers(headers))})
		require.Equal(t, want, got.Rule == "mine", "%q", got.Rule)
	})
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}
