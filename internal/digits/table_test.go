package digits_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/digits"
	"github.com/outdial/outdial/internal/race"
)

func TestTable(t *testing.T) {
	o := oracle{0: 9, 1: 10, 1212: 11, 12125: 12, 121255: 13, 44: 14, 441: 15, 999_999_999_999_999: 16}
	table := o.table()
	require.Equal(t, len(o), table.Len())
	for _, c := range []struct {
		number uint64
		value  uint32
		digits int
	}{
		{0, 9, 0},
		{1, 10, 1},
		{121, 10, 1},
		{12125550123, 13, 6},
		{12125, 12, 5},
		{121265, 11, 4},
		{4420, 14, 2},
		{4, 9, 0},
		{33, 9, 0},
		{999_999_999_999_999, 16, 15},
		{99_999_999_999_999, 9, 0},
		{9_999_999_999_999_991, 16, 15}, // digits after the fifteenth are ignored
		{12125550123_000000000, 13, 6},
	} {
		value, matched, ok := table.Lookup(c.number)
		require.True(t, ok, c)
		require.Equal(t, c.value, value, c)
		require.Equal(t, c.digits, matched, c)
	}
	var dst [16]digits.Match
	n := table.Matches(12125550123, &dst)
	require.Equal(t, []digits.Match{{13, 6}, {12, 5}, {11, 4}, {10, 1}, {9, 0}}, dst[:n])
}

func TestTableDeepest(t *testing.T) {
	o := oracle{}
	for p, l := uint64(0), 0; l <= digits.MaxLen; l++ {
		o[p] = uint32(l)
		p = p*10 + 9
	}
	table := o.table()
	var dst [16]digits.Match
	require.Equal(t, 16, table.Matches(999_999_999_999_999, &dst))
	require.Equal(t, o.matches(999_999_999_999_999), dst[:])
}

func TestTableEmpty(t *testing.T) {
	var zero digits.Table
	var b digits.Builder
	var dst [16]digits.Match
	for _, table := range []*digits.Table{&zero, b.Build()} {
		for _, number := range []uint64{0, 1, 12125550123, 1<<64 - 1} {
			_, matched, ok := table.Lookup(number)
			require.False(t, ok)
			require.Zero(t, matched)
			require.Zero(t, table.Matches(number, &dst))
		}
		require.Zero(t, table.Len())
	}
}

func TestBuilderErrors(t *testing.T) {
	var b digits.Builder
	require.NoError(t, b.Add(1212, 1))
	require.NoError(t, b.Add(0, 2))
	require.ErrorContains(t, b.Add(1212, 3), "1212")
	require.ErrorContains(t, b.Add(0, 3), "(empty)")
	require.ErrorContains(t, b.Add(1_000_000_000_000_000, 3), "1000000000000000")
	require.NoError(t, b.Add(999_999_999_999_999, 4))
	require.Equal(t, 3, b.Len())

	first := b.Build()
	require.NoError(t, b.Add(12125, 5))
	second := b.Build()
	value, _, _ := first.Lookup(12125)
	require.Equal(t, uint32(1), value, "a table does not change after it was built")
	value, _, _ = second.Lookup(12125)
	require.Equal(t, uint32(5), value)
}

// TestTableOracle compares every answer for a large deck.
func TestTableOracle(t *testing.T) {
	all := deck(60_000, 7)
	o := oracle{}
	for i, p := range all {
		o[p] = uint32(i)
	}
	table := o.table()
	require.Equal(t, len(all), table.Len())
	check := func(number uint64) {
		wantValue, wantMatched, wantOK := o.lookup(number)
		value, matched, ok := table.Lookup(number)
		if value != wantValue || matched != wantMatched || ok != wantOK {
			t.Fatalf("Lookup(%d) = %d %d %t, want %d %d %t", number, value, matched, ok, wantValue, wantMatched, wantOK)
		}
	}
	for _, p := range all {
		check(p)
		check(p / 10)
	}
	for _, n := range numbers(all, 60_000, 7) {
		check(n)
	}
}

func TestTableAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	all := deck(10_000, 3)
	o := oracle{0: 1}
	for i, p := range all {
		o[p] = uint32(i)
	}
	table := o.table()
	var sum uint32
	require.Zero(t, testing.AllocsPerRun(100, func() {
		v, _, _ := table.Lookup(12125550123)
		sum += v
	}))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		var dst [16]digits.Match
		for _, m := range dst[:table.Matches(12125550123, &dst)] {
			sum += m.Value
		}
	}))
}

// TestTableBytes holds the size of a large deck to 10 bytes a prefix.
func TestTableBytes(t *testing.T) {
	all := deck(200_000, 5)
	var b digits.Builder
	for i, p := range all {
		require.NoError(t, b.Add(p, uint32(i)))
	}
	table := b.Build()
	require.Less(t, float64(table.Bytes())/float64(table.Len()), 10.0)
}

// TestLeaps: a table that is big enough to leap over the first digits answers as the slow table does, for numbers of every
// length, and holds little more memory.
func TestLeaps(t *testing.T) {
	for _, size := range []int{100_000, 220_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) { testLeaps(t, size) })
	}
}

func testLeaps(t *testing.T, size int) {
	all := deck(size, 3)
	o := make(oracle, len(all))
	for i, p := range all {
		o[p] = uint32(i)
	}
	o[0] = 7
	table := o.table()
	require.Less(t, float64(table.Bytes())/float64(table.Len()), 10.0)
	queries := numbers(all, 1<<15, 4)
	for n := range uint64(20_000) {
		queries = append(queries, n)
	}
	for _, q := range all {
		queries = append(queries, q, q/10)
	}
	for _, q := range queries {
		value, matched, ok := table.Lookup(q)
		wantValue, wantMatched, wantOK := o.lookup(q)
		if value != wantValue || matched != wantMatched || ok != wantOK {
			t.Fatalf("%d: %d, %d digits, %v; want %d, %d, %v", q, value, matched, ok, wantValue, wantMatched, wantOK)
		}
	}
}

// TestTableEqual: tables are equal when they map the same prefixes to the same values, in whatever order they were built.
func TestTableEqual(t *testing.T) {
	build := func(entries ...[2]uint64) *digits.Table {
		var b digits.Builder
		for _, e := range entries {
			require.NoError(t, b.Add(e[0], uint32(e[1])))
		}
		return b.Build()
	}
	table := build([2]uint64{1, 7}, [2]uint64{1212, 8}, [2]uint64{44, 9})
	require.True(t, table.Equal(build([2]uint64{44, 9}, [2]uint64{1212, 8}, [2]uint64{1, 7})))
	require.True(t, build().Equal(build()))
	for _, other := range []*digits.Table{
		build([2]uint64{1, 7}, [2]uint64{1212, 8}), build([2]uint64{1, 7}, [2]uint64{1212, 8}, [2]uint64{44, 10}),
		build([2]uint64{1, 7}, [2]uint64{1213, 8}, [2]uint64{44, 9}), build([2]uint64{0, 0}, [2]uint64{1, 7}, [2]uint64{1212, 8}, [2]uint64{44, 9}),
	} {
		require.False(t, table.Equal(other))
		require.False(t, other.Equal(table))
	}
}
