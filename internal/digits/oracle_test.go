package digits_test

import (
	"strconv"

	"github.com/outdial/outdial/internal/digits"
)

// oracle is the slow table: a plain map that is probed with every shorter number.
type oracle map[uint64]uint32

// lookup cuts one digit after the other off the number.
func (o oracle) lookup(number uint64) (value uint32, matched int, ok bool) {
	for n := number; ; n /= 10 {
		if v, ok := o[n]; ok {
			if n == 0 {
				return v, 0, true
			}
			return v, len(strconv.FormatUint(n, 10)), true
		}
		if n == 0 {
			return 0, 0, false
		}
	}
}

// matches returns all prefixes, longest first.
func (o oracle) matches(number uint64) []digits.Match {
	var all []digits.Match
	for n := number; ; n /= 10 {
		if v, ok := o[n]; ok {
			l := 0
			if n > 0 {
				l = len(strconv.FormatUint(n, 10))
			}
			all = append(all, digits.Match{Value: v, Digits: uint8(l)})
		}
		if n == 0 {
			return all
		}
	}
}

// table builds the fast table of the same prefixes.
func (o oracle) table() *digits.Table {
	var b digits.Builder
	for p, v := range o {
		if err := b.Add(p, v); err != nil {
			panic(err)
		}
	}
	return b.Build()
}
