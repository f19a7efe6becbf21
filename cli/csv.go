package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/outdial/outdial"
)

// ReadCSV reads an inventory: RFC 4180, a header line with the names of NumberConfig's fields in lower case, in any
// order; number is required, columns that it does not know are an error. Names in carriers and in attested are set apart by spaces. A
// date in expires (2027-01-31) is the first day, in UTC, without a right; RFC 3339 gives a time; so in callback. A number that is given
// twice is an error. The error joins a *LineError for every bad line, up to a hundred; the good lines are returned
// beside it.
func ReadCSV(r io.Reader) ([]NumberConfig, error) {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	f := csv.NewReader(in)
	f.ReuseRecord = true
	f.TrimLeadingSpace = true
	header, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	v := inventory{lines: map[outdial.Number]int{}}
	for len(v.errs) < maxLineErrors {
		fields, err := f.Read()
		if errors.Is(err, io.EOF) {
			return v.list, errors.Join(v.errs...)
		}
		if err != nil {
			var bad *csv.ParseError
			if !errors.As(err, &bad) {
				return v.list, errors.Join(append(v.errs, fmt.Errorf("cli: inventory: %w", err))...)
			}
			v.bad(bad.Line, "", bad.Err)
			if errors.Is(bad.Err, csv.ErrFieldCount) {
				continue
			}
			return v.list, errors.Join(v.errs...) // after a bare quote nothing can be trusted
		}
		n, bad := readRow(f, header, fields)
		line, _ := f.FieldPos(0)
		v.add(line, n, bad)
	}
	return v.list, errors.Join(append(v.errs, errTooMany)...)
}

func readHeader(f *csv.Reader) ([]string, error) {
	fields, err := f.Read()
	if errors.Is(err, io.EOF) {
		return nil, &LineError{Line: 1, Err: errors.New("empty: want a header")}
	}
	if err != nil {
		return nil, fmt.Errorf("cli: inventory: %w", err)
	}
	var errs []error
	seen := map[string]bool{}
	header := make([]string, len(fields))
	for i, name := range fields {
		name = strings.ToLower(strings.TrimSpace(name))
		line, _ := f.FieldPos(i)
		switch {
		case inventoryColumns[name] == nil:
			errs = append(errs, &LineError{Line: line, Column: strings.Clone(fields[i]), Err: errors.New("no such column")})
		case seen[name]:
			errs = append(errs, &LineError{Line: line, Column: name, Err: errTwice})
		}
		seen[name] = true
		header[i] = strings.Clone(name)
	}
	if !seen["number"] {
		errs = append(errs, &LineError{Line: 1, Column: "number", Err: errRequired})
	}
	return header, errors.Join(errs...)
}

// readRow returns a number and what cannot be read of it.
func readRow(f *csv.Reader, header, fields []string) (n NumberConfig, errs []error) {
	for i, s := range fields {
		if err := inventoryColumns[header[i]](&n, strings.TrimSpace(s)); err != nil {
			line, _ := f.FieldPos(i)
			errs = append(errs, &LineError{Line: line, Column: header[i], Err: err})
		}
	}
	return n, errs
}
