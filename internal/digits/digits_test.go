package digits_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/digits"
)

func TestLen(t *testing.T) {
	require.Equal(t, 0, digits.Len(0))
	for n := range 20 {
		p := digits.Pow10(n)
		require.Equal(t, "1"+strings.Repeat("0", n), strconv.FormatUint(p, 10))
		for _, v := range []uint64{p, p + 1, p*9 + (p - 1)} {
			require.Equal(t, len(strconv.FormatUint(v, 10)), digits.Len(v), v)
		}
		if n > 0 {
			require.Equal(t, n, digits.Len(p-1))
		}
	}
	require.Equal(t, 20, digits.Len(1<<64-1))
}

func TestPow10OutOfRange(t *testing.T) {
	for _, n := range []int{-1, 20, 31, 32, 1 << 40} {
		require.Zero(t, digits.Pow10(n), n)
	}
}

func TestHasPrefix(t *testing.T) {
	for _, c := range []struct {
		number, prefix uint64
		want           bool
	}{
		{12125550123, 0, true},
		{0, 0, true},
		{0, 1, false},
		{12125550123, 1, true},
		{12125550123, 1212, true},
		{12125550123, 1213, false},
		{12125550123, 2, false},
		{12125550123, 12125550123, true},
		{12125550123, 121255501230, false},
		{121, 1212, false},
		{9999999999999999999, 0, true},
		{9999999999999999999, 999999999999999999, true},
	} {
		require.Equal(t, c.want, digits.HasPrefix(c.number, c.prefix), c)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		number := r.Uint64() >> r.IntN(64) % 1e19
		prefix := number / digits.Pow10(r.IntN(20))
		if r.IntN(2) == 0 {
			prefix += r.Uint64N(3)
		}
		want := strings.HasPrefix(text(number), text(prefix))
		require.Equal(t, want, digits.HasPrefix(number, prefix), "%d %d", number, prefix)
	}
}

func TestNibbles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(n uint64) {
		s := text(n) + "f"
		require.Equal(t, s+strings.Repeat("0", 16-len(s)), fmt.Sprintf("%016x", digits.Nibbles(n)))
	}
	for n := range uint64(11_000) { // every value of every lane
		check(n)
		if n < 10_000 {
			check(n*10_000 + 1234)
			check(n*100_000_000 + 7)
		}
	}
	for range 100_000 {
		check(r.Uint64N(digits.Pow10(1 + r.IntN(15))))
	}
	check(999_999_999_999_999)
}

// text returns the digits of n; the empty number has none.
func text(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
