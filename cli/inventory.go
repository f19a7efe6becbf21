package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// LineError is what is wrong in one line of an inventory file (ReadCSV, ReadJSON).
type LineError struct {
	Line   int    // from 1, a header included
	Column string // or field, as the file names it; "" = the line as a whole
	Err    error
}

// Error returns line, column and what is wrong.
func (e *LineError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("cli: line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("cli: line %d: %s: %v", e.Line, e.Column, e.Err)
}

// Unwrap returns Err.
func (e *LineError) Unwrap() error { return e.Err }

// maxLineErrors is after how many errors a file is given up on.
const maxLineErrors = 100

var errTooMany = errors.New("cli: inventory: too many errors, the rest was not read")

// inventoryColumns is a table of constants; nothing writes to it. A column is a field of NumberConfig in lower case.
var inventoryColumns = map[string]func(*NumberConfig, string) error{
	"number":   func(n *NumberConfig, s string) error { return n.Number.UnmarshalText([]byte(s)) },
	"pool":     func(n *NumberConfig, s string) error { n.Pool = s; return nil },
	"state":    func(n *NumberConfig, s string) error { return n.State.UnmarshalText([]byte(s)) },
	"country":  func(n *NumberConfig, s string) error { n.Country = s; return nil },
	"area":     func(n *NumberConfig, s string) error { return n.Area.UnmarshalText([]byte(s)) },
	"region":   func(n *NumberConfig, s string) error { n.Region = s; return nil },
	"centre":   func(n *NumberConfig, s string) error { n.Centre = s; return nil },
	"type":     func(n *NumberConfig, s string) error { return n.Type.UnmarshalText([]byte(s)) },
	"owner":    func(n *NumberConfig, s string) error { n.Owner = s; return nil },
	"assigned": func(n *NumberConfig, s string) error { n.Assigned = s; return nil },
	"carriers": func(n *NumberConfig, s string) error { n.Carriers = strings.Fields(s); return nil },
	"evidence": func(n *NumberConfig, s string) error { n.Evidence = s; return nil },
	"expires":  func(n *NumberConfig, s string) (err error) { n.Expires, err = parseDate(s); return err },
	"attested": func(n *NumberConfig, s string) error { n.Attested = strings.Fields(s); return nil },
	"callback": func(n *NumberConfig, s string) (err error) { n.Callback, err = parseDate(s); return err },
}

// inventoryLists is the columns that are lists of names: what JSON has them as. A table of constants.
var inventoryLists = map[string]func(*NumberConfig) *[]string{
	"carriers": func(n *NumberConfig) *[]string { return &n.Carriers },
	"attested": func(n *NumberConfig) *[]string { return &n.Attested },
}

// inventory collects what a file holds, and what is wrong with it.
type inventory struct {
	list  []NumberConfig
	errs  []error
	lines map[outdial.Number]int
}

func (v *inventory) bad(line int, column string, err error) {
	v.errs = append(v.errs, &LineError{Line: line, Column: column, Err: err})
}

// add takes a number that begins in a line, unless something of it is wrong or was.
func (v *inventory) add(line int, n NumberConfig, bad []error) {
	if bad == nil {
		n.check(func(field string, err error) {
			bad = append(bad, &LineError{Line: line, Column: strings.ToLower(field), Err: err})
		})
	}
	if first, ok := v.lines[n.Number]; ok && n.Number != 0 {
		bad = append(bad, &LineError{Line: line, Column: "number", Err: fmt.Errorf("given twice, first in line %d", first)})
	} else {
		v.lines[n.Number] = line
	}
	if v.errs = append(v.errs, bad...); len(bad) == 0 {
		v.list = append(v.list, n)
	}
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
