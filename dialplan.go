package outdial

import (
	"errors"
	"fmt"
	"strings"
)

// DialPlan turns what people and dialers of one country dial into numbers. With
//
//	DialPlan{CountryCode: 1, International: "011", National: "1", Subscriber: 10}
//
// "(212) 555-0123", "1 212 555 0123", "011 44 20 7946 0123" and "+12125550123" are all understood.
//
// A DialPlan is a plain value, safe for concurrent use. The zero value understands international form only.
type DialPlan struct {
	CountryCode   uint16 // what a national number is prefixed with; 0 = national numbers are refused
	International string // what stands for the plus sign: "011", "00"; "" = none
	National      string // what is dialled before a national number and is not part of it: "1", "0"; "" = none
	Subscriber    int    // digits of a national number where that is fixed (10 in the NANP); 0 = any length
}

// Validate returns one error that names every field that does not fit.
func (d DialPlan) Validate() error {
	var errs []error
	if d.CountryCode > 999 {
		errs = append(errs, fmt.Errorf("CountryCode: %d has more than three digits", d.CountryCode))
	}
	for _, f := range []struct{ name, value string }{{"International", d.International}, {"National", d.National}} {
		if strings.Trim(f.value, "0123456789") != "" {
			errs = append(errs, fmt.Errorf("%s: %q is not digits", f.name, f.value))
		}
	}
	if d.Subscriber < 0 || d.Subscriber >= MaxDigits {
		errs = append(errs, fmt.Errorf("Subscriber: %d is not between 0 and %d", d.Subscriber, MaxDigits-1))
	}
	if len(errs) > 0 {
		return fmt.Errorf("outdial: dial plan: %w", errors.Join(errs...))
	}
	return nil
}

// Parse reads a number as it is dialled under this plan. Whatever has a plus sign is read as by ParseNumber.
// Errors are of type *NumberError.
func (d DialPlan) Parse(s string) (Number, error) {
	t, problem := subscriber(s)
	if problem != "" {
		return 0, numberError(s, problem)
	}
	if t = strings.TrimSpace(t); strings.HasPrefix(t, "+") {
		return ParseNumber(t)
	}
	if _, _, problem := collectDigits(t); problem != "" {
		return 0, numberError(s, problem)
	}
	var buf [2 * MaxDigits]byte
	ds := onlyDigits(buf[:0], t)
	if rest, ok := strings.CutPrefix(ds, d.International); ok && d.International != "" {
		return parseFormatted("+"+rest, true)
	}
	if d.CountryCode == 0 {
		return 0, numberError(s, "no leading +, and the dial plan has no country code for national numbers")
	}
	if rest, ok := strings.CutPrefix(ds, d.National); ok && (d.Subscriber == 0 || len(rest) == d.Subscriber) {
		ds = rest
	}
	if d.Subscriber != 0 && len(ds) != d.Subscriber {
		return 0, numberError(s, fmt.Sprintf("a national number here has %d digits", d.Subscriber))
	}
	if d.Subscriber != 0 && strings.HasPrefix(ds, "0") {
		return 0, numberError(s, "a national number here does not begin with 0")
	}
	return parseFormatted(fmt.Sprintf("+%d%s", d.CountryCode, ds), true)
}

func onlyDigits(dst []byte, s string) string {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			dst = append(dst, s[i])
		}
	}
	return string(dst)
}
