package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// CSVError is what is wrong in one line of an inventory file.
type CSVError struct {
	Line   int    // from 1, the header included
	Column string // as the header names it; "" = the line as a whole
	Err    error
}

// Error returns line, column and what is wrong.
func (e *CSVError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("cli: line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("cli: line %d: %s: %v", e.Line, e.Column, e.Err)
}

// Unwrap returns Err.
func (e *CSVError) Unwrap() error { return e.Err }

// maxCSVErrors is after how many errors ReadCSV gives up on a file.
const maxCSVErrors = 100

// csvColumns is a table of constants; nothing writes to it.
var csvColumns = map[string]func(*NumberConfig, string) error{
	"number":   func(n *NumberConfig, s string) error { return n.Number.UnmarshalText([]byte(s)) },
	"pool":     func(n *NumberConfig, s string) error { n.Pool = s; return nil },
	"state":    func(n *NumberConfig, s string) error { return n.State.UnmarshalText([]byte(s)) },
	"country":  func(n *NumberConfig, s string) error { n.Country = s; return nil },
	"area":     func(n *NumberConfig, s string) error { return n.Area.UnmarshalText([]byte(s)) },
	"region":   func(n *NumberConfig, s string) error { n.Region = s; return nil },
	"type":     func(n *NumberConfig, s string) error { return n.Type.UnmarshalText([]byte(s)) },
	"owner":    func(n *NumberConfig, s string) error { n.Owner = s; return nil },
	"assigned": func(n *NumberConfig, s string) error { n.Assigned = s; return nil },
	"carriers": func(n *NumberConfig, s string) error { n.Carriers = strings.Fields(s); return nil },
	"evidence": func(n *NumberConfig, s string) error { n.Evidence = s; return nil },
	"expires":  func(n *NumberConfig, s string) (err error) { n.Expires, err = parseDate(s); return err },
}

// ReadCSV reads an inventory: RFC 4180, a header line with the names of NumberConfig's fields in lower case, in any
// order; number is required, columns that it does not know are an error. Names in carriers are set apart by spaces. A
// date in expires (2027-01-31) is the first day, in UTC, without a right; RFC 3339 gives a time. A number that is given
// twice is an error. The error joins a *CSVError for every bad line, up to a hundred; the good lines are returned
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
	var (
		list  []NumberConfig
		errs  []error
		lines = map[outdial.Number]int{}
	)
	for len(errs) < maxCSVErrors {
		fields, err := f.Read()
		if errors.Is(err, io.EOF) {
			return list, errors.Join(errs...)
		}
		if err != nil {
			var bad *csv.ParseError
			if !errors.As(err, &bad) {
				return list, errors.Join(append(errs, fmt.Errorf("cli: inventory: %w", err))...)
			}
			errs = append(errs, &CSVError{Line: bad.Line, Err: bad.Err})
			if errors.Is(bad.Err, csv.ErrFieldCount) {
				continue
			}
			return list, errors.Join(errs...) // after a bare quote nothing can be trusted
		}
		n, bad := readRow(f, header, fields)
		line, _ := f.FieldPos(0)
		if first, ok := lines[n.Number]; ok && n.Number != 0 {
			bad = append(bad, &CSVError{Line: line, Column: "number", Err: fmt.Errorf("given twice, first in line %d", first)})
		} else {
			lines[n.Number] = line
		}
		if len(bad) > 0 {
			errs = append(errs, bad...)
			continue
		}
		list = append(list, n)
	}
	errs = append(errs, errors.New("cli: inventory: too many errors, the rest was not read"))
	return list, errors.Join(errs...)
}

func readHeader(f *csv.Reader) ([]string, error) {
	fields, err := f.Read()
	if errors.Is(err, io.EOF) {
		return nil, &CSVError{Line: 1, Err: errors.New("empty: want a header")}
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
		case csvColumns[name] == nil:
			errs = append(errs, &CSVError{Line: line, Column: strings.Clone(fields[i]), Err: errors.New("no such column")})
		case seen[name]:
			errs = append(errs, &CSVError{Line: line, Column: name, Err: errTwice})
		}
		seen[name] = true
		header[i] = strings.Clone(name)
	}
	if !seen["number"] {
		errs = append(errs, &CSVError{Line: 1, Column: "number", Err: errRequired})
	}
	return header, errors.Join(errs...)
}

// readRow returns a number and what is wrong with it.
func readRow(f *csv.Reader, header, fields []string) (n NumberConfig, errs []error) {
	for i, s := range fields {
		if err := csvColumns[header[i]](&n, strings.TrimSpace(s)); err != nil {
			line, _ := f.FieldPos(i)
			errs = append(errs, &CSVError{Line: line, Column: header[i], Err: err})
		}
	}
	if errs != nil {
		return n, errs
	}
	line, _ := f.FieldPos(0)
	n.check(func(field string, err error) {
		errs = append(errs, &CSVError{Line: line, Column: strings.ToLower(field), Err: err})
	})
	return n, errs
}

func parseDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: want a date (2027-01-31) or a time (RFC 3339)", s)
	}
	return t, nil
}
