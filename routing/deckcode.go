package routing

import (
	"fmt"
	"strings"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/internal/digits"
)

// readCode puts the prefix of a line together and adds a row for each that it names.
func (f *deckFile) readCode(code *[numColumns][]byte, r Rate) (deckColumn, error) {
	text := code[colPrefix]
	if p, ok := plainPrefix(text); ok && len(code[colCountryCode]) == 0 {
		f.add(r, p)
		return 0, nil
	}
	whole, column := string(text), colPrefix
	for _, part := range [...]struct {
		col    deckColumn
		digits int
	}{{colNPA, 3}, {colNXX, 3}, {colBlock, 1}} { // a shorter one would price other exchanges too
		if v := code[part.col]; v != nil && len(v) != part.digits && (len(v) > 0 || part.col != colBlock) {
			return part.col, fmt.Errorf("%.20q does not have %d digits", v, part.digits)
		}
	}
	switch {
	case code[colNPANXX] != nil:
		whole, column = strings.ReplaceAll(string(code[colNPANXX]), "-", "")+string(code[colBlock]), colNPANXX
	case code[colNPA] != nil:
		whole, column = string(code[colNPA])+string(code[colNXX])+string(code[colBlock]), colNPA
	}
	if column != colPrefix {
		if p, ok := plainPrefix([]byte(whole)); ok && len(whole) >= 3 && len(whole) <= 10 && whole[0] != '1' {
			p, err := outdial.ParsePrefix("1" + p.String()[1:])
			f.add(r, p)
			return column, err
		}
		return column, fmt.Errorf("%.20q does not begin with an area code of North America", whole)
	}
	country := strings.TrimPrefix(string(code[colCountryCode]), "+")
	if whole == "" {
		p, err := outdial.ParsePrefix(country)
		f.add(r, p)
		return colCountryCode, err
	}
	any := false
	for part := range strings.FieldsFuncSeq(whole, func(r rune) bool { return r == ',' || r == ';' }) {
		any = true
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange || len(first) != len(last) || strings.ContainsAny(part, "+ ()") { // a separator, as in 1-212
			p, err := outdial.ParsePrefix(country + strings.TrimSpace(part))
			if err != nil {
				return colPrefix, err
			}
			f.add(r, p)
			continue
		}
		if err := f.addRange(r, country+first, country+last); err != nil {
			return colPrefix, err
		}
	}
	if !any {
		return colPrefix, fmt.Errorf("%.20q names no prefix", whole)
	}
	return colPrefix, nil
}

const maxRange = 1000

func (f *deckFile) addRange(r Rate, first, last string) error {
	from, ok1 := plainPrefix([]byte(first))
	to, ok2 := plainPrefix([]byte(last))
	if !ok1 || !ok2 || to < from || to-from >= maxRange {
		return fmt.Errorf("%.20q to %.20q is not a range of at most %d prefixes", first, last, maxRange)
	}
	for p := from; p <= to; p++ {
		f.add(r, p)
	}
	return nil
}

// plainPrefix reads digits and nothing else; false for all that takes more.
func plainPrefix(b []byte) (p outdial.Prefix, ok bool) {
	if len(b) == 0 || len(b) > digits.MaxLen || b[0] == '0' {
		return 0, false
	}
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		p = p*10 + outdial.Prefix(d)
	}
	return p, true
}
