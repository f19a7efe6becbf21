package peerbench

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/gaissmai/bart"
	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/digits"
)

// address codes a number of at most 15 digits as an IPv6 address, a digit a nibble, and says how many bits that takes.
// What is left is filled with ones, which are no digit, so that a short number does not match a longer prefix.
func address(number uint64) (netip.Addr, int) {
	head, bits := ^uint64(0), 0
	for ; number > 0; number /= 10 {
		head = head>>4 | number%10<<60
		bits += 4
	}
	if bits > 0 {
		head |= ^uint64(0) >> bits
	}
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:], head)
	binary.BigEndian.PutUint64(bytes[8:], ^uint64(0))
	return netip.AddrFrom16(bytes), bits
}

func subnet(prefix uint64) netip.Prefix {
	a, bits := address(prefix)
	return netip.PrefixFrom(a, bits).Masked()
}

// probe looks a number up in a map, once for each length from the longest of the deck.
func probe(m map[uint64]uint32, number uint64) (uint32, bool) {
	for n := number; n > 0; n /= 10 {
		if n < 1e9 {
			if v, ok := m[n]; ok {
				return v, true
			}
		}
	}
	return 0, false
}

func asTable(all []uint64) *digits.Table {
	var builder digits.Builder
	for i, p := range all {
		if err := builder.Add(p, uint32(i)); err != nil {
			panic(err)
		}
	}
	return builder.Build()
}

func asTrie(all []uint64) *trie {
	t := new(trie)
	for i, p := range all {
		t.add(p, uint32(i))
	}
	return t
}

func asMap(all []uint64) map[uint64]uint32 {
	m := make(map[uint64]uint32, len(all))
	for i, p := range all {
		m[p] = uint32(i)
	}
	return m
}

func asBart(all []uint64) *bart.Table[uint32] {
	t := new(bart.Table[uint32])
	for i, p := range all {
		t.Insert(subnet(p), uint32(i))
	}
	return t
}

func asFast(all []uint64) *bart.Fast[uint32] {
	t := new(bart.Fast[uint32])
	for i, p := range all {
		t.Insert(subnet(p), uint32(i))
	}
	return t
}

func TestPrefixesAgree(t *testing.T) {
	all := deck(20_000)
	table, tree, probed, nibbles, fast := asTable(all), asTrie(all), asMap(all), asBart(all), asFast(all)
	found := 0
	for _, number := range append(callees(all, 1<<15), 1, 20, 1200, 120) {
		want, ok := probe(probed, number)
		if ok {
			found++
		}
		v, _, got := table.Lookup(number)
		require.Equal(t, ok, got, number)
		require.Equal(t, want, v, number)
		v, got = tree.lookup(number)
		require.Equal(t, ok, got, number)
		require.Equal(t, want, v, number)
		a, _ := address(number)
		v, got = nibbles.Lookup(a)
		require.Equal(t, ok, got, number)
		require.Equal(t, want, v, number)
		v, got = fast.Lookup(a)
		require.Equal(t, ok, got, number)
		require.Equal(t, want, v, number)
	}
	require.Greater(t, found, 1<<14)
}

func BenchmarkPrefix(b *testing.B) {
	const mask = 1<<16 - 1
	for _, size := range []int{200_000, 884_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			all := deck(size)
			queries := callees(all, mask+1)
			ready := make([]netip.Addr, len(queries))
			for i, q := range queries {
				ready[i], _ = address(q)
			}
			table, tableBytes := held(func() *digits.Table { return asTable(all) })
			tree, treeBytes := held(func() *trie { return asTrie(all) })
			probed, mapBytes := held(func() map[uint64]uint32 { return asMap(all) })
			nibbles, bartBytes := held(func() *bart.Table[uint32] { return asBart(all) })
			fast, fastBytes := held(func() *bart.Fast[uint32] { return asFast(all) })
			i := 0
			lookup := func(name string, bytes float64, op func(i int)) side {
				return side{name, func(b *testing.B) {
					for b.Loop() {
						op(i & mask)
						i++
					}
					b.ReportMetric(bytes/float64(len(all)), "B/prefix")
				}}
			}
			beside(b,
				lookup(ours, tableBytes, func(i int) { table.Lookup(queries[i]) }),
				lookup("trie", treeBytes, func(i int) { tree.lookup(queries[i]) }),
				lookup("map", mapBytes, func(i int) { probe(probed, queries[i]) }),
				lookup("bart", bartBytes, func(i int) {
					a, _ := address(queries[i])
					nibbles.Lookup(a)
				}),
				lookup("bart_coded", bartBytes, func(i int) { nibbles.Lookup(ready[i]) }),
				lookup("bart_fast_coded", fastBytes, func(i int) { fast.Lookup(ready[i]) }),
			)
		})
	}
}
