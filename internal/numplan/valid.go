package numplan

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/outdial/outdial/internal/digits"
)

// What can be wrong with a number. The errors of Valid wrap one of them.
var (
	ErrCallingCode = errors.New("numplan: country code is not assigned")
	ErrArea        = errors.New("numplan: area is not assigned")
	ErrLength      = errors.New("numplan: wrong number of digits")
	ErrExchange    = errors.New("numplan: exchange code does not begin with 2 to 9")

	errNotIANA = errors.New("not the name of an IANA time zone")
)

// Valid returns nil when number can be in service as far as the plan knows, or an
// error that says why it cannot, which wraps one of the sentinels of this package. It is
// about the form: a valid number need not be anyone's.
func (p *Plan) Valid(number uint64) error {
	if n := digits.Len(number); n == 0 || n > digits.MaxLen {
		return fmt.Errorf("%w: +%d has %d, E.164 has 1 to %d", ErrLength, number, n, digits.MaxLen)
	}
	e, ok := p.Lookup(number)
	if !ok {
		return fmt.Errorf("%w: +%d", ErrCallingCode, number)
	}
	code := digits.Len(uint64(e.CallingCode))
	if n := digits.Len(number) - code; n < int(e.MinLen) || n > int(e.MaxLen) {
		want := strconv.Itoa(int(e.MinLen))
		if e.MaxLen > e.MinLen {
			want += " to " + strconv.Itoa(int(e.MaxLen))
		}
		return fmt.Errorf("%w: +%d has %d after the country code %d, which has %s", ErrLength, number, n, e.CallingCode, want)
	}
	if e.Class == Unassigned {
		return fmt.Errorf("%w: +%d", ErrArea, number)
	}
	if e.CallingCode == nanp && number/1e6%10 < 2 {
		return fmt.Errorf("%w: +%d", ErrExchange, number)
	}
	return nil
}
