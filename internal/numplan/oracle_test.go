package numplan_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/numplan"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// lookupSlowly scans all entries for the longest prefix. It is the oracle of Lookup.
func lookupSlowly(entries []numplan.Entry, number uint64) (best numplan.Entry, ok bool) {
	for _, e := range entries {
		if strings.HasPrefix(itoa(number), itoa(e.Area)) && e.Area >= best.Area {
			best, ok = e, true
		}
	}
	return best, ok
}

func entriesOf(p *numplan.Plan) (entries []numplan.Entry) {
	for e := range p.Areas() {
		entries = append(entries, e)
	}
	return entries
}

func TestLookupOracle(t *testing.T) {
	p := plan()
	entries := entriesOf(p)
	check := func(t require.TestingT, number uint64) {
		want, wantOK := lookupSlowly(entries, number)
		got, ok := p.Lookup(number)
		require.Equal(t, wantOK, ok, number)
		require.Equal(t, want, got, number)
	}
	for _, e := range entries { // both neighbours of each prefix, and a number in it
		check(t, e.Area)
		check(t, e.Area-1)
		check(t, e.Area+1)
		check(t, e.Area*1000+123)
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint64Range(0, 1e15-1).Draw(t, "number")
		if rapid.Bool().Draw(t, "assigned") {
			number = entries[rapid.IntRange(0, len(entries)-1).Draw(t, "entry")].Area
			for range rapid.IntRange(0, 6).Draw(t, "more") {
				number = number*10 + rapid.Uint64Range(0, 9).Draw(t, "digit")
			}
		}
		check(t, number)
	})
}
