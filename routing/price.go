package routing

import (
	"errors"
	"strconv"

	"github.com/outdial/outdial"
)

// Price is an amount of money in micro-units, as outdial.Micros, whose text is a decimal number of units: 4,200 is
// "0.0042". From 0 to MaxPrice. Text with more than six decimals is rounded to the nearest micro-unit, a half upwards.
type Price outdial.Micros

// MaxPrice is the greatest price: a million units.
const MaxPrice Price = 1_000_000_000_000

// ParsePrice reads "0.0042", ".0042", "1" or, as programs write small numbers, "4.2e-3".
func ParsePrice(s string) (Price, error) {
	p, ok := parsePrice(s)
	if !ok {
		if len(s) > 64 {
			s = s[:64]
		}
		return 0, errors.New(strconv.Quote(s) + " is not a price: want a decimal number from 0 to 1000000, such as 0.0042")
	}
	return p, nil
}

// parsePrice reads digits into a whole number and where the point is, and shifts it to micro-units.
func parsePrice[text string | []byte](s text) (p Price, ok bool) {
	var n uint64
	seen, point, scale, i := false, false, 6, 0
	for ; i < len(s); i++ {
		if s[i] == '.' && !point {
			point = true
			continue
		}
		d := s[i] - '0'
		if d > 9 {
			break
		}
		seen = true
		switch {
		case n <= (1<<63)/10: // room for one more digit
			n = n*10 + uint64(d)
			if point {
				scale--
			}
		case !point:
			return 0, false // beyond any price
		}
	}
	if !seen {
		return 0, false
	}
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return 0, false
		}
		exp, err := strconv.Atoi(string(s[i+1:]))
		if err != nil || exp < -40 || exp > 40 {
			return 0, false
		}
		scale += exp
	}
	for ; scale > 0; scale-- {
		if n > uint64(MaxPrice) {
			return 0, false
		}
		n *= 10
	}
	for ; scale < -1; scale++ {
		n /= 10 // digits below the one that rounds
	}
	if scale == -1 {
		n = (n + 5) / 10
	}
	return Price(n), n <= uint64(MaxPrice)
}

// String returns the decimal form without needless zeros.
func (p Price) String() string { return string(p.append(nil)) }

func (p Price) append(b []byte) []byte {
	u := uint64(p)
	if p < 0 {
		b, u = append(b, '-'), -u
	}
	b = strconv.AppendUint(b, u/1_000_000, 10)
	if frac := u % 1_000_000; frac > 0 {
		b = append(b, '.')
		for unit := uint64(100_000); frac > 0; unit /= 10 {
			b = append(b, byte('0'+frac/unit))
			frac %= unit
		}
	}
	return b
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (p Price) MarshalText() ([]byte, error) { return p.append(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParsePrice.
func (p *Price) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePrice(string(text))
	return err
}

// UnmarshalJSON takes a JSON number as well as a string; null changes nothing.
func (p *Price) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if s, err := strconv.Unquote(string(data)); err == nil {
		data = []byte(s)
	}
	return p.UnmarshalText(data)
}
