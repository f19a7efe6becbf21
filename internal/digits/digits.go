// Package digits matches E.164 numbers against prefixes, longest first.
//
// A number or a prefix is a uint64 that holds its decimal digits:
// 12125550123 is +1 212 555 0123. E.164 (ITU-T E.164 §6) allows at most 15
// digits and no country code begins with 0, so no leading zero is lost. The
// empty prefix is 0; it matches every number.
package digits

import "math/bits"

// MaxLen is the greatest number of digits of an E.164 number.
const MaxLen = 15

// pow10 holds 10^0 … 10^19. The zeros that fill it up to 32 entries let an
// index be masked instead of checked.
var pow10 = [32]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// Len returns the number of decimal digits of n; Len(0) is 0.
// TestLen checks it on both sides of each power of ten.
func Len(n uint64) int {
	l := bits.Len64(n) * 1233 >> 12 // floor of log10, or one less than Len
	if n >= pow10[l&31] {
		l++
	}
	return l
}

// Pow10 returns 10^n for n from 0 to 19, and 0 for any other n.
func Pow10(n int) uint64 {
	if uint(n) >= uint(len(pow10)) {
		return 0
	}
	return pow10[n]
}

// HasPrefix reports whether the digits of number begin with those of prefix.
// It is exact for numbers of up to 19 digits (TestHasPrefix compares it with
// strings.HasPrefix).
func HasPrefix(number, prefix uint64) bool {
	rest := Len(number) - Len(prefix)
	p := pow10[rest&31]
	return rest >= 0 && number-prefix*p < p
}

// nibbles returns the digits of n (at most 15) from the top: the first digit
// is in bits 60 to 63, and each digit takes four bits. The nibble after the last
// digit is end, which is not a digit. All below it is 0.
// TestNibbles compares it with strconv.
func nibbles(n uint64) uint64 {
	high := n / 1e8
	v := bcd8(high)<<32 | bcd8(n-high*1e8)
	free := uint(16-Len(n)) * 4
	return v<<(free&63) | end<<((free-4)&63)
}

// end marks the end of a number in the result of nibbles.
const end = 0xf

// bcd8 returns the eight digits of x, which is less than 10^8, as eight nibbles.
// It splits all parts at once: two lanes of four digits, then four lanes of two digits,
// dividing by multiplication with a rounded-up reciprocal.
// The reciprocals are exact for every value that a lane can hold.
func bcd8(x uint64) uint64 {
	q := x / 10000
	v := x + q*(1<<32-10000)
	q = v * 5243 >> 19 & 0x0000007f_0000007f
	v += q * (1<<16 - 100)
	q = v * 103 >> 10 & 0x000f_000f_000f_000f
	v += q * (1<<4 - 10)
	v = (v | v>>8) & 0x0000ffff_0000ffff
	return (v | v>>16) & 0xffffffff
}
