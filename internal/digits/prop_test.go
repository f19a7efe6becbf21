package digits_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/outdial/outdial/internal/digits"
)

// digitString draws numbers over few digits, so that prefixes often nest.
func digitString(max int) *rapid.Generator[uint64] {
	return rapid.Custom(func(t *rapid.T) uint64 {
		n := uint64(0)
		for _, d := range rapid.SliceOfN(rapid.SampledFrom([]uint64{1, 1, 2, 0, 9, 5}), 0, max).Draw(t, "digits") {
			n = n*10 + d
		}
		return n
	})
}

func TestTableRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := oracle(rapid.MapOfN(digitString(digits.MaxLen), rapid.Uint32(), 0, 60).Draw(t, "prefixes"))
		table := o.table()
		require.Equal(t, len(o), table.Len())
		queries := rapid.SliceOfN(digitString(19), 1, 40).Draw(t, "numbers")
		for p := range o {
			queries = append(queries, p)
		}
		for _, number := range queries {
			check(t, o, table, number)
		}
	})
}

// check compares Lookup and Matches with the oracle, and with HasPrefix.
func check(t require.TestingT, o oracle, table *digits.Table, number uint64) {
	wantValue, wantMatched, wantOK := o.lookup(number)
	value, matched, ok := table.Lookup(number)
	require.Equal(t, wantOK, ok, number)
	require.Equal(t, wantValue, value, number)
	require.Equal(t, wantMatched, matched, number)

	var dst [16]digits.Match
	got := dst[:table.Matches(number, &dst)]
	require.Equal(t, o.matches(number), append([]digits.Match(nil), got...), number)

	count := 0
	for p := range o {
		if digits.HasPrefix(number, p) {
			count++
		}
	}
	require.Len(t, got, count, number)
}
