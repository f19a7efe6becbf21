package routing

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/outdial/outdial"
)

// columns of a deck file, in any order. prefix and rate are required; destination is for people and not read.
const (
	colPrefix = iota
	colRate
	colIncrement
	colSetup
	colEffective
	colEnd
	colDestination
	numColumns
)

var columnNames = [numColumns]string{"prefix", "rate", "increment", "setup", "effective", "end", "destination"}

// ReadDeck reads a deck from CSV (RFC 4180) with a header line:
//
//	prefix,rate,increment,setup,effective,end
//	1212,0.0042,6/6,,2026-03-01,
//
// prefix and rate are required, the other columns may be missing or empty; a column named destination is skipped, any
// other is an error, so that a misspelt name does not change what calls cost. The forms are those of Rate's fields.
// Names of columns may be in capitals; spaces around values do not count; a byte order mark is skipped.
//
// The error names every bad line ("deck alpha: line 7: rate: …"), up to 100 of them, and then there is no deck.
// Whether a prefix is given twice is found by Compile. ReadDeck reads r to its end and does not close it.
func ReadDeck(name string, r io.Reader) (Deck, error) {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	c.TrimLeadingSpace = true
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		err = errors.New("empty: want a header line")
	}
	if err != nil {
		return Deck{}, fmt.Errorf("routing: deck %s: %w", name, err)
	}
	at, err := readHeader(header)
	if err != nil {
		return Deck{}, fmt.Errorf("routing: deck %s: line 1: %w", name, err)
	}
	d, columns := Deck{Name: name}, len(header) // header is reused
	bad := newProblems().limited()
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := c.FieldPos(0)
			bad.add(fmt.Sprintf("line %d", line), "%d fields, the header has %d", len(record), columns)
			continue
		}
		if err != nil { // broken quotation or input: the rest cannot be trusted
			bad.add("after the last good line", "%w", err)
			break
		}
		rate, field, err := readRate(record, &at)
		if err != nil {
			line, _ := c.FieldPos(0)
			bad.add(fmt.Sprintf("line %d: %s", line, field), "%w", err)
			continue
		}
		d.Rates = append(d.Rates, rate)
	}
	if bad.any() {
		return Deck{}, fmt.Errorf("routing: deck %s: %w", name, bad.err())
	}
	return d, nil
}

// readHeader returns where each column stands, -1 where it is missing.
func readHeader(header []string) (at [numColumns]int, err error) {
	for i := range at {
		at[i] = -1
	}
	bad := newProblems()
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		col := slices.Index(columnNames[:], name)
		switch {
		case col < 0:
			bad.add("header", "unknown column %.40q: want %s", name, strings.Join(columnNames[:], ", "))
		case at[col] >= 0:
			bad.add("header", "column %q is given twice", name)
		default:
			at[col] = i
		}
	}
	for _, col := range []int{colPrefix, colRate} {
		if at[col] < 0 {
			bad.add("header", "column %q is missing", columnNames[col])
		}
	}
	return at, bad.err()
}

// readRate reads a line. On an error it names the column.
func readRate(record []string, at *[numColumns]int) (r Rate, column string, err error) {
	for col := range colDestination {
		if at[col] < 0 {
			continue
		}
		s := strings.TrimSpace(record[at[col]])
		switch col {
		case colPrefix:
			r.Prefix, err = outdial.ParsePrefix(s)
		case colRate:
			r.PerMinute, err = ParsePrice(s)
		case colIncrement:
			r.Increment, err = ParseIncrement(s)
		case colSetup:
			if s != "" {
				r.Setup, err = ParsePrice(s)
			}
		case colEffective:
			r.Effective, err = ParseInstant(s)
		case colEnd:
			r.End, err = ParseInstant(s)
		}
		if err != nil {
			return Rate{}, columnNames[col], err
		}
	}
	if field, problem := r.check(); problem != "" {
		return Rate{}, field, errors.New(problem)
	}
	return r, "", nil
}
